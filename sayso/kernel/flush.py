"""A flush, decided: what its units read is asked for at once, they run in order, and their write-sets become one.

`decide` runs units up to the point where there is something to commit; `Writes` is what one statement per table will
carry. Nothing here knows of a queue or of a transaction: that is `batcher.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sayso.kernel.context import Context
from sayso.kernel.errors import Conflict, LostRace, SaysoError
from sayso.kernel.ids import bucket_of
from sayso.kernel.rows import Rows, Values
from sayso.kernel.tx import Execute, Get, GetEach, Head, Item, Publish, Query, Reads, Tx, Unit, View, Work

Loaded = Callable[[str, int], Awaitable[None]]
"""Called when a tenant's configuration moved: (tenant, config counter). Returns once the new one is in place."""


class Session(Protocol):
    """One connection, for the length of a flush."""

    async def head(self) -> Head: ...

    async def read(self, gets: list[Get]) -> dict[Get, Values]: ...

    async def read_each(self, asked: GetEach) -> list[Values | None]: ...

    async def query(self, query: Query) -> list[Values]: ...

    async def write(self, writes: "Writes") -> int | None:
        """All of it, committed; or nothing and `LostRace` or an error of the driver. Returns where the tenant's changes
        stand by then; None when nothing was published.
        """
        ...


class Writes:
    """The write-sets of a flush, merged: what one statement per table will carry."""

    __slots__ = ("config_changed", "deletes", "executes", "inserts", "onces", "published", "replaces")

    def __init__(self, done: "list[Job]") -> None:
        self.inserts: dict[Rows, list[Values]] = {}
        self.onces: dict[Rows, dict[Values, Values]] = {}
        self.replaces: dict[Rows, list[tuple[Values, Values, int]]] = {}
        self.deletes: dict[Rows, list[Values]] = {}
        self.executes: list[Execute] = []
        self.published: list[Publish] = []
        self.config_changed = False
        states: dict[Get, tuple[Values, Values | None]] = {}
        packs: dict[tuple[Rows, str, str], list[Item]] = {}
        for job in done:
            self._add(job.tx, states, packs)
        for (rows, tenant, group), items in packs.items():
            self.inserts.setdefault(rows, []).append(_packed(tenant, group, items))
        for (rows, key), (values, was) in states.items():
            if was is None:
                self.inserts.setdefault(rows, []).append((*key, *values))
            else:
                assert rows.version is not None, rows
                self.replaces.setdefault(rows, []).append((values, key, was[rows.version]))

    def _add(
        self,
        tx: Tx,
        states: dict[Get, tuple[Values, Values | None]],
        packs: dict[tuple[Rows, str, str], list[Item]],
    ) -> None:
        inserts = self.inserts
        for get in tx.deletes:
            # Deletes are written before inserts, so a row that an earlier unit of this flush adds must not be added.
            added = inserts.pop(get.rows, ())
            if kept := [row for row in added if row[: len(get.key)] != get.key]:
                inserts[get.rows] = kept
            self.deletes.setdefault(get.rows, []).append(get.key)
        for rows, keys in tx.many_deletes:
            self.deletes.setdefault(rows, []).extend(keys)
        for rows, many in tx.many_inserts:
            inserts.setdefault(rows, []).extend(many)
        for rows, row in tx.inserts:
            held = inserts.get(rows)
            if held is None:
                inserts[rows] = [row]
            else:
                held.append(row)
        for get, values, was in tx.puts:
            # Two changes of one row in a flush become one; its guard is the version that the database holds.
            earlier = states.get(get)
            states[get] = (values, was if earlier is None else earlier[1])
        for item in tx.packed:
            pack = packs.get(place := (item.rows, tx.context.tenant, item.group))
            if pack is None:
                packs[place] = [item]
            else:
                pack.append(item)
        for rows, row in tx.onces:
            self.onces.setdefault(rows, {})[row[: rows.lead + rows.key_width]] = row
        self.executes += tx.executes
        self.published += tx.published
        self.config_changed = self.config_changed or tx.config_changed

    def __bool__(self) -> bool:
        return bool(self.adds or self.deletes or self.executes)

    @property
    def rows(self) -> int:
        """How many rows change, but for those that statements of their own change."""
        tables = (self.inserts, self.onces, self.replaces, self.deletes)
        return sum(len(changed) for table in tables for changed in table.values()) + len(self.published)

    @property
    def adds(self) -> bool:
        """Whether there is anything but deletes and statements of its own."""
        return bool(self.inserts or self.onces or self.replaces or self.published or self.config_changed)


def _packed(tenant: str, group: str, items: list[Item]) -> Values:
    keys = [item.key for item in items]
    first = min(keys)
    contents = b"".join([item.content for item in items])
    return (bucket_of(tenant, first), tenant, first, group, max(keys), len(items), contents)


class Job:
    """A unit on its way: queued, running, settled, answered."""

    __slots__ = ("alone", "attempts", "context", "error", "future", "reads", "result", "tx", "unit", "work")

    def __init__(self, context: Context, unit: Unit[Any], future: asyncio.Future[Any], *, alone: bool) -> None:
        self.context = context
        self.unit = unit
        self.future = future
        self.alone = alone
        self.attempts = 0
        self.result: Any = None
        self.error: BaseException | None = None
        self.tx: Tx
        self.work: Work[Any]
        self.reads: Reads

    def start(self, view: View, head: Head) -> bool:
        """Run up to the first reads. True when it waits for them."""
        self.error = None
        self.tx = Tx(self.context, view, head)
        try:
            # A unit is a generator function, or one that looks before it returns a generator.
            self.work = self.unit(self.tx)
        except Exception as error:  # noqa: BLE001 - whatever a unit raises is its caller's to hear
            self.error = error
            return False
        return self._step(None)

    def feed(self, rows: dict[Get, Values], others: dict[int, list[Any]]) -> bool:
        """Send what was read. True when it waits for more."""
        tx = self.tx
        found: list[Any] = []
        for read in self.reads:
            if type(read) is Get:
                found.append(tx.found(read, rows.get(read)))
            elif type(read) is GetEach:
                found.append(tx.found_each(read, others[id(read)]))
            else:
                found.append(others[id(read)])
        return self._step(tuple(found))

    def _step(self, found: Any) -> bool:
        try:
            self.reads = self.work.send(found)
        except StopIteration as stop:
            self.result = stop.value
            return False
        except Exception as error:  # noqa: BLE001 - whatever a unit raises is its caller's to hear
            self.error = error
            return False
        return True

    def answer(self) -> None:
        """Tell the caller. One who has gone away is not told."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


async def decide(session: Session, tenant: str, jobs: list[Job], loaded: Loaded, view: View) -> list[Job]:
    """Run the units of one flush against one reading of the database. Returns those that have something to commit.

    A unit whose reading was overtaken by a neighbour is run again, after it. One that raised keeps its error.
    """
    head = await session.head()
    await loaded(tenant, head.config)
    done: list[Job] = []
    overtaken = await _round(session, jobs, view, head, done)
    # Each of these by itself, in order: nobody is beside it any more who could overtake it.
    for job in overtaken:
        if await _round(session, [job], view, head, done):
            job.error = contended()
    return done


async def _round(session: Session, jobs: list[Job], view: View, head: Head, done: list[Job]) -> list[Job]:
    """Run `jobs` side by side until each has settled, failed, or was overtaken by a neighbour: those are returned."""
    waiting: list[Job] = []
    overtaken: list[Job] = []
    for job in jobs:
        _sort(job, job.start(view, head), waiting, done, overtaken)
    while waiting:
        rows, others = await _read(session, waiting)
        asking, waiting = waiting, []
        for job in asking:
            _sort(job, job.feed(rows, others), waiting, done, overtaken)
    return overtaken


async def look(session: Session, context: Context, unit: Unit[Any], loaded: Loaded) -> Any:
    """Run one unit that only reads. A unit that tries to write is a fault of ours and raises."""
    job = Job(context, unit, asyncio.get_running_loop().create_future(), alone=True)
    await decide(session, context.tenant, [job], loaded, View())
    if job.error is not None:
        raise job.error
    if job.tx.writes:
        raise RuntimeError("a unit that only looks must not write")
    return job.result


def _sort(job: Job, waits: bool, waiting: list[Job], done: list[Job], overtaken: list[Job]) -> None:
    if waits:
        waiting.append(job)
    elif job.error is None:
        try:
            if job.tx.fresh:
                job.tx.settle()
                done.append(job)
                return
        except LostRace:
            pass
        overtaken.append(job)


async def _read(session: Session, waiting: list[Job]) -> tuple[dict[Get, Values], dict[int, list[Any]]]:
    gets: dict[Get, None] = {}
    others: dict[int, list[Any]] = {}
    for job in waiting:
        for read in job.reads:
            if type(read) is Get:
                gets[read] = None
            elif type(read) is GetEach:
                others[id(read)] = await session.read_each(read)
            else:
                assert type(read) is Query, read
                others[id(read)] = await session.query(read)
    return (await session.read(list(gets)) if gets else {}), others


def contended() -> SaysoError:
    """What the caller of a unit is told that never got its turn."""
    return Conflict("contended", "Too many changes of the same thing at once; try again.")
