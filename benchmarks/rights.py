"""Rights requests beside their budgets: `python -m benchmarks.rights [sqlite|postgres] [entries]`.

The access package of a person about whom the log holds so many entries, made by the workers as they are, rests and all;
then ten thousand open requests, of which a page, the due queue and one are asked for.
"""

import asyncio
import contextlib
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.__main__ import report
from benchmarks.databases import on_each
from sayso.migrations import upgrade
from tests.server.test_rights_identity import a_request, verify
from tests.server.worlds import World, a_world

PACKAGE_S = 10.0
LOOK_MS = 50.0
OPEN = 10_000
AT_ONCE = 32
ASKS = 30
PATH = "/v1/rights/requests"


def main() -> None:
    on_each(sys.argv[1:], measure, 10_000)


async def measure(engine: str, url: str, folder: Path, entries: int) -> None:
    """Print both, on one installation."""
    await asyncio.to_thread(upgrade, url)
    async with a_world(folder, url) as world:
        await world.smallest()
        await package(engine, world, entries)
        await queues(engine, world)


async def package(engine: str, world: World, entries: int) -> None:
    """One person: a tenth of the entries are their own choices, the others uses of their data."""
    subject = await world.person("much-asked")
    purposes = ("granted", "refused")
    await _abreast(entries // 10, lambda nth: world.choose(subject, choices={"marketing.email": purposes[nth % 2]}))
    question = {
        "subject": {"type": "service", "id": "system"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    await _abreast(entries * 9 // 10, lambda _: world.admin.post("/access/v1/evaluation", json=question))
    await world.services.settle()
    request = await a_request(world, subject, "access")
    await verify(world, request, method="officer")
    (await world.admin.post(f"{PATH}/{request}/package", json={"locale": "en"})).raise_for_status()
    began, cpu = time.perf_counter(), time.process_time()
    seen = set()
    state: dict[str, Any] = {"state": "making"}
    while state["state"] == "making":
        await world.services.workers.jobs.work("default", at_once=True)
        state = (await world.admin.get(f"{PATH}/{request}/package/state")).json()
        seen.add(state["progress"])
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    note = f"{cpu:.1f} s of a core; {state['state']}, progress told {len(seen)} times"
    report(engine, f"package of {entries:,} entries, s", seconds, PACKAGE_S, less=True, note=note)


async def queues(engine: str, world: World) -> None:
    """The register's pages while many requests are open."""
    people = [await world.person(f"c-{number}") for number in range(200)]
    made: list[str] = []

    async def ask(number: int) -> None:
        made.append(await a_request(world, people[number % len(people)], ("access", "erasure")[number % 2]))

    await _abreast(OPEN, ask)
    looks = {
        "list of requests, ms": lambda: f"{PATH}?limit=50",
        "due queue, ms": lambda: f"{PATH}?due_before=2099-01-01&limit=50",
        "one request, ms": lambda: f"{PATH}/{random.choice(made)}",
    }
    for name, path in looks.items():
        times = []
        for _ in range(ASKS):
            began = time.perf_counter()
            (await world.admin.get(path())).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        note = f"slowest {max(times):.1f} ms of {ASKS}"
        report(engine, name, statistics.median(times), LOOK_MS, less=True, note=note)


async def _abreast(count: int, work: Callable[[int], Awaitable[object]]) -> None:
    """`work` so many times, some side by side."""

    async def lane(first: int) -> None:
        for number in range(first, count, AT_ONCE):
            await work(number)

    await asyncio.gather(*(lane(first) for first in range(AT_ONCE)))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
