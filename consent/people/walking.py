"""Everybody, a page at a time: the order of buckets and ids, which no insert and no change disturbs.

A page is read in few statements, however many people there are: a group of buckets at once where so many fit into the
page, else one bucket at a time. It is no snapshot: who comes meanwhile is met if they stand behind the mark.
"""

from typing import Final

from msgspec import Struct

from consent import store
from sayso.kernel import BUCKETS, Tx, Work

MOST_STATEMENTS: Final = 64
"""Statements for one page."""


class Mark(Struct, frozen=True, array_like=True):
    """How far a walk has come: in `bucket`, behind the person `after` (empty: nobody of it yet)."""

    bucket: int = 0
    after: bytes = b""


class Met(Struct, frozen=True, gc=False):
    """Somebody on the way: the id, the packed state, and the mark behind them. The erased are among them."""

    subject: bytes
    state: bytes
    mark: Mark


def walk(tx: Tx, mark: Mark, most: int) -> Work[tuple[list[Met], Mark | None]]:
    """Up to `most` people behind `mark`, and the mark behind them all; None at the end. Cold."""
    met: list[Met] = []
    at: Mark | None = mark
    for _ in range(MOST_STATEMENTS):
        left = most - len(met)
        if at is None or left <= 0:
            break
        if not at.after and at.bucket % store.GROUP == 0:
            (rows,) = yield (tx.query(store.STATES_IN[at.bucket // store.GROUP], most=left + 1),)
            if len(rows) <= left:
                met += [_met(*row) for row in sorted(rows)]
                at = _next(at.bucket + store.GROUP)
                continue
        (rows,) = yield (tx.query(store.STATES_AFTER, bucket=at.bucket, after=at.after, most=left),)
        met += [_met(*row) for row in rows]
        at = met[-1].mark if len(rows) == left else _next(at.bucket + 1)
    return met, at


def _met(bucket: int, subject: bytes, state: bytes) -> Met:
    return Met(bytes(subject), bytes(state), Mark(bucket, bytes(subject)))


def _next(bucket: int) -> Mark | None:
    return Mark(bucket) if bucket < BUCKETS else None
