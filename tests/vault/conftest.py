"""A house per test, on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sayso.kernel import open_database
from tests.builders.vault import House, a_house


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A tenant with keys, collections and nobody in it."""
    database = open_database(database_url)
    await database.start()
    house = a_house(database, tmp_path / "keys")
    await house.open()
    yield house
    await database.stop()
