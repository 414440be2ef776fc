"""A world per test, on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sayso.kernel import open_database
from tests.rights.world import World


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    database = open_database(database_url)
    await database.start()
    world = World(database, tmp_path / "keys")
    await world.open()
    yield world
    await database.stop()
