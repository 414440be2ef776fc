"""What a courier writes: how far the feed was spread, which messages there are, and what became of them.

Every unit here first looks whether the lease is still held, and ends by raising the courier's version: another process
that took over in between makes it lose its race, and it writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent
from sayso.kernel import Tx, Values, Work, text
from sayso.server import events
from sayso.server.feed import store
from sayso.server.feed.attempts import Outcome
from sayso.server.feed.cloudevents import Change, Teller
from sayso.server.feed.messages import Delivery, stored
from sayso.server.feed.subscriptions import ID, Subscription, Subscriptions

if TYPE_CHECKING:
    from sayso.server.wiring import Services

SPREAD: Final = 200
"""Changes that one unit makes messages of."""


class LeaseLost(Exception):
    """Another process sends this subscription's messages now, or it has ended."""


class Glance(Struct, frozen=True):
    """What a courier sees before each step. `behind`: changes wait to be spread; `left`: somebody left work here."""

    subscription: Subscription
    behind: bool
    left: bool
    due: tuple[Delivery, ...]
    next_due: int | None


class Ledger:
    """The units of one subscription. `holder` names this process."""

    def __init__(
        self, services: Services, teller: Teller, subscriptions: Subscriptions, subscription: bytes, holder: bytes
    ) -> None:
        self._services = services
        self._teller = teller
        self._subscriptions = subscriptions
        self._id = subscription
        self._holder = holder
        self._wakes = -1

    def glance(self, tx: Tx, most: int) -> Work[Glance]:
        """Only looks. Raises `LeaseLost`."""
        row, found = yield (tx.get(store.COURIER, self._id), tx.get(store.SUBSCRIPTION, self._id))
        if row is None or found is None or bytes(row[2]) != self._holder:
            raise LeaseLost
        at = tx.context.at
        due, coming = yield (
            tx.query(store.DUE, subscription=self._id, at=at, most=most),
            tx.query(store.NEXT_DUE, subscription=self._id),
        )
        deliveries = tuple(stored(each[0], each[1:]) for each in due)
        next_due = coming[0][0] if coming else None
        left = row[3] != self._wakes
        subscription = self._subscriptions.decoded(self._id, found)
        return Glance(subscription, row[1] < tx.head.position, left, deliveries, next_due)

    def take(self, tx: Tx, seen: int) -> Work[bool]:
        """Take the lease from whoever had it at version `seen`. False when there is none, or another was faster.

        Of two processes that both see a lease free, the second must not take it from the first: what that one has sent
        by then would be sent again.
        """
        (row,) = yield (tx.get(store.COURIER, self._id),)
        if row is None or (row[0] != seen and bytes(row[2]) != self._holder):
            return False
        tx.put(store.COURIER, (self._id,), (row[0] + 1, row[1], self._holder, row[3]), was=row)
        return True

    def release(self, tx: Tx) -> Work[None]:
        """Leave the lease to whoever comes first."""
        (row,) = yield (tx.get(store.COURIER, self._id),)
        if row is not None and bytes(row[2]) == self._holder:
            tx.put(store.COURIER, (self._id,), (row[0] + 1, row[1], b"", row[3]), was=row)

    def beat(self, tx: Tx) -> Work[None]:
        """Show the others that this process lives."""
        row = yield from self._held(tx)
        self._renew(tx, row, row[1])

    def spread(self, tx: Tx) -> Work[None]:
        """Make messages of the next changes that the subscription wants."""
        row = yield from self._held(tx)
        found, changes = yield (
            tx.get(store.SUBSCRIPTION, self._id),
            tx.query(store.CHANGES_AFTER, after=row[1], most=SPREAD),
        )
        subscription = self._subscriptions.decoded(self._id, found)
        wants = subscription.content.filter
        client = self._subscriptions.name_of(tx.context.tenant, subscription.client)
        taken: list[Change] = []
        for each in changes:
            change = Change(each[0], each[1], bytes(each[2]), bytes(each[3]), each[4])
            if (yield from self._teller.wanted(tx, change, client, wants)):
                taken.append(change)
        if taken:
            busy = yield from self._busy(tx, [change.subject for change in taken])
            tx.insert_many(store.DELIVERY, (self._fresh(change, busy, tx.context.at) for change in taken))
        # A feed that was cut off behind us (it is kept for seven days) is taken up where it begins again.
        self._renew(tx, row, changes[-1][0] if changes else tx.head.position)

    def settle(self, tx: Tx, outcomes: list[tuple[int, Outcome]]) -> Work[None]:
        """Write what attempts came to. The next message of each person who has one moves up."""
        row = yield from self._held(tx)
        rows = yield tuple(tx.get(store.DELIVERY, self._id, position) for position, _ in outcomes)
        freed: list[bytes] = []
        for (position, outcome), was in zip(outcomes, rows, strict=True):
            if was is None:
                continue
            tried = stored(position, was).tried(outcome)
            tx.put(store.DELIVERY, (self._id, position), tried.values(), was=was)
            if tried.status != "waiting":
                freed.append(tried.change.subject)
        if freed:
            yield from self._move_up(tx, (yield (tx.select(store.next_of(self._id, freed)),))[0])
        if any(outcome.gone for _, outcome in outcomes):
            yield from self._disable(tx)
        self._renew(tx, row, row[1])

    def adopt(self, tx: Tx) -> Work[None]:
        """Take up the messages that somebody asked for again, one for each person who has none under way."""
        row = yield from self._held(tx)
        (found,) = yield (tx.select(store.orphans(self._id, SPREAD)),)
        yield from self._move_up(tx, found)
        self._renew(tx, row, row[1])
        if len(found) < SPREAD:
            self._wakes = row[3]

    def _move_up(self, tx: Tx, positions: list[Values]) -> Work[None]:
        rows = yield tuple(tx.get(store.DELIVERY, self._id, position) for (position,) in positions)
        for (position,), was in zip(positions, rows, strict=True):
            if was is not None:
                first = stored(position, was).first(tx.context.at)
                tx.put(store.DELIVERY, (self._id, position), first.values(), was=was)

    def _busy(self, tx: Tx, subjects: list[bytes]) -> Work[set[bytes]]:
        (rows,) = yield (tx.select(store.unsettled(self._id, subjects)),)
        return {bytes(each[0]) for each in rows}

    def _fresh(self, change: Change, busy: set[bytes], at: int) -> Values:
        status = "queued" if change.subject in busy else "waiting"
        busy.add(change.subject)
        due = at if status == "waiting" else 0
        return (self._id, change.position, *Delivery(1, change, status, due).values())  # type: ignore[arg-type]

    def _disable(self, tx: Tx) -> Work[None]:
        (found,) = yield (tx.get(store.SUBSCRIPTION, self._id),)
        if found is None:
            return
        was = self._subscriptions.decoded(self._id, found)
        content = replace(was.content, status="gone")
        self._subscriptions.save(tx, was, replace(was, version=was.version + 1, content=content))
        name = self._subscriptions.name_of(tx.context.tenant, was.client)
        res = {"webhook": text(ID, self._id), "client": name}
        self._services.audit.append(tx, AuditEvent(events.WEBHOOK_DISABLED, "ok", res), None)

    def _held(self, tx: Tx) -> Work[Values]:
        (row,) = yield (tx.get(store.COURIER, self._id),)
        if row is None or bytes(row[2]) != self._holder:
            raise LeaseLost
        return row  # type: ignore[no-any-return]

    def _renew(self, tx: Tx, row: Values, position: int) -> None:
        tx.put(store.COURIER, (self._id,), (row[0] + 1, position, row[2], row[3]), was=row)
