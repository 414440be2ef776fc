"""Whether it is the person who asks: codes over a channel known before, and the ways round them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from freezegun import freeze_time

from sayso.kernel import new_id
from tests.builders.mail import Mailbox, a_mail_server
from tests.server.test_preferences import enter, post
from tests.server.worlds import World, a_world

EMAIL = "ann@example.org"


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mail_server() as made:
        yield made


@pytest_asyncio.fixture
async def world(tmp_path: Path, database_url: str, mailbox: Mailbox) -> AsyncIterator[World]:
    more = {"mail_host": "127.0.0.1", "mail_port": mailbox.port, "mail_tls": "none", "mail_timeout": 1}
    async with a_world(tmp_path, database_url, mail_from="Brand <privacy@brand.example>", **more) as made:
        await made.smallest()
        yield made


async def a_customer(world: World, email: str = EMAIL) -> str:
    subject = await world.person()
    body = {"subject": subject, "collection": "customers", "fields": {"email": email}}
    assert (await world.admin.post("/v1/vault/records", json=body)).status_code == 201
    return subject


async def a_request(world: World, subject: str, kind: str = "erasure", **more: Any) -> str:
    body = {"subject": subject, "kind": kind, "law": "gdpr", **more}
    opened = await world.admin.post("/v1/rights/requests", json=body)
    assert opened.status_code == 201, opened.text
    found: str = opened.json()["request"]
    return found


async def send(world: World, request: str, locale: str = "en") -> httpx.Response:
    return await world.admin.post(f"/v1/rights/requests/{request}/code", json={"locale": locale})


async def code_of(world: World, mailbox: Mailbox) -> str:
    await world.services.carrier.round()
    found = re.search(r"\b(\d{8})\b", mailbox.text())
    assert found is not None
    return found[1]


async def verify(world: World, request: str, client: httpx.AsyncClient | None = None, **body: str) -> httpx.Response:
    return await (client or world.admin).post(f"/v1/rights/requests/{request}/verify", json=body)


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


async def test_a_code_that_was_sent_to_the_known_address_verifies_once(world: World, mailbox: Mailbox) -> None:
    request = await a_request(world, await a_customer(world))
    shop = await world.key("shop", "recorder")
    assert (await send(world, request)).status_code == 202
    code = await code_of(world, mailbox)
    assert mailbox.recipients == [[EMAIL]]
    wrong = await verify(world, request, shop, method="code", code=another(code))
    assert (wrong.status_code, wrong.json()["left"]) == (400, 4)
    assert wrong.json()["type"].endswith("code-wrong")
    done = await verify(world, request, shop, method="code", code=f" {code} ")
    assert (done.status_code, done.json()["verified_by"], done.json()["status"]) == (200, "code", "in_progress")
    assert (await verify(world, request, shop, method="code", code=code)).status_code == 409


async def test_nobody_can_tell_an_unknown_person_from_a_known_one(world: World, mailbox: Mailbox) -> None:
    known = await a_request(world, await a_customer(world))
    unknown = await a_request(world, new_id("sub"))
    shop = await world.key("shop", "recorder")
    stories = []
    with freeze_time("2026-12-01T10:00:00Z", real_asyncio=True):
        for request in (known, unknown):
            story = []
            for nth in range(3):
                sent = await send(world, request)
                story.append((sent.status_code, sent.json()["expires_at"]))
                for _ in range(6):
                    tried = await verify(world, request, shop, method="code", code=f"0000000{nth}")
                    told = tried.json()
                    story.append((tried.status_code, told["type"], told.get("left"), tried.headers.get("retry-after")))
            story.append((await send(world, request)).status_code)
            stories.append(story)
        await world.services.carrier.round()
    assert stories[0] == stories[1]
    assert [status for status, *_ in stories[0][1:7]] == [400, 400, 400, 400, 400, 404]
    assert stories[0][-1] == 429
    assert {recipient for each in mailbox.recipients for recipient in each} == {EMAIL}


async def test_a_code_ends_and_a_new_one_makes_the_old_one_void(world: World, mailbox: Mailbox) -> None:
    with freeze_time("2026-12-01T10:00:00Z", real_asyncio=True) as clock:
        request = await a_request(world, await a_customer(world))
        await send(world, request)
        first = await code_of(world, mailbox)
        await send(world, request)
        second = await code_of(world, mailbox)
        assert (await verify(world, request, method="code", code=first)).status_code == 400
        clock.tick(16 * 60)
        assert (await verify(world, request, method="code", code=second)).status_code == 404


async def test_a_second_request_neither_inherits_the_proof_nor_gives_more_tries(world: World, mailbox: Mailbox) -> None:
    subject = await a_customer(world)
    first = await a_request(world, subject)
    await send(world, first)
    code = await code_of(world, mailbox)
    assert (await verify(world, first, method="code", code=code)).status_code == 200
    again = await a_request(world, subject)
    assert (await world.admin.post(f"/v1/rights/requests/{again}/fulfil", json={})).status_code == 409
    assert (await verify(world, again, method="code", code=code)).status_code == 404
    statuses = []
    for _ in range(6):
        request = await a_request(world, subject, "access")
        statuses.append((await send(world, request)).status_code)
        await world.admin.post(f"/v1/rights/requests/{request}/refuse", json={"reason": "other"})
    assert statuses == [202, 202, 202, 202, 429, 429], "five codes a day, over all requests, closed or open"


async def test_who_changes_the_address_and_asks_next_gets_no_code(world: World, mailbox: Mailbox) -> None:
    subject = await world.person()
    request = await a_request(world, subject)
    body = {"subject": subject, "collection": "customers", "fields": {"email": "mallory@example.org"}}
    assert (await world.admin.post("/v1/vault/records", json=body)).status_code == 201
    assert (await send(world, request)).status_code == 202
    await world.services.carrier.round()
    assert mailbox.letters == []


async def test_an_agent_shows_a_document_or_the_person_confirms(world: World, mailbox: Mailbox) -> None:
    subject = await a_customer(world)
    request = await a_request(world, subject, agent="Lawyers & Daughters")
    refused = await verify(world, request, method="officer")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (409, "document-needed")
    assert (await verify(world, request, method="document")).status_code == 400
    done = await verify(world, request, method="document", document="cabinet 4, folder 17")
    assert (done.json()["verified_by"], done.json()["agent"]) == ("document", "Lawyers & Daughters")
    assert done.json()["statements"] == [{"step": "verify", "text": "cabinet 4, folder 17"}]
    by_code = await a_request(world, subject, "access", agent="Lawyers & Daughters")
    await send(world, by_code)
    confirmed = await verify(world, by_code, method="code", code=await code_of(world, mailbox))
    assert confirmed.status_code == 200
    own = await a_request(world, subject, "rectification")
    assert (await verify(world, own, method="document", document="x")).status_code == 400


async def test_a_recorder_verifies_by_the_code_alone(world: World) -> None:
    request = await a_request(world, await a_customer(world))
    shop = await world.key("shop", "recorder")
    for body in ({"method": "officer"}, {"method": "document", "document": "x"}):
        assert (await verify(world, request, shop, **body)).status_code == 403
    for body in ({"method": "code"}, {"method": "officer", "code": "12345678"}, {"method": "session"}):
        assert (await verify(world, request, **body)).status_code == 400
    assert (await verify(world, request, method="code", code="12345678")).status_code == 404, "none was asked for"


async def test_without_mail_no_code_is_promised(lite: World) -> None:
    await lite.smallest()
    request = await a_request(lite, await lite.person())
    assert (await send(lite, request)).status_code == 503


async def test_a_person_confirms_on_their_page_and_sees_the_progress(world: World, mailbox: Mailbox) -> None:
    browser, csrf = await enter(world, await a_customer(world))
    asked = await post(browser, "/p/you/requests", csrf=csrf, kind="access")
    assert asked.headers["location"] == "/p/you/data?asked=1"
    page = (await browser.get("/p/you/data?asked=1")).text
    found = re.search(r"/p/you/requests/(rrq_\w+)/confirm", page)
    assert found is not None
    confirm = f"/p/you/requests/{found[1]}/confirm"
    code = await code_of(world, mailbox)
    wrong = await post(browser, confirm, csrf=csrf, code=another(code))
    assert (wrong.status_code, "not the code that was sent" in wrong.text) == (400, True)
    right = await post(browser, confirm, csrf=csrf, code=code)
    assert right.headers["location"] == "/p/you/data?confirmed=1"
    page = (await browser.get("/p/you/data?confirmed=1")).text
    assert '<li class="done">We make sure that it is you</li>' in page
    assert confirm not in page
    # The page on which the code was typed fetches the package; another that came by a link does not.
    await world.services.workers.drain()
    package = f"/p/you/requests/{found[1]}/package"
    subject = (await world.admin.get(f"/v1/rights/requests/{found[1]}")).json()["subject"]
    passed_on, _ = await enter(world, subject)
    assert [(await each.get(package)).status_code for each in (browser, passed_on)] == [200, 404]
    chinese = await browser.get("/p/you/data", headers={"accept-language": "zh-CN"})
    assert "我们确认是您本人" in chinese.text or 'lang="zh-CN"' in chinese.text


async def test_what_is_light_needs_no_more_than_the_page(world: World, mailbox: Mailbox) -> None:
    subject = await a_customer(world)
    browser, csrf = await enter(world, subject)
    await post(browser, "/p/you/requests", csrf=csrf, kind="restriction")
    await world.services.carrier.round()
    assert mailbox.letters == []
    assert '<li class="done">We make sure that it is you</li>' in (await browser.get("/p/you/data")).text


async def test_a_page_confirms_nobody_elses_request(world: World, mailbox: Mailbox) -> None:
    request = await a_request(world, await a_customer(world))
    await send(world, request)
    code = await code_of(world, mailbox)
    browser, csrf = await enter(world, await world.person("c-2"))
    for act, more in (("confirm", {"code": code}), ("code", {})):
        assert (await post(browser, f"/p/you/requests/{request}/{act}", csrf=csrf, **more)).status_code == 404


async def test_no_code_and_no_address_lies_in_the_database(world: World, mailbox: Mailbox, tmp_path: Path) -> None:
    request = await a_request(world, await a_customer(world))
    await send(world, request)
    code = await code_of(world, mailbox)
    for file in (tmp_path / "data", tmp_path):
        for path in file.glob("*.db*"):
            content = path.read_bytes()
            assert code.encode() not in content
            assert EMAIL.encode() not in content
