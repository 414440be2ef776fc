"""A running installation for each test, on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.server.questionnaire import MANIFEST
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
