"""Parts of the preference centre in frames of the brand's pages: opened by its word, without a cookie."""

import re
from typing import Any

import httpx
from freezegun import freeze_time

from tests.builders.sign_in import a_sign_in
from tests.server.test_preferences import a_link, post, status
from tests.server.test_sign_in import a_brand
from tests.server.test_tenants import another
from tests.server.worlds import MANIFEST, World

CHOICES = "/p/embed/shop/choices"


def secret_of(page: httpx.Response) -> str:
    found = re.search(r'name="session" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def opened(world: World, part: str = "choices", **claims: Any) -> tuple[httpx.AsyncClient, str]:
    frame = await world.client(None)
    page = await post(frame, f"/p/embed/shop/{part}/enter", code=a_sign_in(**claims))
    assert page.status_code == 200, page.text
    return frame, secret_of(page) if part == "choices" else page.text


async def test_a_frame_waits_empty_and_only_the_sites_pages_may_show_it(lite: World) -> None:
    await a_brand(lite)
    frame = await lite.nobody.get(f"{CHOICES}?locale=zh-CN&theme=dark")
    policy = frame.headers["content-security-policy"]
    assert "frame-ancestors http://127.0.0.1:8080;" in policy
    assert "script-src 'self'" in policy
    assert 'data-framed="waiting" data-origins="http://127.0.0.1:8080"' in frame.text
    assert '<html lang="zh-CN" dir="ltr" data-theme="dark">' in frame.text
    assert frame.headers["cache-control"] == "no-store"
    script = await lite.nobody.get("/v1/sites/shop/embed.js")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    again = await lite.nobody.get("/v1/sites/shop/embed.js", headers={"if-none-match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for path in ("/v1/sites/none/embed.js", "/p/embed/none/choices", "/p/embed/shop/none"):
        assert (await lite.nobody.get(path)).status_code == 404


async def test_a_person_chooses_in_the_frame_and_no_cookie_is_set(world: World) -> None:
    subject = await a_brand(world)
    frame, secret = await opened(world)
    fields = {"session": secret, "notice": "web", "notice_version": "1", "shown": ["marketing.email"]}
    saved = await post(frame, f"{CHOICES}/choices", **fields, granted=["marketing.email"])
    assert (saved.status_code, "Saved at" in saved.text) == (200, True)
    assert await status(world, subject) == "granted"
    stopped = await post(frame, f"{CHOICES}/withdraw", session=secret)
    assert await status(world, subject) == "withdrawn"
    record = re.search(r'name="record" value="(cns_\w+)"', stopped.text)
    assert record is not None
    undone = await post(frame, f"{CHOICES}/undo", session=secret, record=record[1])
    assert "Your no is taken back." in undone.text
    assert await status(world, subject) == "granted"
    late = await post(frame, f"{CHOICES}/undo", session=secret, record=record[1])
    assert (late.status_code, "can no longer be undone" in late.text) == (409, True)
    assert not frame.cookies
    history = (await world.admin.get(f"/v1/subjects/{subject}/history")).json()["items"]
    assert history[0]["method"] == "preference_centre"


async def test_who_used_my_data_stands_in_its_own_frame(lite: World) -> None:
    await a_brand(lite)
    _, text = await opened(lite, "uses")
    assert "Nobody yet" in text
    assert "<a " not in text, "a link of the frame could not carry who is there"


async def test_each_part_does_its_own_acts_and_no_others(lite: World) -> None:
    await a_brand(lite)
    frame, secret = await opened(lite)
    for act in ("choices/reach", "choices/uses", "choices/none", "reach/withdraw", "uses/choices"):
        assert (await post(frame, f"/p/embed/shop/{act}", session=secret)).status_code == 404
    told = await post(frame, "/p/embed/shop/reach/enter", code=a_sign_in())
    assert "There is nothing to choose here." in told.text


async def test_a_mailed_link_a_used_token_and_a_strangers_open_no_frame(lite: World) -> None:
    subject = await a_brand(lite)
    mailed, token = await a_link(lite, subject), a_sign_in()
    frame = await lite.client(None)
    assert (await post(frame, f"{CHOICES}/enter", code=token)).status_code == 200
    for code in (token, mailed, "", "x", a_sign_in(aud="sign-in:acme")):
        refused = await post(frame, f"{CHOICES}/enter", code=code)
        assert (refused.status_code, 'data-framed="refused"' in refused.text) == (400, True)
        assert "Load the page again" in refused.text
    assert (await post(frame, "/p/session", code=mailed)).status_code == 303, "the try spent nothing"
    made = await lite.admin.post(f"/v1/subjects/{subject}/links", json={"signed_in": True})
    assert (await post(frame, f"{CHOICES}/enter", code=made.json()["code"])).status_code == 200


async def test_what_opens_a_frame_opens_nothing_else_and_ends_after_an_hour(lite: World) -> None:
    await a_brand(lite)
    with freeze_time("2026-11-22 09:00:00", real_asyncio=True) as clock:
        frame, secret = await opened(lite)
        frame.cookies.set("sayso_person", secret)
        assert (await frame.get("/p/you")).headers["location"] == "/p/"
        frame.cookies.clear()
        await post(frame, "/p/session", code=a_sign_in())
        cookie = frame.cookies["sayso_person"]
        assert (await post(frame, f"{CHOICES}/withdraw", session=cookie)).status_code == 401
        clock.tick(3601)
        ended = await post(frame, f"{CHOICES}/withdraw", session=secret)
        assert (ended.status_code, 'data-framed="waiting"' in ended.text) == (401, True)
        assert 'name="again" value="1"' in ended.text
        told = await post(frame, f"{CHOICES}/enter", code=a_sign_in(), again="1")
        assert "Please send it again." in told.text


async def test_another_brands_frame_is_closed_to_it(lite: World) -> None:
    await a_brand(lite)
    acme = await another(lite)
    assert (await lite.apply(MANIFEST.read_text("utf-8"), client=acme)).status_code == 200
    frame, secret = await opened(lite)
    assert (await post(frame, "/p/embed/acme.shop/choices/enter", code=a_sign_in())).status_code == 400
    assert (await post(frame, "/p/embed/acme.shop/choices/withdraw", session=secret)).status_code == 401


async def test_a_form_from_another_page_is_refused(lite: World) -> None:
    await a_brand(lite)
    frame, secret = await opened(lite)
    foreign = await frame.post(
        f"{CHOICES}/withdraw", data={"session": secret}, headers={"origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
