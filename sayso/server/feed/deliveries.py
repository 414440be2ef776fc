"""The delivery log: what became of each message, sending it again, and which clients are behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from audit import AuditEvent
from sayso.kernel import SECOND, Invalid, NotFound, Tx, Work, iso, parse_instant, raw, text
from sayso.server import events
from sayso.server.feed import cursors, store
from sayso.server.feed.filters import PREFIX
from sayso.server.feed.messages import ID as MESSAGE
from sayso.server.feed.messages import Delivery, Status, id_of, position_in, stored
from sayso.server.feed.subscriptions import ID, OVERSEERS, Subscription, Subscriptions

if TYPE_CHECKING:
    from sayso.server.wiring import Services

PAGE: Final = 200
MOST_AGAIN: Final = 1_000
"""Messages that one call sends again."""

_MEASURED: Final = 1_000
"""Messages over which acknowledgement times are taken."""

_END: Final = 2**62


class UnknownMessage(NotFound):
    """No message of that id in this subscription."""


class Attempt(Struct, frozen=True):
    """One attempt: when it began, its HTTP status or what went wrong, and how many milliseconds it took."""

    at: str
    outcome: str
    ms: int


class Logged(Struct, frozen=True, omit_defaults=True):
    """One message. `ack_ms` is the time from the change to its acknowledgement."""

    id: str
    type: str
    registry_seq: str
    changed_at: str
    status: Status
    attempts: tuple[Attempt, ...]
    due_at: str | None = None
    delivered_at: str | None = None
    ack_ms: int | None = None


class Log(Struct, frozen=True):
    """A page of messages, newest first; `cursor` asks for the next one."""

    deliveries: tuple[Logged, ...]
    cursor: str | None


class Again(Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages to send again: by id, or those about changes from `since` until before `until` (RFC 3339)."""

    deliveries: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    status: Literal["waiting", "dead", "delivered", "any"] = "any"
    cursor: str | None = None


class Queued(Struct, frozen=True):
    """How many are on their way again. With a `cursor` the range held more: ask again with it."""

    queued: int
    cursor: str | None = None


class Figures(Struct, frozen=True):
    """How a subscription fares: messages by status, and how fast the newest thousand were acknowledged."""

    counts: dict[str, int]
    ack_ms_p50: int | None
    ack_ms_p99: int | None


class Overdue(Struct, frozen=True):
    """A client that is behind: what it was not told of, since when, and how many messages it was given up on."""

    client: str
    webhook: str
    url: str
    status: str
    oldest_change_at: str
    waiting: int
    dead: int


class Surveyed(Struct, frozen=True):
    """One subscription at a glance. `oldest` is when the oldest change was committed that its client does not know."""

    subscription: Subscription
    next_due: int | None
    oldest: int | None
    behind: bool


class Deliveries:
    """Reads the log of messages and sends them again. Cold units."""

    def __init__(self, services: Services, subscriptions: Subscriptions) -> None:
        self._services = services
        self._subscriptions = subscriptions

    def log(self, tx: Tx, webhook: str, status: Status | None, cursor: str | None, limit: int) -> Work[Log]:
        """A page of the log. Raises `UnknownWebhook`, `Invalid`."""
        found, _ = yield from self._subscriptions.visible(tx, webhook)
        keyring, tenant = self._services.keyring, tx.context.tenant
        before = cursors.read(keyring, tenant, cursor) if cursor is not None else _END
        (rows,) = yield (tx.select(store.page_of_messages(found.id, before, limit + 1, status)),)
        page = tuple(_logged(found.id, stored(row[0], row[1:])) for row in rows[:limit])
        more = cursors.written(keyring, tenant, rows[limit - 1][0]) if len(rows) > limit else None
        return Log(page, more)

    def figures(self, tx: Tx, webhook: str) -> Work[Figures]:
        """How the subscription fares. Raises `UnknownWebhook`."""
        found, _ = yield from self._subscriptions.visible(tx, webhook)
        counted, acknowledged = yield (
            tx.select(store.counts(found.id)),
            tx.select(store.last_acknowledged(found.id, _MEASURED)),
        )
        times = sorted((delivered - at) // 1000 for at, delivered in acknowledged)
        middle = times[len(times) // 2] if times else None
        late = times[min(len(times) - 1, len(times) * 99 // 100)] if times else None
        return Figures(dict(counted), middle, late)

    def again(self, tx: Tx, webhook: str, wanted: Again) -> Work[Queued]:
        """Queue settled messages anew, each behind what is under way for its person. One that waits to be tried again
        is tried at once.

        Raises `UnknownWebhook`, `UnknownMessage`, `Invalid`.
        """
        found, name = yield from self._subscriptions.own(tx, webhook)
        positions, cursor = yield from self._chosen(tx, found, wanted)
        rows = yield tuple(tx.get(store.DELIVERY, found.id, position) for position in positions)
        queued = 0
        for position, was in zip(positions, rows, strict=True):
            if was is None:
                raise UnknownMessage("not-found", "There is no such message.")
            anew = stored(position, was).again(tx.context.at)
            if anew is not None:
                tx.put(store.DELIVERY, (found.id, position), anew.values(), was=was)
                queued += 1
        if queued:
            yield from self._subscriptions.wake(tx, found.id)
            res = {"webhook": text(ID, found.id), "client": name, "messages": str(queued)}
            self._services.audit.append(tx, AuditEvent(events.WEBHOOK_REDELIVERED, "ok", res), None)
        return Queued(queued, cursor)

    def survey(self, tx: Tx, subscriptions: tuple[Subscription, ...]) -> Work[list[Surveyed]]:
        """What waits in each of these. A change is overdue after `webhook_overdue`, or when it was given up on."""
        late = tx.context.at - self._services.settings.webhook_overdue * SECOND
        found: list[Surveyed] = []
        for each in subscriptions:
            coming, waiting, dead = yield (
                tx.query(store.NEXT_DUE, subscription=each.id),
                tx.query(store.OLDEST_WAITING, subscription=each.id),
                tx.query(store.RECENT_DEATH, subscription=each.id),
            )
            behind = bool(dead) or bool(waiting and waiting[0][0] < late)
            oldest = min((row[0] for row in (*waiting, *dead)), default=None)
            found.append(Surveyed(each, coming[0][0] if coming else None, oldest, behind))
        return found

    def overdue(self, tx: Tx) -> Work[tuple[Overdue, ...]]:
        """Who is behind, the longest first; for those who do not oversee, their own."""
        every = yield from self._subscriptions.all(tx)
        actor, tenant = tx.context.actor, tx.context.tenant
        own = tuple(each for each in every if actor.roles & OVERSEERS or text("key", each.client) == actor.id)
        found: list[tuple[int, Overdue]] = []
        surveyed = yield from self.survey(tx, own)
        for each in surveyed:
            if not each.behind or each.oldest is None:
                continue
            known = each.subscription
            (rows,) = yield (tx.select(store.counts(known.id)),)
            counts = dict(rows)
            overdue = Overdue(
                self._subscriptions.name_of(tenant, known.client),
                text(ID, known.id),
                known.content.url,
                known.content.status,
                iso(each.oldest),
                counts.get("waiting", 0) + counts.get("queued", 0),
                counts.get("dead", 0),
            )
            found.append((each.oldest, overdue))
        return tuple(overdue for _, overdue in sorted(found, key=lambda pair: pair[0]))

    def _chosen(self, tx: Tx, found: Subscription, wanted: Again) -> Work[tuple[list[int], str | None]]:
        if bool(wanted.deliveries) == (wanted.since is not None):
            raise Invalid("invalid-range", "Name messages, or the time from which on; not both.")
        if wanted.since is None:
            if len(wanted.deliveries) > MOST_AGAIN:
                raise Invalid("invalid-range", "One call sends 1,000 messages again.", limit=MOST_AGAIN)
            named = [position_in(raw(each, MESSAGE), found.id) for each in dict.fromkeys(wanted.deliveries)]
            own = [each for each in named if each is not None]
            if len(own) < len(named):
                raise UnknownMessage("not-found", "There is no such message.")
            return own, None
        keyring, tenant = self._services.keyring, tx.context.tenant
        after = cursors.read(keyring, tenant, wanted.cursor) if wanted.cursor is not None else -1
        until = parse_instant(wanted.until) if wanted.until is not None else _END
        statuses = ("waiting", "delivered", "dead") if wanted.status == "any" else (wanted.status,)
        since = parse_instant(wanted.since)
        chosen = store.messages_between(found.id, after, since, until, statuses, MOST_AGAIN)
        (rows,) = yield (tx.select(chosen),)
        positions: list[int] = [row[0] for row in rows]
        more = cursors.written(keyring, tenant, positions[-1]) if len(positions) == MOST_AGAIN else None
        return positions, more


def _logged(subscription: bytes, found: Delivery) -> Logged:
    change = found.change
    return Logged(
        id_of(subscription, change.position),
        PREFIX + change.kind,
        change.seq,
        iso(change.at),
        found.status,
        tuple(Attempt(iso(each.at), each.code, each.ms) for each in found.log),
        iso(found.due) if found.status == "waiting" else None,
        iso(found.delivered) if found.delivered else None,
        (found.delivered - change.at) // 1000 if found.delivered else None,
    )
