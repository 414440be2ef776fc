"""Other systems do their part of a request: told in the commit of ours, heard once, and the request waits for all."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest_asyncio
from freezegun import freeze_time
from sqlalchemy import select
from standardwebhooks import Webhook

from audit import verify
from rights import Finals
from rights.certificate import Claims, sign
from rights.systems.tables import rights_task
from sayso.kernel import SYSTEM, Context, Jobs, Tx, Work, now
from tests.builders.served import HOST
from tests.server.feed.receivers import Receiver, a_receiver
from tests.server.worlds import World, a_world

SYSTEMS = """
systems:
  crm:
    title: {en: Customer database, zh-CN: 客户数据库}
    holds: [contact]
    connector: webhook
    client: crm
    identify: {customer: subject, mail: customers.email}
  till:
    holds: [contact.email]
    connector: pull
    client: till
    acknowledge_within: P2D
  archive:
    holds: [any]
    connector: manual
    kinds: [erasure]
"""
ONLY_TILL = """
systems:
  till: {holds: [contact.email], connector: pull, client: till, acknowledge_within: P2D}
"""
TASKS = "/v1/rights/tasks"


class Told(World):
    """A brand with other systems; `crm` and `till` are their keys, `ines` the officer."""

    crm: httpx.AsyncClient
    till: httpx.AsyncClient
    ines: httpx.AsyncClient

    async def customer(self, value: str = "c-1") -> str:
        subject = await self.person(value)
        body = {"subject": subject, "collection": "customers", "fields": {"email": "lin@example.com"}}
        assert (await self.admin.post("/v1/vault/records", json=body)).status_code == 201
        return subject

    async def served(self, subject: str, kind: str = "erasure") -> dict[str, Any]:
        opened = await self.ines.post("/v1/rights/requests", json={"subject": subject, "kind": kind, "law": "gdpr"})
        assert opened.status_code == 201, opened.text
        request = opened.json()["request"]
        await self.ines.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
        done = await self.ines.post(f"/v1/rights/requests/{request}/fulfil", json={})
        assert done.status_code == 200, done.text
        found: dict[str, Any] = done.json()
        return found

    async def request(self, request: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ines.get(f"/v1/rights/requests/{request}")).json()
        return found

    async def rows(self) -> list[Any]:
        """State, names and findings of every task, as they are stored."""

        def stored(tx: Tx) -> Work[list[Any]]:
            (rows,) = yield (tx.select(select(rights_task.c.state, rights_task.c.told, rights_task.c.result)),)
            return rows

        return await self.services.database.look(Context("default", SYSTEM, now(), "test"), stored)

    async def tidy_results(self) -> None:
        def unit(tx: Tx) -> Work[None]:
            yield ()
            self.services.desk.tasks.answers.tidy(tx)

        await self.services.database.run_alone(Context("default", SYSTEM, now(), "test"), unit)

    async def leased(self, **more: Any) -> list[dict[str, Any]]:
        answer = await self.till.post(f"{TASKS}/lease", json={"system": "till", **more})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["tasks"]
        return found


def tasks_of(request: dict[str, Any]) -> dict[str, str]:
    return {each["system"]: each["task"] for each in request["systems"]}


def statuses(request: dict[str, Any]) -> dict[str, str]:
    return {each["system"]: each["status"] for each in request["systems"]}


def slug(answer: httpx.Response) -> str:
    found: str = answer.json()["type"].rpartition("#")[2]
    return found


async def ready(world: World, systems: str) -> Told:
    world.__class__ = Told
    assert isinstance(world, Told)
    await world.smallest()
    applied = await world.apply(systems)
    assert applied.status_code == 200, applied.text
    world.crm = await world.key("crm", "marketing_sender")
    world.till = await world.key("till", "recorder")
    world.ines = await world.key("ines", "officer")
    return world


@pytest_asyncio.fixture
async def everywhere(tmp_path: Path, database_url: str) -> AsyncIterator[Told]:
    """On each engine."""
    async with a_world(tmp_path, database_url, webhook_hosts=(HOST,)) as world:
        yield await ready(world, SYSTEMS)


@pytest_asyncio.fixture
async def told(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Told]:
    async with a_world(tmp_path, sqlite_url, webhook_hosts=(HOST,)) as world:
        yield await ready(world, SYSTEMS)


@pytest_asyncio.fixture
async def lone(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Told]:
    """One system behind a firewall, on the embedded database."""
    async with a_world(tmp_path, sqlite_url) as world:
        yield await ready(world, ONLY_TILL)


async def test_an_erasure_ends_when_every_system_has_answered(everywhere: Told) -> None:
    told = everywhere
    async with a_receiver() as receiver:
        made = await told.crm.post("/v1/webhooks", json={"url": receiver.url, "types": ["sayso.rights.task.created"]})
        assert made.status_code == 201, made.text
        subject = await told.customer()
        request = await told.served(subject)
        assert (request["status"], statuses(request)) == (
            "in_progress",
            {"archive": "open", "crm": "open", "till": "open"},
        )
        assert "subject" not in request
        tasks = tasks_of(request)
        message = (await receiver.count(1))[0]
        assert Webhook(made.json()["secret"]).verify(message.body, message.headers) == message.event
        task = message.event["data"]["task"]
        assert (task["task"], task["kind"], task["request"]) == (tasks["crm"], "erasure", request["request"])
        assert task["identify"]["mail"] == ["lin@example.com"]
        assert task["identify"]["customer"][0].startswith("psn_")
        assert subject not in message.body.decode()
        await answered_by(told, receiver, tasks, request["request"], subject)


async def answered_by(told: Told, receiver: Receiver, tasks: dict[str, str], request: str, subject: str) -> None:
    early = await told.ines.get(f"/v1/rights/requests/{request}/certificate")
    assert early.status_code == 200
    done = {"request": request, "count": 3}
    assert (await told.crm.post(f"{TASKS}/{tasks['crm']}/done", json=done)).json()["status"] == "done"
    (handed,) = await told.leased()
    assert (handed["task"], handed["identify"]) == (tasks["till"], {"subject": [subject]})
    assert await told.leased() == []
    assert (await told.till.post(f"{TASKS}/{tasks['till']}/done", json={"request": request})).status_code == 200
    assert (await told.request(request))["status"] == "in_progress"
    waived = await told.ines.post(f"{TASKS}/{tasks['archive']}/waive", json={"reason": "Burnt in June."})
    assert waived.json()["status"] == "waived"
    closed = await told.request(request)
    assert (closed["status"], statuses(closed)) == ("fulfilled", {"archive": "waived", "crm": "done", "till": "done"})
    assert closed["closed_at"]
    again = await told.crm.post(f"{TASKS}/{tasks['crm']}/done", json=done)
    assert (again.status_code, again.json()["status"], "identify" in again.json()) == (200, "done", False)
    assert len(receiver.got) == 1


async def test_the_certificate_names_every_system_and_verifies_with_the_server_off(told: Told, tmp_path: Path) -> None:
    request = await told.served(await told.customer())
    tasks, rrq = tasks_of(request), request["request"]
    await told.services.settle()
    path = f"/v1/rights/requests/{rrq}/certificate"
    early = (await told.ines.get(path)).text
    assert judged(tmp_path, early)[0] == 0
    assert {each["system"]: each["status"] for each in claims_of(early)["systems"]} == dict.fromkeys(tasks, "waiting")
    assert "systems_proof" not in claims_of(early)
    await told.crm.post(f"{TASKS}/{tasks['crm']}/done", json={"request": rrq, "count": 3})
    await told.till.post(f"{TASKS}/{tasks['till']}/done", json={"request": rrq})
    await told.ines.post(f"{TASKS}/{tasks['archive']}/waive", json={"reason": "Burnt in June."})
    await told.services.settle()
    late = (await told.ines.get(path)).text
    code, report = judged(tmp_path, late)
    assert code == 0, report
    assert "system archive closed_without" in report
    assert "rights.systems.answered stands at index" in report
    crm = next(each for each in claims_of(late)["systems"] if each["system"] == "crm")
    assert (crm["status"], crm["count"]) == ("acknowledged", 3)
    assert claims_of(late)["certificate"] == claims_of(early)["certificate"]
    forged = claims_of(late)
    forged["systems"][0]["status"] = "acknowledged"
    signer = told.services.keyring
    code, report = judged(tmp_path, sign(signer, "default", msgspec.convert(forged, Claims)))
    assert (code, "other answers of systems" in report) == (1, True)


async def test_a_certificate_that_became_final_still_proves_what_systems_answered(lone: Told, tmp_path: Path) -> None:
    services = lone.services
    request = await lone.served(await lone.customer())
    rrq = request["request"]
    await lone.till.post(f"{TASKS}/{tasks_of(request)['till']}/done", json={"request": rrq})
    finals = Finals(services.audit, services.epochs, "P30D")
    with freeze_time("2099-01-01", real_asyncio=True):
        worker = Jobs(
            services.database, [finals.job], alone=True, report=lambda _, error: services.log.error("", error)
        )
        assert await worker.work("default", at_once=True)
    await services.settle()
    jws = (await lone.ines.get(f"/v1/rights/requests/{rrq}/certificate")).text
    assert claims_of(jws)["certificate"]["stage"] == "final"
    code, report = judged(tmp_path, jws)
    assert code == 0, report
    assert "rights.erasure.final stands at index" in report
    assert "rights.systems.answered stands at index" in report


def claims_of(jws: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlsafe_b64decode(jws.split(".")[1] + "=="))
    return found


def judged(folder: Path, jws: str) -> tuple[int, str]:
    """What `sayso audit verify` says of a certificate."""
    file = folder / "certificate.jose"
    file.write_text(jws)
    verdict = verify(file)
    return verdict.code, verdict.report


async def test_tasks_are_told_to_nobody_but_their_system(told: Told) -> None:
    request = await told.served(await told.customer())
    task = tasks_of(request)["crm"]
    for other in (told.till, await told.key("mailer", "marketing_sender")):
        changes = (await other.get("/v1/changes", params={"limit": 500})).json()["events"]
        assert task not in str([each for each in changes if each["data"].get("task")])
        assert "lin@example.com" not in str(changes)
        assert (await other.get(f"{TASKS}/{task}")).status_code == 404
        answer = await other.post(f"{TASKS}/{task}/done", json={"request": request["request"]})
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    own = (await told.crm.get("/v1/changes", params={"limit": 500})).json()["events"]
    assert [each["data"]["task"]["task"] for each in own if each["type"] == "sayso.rights.task.created"] == [task]
    assert (await told.ines.get(f"{TASKS}/{task}")).json().get("identify") is None
    assert (await told.nobody.get(TASKS)).status_code == 401
    assert (await told.crm.post(f"{TASKS}/lease", json={"system": "till"})).status_code == 403


async def test_answers_for_another_request_twice_otherwise_and_forged_are_refused(lone: Told) -> None:
    one, two = await lone.served(await lone.customer("c-1")), await lone.served(await lone.customer("c-2"))
    task = tasks_of(one)["till"]
    wrong = await lone.till.post(f"{TASKS}/{task}/done", json={"request": two["request"]})
    assert (wrong.status_code, slug(wrong)) == (400, "wrong-request")
    forged = await lone.till.post(f"{TASKS}/tsk_{'0' * 32}/done", json={"request": one["request"]})
    assert forged.status_code == 404
    assert (await lone.till.post(f"{TASKS}/tsk_1/done", json={"request": one["request"]})).status_code == 400
    officer = await lone.ines.post(f"{TASKS}/{task}/done", json={"request": one["request"], "note": "I did it."})
    assert (officer.status_code, slug(officer)) == (403, "answered-by-system")
    data = await lone.till.post(f"{TASKS}/{task}/done", json={"request": one["request"], "data": {"a": 1}})
    assert (data.status_code, slug(data)) == (400, "data-not-taken")
    assert (await lone.till.post(f"{TASKS}/{task}/done", json={"request": one["request"]})).status_code == 200
    late = await lone.till.post(f"{TASKS}/{task}/failed", json={"request": one["request"], "reason": "no"})
    assert (late.status_code, slug(late)) == (409, "task-settled")
    assert (await lone.ines.post(f"{TASKS}/{task}/waive", json={"reason": "x"})).status_code == 409
    assert (await lone.request(one["request"]))["status"] == "fulfilled"
    assert (await lone.request(two["request"]))["status"] == "in_progress"


async def test_what_failed_waits_for_an_officer_who_has_it_told_again(lone: Told) -> None:
    request = await lone.served(await lone.customer())
    task = tasks_of(request)["till"]
    body = {"request": request["request"], "reason": "locked for the audit"}
    assert (await lone.till.post(f"{TASKS}/{task}/failed", json=body)).json()["status"] == "failed"
    assert await lone.leased() == []
    shown = (await lone.request(request["request"]))["systems"][0]
    assert (shown["status"], shown["reason"]) == ("failed", "locked for the audit")
    refused = await lone.ines.post(f"/v1/rights/requests/{request['request']}/refuse", json={"reason": "other"})
    assert (refused.status_code, slug(refused)) == (409, "systems-pending")
    twice = await lone.ines.post(f"/v1/rights/requests/{request['request']}/fulfil", json={})
    assert (twice.status_code, slug(twice)) == (409, "systems-pending")
    assert (await lone.till.post(f"{TASKS}/{task}/again")).status_code == 403
    assert (await lone.ines.post(f"{TASKS}/{task}/again")).json()["status"] == "open"
    assert [each["task"] for each in await lone.leased()] == [task]


async def test_a_lease_that_ends_gives_the_task_to_the_next_and_the_overdue_are_listed(lone: Told) -> None:
    with freeze_time("2026-03-01T09:00:00Z", real_asyncio=True) as clock:
        request = await lone.served(await lone.customer())
        assert len(await lone.leased(lease_s=60)) == 1
        clock.tick(61)
        assert len(await lone.leased(lease_s=60)) == 1
        assert (await lone.ines.get(TASKS, params={"overdue": True})).json()["tasks"] == []
        clock.tick(2 * 86400)
        (late,) = (await lone.ines.get(TASKS, params={"overdue": True})).json()["tasks"]
        assert (late["request"], late["system"], late["overdue"]) == (request["request"], "till", True)
        assert "identify" not in late
        mine = (await lone.till.get(TASKS, params={"system": "till", "status": "open"})).json()["tasks"]
        assert [each["attempts"] for each in mine] == [2]


async def test_two_systems_that_answer_in_one_moment_close_the_request_once(everywhere: Told) -> None:
    told = everywhere
    request = await told.served(await told.customer(), "access")
    tasks = tasks_of(request)
    body = {"request": request["request"]}
    answers = await asyncio.gather(
        told.crm.post(f"{TASKS}/{tasks['crm']}/done", json=body),
        told.till.post(f"{TASKS}/{tasks['till']}/done", json=body),
    )
    assert [each.status_code for each in answers] == [200, 200]
    assert (await told.request(request["request"]))["status"] == "fulfilled"
    await told.services.settle()
    entries = (await told.ines.get("/v1/audit/entries", params={"type": "rights.systems.answered"})).json()["entries"]
    assert len(entries) == 1


async def test_a_request_that_concerns_no_system_ends_at_once(told: Told) -> None:
    subject = await told.customer()
    assert (await told.served(subject, "explanation"))["status"] == "fulfilled"
    assert (await told.served("sub_" + "0" * 32))["status"] == "fulfilled"
    manual = tasks_of(await told.served(subject))["archive"]
    request = (await told.ines.get(f"{TASKS}/{manual}")).json()
    assert request["identify"] == {"subject": [subject]}
    silent = await told.ines.post(f"{TASKS}/{manual}/done", json={"request": request["request"]})
    assert (silent.status_code, slug(silent)) == (400, "reason-missing")
    body = {"request": request["request"], "note": "Shelf 7 was shredded."}
    assert (await told.ines.post(f"{TASKS}/{manual}/done", json=body)).json()["status"] == "done"


async def test_a_manifest_with_systems_that_mean_nothing_is_refused_with_its_line(lone: Told) -> None:
    for content, said in (
        ("systems: [crm]", "mapping"),
        ("systems: {crm: {connector: webhook, holds: [contact]}}", "client"),
        ("systems: {crm: {connector: fax, holds: [contact]}}", "connector"),
        ("systems: {crm: {connector: manual}}", "holds"),
        ("systems: {crm: {connector: manual, holds: [contct]}}", "contct"),
        ("systems: {crm: {connector: manual, holds: [contact], kinds: [erase]}}", "erase"),
        ("systems: {crm: {connector: manual, holds: [contact], colour: red}}", "colour"),
        ("systems: {crm: {connector: manual, holds: [contact], identify: {a: customers.emial}}}", "emial"),
        ("systems: {crm: {connector: manual, holds: [contact], acknowledge_within: soon}}", "acknowledge_within"),
        ("systems: {crm: {connector: sql, holds: [contact], kinds: [erasure]}}", "erasure"),
    ):
        answer = await lone.apply(content, prune=True)
        assert answer.status_code == 400, content
        assert said in str(answer.json()["problems"]), content


async def test_who_was_given_data_is_told_when_it_is_erased_and_nobody_else_is(lone: Told) -> None:
    mailer, other = await lone.key("mailer", "marketing_sender"), await lone.key("other", "marketing_sender")
    subject = await lone.customer()
    body = {"subject": subject, "collection": "customers", "fields": {"email": "lin@example.com"}}
    token = (await lone.admin.post("/v1/vault/records", json=body)).json()["tokens"]["email"]
    assert (await lone.choose(subject)).status_code == 201
    ask = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "newsletter"}
    assert "value" in (await mailer.post("/v1/vault/reveal", json=ask)).json()["results"][0]
    aliases = (await mailer.post("/v1/changes/aliases", json={"subjects": [subject]})).json()["aliases"]
    await lone.served(subject)

    async def heard(client: httpx.AsyncClient) -> list[tuple[str, str]]:
        events = (await client.get("/v1/changes", params={"type": "sayso.rights.*"})).json()["events"]
        return [(each["type"], each.get("subject", "")) for each in events]

    assert await heard(mailer) == [("sayso.rights.disclosure.erased", aliases[subject])]
    assert await heard(other) == []


async def test_an_erasure_ends_what_systems_were_still_to_do_for_the_person(lone: Told) -> None:
    subject = await lone.customer()
    access = await lone.served(subject, "access")
    found = {"request": access["request"], "data": {"orders": [{"id": 7}]}}
    assert (await lone.till.post(f"{TASKS}/{tasks_of(access)['till']}/done", json=found)).status_code == 200
    waiting = await lone.served(subject, "restriction")
    erasure = await lone.served(subject)
    assert statuses(await lone.request(waiting["request"])) == {"till": "waived"}
    assert (await lone.request(waiting["request"]))["status"] == "fulfilled"
    assert [each["request"] for each in await lone.leased()] == [erasure["request"]]
    rows = await lone.rows()
    assert sorted((state, names is not None, result) for state, names, result in rows) == [
        ("done", False, None),
        ("open", True, None),
        ("waived", False, None),
    ]
