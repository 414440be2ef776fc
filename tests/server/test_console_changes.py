"""Changes of the rules in the console: four eyes that can be seen, with forms that work without script."""

import httpx

from tests.server.test_change_control import ANOTHER, ONE_MORE, TWO, live, proposed
from tests.server.test_console import key_of, sign_in
from tests.server.test_preferences import post
from tests.server.worlds import World


async def two_officers(world: World) -> tuple[str, str]:
    keys = await key_of(world, "ada", "admin"), await key_of(world, "bea", "officer")
    assert (await world.apply(TWO)).status_code == 200
    return keys


async def decided(browser: httpx.AsyncClient, csrf: str, proposal: str, step: str, **more: str) -> httpx.Response:
    return await post(browser, f"/console/changes/{proposal}/{step}", csrf=csrf, **more)


async def test_another_person_sees_what_changes_and_approves(world: World) -> None:
    ada_key, bea_key = await two_officers(world)
    ada = await world.client(ada_key)
    proposal = (await proposed(world, ada))["proposal"]
    browser, csrf = await sign_in(world, bea_key)
    page = await browser.get("/console/changes")
    assert f"/console/changes/{proposal}" in page.text
    shown = await browser.get(f"/console/changes/{proposal}")
    assert "R040" in shown.text
    assert "support_lead" in shown.text
    assert "newly permitted" in shown.text
    assert f'action="/console/changes/{proposal}/approve"' in shown.text
    assert (await decided(browser, csrf, proposal, "approve")).status_code == 303
    assert await live(world) == 2
    listed = (await browser.get("/console/changes")).text
    assert "approved" in listed
    assert 'name="version" value="1"' in listed


async def test_the_author_finds_no_button_and_is_refused_without_one(lite: World) -> None:
    ada_key, _ = await two_officers(lite)
    ada = await lite.client(ada_key)
    proposal = (await proposed(lite, ada))["proposal"]
    browser, csrf = await sign_in(lite, ada_key)
    shown = (await browser.get(f"/console/changes/{proposal}")).text
    assert "/approve" not in shown
    assert "/reject" not in shown
    refused = await decided(browser, csrf, proposal, "approve")
    assert refused.status_code == 409
    assert "Another person has to decide" in refused.text
    again = await ada.post("/v1/keys", json={"name": "ada2", "roles": ["officer"]})
    other, other_csrf = await sign_in(lite, again.json()["key"])
    assert "/approve" not in (await other.get(f"/console/changes/{proposal}")).text
    assert (await decided(other, other_csrf, proposal, "approve")).status_code == 409
    assert await live(lite) == 1
    assert (await decided(browser, csrf, proposal, "withdraw")).status_code == 303
    assert "withdrawn" in (await browser.get(f"/console/changes/{proposal}")).text


async def test_a_rejection_needs_a_reason_and_shows_it(lite: World) -> None:
    ada_key, bea_key = await two_officers(lite)
    proposal = (await proposed(lite, await lite.client(ada_key)))["proposal"]
    browser, csrf = await sign_in(lite, bea_key)
    empty = await decided(browser, csrf, proposal, "reject", reason=" ")
    assert "Say why" in empty.text
    assert (await decided(browser, csrf, proposal, "reject", reason="Leads <b>need</b> none.")).status_code == 303
    shown = (await browser.get(f"/console/changes/{proposal}")).text
    assert "Leads &lt;b&gt;need&lt;/b&gt; none." in shown
    assert "Decided by" in shown


async def test_a_rollback_in_the_console_takes_as_many_people_as_a_change(lite: World) -> None:
    ada_key, bea_key = await two_officers(lite)
    ada = await lite.client(ada_key)
    proposal = (await proposed(lite, ada))["proposal"]
    browser, csrf = await sign_in(lite, bea_key)
    await decided(browser, csrf, proposal, "approve")
    asked = await post(browser, "/console/rollbacks", csrf=csrf, version="1")
    assert asked.status_code == 303
    address = asked.headers["location"]
    assert "Back to version 1" in (await browser.get(address)).text
    assert await live(lite) == 2
    hers, hers_csrf = await sign_in(lite, ada_key)
    assert (await decided(hers, hers_csrf, address.rpartition("/")[2], "approve")).status_code == 303
    assert await live(lite) == 3
    assert (await post(browser, "/console/rollbacks", csrf=csrf, version="77")).status_code == 404
    assert (await post(browser, "/console/rollbacks", csrf=csrf, version="x")).status_code == 409


async def test_broken_glass_is_seen_by_every_officer(lite: World) -> None:
    ada_key, bea_key = await two_officers(lite)
    ada, bea = await lite.client(ada_key), await lite.client(bea_key)
    await bea.post(f"/v1/manifest/proposals/{(await proposed(lite, ada))['proposal']}/approve")
    await ada.post("/v1/manifest/rollbacks", json={"version": 1, "break_glass": "A leak."})
    browser, _ = await sign_in(lite, bea_key)
    page = (await browser.get("/console/changes")).text
    assert "ada broke the glass" in page
    assert "A leak." not in page


async def test_forms_without_the_sessions_token_and_other_roles_do_nothing(lite: World) -> None:
    ada_key, bea_key = await two_officers(lite)
    proposal = (await proposed(lite, await lite.client(ada_key), ANOTHER))["proposal"]
    browser, _ = await sign_in(lite, bea_key)
    assert (await decided(browser, "made-up", proposal, "approve")).status_code == 403
    assert (await post(browser, "/console/rollbacks", csrf="made-up", version="1")).status_code == 403
    auditor, csrf = await sign_in(lite, await key_of(lite, "rev", "auditor"))
    assert (await auditor.get("/console/changes")).status_code == 403
    assert (await decided(auditor, csrf, proposal, "approve")).status_code == 403
    stranger = await lite.client(None)
    assert (await stranger.get("/console/changes")).headers["location"] == "/console/"
    assert (await stranger.get(f"/console/changes/{proposal}")).headers["location"] == "/console/"
    assert await live(lite) == 1


async def test_the_page_says_how_many_people_a_change_takes(lite: World) -> None:
    browser, _ = await sign_in(lite, lite.admin_key)
    assert "No version yet" in (await browser.get("/console/changes")).text
    await lite.smallest()
    assert "One person may change" in (await browser.get("/console/changes")).text
    await lite.apply("approval: two\n")
    assert "take two people" in (await browser.get("/console/changes", headers={"accept-language": "en"})).text
    chinese = (await browser.get("/console/changes", headers={"accept-language": "zh-CN"})).text
    assert "take two people" not in chinese
    await lite.apply(ONE_MORE)
