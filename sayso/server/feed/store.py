"""SQL of the feed and of the messages made from it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Delete, Select, bindparam, case, delete, func, select

from sayso.kernel import Prepared
from sayso.kernel.rows import Rows
from sayso.kernel.schema import feed
from sayso.server.feed import tables

SUBSCRIPTION = Rows(tables.feed_subscription)
COURIER = Rows(tables.feed_courier)
DELIVERY = Rows(tables.feed_delivery)

_delivery = tables.feed_delivery.c
_COLUMNS = (
    _delivery.position,
    _delivery.version,
    _delivery.kind,
    _delivery.subject,
    _delivery.ref,
    _delivery.at,
    _delivery.status,
    _delivery.due,
    _delivery.attempts,
    _delivery.delivered,
    _delivery.log,
)

_CHANGES = (feed.c.position, feed.c.kind, feed.c.subject, feed.c.ref, feed.c.at)

CHANGES_AFTER = Prepared(
    select(*_CHANGES)
    .where(feed.c.shard == 0, feed.c.position > bindparam("after"))
    .order_by(feed.c.position)
    .limit(bindparam("most"))
)
"""Committed changes in their order: position, kind, subject, ref, at."""

OLDEST = Prepared(select(feed.c.position).where(feed.c.shard == 0).order_by(feed.c.position).limit(1))
"""The oldest position that is kept."""

DUE = Prepared(
    select(*_COLUMNS)
    .where(
        _delivery.subscription == bindparam("subscription"),
        _delivery.status == "waiting",
        _delivery.due <= bindparam("at"),
    )
    .order_by(_delivery.due, _delivery.position)
    .limit(bindparam("most"))
)
"""Messages whose time has come."""

NEXT_DUE = Prepared(
    select(_delivery.due)
    .where(_delivery.subscription == bindparam("subscription"), _delivery.status == "waiting")
    .order_by(_delivery.due)
    .limit(1)
)
"""When the next message's time comes."""

OLDEST_WAITING = Prepared(
    select(_delivery.at)
    .where(_delivery.subscription == bindparam("subscription"), _delivery.status == "waiting")
    .order_by(_delivery.at)
    .limit(1)
)
"""How long ago the oldest change was committed that the client was not told of yet."""

RECENT_DEATH = Prepared(
    select(_delivery.at)
    .where(_delivery.subscription == bindparam("subscription"), _delivery.status == "dead")
    .order_by(_delivery.at)
    .limit(1)
)
"""When the oldest change was committed that the client was given up on."""


def all_subscriptions() -> Select[Any]:
    """Id, version, client, content, created of each, oldest first."""
    c = tables.feed_subscription.c
    return select(c.subscription, c.version, c.client, c.content, c.created).order_by(c.created, c.subscription)


def first_kept_after(at: int) -> Select[Any]:
    """The first position, in the feed's order, of a change not older than `at`."""
    return select(feed.c.position).where(feed.c.shard == 0, feed.c.at >= at).order_by(feed.c.position).limit(1)


def lowest_courier() -> Select[Any]:
    """How far the slowest subscription has been spread."""
    return select(func.min(tables.feed_courier.c.position))


def changes_before(position: int) -> Delete:
    """What every reader has had its time to take. A prefix of the feed: a gap in the middle would look like silence."""
    return delete(feed).where(feed.c.shard == 0, feed.c.position < position)


def unsettled(subscription: bytes, subjects: Sequence[bytes]) -> Select[Any]:
    """Which of these people have a message under way."""
    return (
        select(_delivery.subject)
        .where(
            _delivery.subscription == subscription,
            _delivery.subject.in_(subjects),
            _delivery.status.in_(("waiting", "queued")),
        )
        .distinct()
    )


def next_of(subscription: bytes, subjects: Sequence[bytes]) -> Select[Any]:
    """For each of these people the first message that stands behind another."""
    return (
        select(func.min(_delivery.position))
        .where(_delivery.subscription == subscription, _delivery.subject.in_(subjects), _delivery.status == "queued")
        .group_by(_delivery.subject)
    )


def orphans(subscription: bytes, most: int) -> Select[Any]:
    """For each person whose messages are all queued, the first of them."""
    heads = func.max(case((_delivery.status == "waiting", 1), else_=0))
    return (
        select(func.min(_delivery.position))
        .where(_delivery.subscription == subscription, _delivery.status.in_(("waiting", "queued")))
        .group_by(_delivery.subject)
        .having(heads == 0)
        .limit(most)
    )


def page_of_messages(subscription: bytes, before: int, most: int, status: str | None) -> Select[Any]:
    """Messages of a subscription, newest first."""
    wanted = select(*_COLUMNS).where(_delivery.subscription == subscription, _delivery.position < before)
    if status is not None:
        wanted = wanted.where(_delivery.status == status)
    return wanted.order_by(_delivery.position.desc()).limit(most)


def messages_between(
    subscription: bytes, after: int, since: int, until: int, statuses: Sequence[str], most: int
) -> Select[Any]:
    """Positions of messages about changes committed in [since, until), oldest first."""
    return (
        select(_delivery.position)
        .where(
            _delivery.subscription == subscription,
            _delivery.position > after,
            _delivery.at >= since,
            _delivery.at < until,
            _delivery.status.in_(statuses),
        )
        .order_by(_delivery.position)
        .limit(most)
    )


def counts(subscription: bytes) -> Select[Any]:
    """How many messages of a subscription are in each status."""
    return (
        select(_delivery.status, func.count()).where(_delivery.subscription == subscription).group_by(_delivery.status)
    )


def last_acknowledged(subscription: bytes, most: int) -> Select[Any]:
    """Committed and acknowledged, of the newest messages that were delivered."""
    return (
        select(_delivery.at, _delivery.delivered)
        .where(_delivery.subscription == subscription, _delivery.status == "delivered")
        .order_by(_delivery.position.desc())
        .limit(most)
    )


def messages_of(subscription: bytes) -> Delete:
    """Every message of a subscription that ends."""
    return delete(tables.feed_delivery).where(_delivery.subscription == subscription)


def old_messages(before: int) -> Delete:
    """Messages past their term, whatever became of them."""
    return delete(tables.feed_delivery).where(_delivery.at < before)
