"""The write-ahead file of the embedded database, emptied: what was erased is then in neither of its files.

Each erasure waits for that before it is answered, and nobody else should. So those who wait share: whoever comes while
it is done is served by the next time, which serves all who came. Nearly all of it happens beside the flushes; only what
they wrote meanwhile is moved between two of them. And a reader that holds it up is waited for without any lock.
"""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor

FIRST_REST, LONGEST_REST = 0.005, 0.1
"""Seconds between two tries while a reader is at the file."""


class Tidying:
    """Empties the file for all who wait. `gate` is held by each flush while it writes."""

    def __init__(self, gate: asyncio.Lock, patience: float) -> None:
        """`patience`: seconds for which a reader may hold it up until it is somebody else's to go on."""
        self._gate = gate
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sayso-tidier")
        self._connection: sqlite3.Connection
        self._now: asyncio.Task[bool] | None = None
        self._next: asyncio.Task[bool] | None = None

    def start(self, connection: sqlite3.Connection) -> None:
        """With a connection of its own, which waits for nobody: the loop reads by the writer's."""
        self._connection = connection

    async def stop(self) -> None:
        """Returns once nobody waits any more."""
        if under_way := [each for each in (self._now, self._next) if each is not None]:
            await asyncio.wait(under_way)
        self._thread.shutdown()
        self._connection.close()

    async def done(self) -> bool:
        """Whether all that was committed before this call has left the write-ahead file; False while a reader keeps it.

        Raises `sqlite3.Error` when the disk does not take it.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._now), name="sayso-tidy")
        # Whoever goes away meanwhile takes it from nobody else.
        return await asyncio.shield(self._next)

    async def _after(self, before: "asyncio.Task[bool] | None") -> bool:
        if before is not None:
            await asyncio.wait((before,))
        self._now, self._next = self._next, None
        clock = asyncio.get_running_loop().time
        until, rest = clock() + self._patience, FIRST_REST
        while not await self._emptied():
            if clock() >= until:
                return False
            await asyncio.sleep(rest)
            rest = min(2 * rest, LONGEST_REST)
        return True

    async def _emptied(self) -> bool:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._checkpoint, "PASSIVE")
        async with self._gate:
            return await loop.run_in_executor(self._thread, self._checkpoint, "TRUNCATE")

    def _checkpoint(self, mode: str) -> bool:
        return not self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[0]
