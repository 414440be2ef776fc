"""Every statement about the calendar and about holds, each named after the question it answers."""

from typing import Any

from sqlalchemy import BigInteger, bindparam, literal_column, select

from rights.retention.tables import rights_due, rights_hold, rights_hold_of
from sayso.kernel import PARTS, Prepared, Query, Rows, Tx, bucket_of, in_part
from sayso.kernel.schema import feed

DUE = Rows(rights_due)
HOLD = Rows(rights_hold)
HOLD_OF = Rows(rights_hold_of)

_none: Any = literal_column("0")
_most = bindparam("most", type_=BigInteger)


def _in(part: int, condition: Any) -> Prepared:
    c = rights_due.c
    return Prepared(select(c.subject, c.facts).where(in_part(rights_due, part), condition).limit(_most).offset(_none))


def _by(column: Any, part: int) -> Prepared:
    return _in(part, column <= bindparam("at", type_=BigInteger))


def _at(column: Any, part: int) -> Prepared:
    return _in(part, column == bindparam("at", type_=BigInteger))


_DUE = tuple(_by(rights_due.c.due, part) for part in range(PARTS))
_KEPT = tuple(_at(rights_due.c.ends, part) for part in range(PARTS))
_ENDS = tuple(_by(rights_due.c.ends, part) for part in range(PARTS))
_FEED = Prepared(
    select(feed.c.position, feed.c.kind, feed.c.subject)
    .where(feed.c.shard == 0, feed.c.position > bindparam("after", type_=BigInteger))
    .order_by(feed.c.position)
    .limit(_most)
    .offset(_none),
    brief=True,
)
_HOLDS_OF = Prepared(
    select(rights_hold_of.c.hold, rights_hold_of.c.categories)
    .where(rights_hold_of.c.bucket == bindparam("bucket"), rights_hold_of.c.subject == bindparam("subject"))
    .order_by(rights_hold_of.c.hold)
)
_HOLDS = Prepared(
    select(
        rights_hold.c.hold, rights_hold.c.version, rights_hold.c.state, rights_hold.c.until, rights_hold.c.sealed
    ).order_by(rights_hold.c.hold)
)


def due(tx: Tx, part: int, at: int, limit: int) -> Query:
    """Who is to be looked at by an instant: subject, facts. In no order."""
    return tx.query(_DUE[part], at=at, most=limit)


def ending(tx: Tx, part: int, before: int, limit: int) -> Query:
    """Whose data end before an instant: subject, facts. In no order."""
    return tx.query(_ENDS[part], at=before, most=limit)


def kept(tx: Tx, part: int, mark: int, limit: int) -> Query:
    """Of whom something has ended and is kept (`ends` is the mark for that): subject, facts. In no order."""
    return tx.query(_KEPT[part], at=mark, most=limit)


def changes(tx: Tx, after: int, limit: int) -> Query:
    """What changed behind a position of the feed: position, kind, subject; in order."""
    return tx.query(_FEED, after=after, most=limit)


def holds_of(tx: Tx, subject: bytes) -> Query:
    """The live holds over a person: hold, categories."""
    return tx.query(_HOLDS_OF, bucket=bucket_of(tx.context.tenant, subject), subject=subject)


def holds(tx: Tx) -> Query:
    """All holds, oldest first: hold, version, state, until, sealed."""
    return tx.query(_HOLDS)
