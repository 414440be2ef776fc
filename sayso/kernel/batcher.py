"""Natural batching: while one commit runs, units queue up; the next commit takes them all.

There is no timer. A flush (1) asks once for what all its units want to read, (2) runs them in arrival order, each
seeing the rows of those before it, (3) writes everything with one statement per table, (4) commits, and only then
(5) answers. While one flush is written the next is decided already: it sees the rows on their way, waits for them to be
committed, and decides anew if they never are. A unit that fails fails alone; a flush that fails is tried again unit by
unit.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sayso.kernel.context import Context
from sayso.kernel.errors import Conflict, LostRace, SaysoError, Unavailable
from sayso.kernel.rows import Rows, Values
from sayso.kernel.tx import Execute, Get, GetEach, Head, Publish, Query, Reads, Tx, Unit, View, Work

log = logging.getLogger("sayso.batcher")

CAP = 512
"""Units in one flush."""

QUEUE = 8_192
"""Units that may wait. Beyond it callers are told to come back, before anything is done for them."""

ATTEMPTS = 10
"""How many flushes try a unit before its caller is told that the row is too contended."""

Loaded = Callable[[str, int], Awaitable[None]]
"""Called when a tenant's configuration moved: (tenant, config counter). Returns once the new one is in place."""


class OpenSession(Protocol):
    """Opens the session of a flush. `behind`: another flush is still being written."""

    def __call__(self, tenant: str, *, behind: bool) -> "AbstractAsyncContextManager[Session]": ...


class Session(Protocol):
    """One connection, for the length of a flush."""

    async def head(self) -> Head: ...

    async def read(self, gets: list[Get]) -> dict[Get, Values]: ...

    async def read_each(self, asked: GetEach) -> list[Values | None]: ...

    async def query(self, query: Query) -> list[Values]: ...

    async def write(self, writes: "Writes") -> None:
        """All of it, committed; or nothing and `LostRace` or an error of the driver."""
        ...


class Writes:
    """The write-sets of a flush, merged: what one statement per table will carry."""

    __slots__ = ("config_changed", "deletes", "executes", "inserts", "published", "replaces")

    def __init__(self, done: "list[Job]") -> None:
        self.inserts: dict[Rows, list[Values]] = {}
        self.replaces: dict[Rows, list[tuple[Values, Values, int]]] = {}
        self.deletes: dict[Rows, list[Values]] = {}
        self.executes: list[Execute] = []
        self.published: list[Publish] = []
        self.config_changed = False
        states: dict[Get, tuple[Values, Values | None]] = {}
        for job in done:
            self._add(job.tx, states)
        for (rows, key), (values, was) in states.items():
            if was is None:
                self.inserts.setdefault(rows, []).append((*key, *values))
            else:
                assert rows.version is not None, rows
                self.replaces.setdefault(rows, []).append((values, key, was[rows.version]))

    def _add(self, tx: Tx, states: dict[Get, tuple[Values, Values | None]]) -> None:
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
        self.executes += tx.executes
        self.published += tx.published
        self.config_changed = self.config_changed or tx.config_changed

    def __bool__(self) -> bool:
        return bool(
            self.inserts or self.replaces or self.deletes or self.executes or self.published or self.config_changed
        )


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
        self.work = self.unit(self.tx)
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
            job.error = _contended()
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


def _contended() -> SaysoError:
    return Conflict("contended", "Too many changes of the same thing at once; try again.")


class Batcher:
    """The queue in front of a database: who waits, who goes next, who is told what."""

    def __init__(self, open_session: OpenSession, loaded: Loaded) -> None:
        self._open = open_session
        self._loaded = loaded
        self._queues: dict[str, deque[Job]] = {}
        self._turns: deque[str] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._flying: asyncio.Task[None] | None = None
        self._closing = False
        self.flushes = 0
        self.units = 0

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="sayso-batcher")

    async def drain(self) -> None:
        """Answer everything that waits, then stop. New units are refused from the first moment."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    def submit(self, context: Context, unit: Unit[Any], *, alone: bool = False) -> asyncio.Future[Any]:
        """Queue a unit. Raises `Unavailable` when the queue is full or the server is stopping."""
        if self._closing:
            raise Unavailable("stopping", "The server is stopping.", retry_after=2)
        if self._waiting >= QUEUE:
            raise Unavailable("overloaded", "Too many requests wait; nothing was done for this one.", retry_after=1)
        future = asyncio.get_running_loop().create_future()
        queue = self._queues.get(context.tenant)
        if queue is None:
            queue = self._queues[context.tenant] = deque()
        if not queue:
            self._turns.append(context.tenant)
        queue.append(Job(context, unit, future, alone=alone))
        self._waiting += 1
        self._wake.set()
        return future

    @property
    def waiting(self) -> int:
        """Units that wait for their flush."""
        return self._waiting

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        before: _Flush | None = None
        while True:
            if not self._turns:
                if self._closing:
                    break
                self._wake.clear()
                await self._wake.wait()
                continue
            # Requests that arrived in the same turn of the loop belong into the same flush.
            await asyncio.sleep(0)
            tenant, jobs = self._take()
            if before is not None and before.finished.done():
                before = None
            if jobs[0].alone and before is not None:
                # A cold unit's statements see only what is committed.
                await before.finished
                before = None
            flush = _Flush(jobs, before, loop)
            self._flying = loop.create_task(self._carry(tenant, flush), name="sayso-flush")
            await flush.decided.wait()
            if jobs[0].alone or (before is not None and not await before.finished):
                await flush.finished
                before = None
            else:
                before = flush
        if before is not None:
            await before.finished

    async def _carry(self, tenant: str, flush: "_Flush") -> None:
        """One flush from its first read to its last answer."""
        done = False
        try:
            done = await self._flush(tenant, flush)
        except Exception as error:  # a fault of ours must reach the callers and must not end the loop
            log.exception("flush failed")
            for job in flush.jobs:
                job.error = job.error or error
                job.answer()
        finally:
            flush.decided.set()
            flush.finished.set_result(done)

    def _take(self) -> tuple[str, list[Job]]:
        """The next tenant's units: up to the cap, and a cold one by itself. Tenants take turns."""
        tenant = self._turns.popleft()
        queue = self._queues[tenant]
        jobs = [queue.popleft()]
        while queue and len(jobs) < CAP and not jobs[0].alone and not queue[0].alone:
            jobs.append(queue.popleft())
        if queue:
            self._turns.append(tenant)
        self._waiting -= len(jobs)
        return tenant, jobs

    async def _flush(self, tenant: str, flush: "_Flush") -> bool:
        """Decide, write, answer. False when the rows that the next flush was shown are not committed as shown."""
        jobs = flush.jobs
        self.flushes += 1
        self.units += len(jobs)
        for job in jobs:
            job.attempts += 1
        try:
            async with self._open(tenant, behind=flush.before is not None) as session:
                done = await decide(session, tenant, jobs, self._loaded, flush.view)
                flush.decided.set()
                if flush.before is not None and not await flush.before.finished:
                    flush.view = View()
                    done = await decide(session, tenant, jobs, self._loaded, flush.view)
                flush.before = None
                writes = Writes(done)
                if writes:
                    # The one committing line. Until it returns nobody has been told anything.
                    await session.write(writes)
        except LostRace:
            await self._again(tenant, jobs, _contended())
            return False
        except SaysoError as error:
            _fail(jobs, error)
            return False
        except Exception as error:
            log.warning("flush of %d units failed: %s", len(jobs), type(error).__name__)
            if len(jobs) == 1:
                log.exception("unit failed")
            unavailable = Unavailable("storage-unavailable", "The database did not take the change; nothing was done.")
            await self._again(tenant, jobs, unavailable, last=len(jobs) == 1)
            return False
        for job in jobs:
            job.answer()
        return True

    async def _again(self, tenant: str, jobs: list[Job], error: SaysoError, *, last: bool = False) -> None:
        """Each unit by itself, so that one bad one fails alone."""
        for job in jobs:
            if last or job.attempts >= ATTEMPTS:
                _fail([job], error)
            else:
                await self._flush(tenant, _Flush([job], None, asyncio.get_running_loop()))


class _Flush:
    """Units that share a commit. `before` is the flush that is being written while this one is decided."""

    __slots__ = ("before", "decided", "finished", "jobs", "view")

    def __init__(self, jobs: list[Job], before: "_Flush | None", loop: asyncio.AbstractEventLoop) -> None:
        self.jobs = jobs
        self.before = before
        self.view: View = View(before.view if before is not None else None)
        self.decided = asyncio.Event()
        self.finished: asyncio.Future[bool] = loop.create_future()


def _fail(jobs: list[Job], error: BaseException) -> None:
    for job in jobs:
        job.error = error
        job.answer()
