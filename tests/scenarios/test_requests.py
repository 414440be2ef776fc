"""Every kind of request under three laws, from receipt to the answer: by when it is due, and what holds afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest
import pytest_asyncio
from freezegun import freeze_time

from tests.server.test_preferences import enter, post
from tests.server.worlds import World, a_world

PATH = "/v1/rights/requests"
BRAND = """
categories: [contact.email, behaviour, health]
purposes:
  letter: {title: {en: The letter}, categories: [contact.email], direct_marketing: true}
  partners: {title: {en: Partners}, categories: [behaviour], opt_out: [sale, share]}
  diet: {title: {en: Your diet}, categories: [health], sensitive: true}
notices:
  web: {version: 1, purposes: [letter], text: {en: "We write to you only if you say so."}}
  rest: {version: 1, purposes: [partners], text: {en: "Partners."}}
collections:
  customers: {fields: {email: {type: email, category: contact.email, index: [exact]}}}
roles: {mailer: []}
rules:
  - {id: R1, role: mailer, action: use, category: contact.email, purpose: letter, effect: allow, basis: consent}
  - {id: R2, role: mailer, action: use, category: behaviour, purpose: partners, effect: allow, basis: consent}
"""
RECEIVED: Final = "2026-09-25T10:00:00Z"
"""A Friday before China's golden week: days of work that stay away, and a Saturday that makes up for one."""

MONTH, WORKING, DAYS, BUSINESS, NOW = "2026-10-26", "2026-10-22", "2026-11-09", "2026-10-19", "2026-09-25"


class Case(NamedTuple):
    """What a kind is due under GDPR (Germany), PIPL and CCPA, and what answers letter and partners get afterwards."""

    kind: str
    gdpr: str
    pipl: str
    ccpa: str
    letter: str = "permitted"
    partners: str = "permitted"


OWN = "2026-10-10"
"""Fifteen days, our own term where California knows no such right."""

CASES: Final = (
    Case("access", MONTH, WORKING, DAYS),
    Case("portability", MONTH, WORKING, DAYS),
    Case("rectification", MONTH, WORKING, DAYS),
    Case("erasure", MONTH, WORKING, DAYS, "no_subject", "no_subject"),
    Case("restriction", MONTH, WORKING, OWN, "restricted", "restricted"),
    Case("objection", MONTH, WORKING, OWN, "objected", "objected"),
    Case("withdraw_all", NOW, NOW, BUSINESS, "withdrawn", "withdrawn"),
    Case("opt_out_sale", NOW, NOW, BUSINESS, "permitted", "objected"),
    Case("limit_sensitive", NOW, NOW, BUSINESS),
    Case("automated_decision_review", MONTH, WORKING, BUSINESS),
    Case("explanation", MONTH, WORKING, DAYS),
)


class Brand(NamedTuple):
    world: World
    mailer: httpx.AsyncClient

    async def customer(self, name: str) -> str:
        subject = await self.world.person(name)
        admin = self.world.admin
        body = {"subject": subject, "collection": "customers", "fields": {"email": "wrong@example.com"}}
        assert (await admin.post("/v1/vault/records", json=body)).status_code == 201
        for notice, purpose in (("web", "letter"), ("rest", "partners")):
            said = {"subject": subject, "notice": notice, "notice_version": 1, "locale": "en", "method": "api"}
            done = await admin.post("/v1/consents", json=said | {"choices": {purpose: "granted"}})
            assert done.status_code == 201, done.text
        return subject

    async def reason(self, subject: str, category: str, purpose: str) -> str:
        body = {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": "use"},
            "resource": {"type": category, "id": subject},
            "context": {"purpose": purpose},
        }
        found: str = (await self.mailer.post("/access/v1/evaluation", json=body)).json()["context"]["reason"]
        return found


@pytest_asyncio.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with a_world(tmp_path, database_url) as made:
        yield made


async def brand(world: World) -> Brand:
    applied = await world.apply(BRAND)
    assert applied.status_code == 200, applied.text
    return Brand(world, await world.key("mailer", "mailer"))


@pytest.mark.parametrize("law", ["gdpr", "pipl", "ccpa"])
async def test_every_kind_is_answered_in_time_and_holds(world: World, law: str) -> None:
    shop, admin = await brand(world), world.admin
    await world.services.settle()
    place = {"gdpr": ("DE", "Europe/Berlin"), "pipl": ("CN", "Asia/Shanghai"), "ccpa": ("US", "America/Los_Angeles")}
    country, zone = place[law]
    with freeze_time(RECEIVED, real_asyncio=True) as clock:
        asked: list[tuple[Case, str, str]] = []
        for case in CASES:
            subject = await shop.customer(f"{law}-{case.kind}")
            body: dict[str, Any] = {"subject": subject, "kind": case.kind, "law": law, "country": country}
            if case.kind == "rectification":
                right = {"collection": "customers", "field": "email", "value": "right@example.com"}
                body["corrections"] = [right]
            opened = await admin.post(PATH, json=body | {"timezone": zone})
            assert opened.status_code == 201, opened.text
            due = opened.json()["due_on"]
            assert due == getattr(case, law), (law, case.kind)
            asked.append((case, subject, opened.json()["request"]))
        await world.services.settle()
        # On the last day of the month all that is due within it is answered; the rest was late, and is told so.
        clock.move_to("2026-10-22T09:00:00Z")
        for case, subject, request in asked:
            assert (await admin.post(f"{PATH}/{request}/fulfil", json={})).status_code == 409
            await admin.post(f"{PATH}/{request}/verify", json={"method": "officer"})
            done = await admin.post(f"{PATH}/{request}/fulfil", json={"statement": ""})
            assert (done.status_code, done.json().get("status")) == (200, "fulfilled"), (case.kind, done.text)
            answers = [
                await shop.reason(subject, "contact.email", "letter"),
                await shop.reason(subject, "behaviour", "partners"),
            ]
            assert answers == [case.letter, case.partners], (law, case.kind)
        found = (
            await admin.get(
                "/v1/rights/figures", params={"since": "2026-09-01T00:00:00Z", "until": "2026-10-01T00:00:00Z"}
            )
        ).json()
        late = {line["kind"] for line in found["lines"] if line["late"]}
        assert late == {case.kind for case in CASES if getattr(case, law) < "2026-10-22"}
        assert found["received"] == len(CASES)


async def test_an_agent_with_a_power_of_attorney_asks_for_a_relative(world: World) -> None:
    shop, admin = await brand(world), world.admin
    subject = await shop.customer("grandmother")
    body = {"subject": subject, "kind": "erasure", "law": "ccpa", "agent": "Kim Ahorn, grandson"}
    request = (await admin.post(PATH, json=body)).json()["request"]
    refused = await admin.post(f"{PATH}/{request}/verify", json={"method": "officer"})
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (409, "document-needed")
    seen = {"method": "document", "document": "cabinet 4, folder 17"}
    assert (await admin.post(f"{PATH}/{request}/verify", json=seen)).status_code == 200
    assert (await admin.get(f"{PATH}/{request}")).json()["agent"] == "Kim Ahorn, grandson"
    assert (await admin.post(f"{PATH}/{request}/fulfil", json={})).status_code == 200
    gone = (await admin.get(f"{PATH}/{request}")).text
    assert "Ahorn" not in gone
    assert "cabinet" not in gone


async def test_a_correction_from_the_preference_page_is_stored_and_told(world: World) -> None:
    """GDPR Art. 16 and 19: the person says what is wrong, an officer stores it, whoever was given it hears of it."""
    shop, admin = await brand(world), world.admin
    subject = await shop.customer("linden")
    browser, csrf = await enter(world, subject)
    wrong = await post(browser, "/p/you/requests", csrf=csrf, kind="rectification", field="customers.email", value="x")
    assert wrong.status_code == 422
    right = {"field": "customers.email", "value": "right@example.com"}
    assert (await post(browser, "/p/you/requests", csrf=csrf, kind="rectification", **right)).status_code == 303
    (waiting,) = (await admin.get(PATH)).json()["requests"]
    request = waiting["request"]
    shown = await admin.get(f"{PATH}/{request}")
    assert shown.json()["corrects"] == ["customers.email"]
    assert "right@example.com" not in shown.text
    laid_open = (await admin.get(f"{PATH}/{request}/corrections")).json()["corrections"]
    assert laid_open == [{"collection": "customers", "field": "email", "value": "right@example.com"}]
    await admin.post(f"{PATH}/{request}/verify", json={"method": "officer"})
    assert (await admin.post(f"{PATH}/{request}/fulfil", json={})).json()["status"] == "fulfilled"
    search = {
        "collection": "customers",
        "all": [{"field": "email", "value": "right@example.com"}],
        "purpose": "letter",
        "reason": "test",
    }
    assert (await shop.mailer.post("/v1/vault/search", json=search)).json()["results"] == [{"subject": subject}]
    page = (await browser.get("/p/you/data", headers={"accept-language": "en"})).text
    assert "Done on" in page
