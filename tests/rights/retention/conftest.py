"""A working world per test, on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sayso.kernel import open_database
from tests.rights.retention.world import Working


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[Working]:
    database = open_database(database_url)
    await database.start()
    world = Working(database, tmp_path / "keys")
    yield world
    await database.stop()
