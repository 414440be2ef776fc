"""Directives over HTTP: signals of browsers, opt-out links, what tags are told, statements of support."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from tests.server.worlds import World, a_world

MANIFEST = Path(__file__).parent.parent / "scenarios" / "gpc.yaml"
ORIGIN = {"origin": "https://shop.example"}
GPC = {"sec-gpc": "1"}


class Story:
    """The shop's clients, and a browser of a visitor."""

    def __init__(self, world: World, advertiser: httpx.AsyncClient) -> None:
        self.world = world
        self.admin, self.nobody, self.advertiser = world.admin, world.nobody, advertiser

    async def banner(self, **headers: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.nobody.get("/v1/sites/shop/banner.json", headers=ORIGIN | headers)).json()
        return found

    async def chooses(self, device: str, choices: dict[str, str], *, headers: dict[str, str] = GPC, **more: Any) -> Any:
        body = {
            "token": (await self.banner())["token"],
            "device": device,
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": choices,
            **more,
        }
        answer = await self.nobody.post("/v1/sites/shop/choices", json=body, headers=ORIGIN | headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def signals(
        self, device: str, *, headers: dict[str, str] = GPC, site: str = "shop", **more: Any
    ) -> httpx.Response:
        origin = {"origin": f"https://{site}.example"}
        token = (await self.nobody.get(f"/v1/sites/{site}/banner.json", headers=origin)).json()["token"]
        body = {"token": token, "device": device, **more}
        answer = await self.nobody.post(f"/v1/sites/{site}/signals", json=body, headers=origin | headers)
        assert "sayso-registry-seq" not in answer.headers, "how much a brand's people say is not every visitor's"
        return answer

    async def resolve(self, kind: str, value: str, *, create: bool = False) -> httpx.Response:
        body = {"identifier": {"type": kind, "value": value}, "create": create}
        return await self.admin.post("/v1/subjects/resolve", json=body)

    async def person(self, value: str, law: str | None = "us-ca") -> str:
        subject: str = (await self.resolve("customer_id", value, create=True)).json()["subject"]
        if law is not None:
            placed = await self.admin.put(f"/v1/subjects/{subject}/jurisdictions/{law}", json={"source": "shipping"})
            assert placed.status_code == 200, placed.text
        return subject

    async def grants(self, subject: str, *purposes: str, **more: Any) -> Any:
        body = {
            "subject": subject,
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": dict.fromkeys(purposes, "granted"),
            "method": "preference_centre",
            **more,
        }
        answer = await self.admin.post("/v1/consents", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def state(self, subject: str) -> Any:
        return (await self.admin.get(f"/v1/subjects/{subject}/consents")).json()

    async def may(self, subject: str, action: str, category: str, purpose: str) -> tuple[bool, str]:
        body = {
            "subject": {"type": "service", "id": "advertiser"},
            "action": {"name": action},
            "resource": {"type": category, "id": subject},
            "context": {"purpose": purpose},
        }
        answer = (await self.advertiser.post("/access/v1/evaluation", json=body)).json()
        return answer["decision"], answer["context"]["reason"]

    async def may_advertise(self, subject: str) -> tuple[bool, str]:
        return await self.may(subject, "share", "behaviour", "ads")

    async def signal(self, subject: str, **body: Any) -> httpx.Response:
        return await self.admin.post(
            f"/v1/subjects/{subject}/signals", json={"signal": "gpc", "source": "header", **body}
        )

    def browser(self) -> httpx.AsyncClient:
        """A browser that follows where it is sent and keeps cookies."""
        transport = httpx.ASGITransport(self.world.app)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", follow_redirects=True)


def typed(value: str, link: str = "do-not-sell-or-share") -> dict[str, str]:
    """The form of a link, filled in."""
    return {f"{link}-kind": "customer_id", f"{link}-value": value}


@pytest_asyncio.fixture
async def story(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Story]:
    async with a_world(tmp_path, sqlite_url) as world:
        applied = await world.apply(MANIFEST.read_text("utf-8"))
        assert applied.status_code == 200, applied.text
        yield Story(world, await world.key("advertiser", "advertiser"))


async def test_only_the_exact_value_counts_and_one_such_header_is_enough(story: Story) -> None:
    for value in ("0", "true", "1.0", "?1", ""):
        assert "gpc" not in await story.banner(**{"sec-gpc": value}), value
    several = [*ORIGIN.items(), ("sec-gpc", "0"), ("sec-gpc", "1")]
    assert (await story.nobody.get("/v1/sites/shop/banner.json", headers=several)).json()["gpc"] is True


async def test_a_signal_of_a_device_that_nobody_knows_makes_nobody(story: Story) -> None:
    device = secrets.token_urlsafe(16)
    answer = await story.signals(device)
    assert answer.status_code == 201
    assert answer.json() == {"gpc": {"purposes": ["ads"], "lifted": [], "status": "honoured"}}
    assert (await story.resolve("device", device)).status_code == 404
    made = await story.chooses(device, {"ads": "refused", "statistics": "refused"})
    assert made["gpc"]["status"] == "honoured"
    assert (await story.resolve("device", device)).status_code == 404
    # As soon as there is a person, it holds for them.
    await story.chooses(device, {"statistics": "granted"}, headers={}, gpc=True)
    subject = (await story.resolve("device", device)).json()["subject"]
    assert (await story.state(subject))["directives"][0]["source"] == "script"
    assert (await story.may_advertise(subject))[0] is False


async def test_a_browser_without_a_signal_is_told_so_and_tokens_are_asked_for(story: Story) -> None:
    device = secrets.token_urlsafe(16)
    refused = await story.signals(device, headers={})
    assert (refused.status_code, refused.json()["type"]) == (400, "/docs/problems#no-signal")
    stranger = await story.nobody.post(
        "/v1/sites/shop/signals", json={"token": "x", "device": device, "gpc": True}, headers=ORIGIN
    )
    assert stranger.status_code == 403


async def test_a_site_may_honour_it_only_where_a_law_asks_for_it(story: Story) -> None:
    for law, honoured in (("us-ca", True), ("de", False)):
        device = secrets.token_urlsafe(16)
        await story.chooses(device, {"ads": "granted"}, headers={})
        subject = (await story.resolve("device", device)).json()["subject"]
        await story.admin.put(f"/v1/subjects/{subject}/jurisdictions/{law}", json={"source": "shipping"})
        answer = await story.signals(device, site="strict")
        assert answer.status_code == 201, answer.text
        assert ("gpc" in answer.json()) == honoured
        assert ((await story.state(subject))["purposes"]["ads"]["status"] == "objected") == honoured
    # Elsewhere it is honoured all the same, where the site says nothing else.
    subject = await story.person("c-9", "de")
    await story.grants(subject, "ads")
    await story.signal(subject)
    assert await story.may_advertise(subject) == (False, "objected")


async def test_the_opt_out_links_work_for_anyone_without_a_script(story: Story) -> None:
    subject = await story.person("c-2")
    path = "/privacy/shop/do-not-sell-or-share"
    async with story.browser() as browser:
        page = await browser.get(path)
        assert page.status_code == 200
        assert "Do not sell or share my personal information" in page.text
        assert "<script" not in page.text or "site." in page.text  # the page's own island, not needed
        assert await story.may_advertise(subject) == (True, "permitted")
        done = await browser.post(path, data=typed("c-2"))
        assert "Your opt-out was honoured" in done.text
        unknown = await browser.post(path, data=typed("nobody-has-this"))
        assert unknown.text == done.text
        nothing = await browser.post(path, data=typed(""))
        assert nothing.status_code == 422
        assert (await browser.get("/privacy/shop")).text.count("<form") >= 2
        assert (await browser.get("/privacy/shop/else")).status_code == 404
    assert await story.may_advertise(subject) == (False, "objected")
    state = await story.state(subject)
    assert state["directives"][0]["kind"] == "opt_out"
    assert (await story.resolve("customer_id", "nobody-has-this")).status_code == 404
    history = (await story.admin.get(f"/v1/subjects/{subject}/history")).json()["items"]
    assert (history[0]["method"], history[0]["assurance"]) == ("opt_out_link", "device")


async def test_limiting_the_use_of_sensitive_data_reaches_that_and_nothing_else(story: Story) -> None:
    subject = await story.person("c-3")
    assert await story.may(subject, "use", "health", "advice") == (True, "permitted")
    async with story.browser() as browser:
        await browser.post("/privacy/shop/limit-sensitive", data=typed("c-3", "limit-sensitive"))
    assert await story.may(subject, "use", "health", "advice") == (False, "objected")
    assert await story.may_advertise(subject) == (True, "permitted")


async def test_under_the_sites_own_name_one_click_is_enough_and_the_banner_reads_it(story: Story) -> None:
    device = secrets.token_urlsafe(16)
    await story.chooses(device, {"ads": "granted", "statistics": "granted"}, headers={})
    host = {"host": "shop.example", "cookie": f"sayso_shop=web:1|{device}|+ads|+statistics"}
    done = await story.nobody.post("/privacy/shop/do-not-sell-or-share", headers=host, data={})
    assert done.status_code == 303, done.text
    cookies = {each.partition("=")[0]: each for each in done.headers.get_list("set-cookie")}
    assert cookies["sayso_shop"].replace('"', "").startswith(f"sayso_shop=web:1|{device}|-ads|+statistics;")
    subject = (await story.resolve("device", device)).json()["subject"]
    assert (await story.state(subject))["purposes"]["ads"]["directive"] == "opt_out"


async def test_each_site_states_its_support(story: Story) -> None:
    for path, headers in (
        ("/.well-known/gpc.json", {}),
        ("/.well-known/gpc.json", {"host": "shop.example"}),
        ("/v1/sites/shop/gpc.json", {}),
    ):
        answer = await story.nobody.get(path, headers=headers)
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.json()["gpc"] is True
        assert len(answer.json()["lastUpdate"]) == len("2026-11-22")
    assert (await story.nobody.get("/v1/sites/none/gpc.json")).status_code == 404


async def test_unknown_kinds_and_projections_are_refused_by_name(story: Story) -> None:
    subject = await story.person("c-4")
    refused = await story.signal(subject, signal="gcp")
    assert (refused.status_code, refused.json()["nearest"]) == (400, "gpc")
    refused = await story.admin.get(f"/v1/subjects/{subject}/projections/tcf")
    assert (refused.status_code, refused.json()["type"]) == (400, "/docs/problems#unknown-projection")
    assert (await story.signal("sub_" + "0" * 32)).status_code == 404
    assert (await story.nobody.post(f"/v1/subjects/{subject}/signals", json={"signal": "gpc"})).status_code == 401
