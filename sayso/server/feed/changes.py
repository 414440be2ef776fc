"""`GET /v1/changes`: a client reads the feed at its own pace, and may wait for what comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from sayso.kernel import SYSTEM, Context, Gone, Tx, Work, new_id, now
from sayso.server.feed import cursors, store
from sayso.server.feed.cloudevents import Change, CloudEvent, Teller
from sayso.server.feed.filters import Filter

if TYPE_CHECKING:
    from sayso.kernel import Actor, Sealer, Unit
    from sayso.server.wiring import Services

MOST_EVENTS: Final = 500
LONGEST_WAIT: Final = 30
LATEST: Final = "latest"
"""The cursor of who wants only what comes."""

_SCANNED: Final = 1_000
"""Changes looked at for one page: a filter that takes few of them must not hold the database."""


class CursorTooOld(Gone):
    """The feed no longer holds what came after this cursor: what it said is lost to this reader."""


class Changes(Struct, frozen=True):
    """A page. `cursor` goes into the next call; `more` says that it need not wait."""

    events: tuple[CloudEvent, ...]
    cursor: str
    more: bool


class Reader:
    """Pages of the feed, for one client after the other."""

    def __init__(self, services: Services, teller: Teller) -> None:
        self._services = services
        self._teller = teller

    def page(self, client: Actor, wants: Filter, after: str | None, limit: int) -> Unit[Changes]:
        """A unit that only looks. Without `after` it begins with the oldest change that is kept. Raises
        `CursorTooOld`, `Invalid`.
        """
        keyring = self._services.keyring

        def unit(tx: Tx) -> Work[Changes]:
            tenant = tx.context.tenant
            if after == LATEST:
                return Changes((), cursors.written(keyring, tenant, tx.head.position), False)
            start = yield from begun_after(tx, keyring, after)
            rows = (yield (tx.query(store.CHANGES_AFTER, after=start, most=_SCANNED),))[0]
            events: list[CloudEvent] = []
            position = start
            for row in rows:
                if len(events) == limit:
                    break
                change = Change(row[0], row[1], bytes(row[2]), bytes(row[3]), row[4])
                if (yield from self._teller.wanted(tx, change, client.name, wants)):
                    events.append((yield from self._teller.event(tx, change, client, wants)))
                position = change.position
            more = len(rows) == _SCANNED or bool(rows and position < rows[-1][0])
            return Changes(tuple(events), cursors.written(keyring, tenant, position), more)

        return unit

    def position(self, tenant: str, cursor: str) -> int:
        """How far a cursor of ours reaches. Raises `Invalid`."""
        return cursors.read(self._services.keyring, tenant, cursor)


def begun_after(tx: Tx, sealer: Sealer, cursor: str | None) -> Work[int]:
    """The position that a reader has seen; without a cursor, what lies before the oldest change kept. Raises
    `CursorTooOld`.
    """
    (rows,) = yield (tx.query(store.OLDEST),)
    oldest = rows[0][0] if rows else tx.head.position + 1
    if cursor is None:
        return int(oldest) - 1
    position = cursors.read(sealer, tx.context.tenant, cursor)
    # A cursor beyond the head is from before a backup was restored: what it had seen did not happen.
    if position + 1 < oldest or position > tx.head.position:
        raise CursorTooOld(
            "cursor-too-old",
            "The feed no longer reaches back to this cursor. Take `latest` as the new one, then read anew where"
            " each person stands that you keep data about.",
            latest=cursors.written(sealer, tx.context.tenant, tx.head.position),
        )
    return position


class Watch:
    """Waits for changes of a brand: one look every `EVERY` seconds, however many wait, and none when nobody does."""

    EVERY: Final = 0.1

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looks: dict[str, asyncio.Task[int]] = {}

    async def beyond(self, tenant: str, position: int, seconds: float) -> None:
        """Return once there are changes after `position`, at the latest after `seconds`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            look = self._looks.get(tenant)
            if look is None or look.done():
                look = self._looks[tenant] = asyncio.create_task(self._look(tenant))
            done, _ = await asyncio.wait((look,), timeout=left)
            if done and look.result() > position:
                return

    async def _look(self, tenant: str) -> int:
        await asyncio.sleep(self.EVERY)
        return await self._services.database.look(Context(tenant, SYSTEM, now(), new_id("req")), head)


def head(tx: Tx) -> Work[int]:
    """A unit: how far the brand's changes go."""
    yield ()
    return tx.head.position
