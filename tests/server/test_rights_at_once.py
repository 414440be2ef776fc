"""Two officers on one request, a system against an officer, an erasure under a running question: one is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from tests.server.test_systems import ONLY_TILL, TASKS, Told, ready, slug, statuses, tasks_of
from tests.server.worlds import a_world

REQUESTS = "/v1/rights/requests"
PEOPLE = 24
Step = tuple[str, dict[str, Any]]


@pytest_asyncio.fixture
async def told(tmp_path: Path, database_url: str) -> AsyncIterator[Told]:
    async with a_world(tmp_path, database_url) as world:
        yield await ready(world, ONLY_TILL)


async def verified(told: Told, kind: str = "explanation") -> str:
    body = {"subject": await told.person(), "kind": kind, "law": "gdpr"}
    request: str = (await told.ines.post(REQUESTS, json=body)).json()["request"]
    await told.ines.post(f"{REQUESTS}/{request}/verify", json={"method": "officer"})
    return request


async def test_of_two_officers_at_once_one_is_told_that_it_is_done(told: Told) -> None:
    omar = await told.key("omar", "officer")
    pairs: list[tuple[Step, Step, str]] = [
        (("fulfil", {}), ("refuse", {"reason": "other"}), "request-closed"),
        (("fulfil", {}), ("fulfil", {}), "request-closed"),
        (("refuse", {"reason": "other"}), ("refuse", {"reason": "no_match"}), "request-closed"),
        (("extend", {"reason": "many"}), ("extend", {"reason": "more"}), "already-extended"),
        (("verify", {"method": "officer"}), ("fulfil", {}), "impossible-step"),
    ]
    for one, two, losing in pairs:
        request = await verified(told)
        answers = await asyncio.gather(
            told.ines.post(f"{REQUESTS}/{request}/{one[0]}", json=one[1]),
            omar.post(f"{REQUESTS}/{request}/{two[0]}", json=two[1]),
        )
        assert sorted(each.status_code for each in answers) == [200, 409], (one, two)
        (lost,) = [slug(each) for each in answers if each.status_code == 409]
        assert lost in (losing, "request-closed")
    await told.services.settle()
    entries = (await told.admin.get("/v1/audit/entries", params={"limit": 200})).json()["entries"]
    steps = ("rights.request.fulfilled", "rights.request.refused", "rights.request.extended")
    assert len([each for each in entries if each["type"] in steps]) == len(pairs)


async def test_a_system_and_an_officer_who_answer_at_once_are_one_answer(told: Told) -> None:
    for number in range(2):
        request = await told.served(await told.customer(f"c-{number}"))
        task = tasks_of(request)["till"]
        done, waived = await asyncio.gather(
            told.till.post(f"{TASKS}/{task}/done", json={"request": request["request"]}),
            told.ines.post(f"{TASKS}/{task}/waive", json={"reason": "They are closed."}),
        )
        assert sorted((done.status_code, waived.status_code)) == [200, 409]
        closed = await told.request(request["request"])
        assert closed["status"] == "fulfilled"
        assert statuses(closed) == {"till": "done" if done.status_code == 200 else "waived"}


async def test_whoever_is_erased_under_a_running_filter_is_in_no_answer_or_among_those_who_left(told: Told) -> None:
    people: dict[str, str] = {}
    for number in range(PEOPLE):
        body = {"identifier": {"type": "customer_id", "value": f"f-{number}"}, "create": True}
        person = (await told.admin.post("/v1/subjects/resolve", json=body)).json()
        people[person["subject"]] = person["aid"]
        assert (await told.choose(person["subject"])).status_code == 201
    going = list(people)[:3]
    question = {
        "purpose": "marketing.email",
        "action": "use",
        "category": "contact.email",
        "subjects": list(people),
    }

    async def erased(subject: str) -> None:
        opened = await told.ines.post(REQUESTS, json={"subject": subject, "kind": "erasure", "law": "gdpr"})
        request = opened.json()["request"]
        await told.ines.post(f"{REQUESTS}/{request}/verify", json={"method": "officer"})
        done = await told.ines.post(f"{REQUESTS}/{request}/fulfil", json={})
        assert done.status_code == 200, done.text

    async def filtered() -> list[httpx.Response]:
        return [await told.crm.post("/v1/audiences/filter", json=question) for _ in range(6)]

    answers, *_ = await asyncio.gather(filtered(), *(erased(subject) for subject in going))
    for each in answers:
        assert each.status_code == 200, each.text
        found = each.json()
        left = (await told.crm.get(f"/v1/audiences/{found['audience']}/revoked")).json()
        still = {subject for subject in going if subject in found["permitted"]}
        assert {str(people[subject]) for subject in still} <= {str(aid) for aid in left["gone"]}
    last = (await told.crm.post("/v1/audiences/filter", json=question)).json()
    assert not set(going) & set(last["permitted"])
    assert len(last["permitted"]) == PEOPLE - len(going)
