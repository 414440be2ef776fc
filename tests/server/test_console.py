"""The compliance console: in by a key, out by a button, every look an entry."""

import re
from typing import Any

import httpx

from tests.server.test_preferences import post
from tests.server.worlds import World


async def sign_in(world: World, key: str) -> tuple[httpx.AsyncClient, str]:
    browser = await world.client(None)
    entered = await post(browser, "/console/session", key=key)
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/"), entered.text
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    home = await browser.get("/console/")
    found = re.search(r'name="csrf" value="([^"]+)"', home.text)
    assert found is not None, home.text
    return browser, found.group(1)


async def key_of(world: World, name: str, *roles: str) -> str:
    made = await world.admin.post("/v1/keys", json={"name": name, "roles": roles})
    key: str = made.json()["key"]
    return key


async def test_an_officer_sees_entries_with_checked_proofs(world: World) -> None:
    await world.smallest()
    await world.choose(await world.person())
    await world.services.settle()
    browser, _ = await sign_in(world, await key_of(world, "dpo", "officer"))
    await world.services.settle()
    page = await browser.get("/console/")
    assert "consent.choice.recorded" in page.text
    assert "verified" in page.text
    filtered = await browser.get("/console/?type=consent.choice.recorded")
    assert filtered.status_code == 200


async def test_a_filter_that_makes_no_sense_is_told_on_the_page(lite: World) -> None:
    browser, _ = await sign_in(lite, lite.admin_key)
    for query in ("from=yesterday", "to=x", "outcome=maybe", "cursor=x", "entry=x", "type=%00"):
        assert (await browser.get(f"/console/?{query}")).status_code == 200, query


async def test_keys_of_other_roles_and_wrong_ones_do_not_come_in(lite: World) -> None:
    await lite.smallest()
    for key in (await key_of(lite, "mailer", "marketing_sender"), "sk_wrong", ""):
        browser = await lite.client(None)
        refused = await post(browser, "/console/session", key=key)
        assert refused.status_code == 401
        assert "set-cookie" not in refused.headers


async def test_a_revoked_key_ends_the_session_that_it_opened(lite: World) -> None:
    made = (await lite.admin.post("/v1/keys", json={"name": "dpo", "roles": ["officer"]})).json()
    browser, _ = await sign_in(lite, made["key"])
    await lite.admin.post("/v1/keys", json={"name": "dpo", "roles": ["officer"]})
    assert 'name="csrf"' in (await browser.get("/console/")).text
    await lite.admin.delete(f"/v1/keys/{made['id']}")
    assert 'name="key"' in (await browser.get("/console/")).text


async def test_people_are_found_by_an_identifier_that_stays_out_of_addresses(world: World) -> None:
    await world.smallest()
    subject = await world.person("ada@example.org", "email")
    await world.choose(subject)
    browser, csrf = await sign_in(world, await key_of(world, "dpo", "officer"))
    found = await post(browser, "/console/people", csrf=csrf, kind="email", value="ada@example.org")
    assert (found.status_code, found.headers["location"]) == (303, f"/console/people/{subject}"), found.text
    shown = await browser.get(found.headers["location"])
    assert shown.status_code == 200, shown.text
    await world.services.settle()
    entries: list[dict[str, Any]] = (await world.admin.get("/v1/audit/entries")).json()["entries"]
    looked = next(entry for entry in entries if entry["type"] == "access.permitted")
    assert (looked["res"]["purpose"], looked["actor"]) == ("dsar", "dpo")
    unknown = await post(browser, "/console/people", csrf=csrf, kind="email", value="bob@example.org")
    assert unknown.status_code == 404
    assert "bob@example.org" not in unknown.text
    malformed = await post(browser, "/console/people", csrf=csrf, kind="email", value="not an address")
    assert malformed.status_code == 400


async def test_an_auditor_reads_the_log_and_looks_nobody_up(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    browser, csrf = await sign_in(lite, await key_of(lite, "auditor-1", "auditor"))
    assert (await post(browser, "/console/people", csrf=csrf, kind="customer_id", value="c-1")).status_code == 403
    assert (await browser.get(f"/console/people/{subject}")).status_code == 403


async def test_leaving_ends_the_session(lite: World) -> None:
    browser, csrf = await sign_in(lite, lite.admin_key)
    assert (await post(browser, "/console/leave", csrf="wrong")).status_code == 403
    assert (await post(browser, "/console/leave", csrf=csrf)).status_code == 303
    assert 'name="key"' in (await browser.get("/console/")).text
