"""Jobs, data ends and legal holds over HTTP: who may look, what is shown, what two officers can do."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from freezegun import freeze_time

from tests.builders.served import Served
from tests.server.processes import PATIENCE_S, initialised, sayso
from tests.server.test_console import key_of, sign_in
from tests.server.worlds import MANIFEST, World

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(**later: float) -> Any:
    return freeze_time(START + timedelta(**later), real_asyncio=True)


async def stored(world: World, value: str = "c-1", **fields: str) -> str:
    """A person with something in the vault."""
    subject = await world.person(value)
    body = {"subject": subject, "collection": "customers", "fields": fields or {"email": "lin@example.com"}}
    response = await world.admin.post("/v1/vault/records", json=body)
    assert response.status_code == 201, response.text
    return subject


async def test_data_without_a_live_purpose_are_previewed_then_deleted_and_the_job_says_so(world: World) -> None:
    with at():
        await world.smallest()
        idle, chosen = await stored(world, "c-1"), await stored(world, "c-2")
        assert (await world.choose(chosen)).status_code == 201
        await world.services.workers.drain()
        officer = await world.key("ines", "officer")
        found = (await officer.get("/v1/data-ends", params={"before": "2026-04-15T00:00:00Z"})).json()
        assert found["categories"]["contact.email"] == {
            "people": 1,
            "values": 1,
            "first_at": "2026-03-31T09:00:00.000000Z",
            "sample": [idle],
        }
        assert (found["people"], found["more"], found["grace"], found["kept"]) == (1, False, "P30D", {})
        assert "lin@example.com" not in str(found)
        soon = (await officer.get("/v1/data-ends", params={"before": "2026-03-05T00:00:00Z"})).json()
        assert soon["categories"] == {}
        told = (await officer.get(f"/v1/subjects/{chosen}/data-ends")).json()["categories"]["contact.email"]
        assert (told["live"], told["ground"]) == (True, "consent: marketing.email")
        assert told["deleted_at"].startswith("2028-03-31")
    with at(days=31):
        await world.services.workers.drain()
        left = (await officer.get(f"/v1/subjects/{idle}/data-ends")).json()
        assert left["categories"] == {}
        jobs = {each["job"]: each for each in (await officer.get("/v1/jobs")).json()["jobs"]}
        assert {"calendar", "due", "holds"} <= jobs.keys()
        assert jobs["due"]["done"] >= 1
        assert {each["state"] for each in jobs.values()} == {"waiting"}


async def test_a_hold_over_http_needs_two_officers_and_stops_an_erasure(world: World) -> None:
    await world.smallest()
    subject = await stored(world)
    ines, omar = await world.key("ines", "officer"), await world.key("omar", "officer")
    body = {"matter": "Case 7", "people": [subject], "categories": ["contact"], "until": "2098-01-01T00:00:00Z"}
    proposed = await ines.post("/v1/holds", json=body)
    assert proposed.status_code == 201, proposed.text
    hold = proposed.json()["hold"]
    alone = await ines.post(f"/v1/holds/{hold}/approve")
    assert (alone.status_code, alone.json()["type"].rpartition("#")[2]) == (403, "four-eyes")
    placed = await omar.post(f"/v1/holds/{hold}/approve")
    assert (placed.status_code, placed.json()["state"]) == (200, "live")
    opened = (await ines.post("/v1/rights/requests", json={"subject": subject, "kind": "erasure"})).json()["request"]
    await ines.post(f"/v1/rights/requests/{opened}/verify", json={"method": "officer"})
    held = await ines.post(f"/v1/rights/requests/{opened}/fulfil", json={})
    assert (held.status_code, held.json()["type"].rpartition("#")[2]) == (409, "held")
    assert (await omar.post(f"/v1/holds/{hold}/release", json={"reason": "settled"})).json()["state"] == "releasing"
    assert (await ines.post(f"/v1/holds/{hold}/approve")).json()["state"] == "released"
    assert (await ines.post(f"/v1/rights/requests/{opened}/fulfil", json={})).status_code == 200
    listed = (await ines.get("/v1/holds")).json()["holds"]
    assert [(each["hold"], each["state"]) for each in listed] == [(hold, "released")]


async def test_only_officers_look_and_hold(lite: World) -> None:
    till = await lite.key("till", "recorder")
    for path in ("/v1/jobs", "/v1/data-ends", "/v1/holds"):
        assert (await till.get(path)).status_code == 403
        assert (await lite.nobody.get(path)).status_code == 401
    assert (await till.post("/v1/holds", json={"matter": "m", "people": []})).status_code == 403


async def test_bad_input_is_refused_with_its_name(lite: World) -> None:
    await lite.smallest()
    subject = await stored(lite)
    refused = [
        ({"matter": "", "people": [subject]}, "invalid-hold"),
        ({"matter": "m", "people": []}, "invalid-hold"),
        ({"matter": "m", "people": ["sub_1"]}, "malformed-id"),
        ({"matter": "m", "people": [subject], "categories": ["healht"]}, "unknown-category"),
        ({"matter": "m", "people": [subject], "until": "tomorrow"}, "invalid-time"),
    ]
    for body, slug in refused:
        answer = await lite.admin.post("/v1/holds", json=body)
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (400, slug), body
    assert (await lite.admin.get("/v1/data-ends", params={"before": "soon"})).status_code == 400
    assert (await lite.admin.get("/v1/data-ends", params={"limit": 0})).status_code == 400
    unknown = "hld_" + "0" * 32
    assert (await lite.admin.get(f"/v1/holds/{unknown}")).status_code == 404


async def test_terms_that_mean_nothing_are_refused_with_their_line(lite: World) -> None:
    for content, said in (
        ("data_ends: {grace: soon}", "grace"),
        ("data_ends: {graze: P3D}", "graze"),
        ("data_ends: [P3D]", "data_ends"),
        ("data_ends: {anonymous_after: P0D}", "anonymous_after"),
    ):
        answer = await lite.apply(content)
        assert answer.status_code == 400, content
        problem = answer.json()["problems"][0]
        assert said in problem["message"]
        assert problem["line"] == 1
    assert (await lite.apply("data_ends: {grace: P14D}")).status_code == 200


async def test_the_console_shows_officers_what_needs_somebody(world: World) -> None:
    with at():
        await world.smallest()
        await stored(world)
        ines = await key_of(world, "ines", "officer")
        wanted = {"matter": "Case <7>", "people": [await world.person("c:2")]}
        officer = await world.client(ines)
        assert (await officer.post("/v1/holds", json=wanted)).status_code == 201
        await world.services.workers.drain()
        browser, _ = await sign_in(world, ines)
        page = await browser.get("/console/systems")
        assert page.status_code == 200
        assert "Case &lt;7&gt;" in page.text
        assert "contact.email" in page.text
        assert "This installation sends no mail." in page.text
        assert "c:2" not in page.text
        auditor, _ = await sign_in(world, await key_of(world, "eva", "auditor"))
        assert (await auditor.get("/console/systems")).status_code == 403
        stranger = await world.client(None)
        assert (await stranger.get("/console/systems")).headers["location"] == "/console/"


def test_the_command_previews_what_ends_beside_no_server(data_dir: Path) -> None:
    initialised(data_dir)
    preview = sayso("data-ends", "preview", "--data", data_dir)
    assert preview.returncode == 0, preview.stderr
    assert "P30D after the last live purpose" in preview.stdout
    asked = sayso("data-ends", "preview", "--before", "2040-01-01T00:00:00Z", "--json", "--data", data_dir)
    assert json.loads(asked.stdout)["categories"] == {}
    wrong = sayso("data-ends", "preview", "--before", "tomorrow", "--data", data_dir)
    assert wrong.returncode != 0
    assert "tomorrow" not in wrong.stdout


def test_the_command_prints_counts_and_handles_and_no_value(tmp_path: Path) -> None:
    """On a served brand: the command goes through the running server."""
    served = Served(tmp_path)
    served.lay()
    served.apply(MANIFEST)
    served.start()
    try:
        with served.admin as client:
            identifier = {"identifier": {"type": "customer_id", "value": "c-1"}, "create": True}
            subject = client.post("/v1/subjects/resolve", json=identifier).json()["subject"]
            body = {"subject": subject, "collection": "customers", "fields": {"email": "lin@example.com"}}
            assert client.post("/v1/vault/records", json=body).status_code == 201
        until = time.monotonic() + PATIENCE_S
        while "contact.email" not in (told := served.at("data-ends", "preview", "--before", "2100-01-01T00:00:00Z")):
            assert time.monotonic() < until
        assert "1 people, 1 values" in told
        assert subject in told
        assert "lin@example.com" not in told
    finally:
        served.stop()
