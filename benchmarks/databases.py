"""Each database in turn, empty and not yet migrated: for benchmarks that run in this process."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from tests.builders.postgres import PostgresServer

ENGINES = ("sqlite", "postgres")

Measure = Callable[[str, str, Path, int], Coroutine[Any, Any, None]]
"""(engine, database URL, a folder that is deleted afterwards, how many)."""


def chosen(words: Sequence[str], count: int) -> tuple[list[str], int]:
    """The databases that the command line names, or both; the number that it names, or `count`."""
    engines = [word for word in words if word in ENGINES] or list(ENGINES)
    return engines, next((int(word) for word in words if word.isdigit()), count)


def on_each(words: Sequence[str], measure: Measure, count: int) -> None:
    """Measure on the databases that the command line names, or on both; of `count`, unless it names a number."""
    engines, count = chosen(words, count)
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
            if engine == "sqlite":
                asyncio.run(measure(engine, f"sqlite:///{folder}/sayso.db", Path(folder), count))
            else:
                with PostgresServer() as server:
                    asyncio.run(measure(engine, server.create("bench"), Path(folder), count))
