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
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sayso.kernel.context import Context
from sayso.kernel.errors import LostRace, SaysoError, Unavailable
from sayso.kernel.flush import Job, Loaded, Session, Writes, contended, decide
from sayso.kernel.tx import Unit, View

log = logging.getLogger("sayso.batcher")

CAP = 512
"""Units in one flush."""

QUEUE = 8_192
"""Units that may wait. Beyond it callers are told to come back, before anything is done for them."""

ATTEMPTS = 10
"""How many flushes try a unit before its caller is told that the row is too contended."""


class OpenSession(Protocol):
    """Opens the session of a flush. `behind`: another flush is still being written."""

    def __call__(self, tenant: str, *, behind: bool) -> "AbstractAsyncContextManager[Session]": ...


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
                    position = await session.write(writes)
                    for job in done if position is not None else ():
                        if job.tx.published:
                            job.tx.position = position
        except LostRace:
            await self._again(tenant, jobs, contended())
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
