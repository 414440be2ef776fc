"""Agents that gave an address are told there when their request has moved (section 2.03).

Each round looks which requests stand in another version than the one that was told. What is told is the status as it
is then, so nothing is lost when a step is followed by the next before the message left. Taken and not told is told
again: a worker that was killed is followed by another after a lease.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from rights import register_versions
from sayso.kernel import SECOND, SYSTEM, Context, Key, Tx, Work, new_id, now, raw
from sayso.server.drp import store
from sayso.server.drp.store import Brought
from sayso.server.feed import next_try
from sayso.server.feed.outgoing import Outgoing

if TYPE_CHECKING:
    from sayso.server.wiring import Services

EVERY: Final = 5.0
"""Seconds between two looks."""

_MOST: Final = 500
_LEASE_S: Final = 60
_CLOSED: Final = frozenset(("fulfilled", "denied", "revoked", "expired"))


class Callbacks:
    """Tells the agents of every brand."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._outgoing = Outgoing(services.settings.inside_hosts)

    async def round(self) -> bool:
        """Tell what there is to tell; False when nothing was."""
        told = False
        for tenant in self._services.configurations.tenants():
            if self._services.configurations.of(tenant).drp.agents:
                told = await self._tell(tenant) or told
        return told

    async def close(self) -> None:
        await self._outgoing.close()

    async def _tell(self, tenant: str) -> bool:
        told, after, key = False, b"", self._services.agents.key(tenant)
        while True:
            context = _context(tenant)
            moved, following = await self._services.database.look(context, partial(_moved, key=key, after=after))
            for brought, version in moved:
                told = True
                await self._one(tenant, brought, version)
            if following is None:
                return told
            after = following

    async def _one(self, tenant: str, brought: Brought, version: int) -> None:
        """One agent, one request: taken, told, written down."""
        database, desk = self._services.database, self._services.agents
        key = desk.key(tenant)

        def take(tx: Tx) -> Work[bytes | None]:
            found = yield from store.of_agent(tx, key, brought.request, brought.agent)
            if found.was != brought.was:
                # Another worker tells it.
                return None
            again = tx.context.at + _LEASE_S * SECOND
            store.put(tx, found, waits=True, told=found.told, tries=found.tries + 1, again=again)
            view = yield from self._services.desk.request(tx, brought.request)
            return msgspec.json.encode(desk.shown(tenant, view, brought.reference))

        body = await database.run_alone(_context(tenant), take)
        if body is None:
            return
        reply = await self._outgoing.ask("POST", brought.callback, {"content-type": "application/json"}, body)
        heard = len(reply.code) == 3 and reply.code[0] == "2"
        over = msgspec.json.decode(body)["status"] in _CLOSED
        if not heard:
            self._services.log.info("agent not told", agent=brought.agent, request=brought.request, why=reply.code)

        def settle(tx: Tx) -> Work[None]:
            found = yield from store.of_agent(tx, key, brought.request, brought.agent)
            if heard:
                store.put(tx, found, waits=not over, told=version, tries=0, again=0)
            else:
                # It can ask for the status as long as it likes; after the last try it is not told any more.
                again = next_try(found.tries, tx.context.at)
                store.put(tx, found, waits=again is not None, told=found.told, tries=found.tries, again=again or 0)

        await database.run_alone(_context(tenant), settle)


def _moved(tx: Tx, key: Key, after: bytes) -> Work[tuple[list[tuple[Brought, int]], bytes | None]]:
    """What stands otherwise than was told, of one page; and where the next page begins."""
    (rows,) = yield (store.waiting(tx, after, _MOST),)
    found = store.all_brought(key, rows)
    versions = yield from register_versions(tx, [each.request for each in found])
    moved = [
        (each, versions[each.request])
        for each in found
        if each.again <= tx.context.at and versions.get(each.request, each.told) != each.told
    ]
    return moved, raw(found[-1].request, "rrq") if len(found) == _MOST else None


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
