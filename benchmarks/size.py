"""Bytes per person, record and decision, and what a million decisions cost to keep: `python -m benchmarks.size
[sqlite|postgres] [count]`. Its table stands in docs/operations/log.md.

A whole installation in this process takes `count` of each thing through HTTP; after each kind the log is integrated
and the tables are measured: used pages (SQLite), rewritten without dead rows (PostgreSQL). Then all decisions are
pruned, and what is left of them is measured. The price of storage is an assumption, said aloud.
"""

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from freezegun import freeze_time

from benchmarks.databases import on_each
from benchmarks.stage import MANIFEST
from sayso.migrations import runner
from tests.server.worlds import World, a_world

LOGS = "logs: {access: {keep: P90D}, consent: {}}\n"
PRICE = 0.10
"""Assumed: units of money for a gigabyte (10^9 bytes) of block storage and a month, as clouds ask today."""

DAYS_KEPT = 90
AT_ONCE = 64
LIST = 50

Sizes = Counter[str]


def main() -> None:
    on_each(sys.argv[1:], measure, 5_000)


async def measure(engine: str, url: str, folder: Path, count: int) -> None:
    """Print bytes of each thing, by what they lie in."""
    await asyncio.to_thread(runner.upgrade, url)
    async with a_world(folder, url) as world:
        bench = Bench(engine, url, world)
        await bench.open()
        people, lists = list(range(count)), list(range(0, count, LIST))
        await bench.step("person, with one identifier", count, lambda: bench.each(people, bench.person))
        await bench.step("record of a choice, with receipt", count, lambda: bench.each(people, bench.choose))
        await bench.step("value in the vault, with token", count, lambda: bench.each(people, bench.store))
        decided = await bench.step("decision", count, lambda: bench.each(people, bench.decide))
        listed = await bench.step(f"decision in a list of {LIST}", count, lambda: bench.each(lists, bench.decide_many))
        with freeze_time(datetime.now(UTC) + timedelta(days=DAYS_KEPT + 30), real_asyncio=True):
            gone = await bench.prune(folder / "copy")
        report(engine, "a million decisions, kept", decided)
        # Single ones and lists were pruned together.
        report(engine, f"a million decisions, pruned after {DAYS_KEPT} days", decided + listed - gone / count)


def report(engine: str, what: str, size: float) -> None:
    """Gigabytes of a million, by the bytes of one, and their price."""
    gigabytes = size / 1_000
    print(f"  {engine:<8} {what:<48} {gigabytes:>6.2f} GB, {gigabytes * PRICE:.3f} a month")


class Bench:
    """One installation, and what its tables weigh."""

    def __init__(self, engine: str, url: str, world: World) -> None:
        self._engine = engine
        self._url = url
        self._world = world
        self._subjects: dict[int, str] = {}

    async def open(self) -> None:
        applied = await self._world.apply(MANIFEST + LOGS)
        assert applied.status_code == 200, applied.text
        self._mailer = await self._world.key("mailer", "mailer")

    async def step(self, what: str, count: int, work: Callable[[], Awaitable[None]]) -> float:
        """Bytes of each, over all tables."""
        before = await self._weigh()
        await work()
        grown = await self._weigh()
        grown.subtract(before)
        total = sum(grown.values()) / count
        parts = ", ".join(f"{name} {size / count:,.0f}" for name, size in grown.most_common(6) if size > count)
        print(f"  {self._engine:<8} {what:<34} {total:>8,.0f} bytes ({parts})")
        return total

    async def prune(self, copy: Path) -> float:
        """Prune every decision; returns the bytes that this gave back."""
        before = await self._weigh()
        done = await self._world.operator.post("/v1/audit/prunes", json={"copy": str(copy)}, timeout=None)
        assert done.status_code == 200, done.text
        return float(sum(before.values()) - sum((await self._weigh()).values()))

    async def each(self, numbers: list[int], call: Callable[[int], Awaitable[None]]) -> None:
        for start in range(0, len(numbers), AT_ONCE):
            await asyncio.gather(*(call(number) for number in numbers[start : start + AT_ONCE]))

    async def person(self, number: int) -> None:
        self._subjects[number] = await self._world.person(f"c-{number:08d}")

    async def choose(self, number: int) -> None:
        assert (await self._world.choose(self._subjects[number])).status_code == 201

    async def store(self, number: int) -> None:
        fields = {"email": f"someone.{number}@example.com"}
        body = {"subject": self._subjects[number], "collection": "customers", "fields": fields}
        assert (await self._world.admin.post("/v1/vault/records", json=body)).status_code == 201

    async def decide(self, number: int) -> None:
        answer = await self._mailer.post("/access/v1/evaluation", json=self._question(number))
        assert answer.json()["decision"], answer.text

    async def decide_many(self, first: int) -> None:
        asked = [{"resource": self._question(number)["resource"]} for number in range(first, first + LIST)]
        body = self._question(first) | {"evaluations": asked}
        answer = await self._mailer.post("/access/v1/evaluations", json=body)
        assert len(answer.json()["evaluations"]) == LIST, answer.text

    def _question(self, number: int) -> dict[str, dict[str, str]]:
        return {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": "use"},
            "resource": {"type": "contact.email", "id": self._subjects[number]},
            "context": {"purpose": "marketing.email"},
        }

    async def _weigh(self) -> Sizes:
        """Bytes by table, indexes with their tables. Everything that waits is integrated first; the feed, which is
        kept for a week whatever happens, is left out.
        """
        await self._world.services.settle()
        found = await (self._pages() if self._engine == "sqlite" else self._relations())
        return Sizes({name: size for name, size in found if not name.startswith("feed")})

    async def _pages(self) -> list[tuple[str, int]]:
        path = self._url.removeprefix("sqlite:///")
        asked = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name GROUP BY 1"
        connection = sqlite3.connect(path)
        try:
            return list(connection.execute(asked))
        finally:
            connection.close()

    async def _relations(self) -> list[tuple[str, int]]:
        connection = await asyncpg.connect(self._url.replace("postgresql+asyncpg", "postgresql"))
        try:
            await connection.execute("VACUUM FULL")
            tables = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
            rows = await connection.fetch(f"{tables} AND relname !~ '^(pg|sql)_'")
            return [(str(name), int(size)) for name, size in rows]
        finally:
            await connection.close()


if __name__ == "__main__":
    main()
