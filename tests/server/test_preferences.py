"""The person's own page: in by a one-time link, everything by plain forms, out again."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.server.worlds import World

FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


async def post(client: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    return await client.post(path, content=urlencode(fields, doseq=True), headers=FORM)


async def a_link(world: World, subject: str, *, signed_in: bool = False) -> str:
    wanted = {"signed_in": True} if signed_in else {"ttl_s": 600}
    made = await world.admin.post(f"/v1/subjects/{subject}/links", json=wanted)
    assert made.status_code == 201, made.text
    code: str = made.json()["url"].partition("#")[2]
    return code


async def enter(world: World, subject: str, *, signed_in: bool = False) -> tuple[httpx.AsyncClient, str]:
    """A browser that has come in, and the token its forms carry. `signed_in`: the brand vouches for the person."""
    browser = await world.client(None)
    entered = await post(browser, "/p/session", code=await a_link(world, subject, signed_in=signed_in))
    assert (entered.status_code, entered.headers["location"]) == (303, "/p/you"), entered.text
    assert "httponly" in entered.headers["set-cookie"].lower()
    home = await browser.get("/p/you")
    assert home.status_code == 200, home.text
    found = re.search(r'name="csrf" value="([^"]+)"', home.text)
    assert found is not None
    return browser, found.group(1)


async def status(world: World, subject: str) -> str:
    state = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    found: str = state["purposes"]["marketing.email"]["status"]
    return found


async def test_a_person_changes_their_mind_with_plain_forms(world: World) -> None:
    await world.smallest()
    subject = await world.person()
    browser, csrf = await enter(world, subject)
    fields = {"csrf": csrf, "notice": "web", "notice_version": "1", "shown": ["marketing.email"], "decide": "changed"}
    saved = await post(browser, "/p/you/choices", **fields, granted=["marketing.email"])
    assert (saved.status_code, saved.headers["location"]) == (303, "/p/you?saved=1"), saved.text
    assert await status(world, subject) == "granted"
    unchanged = await post(browser, "/p/you/choices", **fields, granted=["marketing.email"])
    assert unchanged.headers["location"] == "/p/you?unchanged=1"
    stopped = await post(browser, "/p/you/withdraw", csrf=csrf)
    assert stopped.headers["location"] == "/p/you?withdrawn=1"
    assert await status(world, subject) == "withdrawn"
    assert "/p/you?withdrawn" not in (await browser.get("/p/you?withdrawn=1")).headers


async def test_a_code_works_once_and_every_bad_one_looks_alike(world: World) -> None:
    await world.smallest()
    subject = await world.person()
    code = await a_link(world, subject)
    first, second = await world.client(None), await world.client(None)
    assert (await first.get("/p/")).status_code == 200
    assert (await post(first, "/p/session", code=code)).status_code == 303
    texts = set()
    for bad in (code, "", "default.x", "nobody.x", "default." + "a" * 32, "x" * 3000):
        refused = await post(second, "/p/session", code=bad)
        assert refused.status_code == 400, bad
        texts.add(refused.text)
    assert len(texts) == 1


async def test_the_page_needs_a_session_its_own_forms_and_their_token(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    browser, csrf = await enter(lite, subject)
    stranger = await lite.client(None)
    assert (await stranger.get("/p/you")).headers["location"] == "/p/"
    assert (await post(stranger, "/p/you/withdraw", csrf=csrf)).status_code == 401
    assert (await post(browser, "/p/you/withdraw", csrf="wrong")).status_code == 403
    foreign = FORM | {"sec-fetch-site": "cross-site"}
    assert (await browser.post("/p/you/withdraw", content=f"csrf={csrf}", headers=foreign)).status_code == 403
    elsewhere = {**FORM, "origin": "https://evil.example"}
    assert (await browser.post("/p/you/withdraw", content=f"csrf={csrf}", headers=elsewhere)).status_code == 403
    left = await post(browser, "/p/you/leave", csrf=csrf)
    assert left.headers["location"] == "/p/?left=1"
    assert (await browser.get("/p/you")).status_code == 303


async def test_proof_and_receipt_of_own_records_only(lite: World) -> None:
    await lite.smallest()
    subject, other = await lite.person("c-1"), await lite.person("c-2")
    mine, theirs = [(await lite.choose(each)).json()["record"] for each in (subject, other)]
    browser, _ = await enter(lite, subject)
    await lite.services.settle()
    proof = (await browser.get(f"/p/you/records/{mine}/proof")).json()
    assert proof["pending"] is False
    assert proof["proof"].startswith("c2sp.org/tlog-proof@v1")
    receipt = await browser.get(f"/p/you/records/{mine}/receipt")
    assert receipt.text == proof["receipt"]
    never = "cns_" + "0" * 32
    for path in ("proof", "receipt"):
        foreign, unknown = [await browser.get(f"/p/you/records/{record}/{path}") for record in (theirs, never)]
        assert (foreign.status_code, foreign.text) == (404, unknown.text)


async def test_erasure_is_asked_for_with_the_word_typed_out(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    browser, csrf = await enter(lite, subject)
    assert (await post(browser, "/p/you/erasure", csrf=csrf, confirm="no")).status_code == 422
    asked = await post(browser, "/p/you/erasure", csrf=csrf, confirm=" ERASE ")
    assert asked.headers["location"] == "/p/you/data?erasure=1"
    assert "rrq_" in (await browser.get("/p/you/data?erasure=1")).text


async def test_pages_carry_their_strict_policy(lite: World) -> None:
    await lite.smallest()
    for path in ("/p/", "/console/", "/docs"):
        page = await lite.nobody.get(path)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_language_and_light_are_kept_in_the_browser(lite: World) -> None:
    browser = await lite.client(None)
    switched = await post(browser, "/settings", locale="zh-CN", theme="dark", back="/p/")
    assert (switched.status_code, switched.headers["location"]) == (303, "/p/")
    assert 'lang="zh-CN"' in (await browser.get("/p/")).text
    for back in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert (await post(browser, "/settings", back=back)).headers["location"] == "/"
