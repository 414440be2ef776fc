"""How long a round over everybody takes: `python -m benchmarks.retention [sqlite|postgres] [people]`.

People who said yes two years ago, each with an address in the vault: the calendar surveys all of them, then the terms
of their grants are over and are written down, then their data end and are deleted, keys and all. Steps of a job leave
half of the time to others, and so it is measured.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from freezegun import freeze_time

from benchmarks.databases import on_each
from sayso.kernel import open_database
from sayso.migrations import runner
from tests.rights.retention.world import Working

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
AT_ONCE = 64


def main() -> None:
    on_each(sys.argv[1:], measure, 10_000)


async def measure(engine: str, url: str, folder: Path, count: int) -> None:
    """Print people per second of each round."""
    await asyncio.to_thread(runner.upgrade, url)
    database = open_database(url)
    await database.start()
    world = Working(database, folder / "keys")
    with _at():
        await world.open()
        for first in range(0, count, AT_ONCE):
            await asyncio.gather(
                *(world.somebody(f"c-{number}") for number in range(first, min(first + AT_ONCE, count)))
            )
        await _round(engine, "people looked at", count, world.work)
    with _at(days=731, hours=1):
        await _round(engine, "terms written down", count, world.work)
    with _at(days=731 + 31):
        await _round(engine, "people's data ended", count, world.work)
    await database.stop()


async def _round(engine: str, what: str, count: int, work: Callable[[], Awaitable[list[str]]]) -> None:
    # The loop's clock goes on while every other one stands still.
    clock = asyncio.get_running_loop().time
    start, cpu = clock(), time.process_time()
    reported = await work()
    seconds, cpu = clock() - start, time.process_time() - cpu
    assert not reported, reported
    print(
        f"  {engine:<8} {what:<24} {count / seconds:>9,.0f}/s {seconds:>8.1f} s, {cpu / count * 1e6:,.0f} us CPU each"
    )


def _at(**later: float) -> Any:
    return freeze_time(START + timedelta(**later), real_asyncio=True)


if __name__ == "__main__":
    main()
