"""A purpose that became wider under the same notice is asked again by the banner, as decisions want it."""

import secrets
from datetime import timedelta
from typing import Any

from freezegun import freeze_time

from tests.server.test_sites import configuration, known, send
from tests.server.worlds import MANIFEST, World

SHOP = MANIFEST.read_text("utf-8")
WIDER = SHOP.replace("    categories: [contact.email]", "    categories: [contact.email, behaviour]", 1)
WIDEST = SHOP.replace("    categories: [contact.email]", "    categories: [contact.email, behaviour, contact.phone]", 1)


def number(shown: dict[str, Any]) -> float:
    """The version since which an answer to the one purpose counts."""
    (news,) = shown["purposes"]
    return float(news.get("since", shown["version"]))


async def status(world: World, device: str) -> str:
    subject = (await known(world, device)).json()["subject"]
    state = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    return str(state["purposes"]["marketing.email"]["status"])


async def test_the_banner_and_decisions_agree_on_what_still_counts(lite: World) -> None:
    with freeze_time("2026-11-22T10:00:00Z", real_asyncio=True) as clock:
        await lite.smallest()
        device, first = secrets.token_urlsafe(16), await configuration(lite)
        assert (first["version"], number(first)) == (1, 1)
        assert (await send(lite, first["token"], device)).status_code == 201
        before: float = first["version"]
        for content in (WIDER, WIDEST):
            clock.tick(timedelta(days=1, seconds=1))
            applied = await lite.apply(content)
            assert applied.status_code == 200, applied.text
            shown = await configuration(lite)
            assert shown["notice"] == "web"
            assert int(shown["version"]) == 1
            assert number(shown) > before, "the answer from before does not count in the banner"
            assert await status(lite, device) == "stale", "nor for decisions"
            clock.tick(timedelta(seconds=1))
            assert (await send(lite, shown["token"], device)).status_code == 201
            assert await status(lite, device) == "granted"
            assert number(await configuration(lite)) <= shown["version"], "the new answer counts"
            before = shown["version"]
