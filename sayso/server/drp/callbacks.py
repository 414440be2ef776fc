"""Agents that gave an address are told there when their request has moved (section 2.03).

Each round looks which requests stand in another version than the one that was told. What is told is the status as it
is then, so nothing is lost when a step is followed by the next before the message left. Taken and not told is told
again: a worker that was killed is followed by another after a lease.
"""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from rights import register_versions
from sayso.kernel import SECOND, SYSTEM, Context, Tx, Work, new_id, now, raw
from sayso.server.drp import store
from sayso.server.drp.store import Brought, Waiting
from sayso.server.feed import next_try
from sayso.server.feed.outgoing import Outgoing

if TYPE_CHECKING:
    from sayso.server.wiring import Services

EVERY: Final = 5.0
"""Seconds between two looks."""

_MOST: Final = 500
_AT_ONCE: Final = 32
_LEASE_S: Final = 60
_CLOSED: Final = frozenset(("fulfilled", "denied", "revoked", "expired"))


class Callbacks:
    """Tells the agents of every brand."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._outgoing = Outgoing(services.settings.inside_hosts)
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def round(self) -> bool:
        """Tell what there is to tell; False when nothing was."""
        told = False
        for tenant in self._services.configurations.tenants():
            agents = self._services.configurations.of(tenant).drp.agents
            if agents:
                told = await self._tell(tenant, agents) or told
        return told

    async def close(self) -> None:
        await self._outgoing.close()

    async def _tell(self, tenant: str, known: Collection[str]) -> bool:
        """Tell the agents that the manifest names; whom it names no more is told nothing more."""
        told, after = False, b""
        while True:
            moved, following = await self._services.database.look(_context(tenant), partial(_moved, after=after))
            due = [each for each in moved if each[0].agent in known]
            told = told or bool(due)
            for each in await asyncio.gather(*(self._one(tenant, *each) for each in due), return_exceptions=True):
                if isinstance(each, Exception):
                    # What goes wrong with one agent keeps no other from being told.
                    self._services.log.error("agent not told", each)
            if following is None:
                return told
            after = following

    async def _one(self, tenant: str, waiting: Waiting, version: int) -> None:
        """One agent, one request: taken, told, written down."""
        async with self._few:
            await self._carry(tenant, waiting, version)

    async def _carry(self, tenant: str, waiting: Waiting, version: int) -> None:
        database, desk = self._services.database, self._services.agents
        key = desk.key(tenant)

        def take(tx: Tx) -> Work[tuple[Brought, bytes] | None]:
            found = yield from store.of_agent(tx, key, waiting.request, waiting.agent)
            if (found.told, found.again) != (waiting.told, waiting.again):
                # Another worker tells it.
                return None
            again = tx.context.at + _LEASE_S * SECOND
            store.put(tx, found, waits=True, told=found.told, tries=found.tries + 1, again=again)
            view = yield from self._services.desk.request(tx, waiting.request)
            return found, msgspec.json.encode(desk.shown(tenant, view, found.reference))

        taken = await database.run_alone(_context(tenant), take)
        if taken is None:
            return
        brought, body = taken
        reply = await self._outgoing.ask("POST", brought.callback, {"content-type": "application/json"}, body)
        heard = len(reply.code) == 3 and reply.code[0] == "2"
        over = msgspec.json.decode(body)["status"] in _CLOSED
        if not heard:
            self._services.log.info("agent not told", agent=brought.agent, request=brought.request, why=reply.code)

        def settle(tx: Tx) -> Work[None]:
            found = yield from store.of_agent(tx, key, waiting.request, waiting.agent)
            if heard:
                store.put(tx, found, waits=not over, told=version, tries=0, again=0)
            else:
                # It can ask for the status as long as it likes; after the last try it is not told any more.
                again = next_try(found.tries, tx.context.at)
                store.put(tx, found, waits=again is not None, told=found.told, tries=found.tries, again=again or 0)

        await database.run_alone(_context(tenant), settle)


def _moved(tx: Tx, after: bytes) -> Work[tuple[list[tuple[Waiting, int]], bytes | None]]:
    """What stands otherwise than was told, of one page; and where the next page begins."""
    (rows,) = yield (store.waiting(tx, after, _MOST),)
    found = store.all_waiting(rows)
    versions = yield from register_versions(tx, [each.request for each in found])
    moved = [
        (each, versions[each.request])
        for each in found
        if each.again <= tx.context.at and versions.get(each.request, each.told) != each.told
    ]
    return moved, raw(found[-1].request, "rrq") if len(found) == _MOST else None


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
