"""A world per test, on each engine; and the same world seen from another node where the engine has several."""

import copy
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


@pytest.fixture
async def other_node(world: World, database_url: str) -> AsyncIterator[World]:
    """On SQLite, which has one process, the node itself."""
    if world.database.kind == "sqlite":
        yield world
        return
    node = copy.copy(world)
    node.database = open_database(database_url)
    await node.database.start()
    yield node
    await node.database.stop()
