"""The pages of a person who has come in: history, who used their data, what is kept, and the way back from a no."""

import re
from typing import Any

import httpx
import msgspec
from freezegun import freeze_time

from audit import Jws
from tests.server.test_preferences import a_link, enter, post, status
from tests.server.worlds import World

MANIFEST = """
categories: [contact.email, contact.phone]
controller: {name: Huangshan & Hale Ltd, country: gb, contact: {email: privacy@tea.example}}
recipients:
  letterbox: {title: {en: Letterbox}, role: processor, country: ie, contact: {email: privacy@letterbox.example}}
purposes:
  marketing.email:
    title: {en: News by e-mail}
    description: {en: "One letter a month."}
    legal_basis: consent
    categories: [contact.email]
    sources: {contact.email: zero_party}
    recipients: [letterbox]
    retention: P24M
    expires_after: P12M
    direct_marketing: true
    channels: [email]
  orders:
    title: {en: Your orders}
    legal_basis: contract
    categories: [contact.email]
notices:
  web: {version: 1, purposes: [marketing.email], text: {en: We write only if you agree.}}
preferences:
  news: {type: boolean, title: {en: News}, purpose: marketing.email}
roles: {sender: []}
rules:
  - {id: R1, role: sender, action: use, category: contact.email, purpose: marketing.email, effect: allow,
     basis: consent}
clients:
  mailer: {roles: [sender], default_purpose: marketing.email}
"""


async def a_brand(world: World) -> None:
    applied = await world.apply(MANIFEST)
    assert applied.status_code == 200, applied.text


async def asks(world: World, subject: str, category: str = "contact.email") -> None:
    """The mailer asks whether it may."""
    made = await world.admin.post("/v1/keys", json={"name": "mailer"})
    mailer = await world.client(made.json()["key"])
    body = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": category, "id": subject},
    }
    assert (await mailer.post("/access/v1/evaluation", json=body)).status_code == 200


def words(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def test_a_purpose_is_told_whole_and_in_plain_words(lite: World) -> None:
    await a_brand(lite)
    browser, _ = await enter(lite, await lite.person())
    told = words(await browser.get("/p/you"))
    assert "your e-mail address (told by you)" in told
    assert "Letterbox (Ireland; works on our behalf)" in told
    assert "a yes lasts 12 months, then we ask again The data is deleted after 24 months." in told
    assert "You hear nothing more of this. Everything else works as before." in told


async def test_everything_is_withdrawn_and_taken_back(world: World) -> None:
    await a_brand(world)
    subject = await world.person()
    await world.choose(subject)
    browser, csrf = await enter(world, subject)
    assert (await post(browser, "/p/you/withdraw", csrf=csrf)).headers["location"] == "/p/you?withdrawn=1"
    assert await status(world, subject) == "withdrawn"
    home = await browser.get("/p/you?withdrawn=1")
    record = re.search(r'name="record" value="(cns_\w+)"', home.text)
    assert record is not None
    undone = await post(browser, "/p/you/undo", csrf=csrf, record=record[1])
    assert undone.headers["location"] == "/p/you?undone=1"
    assert await status(world, subject) == "granted"
    late = await post(browser, "/p/you/undo", csrf=csrf, record=record[1])
    assert (late.status_code, "can no longer be undone" in late.text) == (409, True)
    assert 'action="/p/you/undo"' not in (await browser.get("/p/you")).text


async def test_an_undo_needs_ones_own_record(lite: World) -> None:
    await a_brand(lite)
    subject, other = await lite.person("c-1"), await lite.person("c-2")
    mine, csrf = await enter(lite, subject)
    theirs, their_csrf = await enter(lite, other)
    await post(theirs, "/p/you/withdraw", csrf=their_csrf)
    found = re.search(r'name="record" value="(cns_\w+)"', (await theirs.get("/p/you")).text)
    assert found is not None
    for record in (found[1], "cns_" + "0" * 32):
        assert (await post(mine, "/p/you/undo", csrf=csrf, record=record)).status_code == 409
    assert (await post(mine, "/p/you/undo", csrf=csrf, record="x")).status_code == 400


async def test_one_press_at_the_door_says_no_to_everything(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    await lite.choose(subject)
    browser = await lite.client(None)
    entered = await post(browser, "/p/session", code=await a_link(lite, subject), withdraw="all")
    assert (entered.status_code, entered.headers["location"]) == (303, "/p/you?withdrawn=1")
    assert await status(lite, subject) == "withdrawn"
    assert 'action="/p/you/undo"' in (await browser.get("/p/you?withdrawn=1")).text


async def test_who_used_my_data_is_told_by_role_and_reason(world: World) -> None:
    await a_brand(world)
    subject = await world.person()
    await world.choose(subject)
    await asks(world, subject)
    await asks(world, subject, "contact.phone")
    browser, _ = await enter(world, subject)
    told = words(await browser.get("/p/you/uses"))
    assert "Used your e-mail address" in told
    assert "What for News by e-mail Who Sender Allowed because you said yes to it" in told
    assert "Asked for your phone number, and was refused" in told
    assert "mailer" not in told
    only = words(await browser.get("/p/you/uses?of=contact.phone"))
    assert "Used your e-mail address" not in only
    assert "Asked for your phone number, and was refused" in only
    assert (await browser.get("/p/you/uses?before=x")).status_code == 400


async def test_nobody_sees_what_was_done_with_the_data_of_others(lite: World) -> None:
    await a_brand(lite)
    subject, other = await lite.person("c-1"), await lite.person("c-2")
    await asks(lite, other)
    browser, _ = await enter(lite, subject)
    assert "Nobody yet" in words(await browser.get("/p/you/uses"))


async def test_a_receipt_comes_in_four_forms(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    record = (await lite.choose(subject)).json()["record"]
    await lite.services.settle()
    browser, _ = await enter(lite, subject)
    path = f"/p/you/records/{record}/receipt"
    jws, told, text, pdf = [await browser.get(f"{path}?form={form}") for form in ("jws", "json", "txt", "pdf")]
    assert Jws.parse(jws.text).kid
    assert told.json()["receipt"] == jws.text
    assert told.json()["proof"].startswith("c2sp.org/tlog-proof@v1")
    assert "You agreed" in text.text
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-disposition"].endswith('.pdf"')
    assert (await browser.get(f"{path}?form=doc")).status_code == 400


async def test_the_history_shows_what_was_told_and_goes_on_page_by_page(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    for number in range(23):
        await lite.choose(subject, choices={"marketing.email": "granted" if number % 2 else "refused"})
    browser, _ = await enter(lite, subject)
    first = await browser.get("/p/you/history")
    assert "We write only if you agree." in first.text
    older = re.search(r'href="(/p/you/history\?before=\w+)"', first.text)
    assert older is not None
    second = await browser.get(older[1])
    assert (first.text.count("data-proof="), second.text.count("data-proof=")) == (20, 3)


async def test_a_copy_of_it_all_is_taken_home_with_an_entry(world: World) -> None:
    await a_brand(world)
    subject = await world.person()
    await world.choose(subject)
    await asks(world, subject)
    browser, csrf = await enter(world, subject)
    await post(browser, "/p/you/requests", csrf=csrf, kind="rectification")
    copy = await browser.get("/p/you/data/copy")
    assert copy.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    told: dict[str, Any] = msgspec.json.decode(copy.content)
    assert told["state"]["purposes"]["marketing.email"]["status"] == "granted"
    assert [each["choices"] for each in told["history"]] == [{"marketing.email": "granted"}]
    assert [each["type"] for each in told["identifiers"]] == ["customer_id"]
    assert [(each["category"], each["outcome"]) for each in told["uses"]] == [("contact.email", "used")]
    assert [each["kind"] for each in told["requests"]] == ["rectification"]
    entry = (await world.admin.get(f"/v1/audit/entries/{told['entry']}")).json()
    assert (entry["type"], entry["res"]["purpose"]) == ("access.permitted", "dsar")


async def test_requests_are_opened_once_and_their_progress_is_shown(lite: World) -> None:
    await a_brand(lite)
    browser, csrf = await enter(lite, await lite.person())
    for _ in range(2):
        asked = await post(browser, "/p/you/requests", csrf=csrf, kind="rectification")
        assert asked.headers["location"] == "/p/you/data?asked=1"
    page = await browser.get("/p/you/data?asked=1")
    assert page.text.count("rrq_") == 1
    assert "Correct my data" in page.text
    assert (await post(browser, "/p/you/requests", csrf=csrf, kind="erasure")).status_code == 400
    assert (await post(browser, "/p/you/requests", csrf="x", kind="access")).status_code == 403


async def test_less_instead_of_never(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    await lite.choose(subject)
    browser, csrf = await enter(lite, subject)
    home = await browser.get("/p/you")
    assert 'value="email/1/month"' in home.text
    capped = await post(browser, "/p/you/less", csrf=csrf, version="0", less="email/1/month")
    assert capped.headers["location"] == "/p/you?saved=1", capped.text
    home = await browser.get("/p/you")
    assert 'value="email/1/month"' not in home.text
    version = re.search(r'name="version" value="(\d+)"', home.text)
    assert version is not None
    paused = await post(browser, "/p/you/less", csrf=csrf, version=version[1], less="P30D")
    assert paused.headers["location"] == "/p/you?saved=1"
    again = await post(browser, "/p/you/less", csrf=csrf, version=version[1], less="email/9/fortnight")
    assert again.status_code in (400, 409)
    assert await status(lite, subject) == "granted"


async def test_a_link_ends_and_another_persons_link_changes_who_is_there(lite: World) -> None:
    await a_brand(lite)
    subject, other = await lite.person("c-1"), await lite.person("c-2")
    await lite.choose(other)
    browser, _ = await enter(lite, subject)
    assert "data-proof=" not in (await browser.get("/p/you/history")).text
    assert (await post(browser, "/p/session", code=await a_link(lite, other))).status_code == 303
    assert (await browser.get("/p/you/history")).text.count("data-proof=") == 1
    with freeze_time("2026-11-22 09:00:00", real_asyncio=True) as clock:
        code = await a_link(lite, subject)
        clock.tick(601)
        refused = await post(browser, "/p/session", code=code)
        assert (refused.status_code, "cannot be used" in refused.text) == (400, True)


async def test_a_form_that_comes_too_late_is_answered_with_a_page_that_says_so(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    browser, csrf = await enter(lite, subject)
    for path in ("choices", "withdraw", "undo", "reach", "less", "told", "requests", "erasure", "leave"):
        stale = await post(browser, f"/p/you/{path}", csrf="of another tab")
        assert (stale.status_code, "The form was too old." in stale.text) == (403, True), path
    await post(browser, "/p/you/leave", csrf=csrf)
    ended = await post(browser, "/p/you/withdraw", csrf=csrf)
    assert (ended.status_code, "so nothing was saved" in ended.text) == (401, True)
    assert 'href="/p/"' in ended.text
    assert ended.headers["content-security-policy"].startswith("default-src 'none'")


async def test_without_a_session_every_page_leads_to_the_door(lite: World) -> None:
    await a_brand(lite)
    for path in ("/p/you", "/p/you/history", "/p/you/uses", "/p/you/data"):
        assert (await lite.nobody.get(path)).headers["location"] == "/p/"
    assert (await lite.nobody.get("/p/you/data/copy")).status_code == 401
