"""Audiences over HTTP: sorted numbers, kept lists, who left since, everybody who may be contacted."""

import asyncio
import json
import struct
from typing import Any

import httpx
import pytest_asyncio
from freezegun import freeze_time

from tests.server.questionnaire import MANIFEST, prefer
from tests.server.test_crowds import NIGHT, made
from tests.server.worlds import World

AIDS = "application/vnd.sayso.aids"
QUESTION = {"purpose": "marketing.email", "action": "use", "category": "contact.email"}
BY_MAIL = {**QUESTION, "channel": "email"}
PER_WEEK = {"frequency": {"email": {"most": 1, "per": "week"}}}


@pytest_asyncio.fixture
async def mailer(tea: World) -> httpx.AsyncClient:
    return await tea.key("mailer", "sender", "pep")


@pytest_asyncio.fixture
async def alone(lite: World) -> World:
    """The same brand on the embedded database, for what does not depend on the engine."""
    assert (await lite.apply(MANIFEST)).status_code == 200
    return lite


@pytest_asyncio.fixture
async def sender(alone: World) -> httpx.AsyncClient:
    return await alone.key("mailer", "sender", "pep")


async def people(world: World, count: int, *, refuse: int = 3) -> dict[str, int]:
    """So many people and their numbers; every `refuse`th of them never said yes."""
    found = {}
    for place in range(count):
        identifier = {"type": "customer_id", "value": f"c-{place}"}
        answer = await world.admin.post("/v1/subjects/resolve", json={"identifier": identifier, "create": True})
        found[answer.json()["subject"]] = int(answer.json()["aid"])
        if place % refuse:
            await world.choose(answer.json()["subject"])
    return found


def packed(numbers: Any) -> bytes:
    ordered = sorted(numbers)
    return struct.pack(f"<{len(ordered)}Q", *ordered)


def unpacked(body: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(body) // 8}Q", body))


async def ask(client: httpx.AsyncClient, numbers: Any, **question: str) -> httpx.Response:
    return await client.post(
        "/v1/audiences/filter", params=question or QUESTION, content=packed(numbers), headers={"content-type": AIDS}
    )


async def test_numbers_are_answered_as_ids_are(tea: World, mailer: httpx.AsyncClient) -> None:
    known = await people(tea, 7)
    await _answered_alike(mailer, known)
    await made(tea)
    await _answered_alike(mailer, known)


async def _answered_alike(mailer: httpx.AsyncClient, known: dict[str, int]) -> None:
    named = await mailer.post("/v1/audiences/filter", json={**QUESTION, "subjects": [*known, "sub_x"], "aids": True})
    assert named.status_code == 200, named.text
    told = named.json()
    assert told["counts"] == {"permitted": 4, "no_consent": 3, "no_subject": 1}
    assert [int(each) for each in told["aids"]] == [known[subject] for subject in told["permitted"]]
    answer = await ask(mailer, [*known.values(), 7])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == AIDS
    assert unpacked(answer.content) == sorted(known[subject] for subject in told["permitted"])
    assert answer.headers["sayso-counts"] == "no_consent=3, no_subject=1, permitted=4"
    assert answer.headers["sayso-audience"][4:] == answer.headers["sayso-entry"][4:]
    assert answer.headers["sayso-valid-until"] > told["valid_until"][:10]
    assert answer.headers["sayso-registry-seq"] == told["registry_seq"]


async def test_only_counts_are_answered_where_json_is_wanted(alone: World, sender: httpx.AsyncClient) -> None:
    known = await people(alone, 3)
    answer = await sender.post(
        "/v1/audiences/filter",
        params=QUESTION,
        content=packed(known.values()),
        headers={"content-type": AIDS, "accept": "application/json"},
    )
    assert answer.json()["counts"] == {"permitted": 2, "no_consent": 1}
    assert "permitted" not in answer.json()


BAD = [
    (b"", 400, "empty-audience"),
    (bytes(7), 400, "malformed-aids"),
    (struct.pack("<2Q", 2, 1), 400, "malformed-aids"),
    (struct.pack("<2Q", 2, 2), 400, "malformed-aids"),
    (bytes(8 * 2_000_001), 413, "too-many-subjects"),
    (bytes((48 << 20) + 8), 413, "body-too-large"),
]


async def test_a_body_that_is_no_sorted_list_is_refused(alone: World, sender: httpx.AsyncClient) -> None:
    for body, status, slug in BAD:
        answer = await sender.post(
            "/v1/audiences/filter", params=QUESTION, content=body, headers={"content-type": AIDS}
        )
        assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (status, slug)


async def test_bad_questions_are_told_what_is_wrong(alone: World, sender: httpx.AsyncClient) -> None:
    assert (await ask(sender, [1], purpose="ads")).status_code == 400
    other = await sender.post("/v1/audiences/filter", content=b"1", headers={"content-type": "text/csv"})
    assert other.json()["type"].endswith("unsupported-media-type")
    unknown = await ask(sender, [1], **{**QUESTION, "purpose": "marketing.mail"})
    assert unknown.headers["sayso-counts"] == "unknown_name=1"
    assert (await sender.put("/v1/audiences/aud_1", json={"subjects": ["sub_x"]})).status_code == 400
    assert (await sender.put("/v1/audiences/UPPER", json={"subjects": ["sub_x"]})).status_code == 400
    assert (await sender.post("/v1/audiences/none/filter", json=QUESTION)).status_code == 404
    assert (await sender.get("/v1/audiences/aud_00/revoked")).status_code == 400
    recorder = await alone.key("shop", "recorder")
    assert (await ask(recorder, [1])).status_code == 403


async def test_a_withdrawal_is_in_the_next_answer_and_in_who_left(tea: World, mailer: httpx.AsyncClient) -> None:
    known = await people(tea, 7)
    await made(tea)
    answer = await ask(mailer, known.values())
    place = f"/v1/audiences/{answer.headers['sayso-audience']}/revoked"
    first = (await mailer.get(place)).json()
    assert (first["revoked"], first["gone"], first["refiltered"]) == ([], [], False)
    leaving = next(subject for subject, aid in known.items() if aid in unpacked(answer.content))
    await tea.admin.post(f"/v1/subjects/{leaving}/withdrawals", json={"purposes": "all", "method": "api"})
    second = (await mailer.get(place, params={"after": first["cursor"]})).json()
    assert (second["revoked"], second["refiltered"]) == ([leaving], False)
    third = (await mailer.get(place, params={"after": second["cursor"]})).json()
    assert third["revoked"] == []
    assert (await mailer.get(place)).json()["revoked"] == [leaving]
    numbers = await mailer.get(place, headers={"accept": AIDS})
    assert unpacked(numbers.content) == [known[leaving]]
    assert known[leaving] not in unpacked((await ask(mailer, known.values())).content)
    stranger = await tea.key("other", "sender")
    assert (await stranger.get(place)).status_code == 404
    assert (await mailer.get(place, params={"after": "x"})).json()["type"].endswith("invalid-cursor")


async def test_who_must_not_be_disturbed_any_more_left_though_nothing_changed(
    tea: World, mailer: httpx.AsyncClient
) -> None:
    with freeze_time("2026-03-03T12:00:00Z", real_asyncio=True) as clock:
        known = await people(tea, 4)
        await made(tea)
        sleeper = list(known)[1]
        await prefer(tea, sleeper, {"quiet_hours": NIGHT})
        answer = await ask(mailer, known.values(), **BY_MAIL)
        assert known[sleeper] in unpacked(answer.content)
        place = f"/v1/audiences/{answer.headers['sayso-audience']}/revoked"
        cursor = (await mailer.get(place)).json()["cursor"]
        assert (await mailer.get(place, params={"after": cursor})).json()["revoked"] == []
        clock.move_to("2026-03-03T23:30:00Z")
        told = (await mailer.get(place, params={"after": cursor})).json()
        assert sleeper in told["revoked"]


async def test_a_cursor_of_another_answer_or_of_another_catalogue_leaves_nobody_out(
    alone: World, sender: httpx.AsyncClient
) -> None:
    known = await people(alone, 4)
    await made(alone)
    one, other = [await ask(sender, known.values()) for _ in range(2)]
    place = f"/v1/audiences/{one.headers['sayso-audience']}/revoked"
    elsewhere = (await sender.get(f"/v1/audiences/{other.headers['sayso-audience']}/revoked")).json()["cursor"]
    assert (await sender.get(place, params={"after": elsewhere})).json()["refiltered"] is True
    cursor = (await sender.get(place)).json()["cursor"]
    assert (await sender.get(place, params={"after": cursor})).json()["refiltered"] is False
    sites = 'sites: {shop: {origins: ["https://shop.example"], notice: web}}\n'
    assert (await alone.apply(sites)).status_code == 200
    assert (await sender.get(place, params={"after": cursor})).json()["refiltered"] is True


async def test_who_left_is_told_anew_where_nobody_knows_what_changed(alone: World, sender: httpx.AsyncClient) -> None:
    known = await people(alone, 4)
    answer = await ask(sender, known.values())
    place = f"/v1/audiences/{answer.headers['sayso-audience']}/revoked"
    cursor = (await sender.get(place)).json()["cursor"]
    again = (await sender.get(place, params={"after": cursor})).json()
    assert again["refiltered"] is True


async def test_a_limit_is_counted_once_however_the_list_comes(tea: World, mailer: httpx.AsyncClient) -> None:
    known = await people(tea, 3)
    await made(tea)
    limited = list(known)[1]
    await prefer(tea, limited, PER_WEEK)
    answers = await asyncio.gather(*(ask(mailer, known.values(), **BY_MAIL) for _ in range(5)))
    assert sorted(known[limited] in unpacked(answer.content) for answer in answers) == [False] * 4 + [True]
    given = next(answer for answer in answers if known[limited] in unpacked(answer.content))
    # What this very answer counted does not take the person out of it.
    place = f"/v1/audiences/{given.headers['sayso-audience']}/revoked"
    assert (await mailer.get(place)).json()["revoked"] == []
    back = f"/v1/uses/{given.headers['sayso-entry']}/unused"
    assert (await mailer.post(back, json={"subjects": [limited]})).json() == {"given_back": 1}
    assert known[limited] in unpacked((await ask(mailer, known.values(), **BY_MAIL)).content)


async def test_a_kept_list_is_asked_about_again_without_sending_it(tea: World, mailer: httpx.AsyncClient) -> None:
    known = await people(tea, 7)
    kept = await mailer.put("/v1/audiences/spring", json={"subjects": [*known, "sub_x"]})
    assert kept.status_code == 200, kept.text
    assert (kept.json()["count"], kept.json()["client"]) == (7, "mailer")
    summary = await mailer.post("/v1/audiences/spring/filter", json=QUESTION)
    assert summary.json()["counts"] == {"permitted": 4, "no_consent": 3}
    numbers = await mailer.post("/v1/audiences/spring/filter", json=QUESTION, headers={"accept": AIDS})
    permitted = unpacked(numbers.content)
    assert len(permitted) == 4
    again = await mailer.post(f"/v1/audiences/{summary.json()['audience']}/filter", json=QUESTION)
    assert again.json()["counts"] == {"permitted": 4}
    other = await tea.key("other", "sender")
    assert (await other.get("/v1/audiences/spring")).status_code == 404
    assert (await other.post("/v1/audiences/spring/filter", json=QUESTION)).status_code == 404
    assert (await other.put("/v1/audiences/spring", json={"subjects": list(known)})).status_code == 409
    assert (await other.get("/v1/audiences")).json() == {"audiences": []}
    assert [each["name"] for each in (await tea.admin.get("/v1/audiences")).json()["audiences"]] == ["spring"]
    await mailer.put("/v1/audiences/nobody", json={"subjects": ["sub_x"]})
    assert (await mailer.post("/v1/audiences/nobody/filter", json=QUESTION)).json()["counts"] == {}
    replaced = await mailer.put("/v1/audiences/spring", content=packed(permitted[:2]), headers={"content-type": AIDS})
    assert replaced.json()["count"] == 2
    assert (await mailer.delete("/v1/audiences/spring")).status_code == 204
    assert (await mailer.get("/v1/audiences/spring")).status_code == 404


async def test_an_erased_person_leaves_every_kept_list_and_a_list_ends(tea: World, mailer: httpx.AsyncClient) -> None:
    known = await people(tea, 3)
    await made(tea)
    await mailer.put("/v1/audiences/spring", json={"subjects": list(known)})
    answer = await ask(mailer, known.values())
    gone = next(subject for subject, aid in known.items() if aid in unpacked(answer.content))
    opened = await tea.admin.post("/v1/rights/requests", json={"subject": gone, "kind": "erasure", "law": "gdpr"})
    number = opened.json()["request"]
    await tea.admin.post(f"/v1/rights/requests/{number}/verify", json={"method": "officer"})
    done = await tea.admin.post(f"/v1/rights/requests/{number}/fulfil", json={})
    assert done.status_code == 200, done.text
    again = await mailer.post("/v1/audiences/spring/filter", json=QUESTION)
    assert again.json()["counts"] == {"permitted": 1, "no_consent": 1, "no_subject": 1}
    left = (await mailer.get(f"/v1/audiences/{answer.headers['sayso-audience']}/revoked")).json()
    assert (left["revoked"], left["gone"]) == ([], [str(known[gone])])
    await tea.services.workers.drain()
    assert (await mailer.get("/v1/audiences/spring")).json()["count"] == 2
    with freeze_time("2099-01-01T00:00:00Z", real_asyncio=True):
        assert (await mailer.get("/v1/audiences/spring")).status_code == 404
        await tea.services.workers.drain()
    with freeze_time("2026-06-01T00:00:00Z", real_asyncio=True):
        assert (await mailer.get("/v1/audiences/spring")).status_code == 404


async def test_everybody_who_may_be_contacted_comes_as_a_stream(tea: World, mailer: httpx.AsyncClient) -> None:
    known = await people(tea, 7)
    named = (await mailer.post("/v1/audiences/filter", json={**BY_MAIL, "subjects": list(known)})).json()
    answer = await mailer.post("/v1/audiences/contactable", json=BY_MAIL)
    assert answer.status_code == 200, answer.text
    *found, end = [json.loads(line) for line in answer.text.splitlines()]
    assert {each["subject"]: int(each["aid"]) for each in found} == {each: known[each] for each in named["permitted"]}
    assert (end["end"], end["considered"], end["permitted"]) == (True, 7, 4)
    for entry in {each["entry"] for each in found}:
        assert (await tea.admin.get(f"/v1/audit/entries/{entry}")).status_code == 200
    assert (await mailer.post("/v1/audiences/contactable", json={"purpose": "ads"})).status_code == 400
