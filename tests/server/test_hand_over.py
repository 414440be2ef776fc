"""A choice that goes along to another site of the brand: for one use, for a minute, for one page and one browser."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest
from freezegun import freeze_time

from tests.server.test_sites import ORIGIN, configuration
from tests.server.worlds import MANIFEST, World, a_world

SHOP = MANIFEST.read_text("utf-8")
THERE = {"origin": "http://there.example"}
SITES = f"""
  shop: {{origins: ["{ORIGIN["origin"]}"], notice: web, hands_over_to: [there]}}
  there: {{origins: ["{THERE["origin"]}", "http://www.there.example"], notice: web}}
"""
CHOICE = f"web:1|{'d' * 22}|+marketing.email"


def with_sites(sites: str) -> str:
    return SHOP.partition("sites:")[0] + "sites:" + sites


async def two_sites(world: World) -> None:
    applied = await world.apply(with_sites(SITES))
    assert applied.status_code == 200, applied.text


async def token(world: World, site: str) -> str:
    found: dict[str, Any] = (await world.nobody.get(f"/v1/sites/{site}/banner.json")).json()
    return str(found["token"])


async def given(world: World, to: str = THERE["origin"], choice: str = CHOICE, **headers: str) -> httpx.Response:
    body = {"token": await token(world, "shop"), "to": to, "choice": choice}
    return await world.nobody.post("/v1/sites/shop/hand-overs", json=body, headers=ORIGIN | headers)


async def taken(world: World, code: str, site: str = "there", **headers: str) -> httpx.Response:
    body = {"token": await token(world, site), "code": code}
    return await world.nobody.post(f"/v1/sites/{site}/hand-overs/redemptions", json=body, headers=THERE | headers)


async def test_a_choice_arrives_and_a_code_is_good_once(world: World) -> None:
    await two_sites(world)
    answer = await given(world)
    assert answer.status_code == 201, answer.text
    code = answer.json()["code"]
    assert set(answer.json()) == {"code"}
    assert "d" * 22 not in code
    assert len(code) < 100
    assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]
    arrived = await taken(world, code)
    assert (arrived.status_code, arrived.json()) == (200, {"choice": CHOICE})
    assert arrived.headers["access-control-allow-origin"] == THERE["origin"]
    assert arrived.headers["cache-control"] == "no-store"
    replayed = await taken(world, code)
    assert (replayed.status_code, replayed.json()["type"].rpartition("#")[2]) == (403, "hand-over-refused")
    await world.services.audit.drain(world.services.database, "default")
    found = (await world.admin.get("/v1/audit/entries?type=server.choice.handed_over")).json()
    assert len(found["entries"]) == 1


async def test_of_two_that_race_with_one_code_one_wins(world: World) -> None:
    await two_sites(world)
    code = (await given(world)).json()["code"]
    answers = await asyncio.gather(*(taken(world, code) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403, 403]


async def test_a_code_lives_for_a_minute(lite: World) -> None:
    with freeze_time("2026-11-22T10:00:00Z", real_asyncio=True) as clock:
        await two_sites(lite)
        code, other = (await given(lite)).json()["code"], (await given(lite)).json()["code"]
        clock.tick(59)
        assert (await taken(lite, other)).status_code == 200
        clock.tick(1)
        assert (await taken(lite, code)).status_code == 403


async def test_every_code_that_does_not_hold_gets_one_answer(lite: World) -> None:
    await two_sites(lite)
    codes = [(await given(lite)).json()["code"] for _ in range(4)]
    answers = [
        await taken(lite, ""),
        await taken(lite, secrets.token_urlsafe(40)),
        await taken(lite, codes[0][:-1] + ("A" if codes[0][-1] != "A" else "E")),
        await taken(lite, codes[1], origin="http://www.there.example"),
        await taken(lite, codes[2], **{"user-agent": "another browser"}),
        await taken(lite, codes[3], "shop", **ORIGIN),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert (await taken(lite, codes[3])).status_code == 200, "a wrong page spends nothing"


async def test_a_page_that_is_not_the_sites_gets_no_answer(lite: World) -> None:
    await two_sites(lite)
    code = (await given(lite)).json()["code"]
    for refused in (await given(lite, origin="http://evil.example"), await taken(lite, code, origin="null")):
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("#foreign-origin")
        assert "access-control-allow-origin" not in refused.headers
    asked = {**THERE, "access-control-request-method": "POST"}
    for path in ("hand-overs", "hand-overs/redemptions"):
        allowed = await lite.nobody.options(f"/v1/sites/there/{path}", headers=asked)
        assert allowed.headers["access-control-allow-origin"] == THERE["origin"]


async def test_a_choice_goes_only_where_the_manifest_says(lite: World) -> None:
    await two_sites(lite)
    made = await lite.operator.post("/v1/tenants", json={"name": "acme", "controller": "Acme Ltd, Ireland"})
    assert made.status_code == 201, made.text
    acme = await lite.client(made.json()["admin_key"])
    elsewhere = with_sites('\n  its: {origins: ["http://acme.example"], notice: web}\n')
    assert (await lite.apply(elsewhere, client=acme)).status_code == 200
    wrong = [
        await given(lite, to=to)
        for to in ("http://acme.example", "http://nobody.example", ORIGIN["origin"], "", "http://there.example/")
    ]
    assert {answer.status_code for answer in wrong} == {403}
    assert len({answer.text for answer in wrong}) == 1
    code = (await given(lite)).json()["code"]
    body = {"token": await token(lite, "acme.its"), "code": code}
    foreign = await lite.nobody.post(
        "/v1/sites/acme.its/hand-overs/redemptions", json=body, headers={"origin": "http://acme.example"}
    )
    made_up = await lite.nobody.post(
        "/v1/sites/acme.its/hand-overs/redemptions",
        json=body | {"code": secrets.token_urlsafe(40)},
        headers={"origin": "http://acme.example"},
    )
    assert (foreign.status_code, foreign.text) == (403, made_up.text)
    unknown = await lite.nobody.post("/v1/sites/acme.none/hand-overs", json={}, headers=ORIGIN)
    nowhere = await lite.nobody.post("/v1/sites/nobody.its/hand-overs", json={}, headers=ORIGIN)
    assert (unknown.status_code, unknown.text) == (nowhere.status_code, nowhere.text)


async def test_too_many_from_one_network_are_told_to_wait(tmp_path: Path, sqlite_url: str) -> None:
    async with a_world(tmp_path, sqlite_url, prefix_rate=2) as world:
        await two_sites(world)
        answers = [await given(world) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        guesses = [await taken(world, "x" * 59) for _ in range(3)]
        assert [answer.status_code for answer in guesses] == [403, 403, 429]


async def test_only_a_cookie_of_this_notice_is_taken_along(lite: World) -> None:
    await two_sites(lite)
    for choice in ("", "<script>", "other:1||-ads", "web:1|short|+ads"):
        assert (await given(lite, choice=choice)).status_code == 403
    body = {"token": await token(lite, "there"), "to": THERE["origin"], "choice": CHOICE}
    forged = await lite.nobody.post("/v1/sites/shop/hand-overs", json=body, headers=ORIGIN)
    assert forged.json()["type"].endswith("#token-refused")


async def test_the_banner_of_both_sites_knows_the_other(lite: World) -> None:
    await two_sites(lite)
    here, there = await configuration(lite), (await lite.nobody.get("/v1/sites/there/banner.json")).json()
    assert here["hands_to"] == [THERE["origin"], "http://www.there.example"]
    assert there["takes_from"] == [ORIGIN["origin"]]
    assert "hands_to" not in there
    script = await lite.nobody.get(f"/v1/sites/there/{there['hand_over']}")
    assert (script.status_code, script.headers["access-control-allow-origin"]) == (200, "*")
    assert "immutable" in script.headers["cache-control"]
    assert "export" in script.text


@pytest.mark.parametrize(
    ("sites", "complaint"),
    [
        ('\n  shop: {origins: ["http://a.example"], notice: web, hands_over_to: [shop]}', "itself"),
        ('\n  shop: {origins: ["http://a.example"], notice: web, hands_over_to: [thre]}', "not declared"),
        (
            '\n  shop: {origins: ["http://a.example"], notice: web, hands_over_to: [b]}\n'
            '  b: {origins: ["http://b.example"], notice: other}',
            "another notice",
        ),
        ('\n  shop: {origins: ["http://a.example"], notice: web, cookie_domain: b.example}', "does not cover"),
        ('\n  shop: {origins: ["http://shop.a.example"], notice: web, cookie_domain: ".a.exampl"}', "does not cover"),
    ],
)
async def test_a_manifest_that_cannot_work_is_refused(lite: World, sites: str, complaint: str) -> None:
    notice = '  other:\n    version: 1\n    purposes: [marketing.email]\n    text: {en: "Other.", zh-CN: "另一个。"}\n'
    refused = await lite.apply(with_sites(sites + "\n").replace("notices:\n", "notices:\n" + notice))
    assert refused.status_code == 400
    assert any(complaint in each["message"] for each in refused.json()["problems"]), refused.text
