"""The example shop, in this process and served over a socket."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sayso_client import AsyncSayso

from tests.builders.served import Served
from tests.server.worlds import World, a_world
from tests.source import ROOT

EXAMPLES = ROOT / "clients" / "python" / "examples"
MANIFEST = EXAMPLES / "shop.yaml"


class Shop(World):
    """The shop in this process."""

    def __init__(self, world: World) -> None:
        self.__dict__.update(world.__dict__)

    async def say(self, name: str, *roles: str, **more: Any) -> AsyncSayso:
        """A client with a new key of that name; of the administrator without roles."""
        key = self.admin_key
        if roles:
            made = await self.admin.post("/v1/keys", json={"name": name, "roles": roles})
            key = made.json()["key"]
        transport = httpx.ASGITransport(self.app)  # type: ignore[arg-type]
        more = {"timeout": 30, "decide_within": 30} | more
        client = AsyncSayso("http://say.example", key, name=name, transport=transport, **more)
        self._stack.push_async_callback(client.aclose)
        return client


@pytest_asyncio.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Shop]:
    """The shop, on each engine."""
    async with a_world(tmp_path, database_url) as world:
        assert (await world.apply(MANIFEST.read_text("utf-8"))).status_code == 200
        yield Shop(world)


@pytest_asyncio.fixture
async def small_shop(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Shop]:
    """The shop on the embedded database, for what does not depend on the engine."""
    async with a_world(tmp_path, sqlite_url) as world:
        assert (await world.apply(MANIFEST.read_text("utf-8"))).status_code == 200
        yield Shop(world)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The shop in a process of its own."""
    with Served(tmp_path_factory.mktemp("shop")) as server:
        server.apply(MANIFEST)
        yield server
