"""One look at the blind index for many searches: what waits while one is under way goes into the next.

A look begins after the searches in it arrived, so it sees all that was acknowledged to anybody before.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sayso.kernel import Context, Database, Tx, Work
from vault import Sought, Vault

MOST_AT_ONCE: Final = 256
"""Searches that share a look."""


class _Waiting(Struct):
    """One search that waits for its look."""

    context: Context
    sought: Sought
    answer: asyncio.Future[list[bytes]]


class Looks:
    """The looks of all brands, each for itself."""

    def __init__(self, vault: Vault, database: Database) -> None:
        self._vault = vault
        self._database = database
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def having(self, context: Context, sought: Sought) -> list[bytes]:
        """Who may be found by a search, by the index alone."""
        loop, tenant = asyncio.get_running_loop(), context.tenant
        waiting = _Waiting(context, sought, loop.create_future())
        self._waiting.setdefault(tenant, deque()).append(waiting)
        if tenant not in self._tasks:
            self._tasks[tenant] = loop.create_task(self._carry(tenant), name="sayso-looks")
        return await waiting.answer

    async def _carry(self, tenant: str) -> None:
        queue = self._waiting[tenant]
        try:
            while queue:
                # Requests that arrived in the same turn of the loop belong into the same look.
                await asyncio.sleep(0)
                await self._look([queue.popleft() for _ in range(min(len(queue), MOST_AT_ONCE))])
        finally:
            del self._tasks[tenant]

    async def _look(self, waiting: Sequence[_Waiting]) -> None:
        """One look for all of them. Whoever asked goes on, or hears why not."""

        def unit(tx: Tx) -> Work[list[list[bytes]]]:
            return self._vault.having(tx, [each.sought for each in waiting])

        try:
            found = await self._database.look(waiting[0].context, unit)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is for all who waited to hear
            for each in waiting:
                if not each.answer.done():
                    each.answer.set_exception(error)
            return
        for each, candidates in zip(waiting, found, strict=True):
            if not each.answer.done():
                each.answer.set_result(candidates)
