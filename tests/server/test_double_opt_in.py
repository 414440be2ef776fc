"""Double opt-in as people meet it: a letter from Sayso itself, a page that confirms, a switch that cancels."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from tests.builders.mail import Mailbox, a_mail_server
from tests.server.test_mail import ANN, carried
from tests.server.test_preferences import enter, post
from tests.server.worlds import World, a_world

MANIFEST = """
categories: [contact.email]
purposes:
  letter:
    title: {en: The letter, zh-CN: 邮件资讯}
    categories: [contact.email]
    direct_marketing: true
    channels: [email]
    double_opt_in: true
  club: {title: {en: The club}, categories: [contact.email]}
notices:
  web: {version: 1, purposes: [letter, club], text: {en: "We write to you only if you say so.", zh-CN: "同意才写信。"}}
"""


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mail_server() as made:
        yield made


@pytest_asyncio.fixture
async def brand(tmp_path: Path, database_url: str, mailbox: Mailbox) -> AsyncIterator[World]:
    """A brand that asks twice, by its mail server."""
    more = {"mail_host": "127.0.0.1", "mail_port": mailbox.port, "mail_tls": "none", "mail_from": "say@brand.example"}
    async with a_world(tmp_path, database_url, **more) as world:
        applied = await world.apply(MANIFEST)
        assert applied.status_code == 200, applied.text
        yield world


async def asked(world: World, subject: str) -> str:
    """A record that waits to be confirmed."""
    done = await world.choose(subject, choices={"letter": "granted"})
    assert done.json()["state"]["letter"]["status"] == "pending", done.text
    record: str = done.json()["record"]
    return record


async def mail(world: World, record: str, email: str = ANN, locale: str = "en") -> httpx.Response:
    return await world.admin.post(f"/v1/consents/{record}/confirmations/mail", json={"email": email, "locale": locale})


async def status(world: World, subject: str, purpose: str = "letter") -> str:
    state = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    found: str = state["purposes"][purpose]["status"]
    return found


def code_in(mailbox: Mailbox) -> str:
    found = re.search(r"http\S+/p/confirm#(\S+)", mailbox.text())
    assert found is not None, mailbox.text()
    return found[1]


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("#")[2]


async def test_the_letter_asks_and_the_person_confirms_by_pressing_a_button(brand: World, mailbox: Mailbox) -> None:
    subject = await brand.person(ANN, "email")
    sent = await mail(brand, await asked(brand, subject), locale="zh-CN")
    assert (sent.status_code, list(sent.json())) == (202, ["expires_at"]), "the caller never holds the code"
    await carried(brand, tries=9)
    assert mailbox.recipients == [[ANN]]
    assert "邮件资讯" in mailbox.text()
    code = code_in(mailbox)
    assert "Confirm" in (await brand.nobody.get("/p/confirm")).text
    assert await status(brand, subject) == "pending", "mail scanners open addresses; that confirms nothing"
    done = await post(brand.nobody, "/p/confirm", code=code)
    assert (done.status_code, "The letter" in done.text) == (200, True)
    assert await status(brand, subject) == "granted"
    assert (await post(brand.nobody, "/p/confirm", code=code)).status_code == 400


async def test_it_goes_to_an_address_of_that_very_person_alone(brand: World, mailbox: Mailbox) -> None:
    subject = await brand.person(ANN, "email")
    await brand.person("bob@example.org", "email")
    record = await asked(brand, subject)
    for other in ("bob@example.org", "nobody@example.org"):
        assert problem(await mail(brand, record, other)) == (404, "no-identifier")
    assert problem(await mail(brand, "cns_" + "0" * 32)) == (404, "no-record")
    given = await brand.choose(subject, choices={"club": "granted"})
    assert problem(await mail(brand, given.json()["record"])) == (409, "nothing-waits")
    auditor = await brand.key("auditor", "auditor")
    refused = await auditor.post(f"/v1/consents/{record}/confirmations/mail", json={"email": ANN})
    assert refused.status_code == 403
    await brand.services.carrier.round()
    assert mailbox.letters == []


async def test_what_is_confirmed_by_mail_ends_the_suppression_of_that_address(brand: World, mailbox: Mailbox) -> None:
    subject = await brand.person(ANN, "email")
    body = {"subject": subject, "kind": "erasure", "law": "gdpr"}
    request = (await brand.admin.post("/v1/rights/requests", json=body)).json()["request"]
    await brand.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    assert (await brand.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})).status_code == 200
    again = await brand.person(ANN, "email")
    assert again != subject
    imported = await brand.choose(again, choices={"club": "granted"}, method="import")
    assert imported.json()["ignored"] == {"club": "suppressed"}
    await mail(brand, await asked(brand, again))
    await carried(brand, tries=9)
    assert (await post(brand.nobody, "/p/confirm", code=code_in(mailbox))).status_code == 200
    assert await status(brand, again) == "granted"
    facts = (await brand.admin.get(f"/v1/subjects/{again}/facts")).json()
    assert facts["suppressed_until"] is None


async def test_a_switch_that_waits_stands_at_yes_and_switching_it_off_cancels(brand: World, mailbox: Mailbox) -> None:
    subject = await brand.person(ANN, "email")
    record = await asked(brand, subject)
    await mail(brand, record)
    await carried(brand, tries=9)
    browser, csrf = await enter(brand, subject)
    assert switches((await browser.get("/p/you")).text) == {"letter": True, "club": False}
    fields: dict[str, Any] = {
        "csrf": csrf,
        "notice": "web",
        "notice_version": "1",
        "shown": ["letter", "club"],
        "decide": "changed",
    }
    saved = await post(browser, "/p/you/choices", **fields, granted=["letter", "club"])
    assert saved.headers["location"] == "/p/you?saved=1"
    assert (await status(brand, subject), await status(brand, subject, "club")) == ("pending", "granted")
    same = await post(browser, "/p/you/choices", **fields, granted=["letter", "club"])
    assert same.headers["location"] == "/p/you?unchanged=1", "leaving it on asks no second time"
    await post(browser, "/p/you/choices", **fields, granted=["club"])
    assert await status(brand, subject) == "refused"
    assert (await post(brand.nobody, "/p/confirm", code=code_in(mailbox))).status_code == 400
    assert await status(brand, subject) == "refused"


def switches(html: str) -> dict[str, bool]:
    """The switches on the page, and how they stand."""
    found = re.findall(r'<input type="checkbox" name="granted" value="([\w.]+)"[^>]*?( checked)?>', html)
    return {name: bool(checked) for name, checked in found}


async def test_a_guardian_says_no_by_name(brand: World) -> None:
    child, mother = await brand.person("kim"), await brand.person("kims-mother")
    at = f"/v1/subjects/{child}"
    kin = {"verified_by": "document", "source": "shop"}
    assert (await brand.admin.put(f"{at}/guardians/{mother}", json=kin)).status_code == 200
    for path in ("withdrawals", "objections", "objections/withdrawals"):
        body = {"purposes": ["letter"], "indicated_by": mother}
        said = await brand.admin.post(f"{at}/{path}", json=body)
        assert said.status_code == 201, said.text
        newest = (await brand.admin.get(f"{at}/history")).json()["items"][0]
        assert newest["indicated_by"] == mother
        stranger = await brand.admin.post(f"{at}/{path}", json=body | {"indicated_by": child})
        assert problem(stranger) == (400, "not-a-guardian")
