"""The officer's report and the blast radius, through HTTP, with the evidence that they were counted from."""

import csv
import io
import json
import zipfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from audit import verify
from policies.audiences.tables import policies_aids
from reports import lists
from sayso.kernel import SYSTEM, Context, Tx, Work, now
from tests.server.test_exports import ask, busy, fetched, made, worked
from tests.server.worlds import World


async def a_list(client: httpx.AsyncClient, people: list[str]) -> None:
    body = {"purpose": "marketing.email", "action": "use", "category": "contact.email", "subjects": people}
    response = await client.post("/v1/audiences/filter", json=body)
    assert response.status_code == 200, response.text


async def radius(world: World, **order: Any) -> bytes:
    response = await world.admin.post("/v1/audit/blast-radius", json=order)
    assert response.status_code == 202, response.text
    await worked(world)
    return await fetched(world.admin, response.json()["export"])


async def test_the_report_counts_who_used_which_category_for_which_purpose(world: World) -> None:
    people = await busy(world)
    mailer = await world.key("mailer-2", "marketing_sender")
    await a_list(mailer, people)
    export = await made(world, world.admin, what="access", format="csv")
    rows = list(csv.DictReader(io.StringIO((await fetched(world.admin, export)).decode())))
    names, counts = ("service", "category", "purpose", "action"), ("permitted", "refused", "entries")
    counted = {tuple(row[name] for name in names): tuple(row[name] for name in counts) for row in rows}
    assert counted["mailer", "contact.email", "marketing.email", "use"] == ("3", "0", "3")
    assert counted["mailer", "health", "marketing.email", "use"] == ("0", "3", "3")
    assert counted["mailer-2", "contact.email", "marketing.email", "use"] == ("3", "0", "1")
    assert {row["export"] for row in rows} == {export}
    assert len({row["root"] for row in rows}) == 1


async def test_the_report_is_a_pdf_in_the_readers_language_with_its_rows_inside(lite: World) -> None:
    await busy(lite)
    for locale in ("en", "zh-CN"):
        export = await made(lite, lite.admin, what="access", format="pdf", locale=locale)
        made_pdf = await fetched(lite.admin, export)
        assert made_pdf.startswith(b"%PDF")
        assert b"report.csv" in made_pdf
        assert b"checkpoint" in made_pdf


async def test_the_bundle_of_a_report_proves_its_rows(lite: World, tmp_path: Path) -> None:
    await busy(lite)
    file = tmp_path / "report.zip"
    file.write_bytes(await fetched(lite.admin, await made(lite, lite.admin, what="access", format="bundle")))
    assert verify(file).code == 0
    with zipfile.ZipFile(file) as held:
        report = json.loads(held.read("report.json"))
        leaves = [json.loads(line) for line in held.read("entries.jsonl").splitlines()]
    for outcome in ("permit", "deny"):
        column = "permitted" if outcome == "permit" else "refused"
        counted = sum(row[column] for row in report["rows"] if row["action"] == "use")
        assert counted == sum(leaf["out"] == outcome and leaf["res"]["action"] == "use" for leaf in leaves)


async def test_a_blast_radius_finds_everybody_touched_singly_or_in_lists(world: World) -> None:
    people = await busy(world)
    put = await world.admin.put(f"/v1/subjects/{people[0]}/jurisdictions/de", json={"source": "declared"})
    assert put.status_code == 200, put.text
    thief = await world.key("thief", "marketing_sender")
    await a_list(thief, people[:2])
    await ask(thief, people[1], "contact.email", actor="thief")
    await world.services.integrate()
    found = json.loads(await radius(world, actor="thief", format="json", noticed_at="2026-11-22T00:00:00Z"))
    assert found["people"] == 2
    assert found["categories"] == {"contact.email": 2}
    listed = list(csv.DictReader(io.StringIO((await radius(world, actor="thief", format="csv")).decode())))
    assert {(row["subject"], row["entries"]) for row in listed} == {(people[0], "1"), (people[1], "2")}
    assert found["jurisdictions"] == {"de": 1, "unknown": 1}


async def test_a_blast_radius_names_the_clocks_and_its_list_is_signed(lite: World, tmp_path: Path) -> None:
    people = await busy(lite)
    await lite.services.integrate()
    found = json.loads(await radius(lite, actor="mailer", format="json", noticed_at="2026-11-22T00:00:00Z"))
    gdpr = next(each for each in found["clocks"] if (each["law"], each["whom"]) == ("GDPR", "authority"))
    assert gdpr["due_at"].startswith("2026-11-25T00:00")
    file = tmp_path / "radius.zip"
    file.write_bytes(await radius(lite, actor="mailer"))
    assert verify(file).code == 0
    with zipfile.ZipFile(file) as held:
        assert held.read("touched.csv").decode().count("sub_") == len(people)
        entries = {name: held.read(name) for name in held.namelist()}
    entries["touched.csv"] = entries["touched.csv"].replace(people[0].encode(), people[1].encode())
    with zipfile.ZipFile(file, "w") as forged:
        for name, raw in entries.items():
            forged.writestr(name, raw)
    assert (verify(file).code, verify(file).place) == (1, "touched.csv")


async def erase(world: World, person: str) -> None:
    opened = await world.admin.post("/v1/rights/requests", json={"subject": person, "kind": "erasure", "law": "gdpr"})
    request = opened.json()["request"]
    await world.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    assert (await world.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})).status_code == 200


async def test_who_was_erased_is_counted_once_and_never_named(lite: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erased after the report was made, and before it: in two lists that two steps looked at."""
    people = await busy(lite)
    thief = await lite.key("thief", "marketing_sender")
    for _ in range(2):
        await a_list(thief, people)
        await lite.services.integrate()
    made = await lite.admin.post("/v1/audit/blast-radius", json={"actor": "thief", "format": "json"})
    table = await lite.admin.post("/v1/audit/blast-radius", json={"actor": "thief", "format": "csv"})
    await worked(lite)
    await erase(lite, people[0])
    found = json.loads(await fetched(lite.admin, made.json()["export"]))
    assert (found["people"], found["gone"]) == (2, 1)
    assert people[0].encode() not in await fetched(lite.admin, table.json()["export"])

    monkeypatch.setattr(lists, "MOST", 1)
    await erase(lite, people[1])
    assert len(await steps_of(lite, radius(lite, actor="thief", format="json"))) > 1
    found = json.loads(await radius(lite, actor="thief", format="json"))
    assert (found["people"], found["gone"]) == (1, 2)
    assert found["categories"] == {"contact.email": 3}
    assert found["jurisdictions"] == {"unknown": 3}


async def steps_of(world: World, made: Awaitable[bytes]) -> list[int]:
    """Numbers of the steps that the newest export took."""
    await made

    def unit(tx: Tx) -> Work[list[int]]:
        (newest,) = yield from world.services.exports.newest(tx, 1)
        return list(range(newest.parts))

    return await world.services.database.look(Context("default", SYSTEM, now(), "test"), unit)


async def test_people_of_a_list_that_is_not_kept_are_counted_as_lost(lite: World) -> None:
    people = await busy(lite)
    thief = await lite.key("thief", "marketing_sender")
    kept, lost = people[:1], people[1:]
    await a_list(thief, kept)
    await a_list(thief, lost)
    await lite.services.integrate()

    def unit(tx: Tx) -> Work[None]:
        column = policies_aids.c.list
        (rows,) = yield (tx.select(select(column).order_by(column.desc())),)
        tx.execute(policies_aids.delete().where(column == rows[0][0]))

    await lite.services.database.run_alone(Context("default", SYSTEM, now(), "test"), unit)
    found = json.loads(await radius(lite, actor="thief", format="json"))
    assert (found["people"], found["gone"]) == (1, 0)
    assert (found["lists_gone"], found["in_lists_gone"]) == (1, {"contact.email": 2})
    assert {clock["law"] for clock in found["clocks"]} > {"GDPR", "PIPL"}


async def test_a_radius_needs_bounds_and_an_officer(lite: World) -> None:
    await lite.smallest()
    assert (await lite.admin.post("/v1/audit/blast-radius", json={})).status_code == 400
    both = {"actor": "a", "key": "key_1"}
    assert (await lite.admin.post("/v1/audit/blast-radius", json=both)).status_code == 400
    auditor = await lite.key("auditor-1", "auditor")
    refused = await auditor.post("/v1/audit/blast-radius", json={"since": "2026-01-01T00:00:00Z"})
    assert refused.status_code == 403
