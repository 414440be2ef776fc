"""What browsers may do: little, for a short time, from the right page, and without a name until they choose."""

import secrets
from pathlib import Path
from typing import Any

import httpx
from freezegun import freeze_time

from tests.server.worlds import SUBJECT, World, a_world

ORIGIN = {"origin": "http://127.0.0.1:8080"}


async def configuration(world: World, **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.nobody.get("/v1/sites/shop/banner.json", headers=headers or ORIGIN)).json()
    return found


async def send(world: World, token: str, device: str, answer: str = "granted", **more: Any) -> httpx.Response:
    headers = more.pop("headers", ORIGIN)
    body = {
        "token": token,
        "device": device,
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {"marketing.email": answer},
        "method": "banner",
    }
    return await world.nobody.post("/v1/sites/shop/choices", json=body | more, headers=headers)


async def known(world: World, device: str) -> httpx.Response:
    return await world.admin.post("/v1/subjects/resolve", json={"identifier": {"type": "device", "value": device}})


async def test_a_yes_makes_a_person_and_shows_no_id_of_theirs(world: World) -> None:
    await world.smallest()
    device = secrets.token_urlsafe(16)
    chosen = await send(world, (await configuration(world))["token"], device)
    assert chosen.status_code == 201, chosen.text
    assert set(chosen.json()) == {"record", "receipt", "entry"}
    assert not SUBJECT.search(chosen.text)
    found = await known(world, device)
    state = (await world.admin.get(f"/v1/subjects/{found.json()['subject']}/consents")).json()
    assert state["purposes"]["marketing.email"]["status"] == "granted"


async def test_refusing_everything_leaves_nobody_behind(world: World) -> None:
    await world.smallest()
    device = secrets.token_urlsafe(16)
    assert (await send(world, (await configuration(world))["token"], device, "refused")).status_code == 201
    assert (await known(world, device)).status_code == 404


async def test_a_refusal_of_a_known_device_is_recorded_on_the_person(world: World) -> None:
    await world.smallest()
    device, token = secrets.token_urlsafe(16), (await configuration(world))["token"]
    await send(world, token, device)
    assert (await send(world, token, device, "refused")).status_code == 201
    subject = (await known(world, device)).json()["subject"]
    state = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    assert state["purposes"]["marketing.email"]["status"] in ("refused", "withdrawn")


async def test_a_token_belongs_to_the_device_that_used_it_first(lite: World) -> None:
    await lite.smallest()
    token = (await configuration(lite))["token"]
    assert (await send(lite, token, secrets.token_urlsafe(16))).status_code == 201
    stolen = await send(lite, token, secrets.token_urlsafe(16))
    assert stolen.status_code == 403
    assert stolen.json()["type"].endswith("#token-refused")


async def test_forged_ended_and_foreign_tokens_get_one_answer(lite: World) -> None:
    await lite.smallest()
    token = (await configuration(lite))["token"]
    device = secrets.token_urlsafe(16)
    answers = {(await send(lite, wrong, device)).text for wrong in ("", "x", token[:-2], token[1:], token + "AA")}
    with freeze_time("2099-01-01", real_asyncio=True):
        answers.add((await send(lite, token, device)).text)
    assert len(answers) == 1
    assert '"status":403' in answers.pop()


async def test_another_page_may_not_send_choices(lite: World) -> None:
    await lite.smallest()
    token = (await configuration(lite))["token"]
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {}):
        refused = await send(lite, token, secrets.token_urlsafe(16), headers=headers)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


async def test_preflight_and_answers_allow_the_sites_own_pages(lite: World) -> None:
    await lite.smallest()
    asked = {**ORIGIN, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = await lite.nobody.options("/v1/sites/shop/choices", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN["origin"]
    foreign = await lite.nobody.options("/v1/sites/shop/choices", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    chosen = await send(lite, (await configuration(lite))["token"], secrets.token_urlsafe(16))
    assert chosen.headers["access-control-allow-origin"] == ORIGIN["origin"]


async def test_a_stale_banner_may_refuse_but_not_agree(lite: World) -> None:
    await lite.smallest()
    token, device = (await configuration(lite))["token"], secrets.token_urlsafe(16)
    stale = await send(lite, token, device, notice_version=2)
    assert (stale.status_code, stale.json()["published_version"]) == (409, 1)
    assert (await send(lite, token, device, "refused", notice_version=2)).status_code == 201


async def test_the_banner_comes_in_the_language_asked_for_and_is_asked_again_cheaply(lite: World) -> None:
    await lite.smallest()
    chinese = await lite.nobody.get("/v1/sites/shop/banner.js", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert "只有经您同意" in chinese.text
    english = await lite.nobody.get("/v1/sites/shop/banner.js?locale=en")
    assert "We write to you" in english.text
    again = await lite.nobody.get(
        "/v1/sites/shop/banner.js?locale=en", headers={"if-none-match": english.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in english.headers["cache-control"]


async def test_too_many_choices_from_one_network_are_told_to_wait(tmp_path: Path, sqlite_url: str) -> None:
    async with a_world(tmp_path, sqlite_url, prefix_rate=3) as world:
        await world.smallest()
        token, device = (await configuration(world))["token"], secrets.token_urlsafe(16)
        answers = [await send(world, token, device) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_banner_choice_cannot_loosen_what_the_person_said_signed_in(lite: World) -> None:
    await lite.smallest()
    device, token = secrets.token_urlsafe(16), (await configuration(lite))["token"]
    await send(lite, token, device)
    subject = (await known(lite, device)).json()["subject"]
    await lite.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": "all"})
    assert (await send(lite, token, device)).status_code == 201
    state = (await lite.admin.get(f"/v1/subjects/{subject}/consents")).json()
    assert state["purposes"]["marketing.email"]["status"] == "withdrawn"


async def test_what_the_banner_showed_is_kept_as_evidence(world: World) -> None:
    await world.smallest()
    device, token = secrets.token_urlsafe(16), (await configuration(world))["token"]
    assert (await send(world, token, device, interface="warm/choices", steps_shown=2)).status_code == 201
    subject = (await known(world, device)).json()["subject"]
    (record,) = (await world.admin.get(f"/v1/subjects/{subject}/history")).json()["items"]
    assert (record["evidence"]["interface"], record["evidence"]["steps_shown"]) == ("warm/choices", 2)
    for wrong in ({"steps_shown": 1_001}, {"steps_shown": "2"}, {"interface": "x" * 129}):
        assert (await send(world, token, device, **wrong)).status_code == 400
