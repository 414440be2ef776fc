"""Jobs: work across people, done in small committed steps by whichever node is there.

A job of a tenant is one row. Who works on it has taken it under a *fence*, a counter that every taking raises. A step
is one cold unit: it reads the row, does its part, and writes the row with the next cursor in the same commit. So a step
is done once or not at all, a killed worker's job goes on where its last commit left it, and a worker that slept while
another took over writes nothing any more.

No two clocks are compared. A node takes over from another when it has seen that one's row stand still for `LEASE_S` by
its own monotonic clock; wall time only paces what failed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from sayso.kernel.clock import SECOND, Instant, now
from sayso.kernel.context import SYSTEM, Context
from sayso.kernel.database import Database
from sayso.kernel.errors import SaysoError
from sayso.kernel.ids import new_id
from sayso.kernel.rows import Rows, Values
from sayso.kernel.schema import job as _table
from sayso.kernel.tx import Tx, Work

LEASE_S: Final = 15.0
"""Seconds for which another node's job must have stood still before this node takes it over."""

SLICE_S: Final = 2.0
"""Seconds for which a job runs before the next job and tenant have their turn."""

LONGEST_PAUSE_S: Final = 300
"""Seconds at most between two tries of a step that fails."""

JOB: Final = Rows(_table)


class Done(Struct, frozen=True):
    """What one step came to.

    `cursor` is where the next step begins, `count` how many things this one dealt with, `share` how much of the round
    lies behind, 0 to 1. `more`: go on at once. `deleted`: something was deleted that must become unreadable on disk.
    """

    cursor: bytes
    count: int = 0
    share: float = 1.0
    more: bool = False
    deleted: bool = False


class Try(Struct, frozen=True):
    """Where a step begins, and how often it failed there: a step that failed may take less upon itself."""

    cursor: bytes
    failures: int


class Job(Struct, frozen=True):
    """A kind of work that every tenant has.

    `pending` looks, cheaply and without writing, whether there is anything to do; `step` does a bounded part of it.
    Both are units; `every` is how many seconds lie between two looks. `rest`: a step is followed by a rest so many
    times as long on the embedded database, where everybody waits while it runs.
    """

    name: str
    every: float
    pending: Callable[[Tx, bytes], Work[bool]]
    step: Callable[[Tx, Try], Work[Done]]
    rest: int = 4


class JobState(Struct, frozen=True):
    """A job as it stands. Times are instants, 0 for never; `error` is the slug or type of the last failure."""

    name: str
    working: bool
    share: float
    done: int
    failures: int
    error: str
    due_at: int
    started_at: int
    finished_at: int


class Fenced(Exception):
    """Another worker has the job by now. Nothing of the step was written."""


class _Row(Struct, frozen=True, array_like=True):
    """The values of a row, in table order."""

    version: int
    fence: int
    holder: str = ""
    cursor: bytes = b""
    share: int = 0
    done: int = 0
    failures: int = 0
    error: str = ""
    due_at: int = 0
    started_at: int = 0
    finished_at: int = 0

    def values(self, **changes: object) -> Values:
        """The row with these values, one version on."""
        names = self.__struct_fields__
        held = {name: getattr(self, name) for name in names} | changes | {"version": self.version + 1}
        return tuple(held[name] for name in names)


_NEW: Final = _Row(0, 0)


class Jobs:
    """Works on the jobs of all tenants, for one process.

    `alone`: no other process works on this database (the embedded one), so whoever held a job before is dead.
    `report` is told of every failed step.
    """

    def __init__(
        self,
        database: Database,
        jobs: Sequence[Job],
        *,
        alone: bool,
        report: Callable[[str, Exception], None],
        slice_s: float = SLICE_S,
    ) -> None:
        self.jobs = tuple(jobs)
        self._database = database
        self._alone = alone
        self._report = report
        self._slice_s = slice_s
        self._node = new_id("node")
        self._looked: dict[tuple[str, str], float] = {}
        self._seen: dict[tuple[str, str], tuple[int, float]] = {}
        self._stopping = False
        self._one = asyncio.Lock()

    def stop(self) -> None:
        """Leave whatever is under way after its present step."""
        self._stopping = True

    async def work(self, tenant: str, *, at_once: bool = False) -> int:
        """Give each job of a tenant its turn; returns how many steps were done.

        `at_once`: do not wait until a job is to be looked at again.
        """
        async with self._one:
            return await self._round(tenant, at_once=at_once)

    async def _round(self, tenant: str, *, at_once: bool) -> int:
        steps = 0
        for job in self.jobs:
            place = (tenant, job.name)
            started = time.monotonic()
            if self._stopping or (not at_once and started - self._looked.get(place, -job.every) < job.every):
                continue
            self._looked[place] = started
            done = await self._turn(tenant, job)
            steps += done
            if done:
                self._looked.pop(place)
        return steps

    def states(self, tx: Tx) -> Work[list[JobState]]:
        """All jobs of the tenant as they stand, in the order in which they have their turns."""
        rows = yield tuple(tx.get(JOB, job.name) for job in self.jobs)
        return [_state(job.name, _row(row)) for job, row in zip(self.jobs, rows, strict=True)]

    async def _turn(self, tenant: str, job: Job) -> int:
        if not await self._database.look(_context(tenant), partial(self._wanted, job)):
            return 0
        fence = await self._database.run_alone(_context(tenant), partial(self._take, job))
        return await self._carry(tenant, job, fence) if fence else 0

    def _wanted(self, job: Job, tx: Tx) -> Work[bool]:
        (row,) = yield (tx.get(JOB, job.name),)
        held = _row(row)
        if not self._free(tx, job, held) or held.due_at > tx.context.at:
            return False
        # What another left unfinished is known to be pending.
        return bool(held.holder) or (yield from job.pending(tx, held.cursor))

    def _free(self, tx: Tx, job: Job, held: _Row) -> bool:
        """Whether nobody works on it: nobody has it, we ourselves had it, or its holder has stood still too long."""
        if not held.holder or self._alone or held.holder == self._node:
            return True
        place = (tx.context.tenant, job.name)
        version, since = self._seen.get(place, (-1, 0.0))
        if version != held.version:
            self._seen[place] = (held.version, time.monotonic())
            return False
        return time.monotonic() - since >= LEASE_S

    def _take(self, job: Job, tx: Tx) -> Work[int]:
        """Raise the fence; 0 when another was faster."""
        (row,) = yield (tx.get(JOB, job.name),)
        held = _row(row)
        if not self._free(tx, job, held):
            return 0
        at = tx.context.at
        fresh = {"started_at": at, "share": 0} if held.share >= _WHOLE or not held.started_at else {}
        taken = held.values(fence=held.fence + 1, holder=self._node, due_at=at, **fresh)
        tx.put(JOB, (job.name,), taken, was=row)
        return held.fence + 1

    async def _carry(self, tenant: str, job: Job, fence: int) -> int:
        until = _elapsed() + self._slice_s
        steps, deleted, more = 0, False, True
        try:
            while more:
                began = _elapsed()
                leave = self._stopping or began >= until
                unit = partial(self._step, job, fence, leave)
                done = await self._database.run_alone(_context(tenant), unit)
                steps, deleted, more = steps + 1, deleted or done.deleted, done.more and not leave
                rest = (job.rest if self._alone else 1) * (_elapsed() - began)
                await asyncio.sleep(min(rest, self._slice_s) if more else 0)
        except Fenced:
            pass
        except Exception as error:  # noqa: BLE001 - a job outlives what goes wrong in a step
            self._report(job.name, error)
            await self._failed(tenant, job, fence, error)
        finally:
            if deleted:
                await self._database.tidy()
        return steps

    def _step(self, job: Job, fence: int, leave: bool, tx: Tx) -> Work[Done]:
        row, held = yield from self._fenced(tx, job, fence)
        done = yield from job.step(tx, Try(held.cursor, held.failures))
        going = done.more and not leave
        finished = held.finished_at if done.more else tx.context.at
        tx.put(
            JOB,
            (job.name,),
            held.values(
                holder=self._node if going else "",
                cursor=done.cursor,
                share=_WHOLE if not done.more else min(int(done.share * _WHOLE), _WHOLE - 1),
                done=held.done + done.count,
                failures=0,
                error="",
                due_at=tx.context.at,
                finished_at=finished,
            ),
            was=row,
        )
        return done

    async def _failed(self, tenant: str, job: Job, fence: int, error: Exception) -> None:
        """Write down that a step failed, and when it is tried again."""
        word = error.slug if isinstance(error, SaysoError) else type(error).__name__

        def unit(tx: Tx) -> Work[None]:
            row, held = yield from self._fenced(tx, job, fence)
            failures = held.failures + 1
            pause = min(2**failures, LONGEST_PAUSE_S) * SECOND
            changes = {"holder": "", "failures": failures, "error": word, "due_at": tx.context.at + pause}
            tx.put(JOB, (job.name,), held.values(**changes), was=row)

        try:
            await self._database.run_alone(_context(tenant), unit)
        except Fenced:
            pass
        except SaysoError as unreachable:
            # The row stays ours; the next turn takes it again.
            self._report(job.name, unreachable)

    def _fenced(self, tx: Tx, job: Job, fence: int) -> Work[tuple[Values, _Row]]:
        """The row, if the job is still ours under this fence. Raises `Fenced`."""
        (row,) = yield (tx.get(JOB, job.name),)
        held = _row(row)
        if row is None or held.fence != fence or held.holder != self._node:
            raise Fenced
        return row, held


_WHOLE: Final = 1_000


def _row(row: Values | None) -> _Row:
    return _NEW if row is None else _Row(*row)


def _state(name: str, row: _Row) -> JobState:
    share = row.share / _WHOLE
    times = (row.due_at, row.started_at, row.finished_at)
    return JobState(name, bool(row.holder), share, row.done, row.failures, row.error, *times)


def _elapsed() -> float:
    """What paces the steps: the loop's own clock, which no test holds."""
    return asyncio.get_running_loop().time()


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, Instant(now()), new_id("job"))
