"""A limit that a person set on a channel is counted, however the questions come."""

import asyncio
from typing import Any

import httpx
import pytest_asyncio
from freezegun import freeze_time

from tests.server.questionnaire import prefer
from tests.server.worlds import World

PER_WEEK = {"frequency": {"email": {"most": 2, "per": "week"}}}


@pytest_asyncio.fixture
async def mailer(tea: World) -> httpx.AsyncClient:
    return await tea.key("mailer", "sender", "pep")


async def willing(world: World, name: str = "c-1", **values: Any) -> str:
    """Somebody who wants mail, but not too much of it."""
    subject = await world.person(name)
    await world.choose(subject)
    await prefer(world, subject, values or PER_WEEK)
    return subject


def question(subject: str, **context: str) -> dict[str, Any]:
    return {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email", "channel": "email", **context},
    }


async def ask(client: httpx.AsyncClient, subject: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/access/v1/evaluation", json=question(subject) | more)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_the_limit_holds_in_every_window_and_tells_when_it_ends(tea: World, mailer: httpx.AsyncClient) -> None:
    with freeze_time("2027-01-04T10:00:00Z", real_asyncio=True):
        subject = await willing(tea)
        assert (await ask(mailer, subject))["decision"] is True
    with freeze_time("2027-01-09T10:00:00Z", real_asyncio=True):
        assert (await ask(mailer, subject))["decision"] is True
        third = await ask(mailer, subject)
        assert third["decision"] is False
        assert third["context"]["reason"] == "later"
        assert third["context"]["retry_after"] == "2027-01-11T10:00:00.000000Z"
        assert (await ask(mailer, subject, context={"purpose": "marketing.email"}))["decision"] is True
        assert (await ask(mailer, subject, context={"purpose": "marketing.email", "channel": "sms"}))[
            "decision"
        ] is True
    with freeze_time("2027-01-11T10:00:00Z", real_asyncio=True):
        assert (await ask(mailer, subject))["decision"] is True
        assert (await ask(mailer, subject))["context"]["retry_after"] == "2027-01-16T10:00:00.000000Z"


async def test_of_racing_questions_as_many_are_permitted_as_the_limit_has_left(
    tea: World, mailer: httpx.AsyncClient
) -> None:
    subject = await willing(tea)
    answers = await asyncio.gather(*(ask(mailer, subject) for _ in range(20)))
    assert sum(answer["decision"] for answer in answers) == 2
    assert {answer["context"]["reason"] for answer in answers} == {"permitted", "later"}


async def test_what_was_not_sent_is_given_back_once(tea: World, mailer: httpx.AsyncClient) -> None:
    subject = await willing(tea)
    first, _ = [await ask(mailer, subject) for _ in range(2)]
    assert (await ask(mailer, subject))["decision"] is False
    place = f"/v1/uses/{first['context']['entry']}/unused"
    for count in (1, 0):
        answer = await mailer.post(place, json={})
        assert (answer.status_code, answer.json()) == (200, {"given_back": count})
    assert [(await ask(mailer, subject))["decision"] for _ in range(2)] == [True, False]


async def test_nobody_gives_back_what_another_was_permitted(tea: World, mailer: httpx.AsyncClient) -> None:
    subject = await willing(tea)
    entry = (await ask(mailer, subject))["context"]["entry"]
    rival = await tea.key("rival", "sender")
    for body in ({}, {"subjects": [subject]}):
        answer = await rival.post(f"/v1/uses/{entry}/unused", json=body)
        assert (answer.status_code, answer.json()) == (200, {"given_back": 0})
    assert (await tea.nobody.post(f"/v1/uses/{entry}/unused", json={})).status_code == 401
    unknown = await mailer.post(f"/v1/uses/ent_{'0' * 32}/unused", json={})
    assert unknown.status_code == 404
    wrong = await mailer.post(f"/v1/uses/{entry}/unused", json={"subjects": ["c-1"]})
    assert wrong.status_code == 400
    assert [(await ask(mailer, subject))["decision"] for _ in range(2)] == [True, False]


async def test_a_list_counts_each_person_in_order_and_is_given_back_by_name(
    tea: World, mailer: httpx.AsyncClient
) -> None:
    capped, free = await willing(tea), await willing(tea, "c-2", channels={"email": True})
    # Not all alike, so that it is answered question by question; the same people then as a crowd.
    several = [question(capped), question(free), question(capped), question(capped), question(free, jurisdiction="de")]
    answer = await mailer.post("/access/v1/evaluations", json={"evaluations": several})
    decisions = [each["decision"] for each in answer.json()["evaluations"]]
    assert decisions[:4] == [True, True, True, False]
    entry = answer.json()["evaluations"][0]["context"]["entry"]
    unnamed = await mailer.post(f"/v1/uses/{entry}/unused", json={})
    assert (unnamed.status_code, unnamed.json()["type"].rpartition("#")[2]) == (400, "people-to-name")
    back = await mailer.post(f"/v1/uses/{entry}/unused", json={"subjects": [capped, free]})
    assert back.json() == {"given_back": 1}, "who set no limit was not counted"
    alike = {key: value for key, value in question(capped).items() if key != "resource"}
    people = [{"resource": {"type": "contact.email", "id": each}} for each in (capped, capped, free, capped)]
    crowd = (await mailer.post("/access/v1/evaluations", json={**alike, "evaluations": people})).json()["evaluations"]
    assert [each["decision"] for each in crowd] == [True, True, True, False]
    assert crowd[3]["context"]["reason"] == "later"


async def test_an_audience_counts_too(tea: World, mailer: httpx.AsyncClient) -> None:
    await tea.key("sender-alone", "sender")
    people = [await willing(tea, f"c-{number}") for number in range(3)]
    wanted = {"purpose": "marketing.email", "action": "use", "category": "contact.email", "channel": "email"}
    sizes = []
    for _ in range(3):
        answer = await mailer.post("/v1/audiences/filter", json={**wanted, "subjects": people})
        assert answer.status_code == 200, answer.text
        sizes.append(len(answer.json()["permitted"]))
    assert sizes == [3, 3, 0]
    assert answer.json()["counts"] == {"later": 3}


async def test_two_ids_of_one_person_are_one_limit(tea: World, mailer: httpx.AsyncClient) -> None:
    one = await willing(tea)
    other = await tea.person("anna@example.org", "email")
    await tea.choose(other)
    await prefer(tea, other, PER_WEEK)
    assert (await ask(mailer, one))["decision"] is True
    assert (await ask(mailer, other))["decision"] is True
    identifier = {"identifier": {"type": "email", "value": "anna@example.org"}}
    joined = await tea.admin.post(f"/v1/subjects/{one}/identifiers", json=identifier)
    assert joined.json()["merged"] == other, joined.text
    assert (await ask(mailer, one))["context"]["reason"] == "later"
    assert (await ask(mailer, other))["context"]["reason"] == "later"


async def test_a_change_of_wishes_keeps_the_count(tea: World, mailer: httpx.AsyncClient) -> None:
    subject = await willing(tea)
    assert (await ask(mailer, subject))["decision"] is True
    await prefer(tea, subject, {"frequency": {"email": {"most": 1, "per": "month"}}})
    assert (await ask(mailer, subject))["decision"] is False
    await prefer(tea, subject, {"frequency": {"email": {"most": 3, "per": "day"}}})
    assert [(await ask(mailer, subject))["decision"] for _ in range(3)] == [True, True, False]
