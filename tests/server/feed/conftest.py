"""An installation that may send to loopback, a client with a policy role, and a receiver."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from tests.builders.served import HOST
from tests.server.feed.receivers import Receiver, a_receiver
from tests.server.worlds import World, a_world, until


class Fed:
    """A world with the smallest manifest, in which `mailer` (role marketing_sender) listens."""

    def __init__(self, world: World, mailer: httpx.AsyncClient) -> None:
        self.world = world
        self.mailer = mailer

    async def subscribe(
        self, url: str, client: httpx.AsyncClient | None = None, more: dict[str, Any] | None = None, **wishes: Any
    ) -> dict[str, Any]:
        """A webhook of the mailer's."""
        body = {"url": url, **wishes, **(more or {})}
        response = await (client or self.mailer).post("/v1/webhooks", json=body)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def withdraw(self, subject: str, *purposes: str) -> str:
        """Withdraw; the record."""
        body = {"purposes": list(purposes) or "all", "method": "api"}
        response = await self.world.admin.post(f"/v1/subjects/{subject}/withdrawals", json=body)
        assert response.status_code == 201, response.text
        record: str = response.json()["record"]
        return record

    async def grant(self, subject: str) -> str:
        """Say yes to e-mail; the record."""
        response = await self.world.choose(subject)
        assert response.status_code == 201, response.text
        record: str = response.json()["record"]
        return record

    async def latest(self, client: httpx.AsyncClient | None = None) -> str:
        """A cursor for what comes."""
        response = await (client or self.mailer).get("/v1/changes", params={"after": "latest"})
        assert response.status_code == 200, response.text
        cursor: str = response.json()["cursor"]
        return cursor

    async def log(self, webhook: str, **query: Any) -> list[dict[str, Any]]:
        """The delivery log, oldest first."""
        response = await self.mailer.get(f"/v1/webhooks/{webhook}/deliveries", params=query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["deliveries"]
        return found[::-1]


async def fed_of(world: World) -> Fed:
    await world.smallest()
    return Fed(world, await world.key("mailer", "marketing_sender"))


async def settled(fed: Fed, webhook: str, status: str, number: int = 1) -> list[dict[str, Any]]:
    """The messages in a status, once there are so many."""

    async def enough() -> list[dict[str, Any]]:
        found = await fed.log(webhook, status=status)
        return found if len(found) >= number else []

    return await until(enough)


async def until_tried(fed: Fed, webhook: str, number: int) -> None:
    async def tried() -> bool:
        log = await fed.log(webhook, status="waiting")
        return bool(log) and len(log[0]["attempts"]) >= number

    await until(tried)


@pytest_asyncio.fixture
async def fed(tmp_path: Path, database_url: str) -> AsyncIterator[Fed]:
    """On each engine."""
    async with a_world(tmp_path, database_url, webhook_hosts=(HOST,)) as world:
        yield await fed_of(world)


@pytest_asyncio.fixture
async def fed_lite(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Fed]:
    """On the embedded database alone."""
    async with a_world(tmp_path, sqlite_url, webhook_hosts=(HOST,)) as world:
        yield await fed_of(world)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as made:
        yield made
