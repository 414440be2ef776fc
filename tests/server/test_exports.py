"""Exports through HTTP: ordered, made by a job, fetched; and what each reader finds in them."""

import asyncio
import csv
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from freezegun import freeze_time
from pyarrow import parquet
from sqlalchemy import select

from audit import leaf_hash, verify
from audit.exports.tables import audit_export_part
from sayso.kernel import SYSTEM, Context, Jobs, Try, Tx, Work, now, to_datetime
from tests.server.worlds import World


async def busy(world: World) -> list[str]:
    """A brand with three people, their choices, and a mailer that asked about each."""
    await world.smallest()
    people = [await world.person(f"c-{number}") for number in range(3)]
    for person in people:
        assert (await world.choose(person)).status_code == 201
    mailer = await world.key("mailer", "marketing_sender")
    for person in people:
        for category in ("contact.email", "health"):
            await ask(mailer, person, category)
    return people


async def ask(client: httpx.AsyncClient, person: str, category: str, *, actor: str = "mailer") -> None:
    body = {
        "subject": {"type": "service", "id": actor},
        "action": {"name": "use"},
        "resource": {"type": category, "id": person},
        "context": {"purpose": "marketing.email"},
    }
    assert (await client.post("/access/v1/evaluation", json=body)).status_code == 200


async def made(world: World, client: httpx.AsyncClient, **order: Any) -> str:
    """An export that is done; its id."""
    await world.services.integrate()
    response = await client.post("/v1/exports", json={"what": "entries", **order})
    assert response.status_code == 202, response.text
    export: str = response.json()["export"]
    await worked(world)
    assert (await client.get(f"/v1/exports/{export}")).json()["status"] == "done"
    return export


async def worked(world: World) -> None:
    """The job of exports, until nothing is left of it."""
    services = world.services

    def report(job: str, error: Exception) -> None:
        pytest.fail(f"{job}: {error!r}")

    jobs = Jobs(services.database, (services.exports.job,), alone=True, report=report)
    # The installation's own worker may be at it too; whoever of the two has it ends it.
    while await services.database.look(lite_context(), lambda tx: services.exports.job.pending(tx, b"")):
        await jobs.work("default", at_once=True)
        await asyncio.sleep(0.01)


async def fetched(client: httpx.AsyncClient, export: str) -> bytes:
    response = await client.get(f"/v1/exports/{export}/content")
    assert response.status_code == 200, response.text
    return response.content


async def test_jsonl_holds_the_leaves_as_they_were_hashed(world: World) -> None:
    await busy(world)
    lines = (await fetched(world.admin, await made(world, world.admin, format="jsonl"))).splitlines()
    entries = (await world.admin.get("/v1/audit/entries", params={"limit": 200})).json()["entries"]
    hashes = {each["leaf_hash"] for each in entries}
    assert len(lines) > 15
    assert {leaf_hash(line).hex() for line in lines} <= hashes


async def test_filters_narrow_an_export_as_they_narrow_the_search(lite: World) -> None:
    people = await busy(lite)
    asked: list[tuple[dict[str, str], int]] = [
        ({"category": "health"}, 3),
        ({"purpose": "marketing.*", "type": "access.*"}, 6),
        ({"purpose": "marketing.email", "outcome": "permit"}, 3),
        ({"actor": "mailer"}, 6),
        ({"subject": people[0], "type": "access.*", "actor": "mailer"}, 2),
        ({"until": "2020-01-01T00:00:00Z"}, 0),
        ({"since": "2020-01-01T00:00:00Z", "type": "access.denied"}, 3),
    ]
    for filters, count in asked:
        export = await made(lite, lite.admin, format="jsonl", **filters)
        assert len((await fetched(lite.admin, export)).splitlines()) == count, filters
        found = (await lite.admin.get("/v1/audit/entries", params=filters)).json()["entries"]
        assert len(found) == count, filters


async def test_a_bundle_verifies_and_says_what_was_checked(world: World, tmp_path: Path) -> None:
    people = await busy(world)
    export = await made(world, world.admin, format="bundle", subject=people[1])
    file = tmp_path / "bundle.zip"
    file.write_bytes(await fetched(world.admin, export))
    trust = tmp_path / "trust.json"
    trust.write_bytes((await world.admin.get("/v1/audit/keys")).content)
    verdict = verify(file, trust)
    assert verdict.code == 0, verdict.report
    with zipfile.ZipFile(file) as held:
        openings = [json.loads(line) for line in held.read("openings.jsonl").splitlines()]
        assert "sayso_verify.py" in held.namelist()
        manifest = json.loads(held.read("manifest.json"))
        entries = [json.loads(line) for line in held.read("entries.jsonl").splitlines()]
        rules = [json.loads(held.read(name)) for name in held.namelist() if name.startswith("policies/")]
    assert manifest["filter"]["subject"] == people[1]
    assert rules[0]["manifest"]["rules"]
    about = [each for each in openings if each["compartment"] == "s"]
    assert len(about) == len(entries) > 3
    assert {json.loads(each["payload"])["subject"] for each in about} == {people[1]}
    stranger = tmp_path / "stranger.json"
    stranger.write_text('{"vkeys": ["example.com/log+64a7e6cc+AWtw4E8Kcl2iSmDOJBLu4mTDKPNAV6JWNKXhPk0iqxUg"]}')
    assert verify(file, stranger).code in (1, 2)


async def test_an_auditor_sees_who_acted_and_nobody_else(lite: World) -> None:
    people = await busy(lite)
    auditor = await lite.key("auditor-1", "auditor")
    refused = await auditor.post("/v1/exports", json={"what": "entries", "format": "csv", "subject": people[0]})
    assert refused.status_code == 403
    assert (await auditor.get("/v1/audit/entries", params={"subject": people[0]})).status_code == 403
    export = await made(lite, auditor, format="csv")
    rows = list(csv.DictReader(io.StringIO((await fetched(auditor, export)).decode())))
    assert {row["actor"] for row in rows if row["type"].startswith("access.")} >= {"mailer"}
    assert not any(person in str(rows) for person in people)
    seen = list(csv.DictReader(io.StringIO((await fetched(lite.admin, export)).decode())))
    assert {row["subject"] for row in seen} >= set(people)
    whole = await made(lite, lite.admin, format="csv", subject=people[0])
    assert (await auditor.get(f"/v1/exports/{whole}/content")).status_code == 403
    recorder = await lite.key("till", "recorder")
    assert (await recorder.post("/v1/exports", json={"what": "entries", "format": "csv"})).status_code == 403


async def test_parquet_ocsf_and_cloudevents_tell_the_same_entries(lite: World) -> None:
    await busy(lite)
    made_as: dict[str, bytes] = {}
    for form in ("jsonl", "parquet", "ocsf", "cloudevents"):
        made_as[form] = await fetched(lite.admin, await made(lite, lite.admin, format=form, type="access.*"))
    ids = [json.loads(line)["id"] for line in made_as["jsonl"].splitlines()]
    table = parquet.read_table(io.BytesIO(made_as["parquet"]))
    assert table.column("entry").to_pylist() == ids
    assert set(table.column("outcome").to_pylist()) == {"permit", "deny"}
    ocsf = [json.loads(line) for line in made_as["ocsf"].splitlines()]
    assert [each["metadata"]["uid"] for each in ocsf] == ids
    assert {(each["class_uid"], each["type_uid"]) for each in ocsf} == {(6005, 600501)}
    events = [json.loads(line) for line in made_as["cloudevents"].splitlines()]
    assert [each["id"] for each in events] == ids
    assert all(each["specversion"] == "1.0" and each["type"].startswith("sayso.access.") for each in events)


async def test_each_order_and_each_fetch_is_an_entry(lite: World) -> None:
    await busy(lite)
    export = await made(lite, lite.admin, format="jsonl")
    await fetched(lite.admin, export)
    await fetched(lite.admin, export)
    await lite.services.integrate()
    found = (await lite.admin.get("/v1/audit/entries", params={"type": "audit.export.*"})).json()["entries"]
    mine = [each for each in found if each["res"].get("export", export) == export]
    assert [each["type"] for each in mine] == ["audit.export.fetched"] * 2 + ["audit.export.ordered"]


async def test_what_cannot_be_ordered_is_named(lite: World) -> None:
    await lite.smallest()
    for order, slug in (
        ({"format": "docx"}, "export-format"),
        ({"format": "csv", "purpose": "marketing.emial"}, "unknown-name"),
        ({"format": "csv", "type": "acces.*"}, "unknown-name"),
        ({"format": "csv", "actor": "nobody"}, "unknown-client"),
    ):
        refused = await lite.admin.post("/v1/exports", json={"what": "entries", **order})
        assert refused.status_code == 400, order
        assert refused.json()["type"].endswith(slug)
    assert (await lite.admin.get("/v1/exports/exp_" + "00" * 16)).status_code == 404


async def test_an_export_is_fetched_when_it_is_done_and_gone_after_its_term(lite: World) -> None:
    lite.services.workers.stop()
    await busy(lite)
    await lite.services.integrate()
    order = {"what": "entries", "format": "csv", "type": "access.*"}
    export = (await lite.admin.post("/v1/exports", json=order)).json()["export"]
    early = await lite.admin.get(f"/v1/exports/{export}/content")
    assert early.status_code == 409
    assert early.json()["type"].endswith("export-not-ready")
    await worked(lite)
    await fetched(lite.admin, export)
    with freeze_time(to_datetime(now()) + timedelta(days=8), real_asyncio=True):
        assert (await lite.admin.get(f"/v1/exports/{export}/content")).status_code == 410
        await worked(lite)
        left = (await lite.admin.get(f"/v1/exports/{export}")).json()
        assert (left["status"], left["filter"]) == ("expired", {})
        assert await lite.services.database.look(lite_context(), parts_left) == 0


async def test_a_killed_workers_export_goes_on_where_it_was(lite: World) -> None:
    """The job is dropped after each step, as a killed process would drop it, and taken over by another."""
    lite.services.workers.stop()
    await busy(lite)
    await lite.services.integrate()
    desk = lite.services.exports
    export = (await lite.admin.post("/v1/exports", json={"what": "entries", "format": "jsonl"})).json()["export"]
    steps = 0
    while (await lite.admin.get(f"/v1/exports/{export}")).json()["status"] in ("queued", "running"):
        await lite.services.database.run_alone(lite_context(), lambda tx: desk.step(tx, Try(b"", 0), 5))
        steps += 1
    lines = (await fetched(lite.admin, export)).splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert steps > len(ids) // 5
    assert ids == sorted(set(ids))
    found = (await lite.admin.get("/v1/audit/entries", params={"limit": 200})).json()["entries"]
    assert set(ids) == {each["entry"] for each in found if each["index"] < len(ids)}


def lite_context() -> Context:
    return Context("default", SYSTEM, now(), "test")


def parts_left(tx: Tx) -> Work[int]:
    (rows,) = yield (tx.select(select(audit_export_part.c.number)),)
    return len(rows)


async def test_another_brand_has_no_such_export(lite: World) -> None:
    await busy(lite)
    export = await made(lite, lite.admin, format="csv")
    response = await lite.operator.post(
        "/v1/tenants", json={"name": "other", "controller": "Other Ltd, Ireland", "region": "eu"}
    )
    other = await lite.client(response.json()["admin_key"])
    foreign = await other.get(f"/v1/exports/{export}")
    unknown = await other.get("/v1/exports/exp_" + "00" * 16)
    assert (foreign.status_code, foreign.json()["type"]) == (404, unknown.json()["type"])


async def test_a_bundle_that_was_ordered_before_the_log_key_changed_verifies(lite: World, tmp_path: Path) -> None:
    await busy(lite)
    export = await made(lite, lite.admin, format="bundle")
    assert (await lite.admin.post("/v1/audit/keys/rotations", json={"after": "PT1H"})).status_code == 201
    with freeze_time(to_datetime(now()) + timedelta(hours=2), real_asyncio=True):
        await ask(await lite.key("mailer-2", "marketing_sender"), await lite.person("c-9"), "health", actor="mailer-2")
        await lite.services.settle()
        file = tmp_path / "bundle.zip"
        file.write_bytes(await fetched(lite.admin, export))
        trust = tmp_path / "trust.json"
        trust.write_bytes((await lite.admin.get("/v1/audit/keys")).content)
    for keys in (None, trust):
        assert verify(file, keys).code == 0, verify(file, keys).report
    with zipfile.ZipFile(file) as held:
        assert len(json.loads(held.read("keys.json"))["vkeys"]) == 2
