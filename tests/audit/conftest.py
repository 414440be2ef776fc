"""Logs on real databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.audit.builders import Opened, Store


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    async with Opened(database_url, tmp_path / "anchor") as store:
        yield store


@pytest.fixture
async def sqlite_store(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """For what does not depend on the engine."""
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        yield store
