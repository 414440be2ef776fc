"""A running installation for each test, on each engine."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.builders.mariadb import MariaServer
from tests.builders.postgres import PostgresServer
from tests.server.questionnaire import MANIFEST
from tests.server.shops import TABLES, Shop
from tests.server.worlds import World, a_world


@pytest_asyncio.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A fresh installation with the brand `default`."""
    async with a_world(tmp_path, database_url) as made:
        yield made


@pytest_asyncio.fixture
async def lite(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    """The same on the embedded database alone, for what does not depend on the engine."""
    async with a_world(tmp_path, sqlite_url) as made:
        yield made


@pytest_asyncio.fixture
async def tea(world: World) -> World:
    """The brand `default`, which asks what `questionnaire.py` says."""
    applied = await world.apply(MANIFEST)
    assert applied.status_code == 200, applied.text
    return world


@pytest.fixture
def empty_url(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A customer database without tables, on any engine."""
    made = 0

    def make(engine: str) -> str:
        nonlocal made
        made += 1
        folder: Path = request.getfixturevalue("tmp_path")
        if engine == "sqlite":
            (folder / "shop.db").touch()
            return f"sqlite:///{folder / 'shop.db'}"
        server: PostgresServer | MariaServer = request.getfixturevalue(f"{engine}_server")
        return server.create(f"shop_{folder.name}_{made}".lower()[-60:])

    return make


@pytest_asyncio.fixture(params=["sqlite", "postgres", "mariadb"])
async def shop(request: pytest.FixtureRequest, empty_url: Callable[[str], str]) -> Shop:
    made = Shop(empty_url(request.param))
    await made.do(*TABLES)
    return made
