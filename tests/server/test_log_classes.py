"""The manifest's section `logs` over HTTP and on the command line: logs by class, shards, exports, pruning, holds."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from freezegun import freeze_time
from pyarrow import parquet

from audit import verify
from sayso.server.cli import cli
from tests.server.test_console import key_of, sign_in
from tests.server.test_exports import fetched, worked
from tests.server.worlds import World

LOGS = "logs: {access: {keep: P90D}, consent: {}, admin: {}}\n"


def at(day: str) -> Any:
    return freeze_time(f"{day}T09:00:00Z", real_asyncio=True)


async def asked(world: World, subject: str) -> str:
    """One decision; returns its entry."""
    body = {
        "subject": {"type": "service", "id": "first-admin"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    response = await world.admin.post("/access/v1/evaluation", json=body)
    assert response.status_code == 200, response.text
    entry: str = response.json()["context"]["entry"]
    return entry


async def listed(world: World, subject: str) -> str:
    """One decision about an audience; returns its id."""
    body = {"purpose": "marketing.email", "action": "use", "category": "contact.email", "subjects": [subject]}
    response = await world.admin.post("/v1/audiences/filter", json=body)
    assert response.status_code == 200, response.text
    audience: str = response.json()["audience"]
    return audience


async def logs_of(world: World) -> dict[str, dict[str, Any]]:
    found = (await world.admin.get("/v1/audit/logs")).json()["logs"]
    return {each["name"]: each for each in found}


async def trust_of(world: World, tmp_path: Path) -> Path:
    file = tmp_path / "trust.json"
    file.write_bytes((await world.admin.get("/v1/audit/keys")).content)
    return file


async def test_entries_go_where_the_manifest_says_and_are_found_everywhere(world: World, tmp_path: Path) -> None:
    await world.smallest()
    subject = await world.person()
    early = await asked(world, subject)
    assert (await world.apply(LOGS)).status_code == 200
    chosen = (await world.choose(subject)).json()["entry"]
    late = await asked(world, subject)
    await world.services.settle()
    found = await logs_of(world)
    assert [each["log"] for each in found.values()] == [f"default.{name}" for name in found]
    assert found.keys() == {"main", "access", "consent", "admin"}
    for entry, log in ((early, "default.main"), (late, "default.access"), (chosen, "default.consent")):
        assert (await world.admin.get(f"/v1/audit/entries/{entry}")).json()["log"] == log
    assert (await world.nobody.get("/log/default.access/checkpoint")).status_code == 200
    assert (await world.admin.get("/log/default.access/tile/entries/000.p/1")).status_code == 200
    decisions = (await world.admin.get("/v1/audit/entries", params={"type": "access.*"})).json()["entries"]
    assert {early, late} <= {each["entry"] for each in decisions}
    one = (await world.admin.get("/v1/audit/entries", params={"type": "access.*", "log": "access"})).json()["entries"]
    assert [each["entry"] for each in one] == [late]
    assert (await world.admin.get(f"/v1/audit/entries/{late}/proof")).text.startswith("c2sp.org/tlog-proof@v1")
    person = (await world.admin.get("/v1/audit/entries", params={"subject": subject})).json()["entries"]
    assert {each["log"] for each in person} >= {"default.main", "default.access", "default.consent"}
    receipt = (await world.choose(subject)).json()["record"]
    await world.services.settle()
    held = tmp_path / "receipt.json"
    held.write_bytes((await world.admin.get(f"/v1/consents/{receipt}/receipt")).content)
    assert verify(held, await trust_of(world, tmp_path)).code == 0

    out = tmp_path / "out"
    done = await world.operator.post("/v1/audit/exports/local", json={"out": str(out)})
    assert done.json()["logs"].keys() == found.keys()
    verdict = verify(out, await trust_of(world, tmp_path))
    assert verdict.code == 0, verdict.report
    assert {each.name for each in (out / "logs").iterdir()} == {"access", "consent", "admin"}
    alone = await world.operator.post("/v1/audit/exports/local", json={"out": str(tmp_path / "a"), "log": "access"})
    assert alone.json()["logs"].keys() == {"access"}
    assert verify(tmp_path / "a" / "logs" / "access", None).code == 0


async def exported(world: World, path: str = "/v1/exports", **order: Any) -> bytes:
    """What an order brings, once it is done."""
    response = await world.admin.post(path, json=order)
    assert response.status_code == 202, response.text
    export = response.json()["export"]
    await worked(world)
    return await fetched(world.admin, export)


async def of_two_days(world: World) -> tuple[str, list[str]]:
    """Choices and decisions about one person before there were classes, and on two days with them: the log `access` has
    two shards. The ids of the decisions, in the order in which they were made.
    """
    with at("2096-12-30"):
        await world.smallest()
        subject = await world.person()
        made = [await asked(world, subject)]
        await world.services.settle()
    with at("2096-12-31"):
        assert (await world.apply(LOGS)).status_code == 200
        await world.choose(subject)
        made.append(await asked(world, subject))
        await world.services.settle()
    with at("2097-01-02"):
        await world.services.settle()
        made.append(await asked(world, subject))
        await world.services.settle()
    return subject, made


async def test_an_export_is_of_all_logs_and_each_row_names_its_own(world: World, tmp_path: Path) -> None:
    _, decisions = await of_two_days(world)
    with at("2097-01-02"):
        rows = list(csv.DictReader(io.StringIO((await exported(world, format="csv")).decode())))
        found = await logs_of(world)
        assert [row["entry"] for row in rows] == sorted(row["entry"] for row in rows)
        assert {row["log"] for row in rows} == {each["origin"] for each in found.values() if each["size"]}
        assert {"main", "access", "access-2", "consent", "consent-2", "admin"} == found.keys()
        for row in rows:
            told = (await world.admin.get(f"/v1/audit/entries/{row['entry']}")).json()
            assert (found[told["log"].partition(".")[2]]["origin"], told["index"]) == (row["log"], int(row["index"]))
        uses = await exported(world, what="access", format="csv")
        counted = list(csv.DictReader(io.StringIO(uses.decode())))
        assert [row["log"].rpartition(".")[2] for row in counted] == ["main", "access", "access-2"]
        assert all(row["root"] and row["log_size"] for row in counted)
        lines = (await exported(world, format="jsonl", type="access.*")).splitlines()
        assert [json.loads(line)["id"] for line in lines] == decisions
        events = (await exported(world, format="cloudevents", type="access.*")).splitlines()
        assert len({json.loads(line)["source"] for line in events}) == 3
        mapped = (await exported(world, format="ocsf", type="access.*")).splitlines()
        assert len({json.loads(line)["metadata"]["log_name"] for line in mapped}) == 3
        table = parquet.ParquetFile(io.BytesIO(await exported(world, format="parquet", type="access.*"))).read()
        assert table.column("entry").to_pylist() == decisions
        since = await exported(world, format="jsonl", type="access.*", since="2097-01-01T00:00:00Z")
        assert [json.loads(line)["id"] for line in since.splitlines()] == decisions[2:]
        one = (await exported(world, format="jsonl", type="access.*", log="access-2")).splitlines()
        assert [json.loads(line)["id"] for line in one] == decisions[2:]
        missing = await world.admin.post("/v1/exports", json={"format": "csv", "log": "acess"})
        assert missing.status_code == 404

        trust = await trust_of(world, tmp_path)
        bundle = tmp_path / "bundle.zip"
        bundle.write_bytes(await exported(world, what="access", format="bundle"))
        for keys in (trust, None):
            verdict = verify(bundle, keys)
            assert verdict.code == 0, verdict.report
        with zipfile.ZipFile(bundle) as held:
            assert [json.loads(line)["id"] for line in held.read("entries.jsonl").splitlines()] == decisions
            assert json.loads(held.read("manifest.json"))["logs"].keys() == {"main", "access", "access-2"}
            assert len(json.loads(held.read("report.json"))["logs"]) == 3
            files = {name: held.read(name) for name in held.namelist()}
        files["entries.jsonl"] = files["entries.jsonl"].replace(b'"out":"', b'"out":"x', 3)
        with zipfile.ZipFile(bundle, "w") as forged:
            for name, raw in files.items():
                forged.writestr(name, raw)
        assert verify(bundle, trust).code == 1
        assert " of main: entries.jsonl" in verify(bundle, trust).report
        assert (await exported(world, what="access", format="pdf")).count(b"checkpoint.default.") >= 3


async def test_a_blast_radius_and_a_persons_own_entries_count_over_all_logs(world: World, tmp_path: Path) -> None:
    subject, decisions = await of_two_days(world)
    with at("2097-01-02"):
        found = json.loads(await exported(world, "/v1/audit/blast-radius", since="2096-01-01T00:00:00Z", format="json"))
        assert sum(count for name, count in found["types"].items() if name.startswith("access.")) == len(decisions)
        assert len(found["logs"]) == 5
        assert found["people"] == 1
        radius = tmp_path / "radius.zip"
        radius.write_bytes(await exported(world, "/v1/audit/blast-radius", since="2096-01-01T00:00:00Z"))
        assert verify(radius).code == 0, verify(radius).report
        file = tmp_path / "mine.zip"
        file.write_bytes((await world.admin.post(f"/v1/subjects/{subject}/entries/bundle")).content)
        verdict = verify(file, await trust_of(world, tmp_path))
        assert verdict.code == 0, verdict.report
        with zipfile.ZipFile(file) as held:
            ids = [json.loads(line)["id"] for line in held.read("entries.jsonl").splitlines()]
            logs = {json.loads(line)["log"] for line in held.read("proofs.jsonl").splitlines()}
        assert set(decisions) < set(ids)
        assert ids == sorted(ids)
        assert logs == {"main", "access", "access-2", "consent"}


async def test_the_console_shows_a_report_over_all_logs(lite: World) -> None:
    await of_two_days(lite)
    with at("2097-01-02"):
        browser, _ = await sign_in(lite, await key_of(lite, "ines", "officer"))
        export = (await lite.admin.post("/v1/exports", json={"what": "access", "format": "json"})).json()["export"]
        await worked(lite)
        shown = await browser.get("/console/uses", params={"export": export})
        assert shown.status_code == 200, shown.text
        for log in ("default.main", "default.access", "default.access-2"):
            assert f"<code>{log.partition('.')[2]}</code>" in shown.text, log


async def test_what_is_over_is_previewed_held_pruned_and_says_so(world: World, tmp_path: Path) -> None:
    with at("2097-01-05"):
        await world.smallest()
        assert (await world.apply(LOGS)).status_code == 200
        subject = await world.person()
        chosen = (await world.choose(subject)).json()
        old = await asked(world, subject)
        audience = await listed(world, subject)
        await world.services.settle()
        # Long before it is exported its key is replaced: a closed log is not signed again.
        assert (await world.admin.post("/v1/audit/keys/rotations", json={"after": "P7D"})).status_code == 201
    with at("2097-05-01"):
        young = await asked(world, subject)
        await world.services.settle()
        officers = [await world.key(name, "officer") for name in ("ines", "joel")]
        for refused in (world.admin, officers[0], await world.key("ana", "auditor")):
            assert (await refused.get("/v1/audit/prunes")).status_code == 403
            assert (await refused.post("/v1/audit/prunes", json={"copy": "/tmp/x"})).status_code == 403
        (over,) = (await world.operator.get("/v1/audit/prunes")).json()["logs"]
        assert (over["log"], over["keep"], over["entries"]) == ("access", "P90D", 2)

        body = {"matter": "Case 7", "people": [subject]}
        hold = (await officers[0].post("/v1/holds", json=body)).json()["hold"]
        assert (await officers[1].post(f"/v1/holds/{hold}/approve")).status_code == 200
        assert (await world.operator.get("/v1/audit/prunes")).json()["holds"] == [hold]
        copy = {"copy": str(tmp_path / "copy")}
        held = await world.operator.post("/v1/audit/prunes", json=copy)
        assert (held.status_code, held.json()["type"]) == (409, "/docs/problems#log-held")
        assert (await world.admin.get(f"/v1/audit/entries/{old}")).status_code == 200
        await officers[0].post(f"/v1/holds/{hold}/release", json={})
        await officers[1].post(f"/v1/holds/{hold}/approve")
        await world.services.settle()

        gone = await world.operator.post("/v1/audit/prunes", json=copy)
        assert gone.json()["logs"] == [over]
        await world.services.settle()
    for read in (
        f"/v1/audit/entries/{old}",
        f"/v1/audit/entries/{old}/proof",
        "/log/default.access/tile/entries/000.p/1",
    ):
        response = await world.admin.get(read)
        assert (response.status_code, response.json()["type"]) == (410, "/docs/problems#entry-pruned"), read
    assert (await world.admin.get(f"/v1/audit/entries/{young}")).status_code == 200
    assert (await world.nobody.get("/log/default.access/tile/0/000.p/1")).status_code == 200
    assert (await logs_of(world))["access"]["pruned_below"] == 2
    revoked = await world.admin.get(f"/v1/audiences/{audience}/revoked")
    assert revoked.status_code == 404, "whom the list named went with its entry"
    assert (await world.admin.get(f"/v1/consents/{chosen['record']}/receipt")).json()["proof"]
    for trust in (await trust_of(world, tmp_path), None):
        verdict = verify(tmp_path / "copy", trust)
        assert verdict.code == 0, verdict.report
    console = (await world.admin.get("/v1/audit/entries", params={"type": "audit.log.*"})).json()["entries"]
    assert [(each["type"], each["actor"], each["res"]["log"]) for each in console] == [
        ("audit.log.pruned", "operator", "access")
    ]


async def test_a_wrong_section_is_refused_by_its_line(lite: World) -> None:
    response = await lite.apply("logs:\n  acess: {}\n")
    assert response.status_code == 400
    assert response.json()["problems"] == [
        {"file": "test.yaml", "line": 2, "message": "logs: no class 'acess'.", "nearest": "access"}
    ]


def test_the_command_previews_then_prunes_what_it_exported_and_verified(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"

    def run(*words: str | Path) -> str:
        done = CliRunner().invoke(cli, [*map(str, words), "--data", str(data)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    manifest = tmp_path / "logs.yaml"
    manifest.write_text("logs: {admin: {keep: P90D}}\n")
    run("init")
    # What the first command loads must not meet a frozen calendar.
    assert run("audit", "prune") == "Nothing is over that no export holds.\n"
    with at("2096-06-01"):
        run("apply", manifest)
        run("keys", "create", "crm", "--role", "recorder")
    with at("2097-06-01"):
        assert run("audit", "prune") == "Nothing is over that no export holds.\n", (
            "the year's log is closed by whoever integrates next"
        )
        assert "admin: 1 entries of 2096-06-01T" in run("audit", "prune")
        assert f"were pruned; {copy} has them" in run("audit", "prune", "--copy", copy, "--yes")
    assert verify(copy, None).code == 0


async def test_the_evidence_of_a_request_over_several_logs_is_one_bundle(world: World, tmp_path: Path) -> None:
    await world.smallest()
    subject = await world.person()
    opened = await world.admin.post("/v1/rights/requests", json={"subject": subject, "kind": "access"})
    at = f"/v1/rights/requests/{opened.json()['request']}"
    assert (await world.apply("logs: {consent: {}}\n")).status_code == 200
    assert (await world.admin.post(f"{at}/verify", json={"method": "officer"})).status_code == 200
    await world.services.settle()
    pack = await world.admin.post(f"{at}/evidence")
    assert pack.status_code == 200, pack.text
    file = tmp_path / "pack.zip"
    file.write_bytes(pack.content)
    verdict = verify(file, await trust_of(world, tmp_path))
    assert verdict.code == 0, verdict.report
    with zipfile.ZipFile(file) as bundle:
        types = [json.loads(line)["type"] for line in bundle.read("entries.jsonl").splitlines()]
        logs = [json.loads(line)["log"] for line in bundle.read("proofs.jsonl").splitlines()]
        assert {"request.json", "logs/main/checkpoint", "logs/consent/checkpoint"} < set(bundle.namelist())
    assert types == ["rights.request.opened", "rights.request.verified", "rights.evidence.exported"]
    assert logs == ["main", "consent", "consent"]


async def test_a_request_whose_first_steps_were_pruned_is_still_shown_and_proven(lite: World, tmp_path: Path) -> None:
    with at("2096-03-05"):
        await lite.smallest()
        assert (await lite.apply("logs: {consent: {keep: P90D}}\n")).status_code == 200
        officer = await key_of(lite, "ines", "officer")
        opened = await lite.admin.post("/v1/rights/requests", json={"subject": await lite.person(), "kind": "access"})
        request = opened.json()["request"]
        await lite.services.settle()
    with at("2097-06-01"):
        await lite.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
        await lite.services.settle()
        gone = await lite.operator.post("/v1/audit/prunes", json={"copy": str(tmp_path / "copy")})
        assert [each["log"] for each in gone.json()["logs"]] == ["consent"]
        await lite.services.settle()
        browser, _ = await sign_in(lite, officer)
        assert (await browser.get(f"/console/rights/{request}")).status_code == 200
        pack = await lite.admin.post(f"/v1/rights/requests/{request}/evidence")
        assert pack.status_code == 200, pack.text
        (tmp_path / "pack.zip").write_bytes(pack.content)
        assert verify(tmp_path / "pack.zip", await trust_of(lite, tmp_path)).code == 0
        with zipfile.ZipFile(tmp_path / "pack.zip") as bundle:
            steps = [json.loads(line)["type"] for line in bundle.read("entries.jsonl").splitlines()]
            told = bundle.read("REQUEST.txt").decode()
            assert bundle.read("pruned.json").decode().count("ent_") == 1
        assert steps == ["rights.request.verified", "rights.evidence.exported"]
        assert "pruned.json" in told
