"""The feed of one process: who reads it, and which couriers are out.

`round` runs a few times a second in the loop of `serve`. Where no client subscribed it does nothing; where some did it
reads the head of the feed and one row for each. Only what moved sets a courier off.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final, TypeVar

from sayso.kernel import DAY, SYSTEM, Context, SaysoError, Tx, Work, new_id, now
from sayso.server.feed import jetstream, store
from sayso.server.feed.attempts import Message, Outcome
from sayso.server.feed.changes import Reader, Watch
from sayso.server.feed.cloudevents import Teller
from sayso.server.feed.courier import TERM, Courier
from sayso.server.feed.deliveries import Deliveries
from sayso.server.feed.jetstream import JetStream
from sayso.server.feed.ledger import LeaseLost
from sayso.server.feed.subscriptions import Subscription, Subscriptions

T = TypeVar("T")

if TYPE_CHECKING:
    from sayso.kernel import Unit, Values
    from sayso.server.feed.sender import Sender
    from sayso.server.wiring import Services

EVERY: Final = 0.15
"""Seconds between two rounds: what a withdrawal waits at most before it is on its way."""

_SURVEY: Final = 5.0
"""Seconds between two looks at what waits everywhere, whoever carries it."""

FEED_TERM: Final = 7 * DAY
MESSAGE_TERM: Final = 30 * DAY
"""How long changes and messages are kept."""


class _Known:
    """What this process remembers of a subscription between two rounds."""

    __slots__ = ("due", "since", "task", "version", "wakes", "work")

    def __init__(self) -> None:
        self.version = -1
        self.since = 0.0
        self.wakes = -1
        self.due: int | None = None
        self.task: asyncio.Task[int | None] | None = None
        self.work: Courier | None = None


class _Brand:
    """One brand's subscriptions, as of a counter of its configuration."""

    __slots__ = ("counter", "known", "overdue", "subscriptions", "surveyed")

    def __init__(self) -> None:
        self.counter = -1
        self.subscriptions: tuple[Subscription, ...] = ()
        self.known: dict[bytes, _Known] = {}
        self.surveyed = -_SURVEY
        self.overdue: frozenset[str] = frozenset()


class Feed:
    """The feed's façade: `reader`, `watch`, `subscriptions`, `deliveries` for the routes; `round`, `tidy` for loops."""

    def __init__(self, services: Services) -> None:
        self._services = services
        settings = services.settings
        self._teller = Teller(services)
        self.reader = Reader(services, self._teller)
        self.watch = Watch(services)
        self.subscriptions = Subscriptions(services)
        self.deliveries = Deliveries(services, self.subscriptions)
        self._sender: Sender | None = None
        self._stream = JetStream(settings)
        self._holder = os.urandom(8)
        self._brands: dict[str, _Brand] = {}
        self._closing = False
        services.metrics.gauge(
            "sayso_clients_overdue", "Clients that were not told of a change for too long.", self._count_overdue
        )

    def overdue(self, tenant: str) -> frozenset[str]:
        """Names of the clients that are behind, as of the last survey."""
        brand = self._brands.get(tenant)
        return brand.overdue if brand is not None else frozenset()

    async def round(self) -> None:
        """Set off every courier that has something to do."""
        if self._closing:
            return
        for tenant in self._services.configurations.tenants():
            brand = self._brands.setdefault(tenant, _Brand())
            counter = self._services.configurations.of(tenant).counter
            if brand.counter != counter:
                brand.subscriptions = await self._look(tenant, self.subscriptions.all)
                brand.counter = counter
                self._keep_up(brand)
            if brand.subscriptions:
                await self._send_out(tenant, brand)

    async def tidy(self, tenant: str) -> None:
        """Forget changes and messages past their term; what a subscription has not been given yet stays."""

        def unit(tx: Tx) -> Work[None]:
            at = tx.context.at
            kept, slowest = yield (tx.select(store.first_kept_after(at - FEED_TERM)), tx.select(store.lowest_courier()))
            position = kept[0][0] if kept else tx.head.position + 1
            if slowest[0][0] is not None:
                position = min(position, slowest[0][0] + 1)
            tx.execute(store.changes_before(position))
            tx.execute(store.old_messages(at - MESSAGE_TERM))

        await self._services.database.run_alone(_context(tenant), unit)

    async def close(self) -> None:
        """Call the couriers back and leave what they carried to others."""
        self._closing = True
        out = [(each.work, each.task) for brand in self._brands.values() for each in brand.known.values()]
        for courier, _ in out:
            if courier is not None:
                courier.stopping = True
        await asyncio.gather(*(task for _, task in out if task is not None), return_exceptions=True)
        for courier, _ in out:
            if courier is not None:
                try:
                    await courier.release()
                except (LeaseLost, SaysoError):
                    pass
        if self._sender is not None:
            await self._sender.close()
        await self._stream.close()

    async def _send_out(self, tenant: str, brand: _Brand) -> None:
        ids = [each.id for each in brand.subscriptions]
        head, rows = await self._look(tenant, lambda tx: _positions(tx, ids))
        time = asyncio.get_running_loop().time()
        if time - brand.surveyed >= _SURVEY:
            await self._survey(tenant, brand)
            brand.surveyed = time
        for subscription, row in zip(ids, rows, strict=True):
            if row is not None:
                self._consider(tenant, brand.known[subscription], subscription, head, row, time)

    def _consider(self, tenant: str, known: _Known, subscription: bytes, head: int, row: Values, time: float) -> None:
        version, position, holder, wakes = row
        self._collect(known)
        if known.task is not None:
            return
        if not (position < head or wakes != known.wakes or (known.due is not None and known.due <= now())):
            known.version = -1
            return
        if version != known.version:
            known.version, known.since = version, time
        # A holder that does not move while work waits is gone. The embedded database has no second process.
        free = not holder or self._services.settings.embedded or time - known.since > TERM
        if bytes(holder) == self._holder or free:
            known.wakes = wakes
            self._set_off(tenant, known, subscription, version)

    def _set_off(self, tenant: str, known: _Known, subscription: bytes, version: int) -> None:
        if known.work is None:
            known.work = Courier(
                self._services, self._teller, self.subscriptions, self._send, tenant, subscription, self._holder
            )
        known.task = asyncio.create_task(known.work.work(version), name="sayso-courier")

    def _collect(self, known: _Known) -> None:
        task = known.task
        if task is None or not task.done():
            return
        known.task = None
        error = task.exception()
        if error is None:
            known.due = task.result()
        else:
            known.due, known.version, known.wakes = None, -1, -1
            if not isinstance(error, LeaseLost):
                self._services.log.error("courier failed", error)

    async def _survey(self, tenant: str, brand: _Brand) -> None:
        """When each subscription's next message is due, and who has been left behind."""
        found = await self._look(tenant, lambda tx: self.deliveries.survey(tx, brand.subscriptions))
        late = set()
        for each in found:
            known = brand.known[each.subscription.id]
            if known.task is None:
                known.due = each.next_due
            if each.behind:
                late.add(self.subscriptions.name_of(tenant, each.subscription.client))
        brand.overdue = frozenset(late)

    def _keep_up(self, brand: _Brand) -> None:
        live = {each.id for each in brand.subscriptions}
        for gone in [each for each in brand.known if each not in live]:
            courier = brand.known.pop(gone).work
            if courier is not None:
                courier.stopping = True
        for each in live:
            brand.known.setdefault(each, _Known())
        if not live:
            brand.overdue = frozenset()

    async def _send(self, url: str, tenant: str, message: Message, at: int) -> Outcome:
        if url.startswith(jetstream.SCHEME):
            return await self._stream.send(url, tenant, message, at)
        if self._sender is None:
            # Imported with the first message: an HTTP client is dear to load, and most brands have no webhook.
            from sayso.server.feed.sender import Sender

            self._sender = Sender(self._services.settings.inside_hosts)
        return await self._sender.send(url, message, at)

    def _count_overdue(self) -> float:
        return float(sum(len(brand.overdue) for brand in self._brands.values()))

    async def _look(self, tenant: str, unit: Unit[T]) -> T:
        return await self._services.database.look(_context(tenant), unit)


def _positions(tx: Tx, ids: list[bytes]) -> Work[tuple[int, list[Values | None]]]:
    rows = yield tuple(tx.get(store.COURIER, each) for each in ids)
    return tx.head.position, list(rows)


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
