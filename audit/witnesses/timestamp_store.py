"""The SQL of time stamps. Each function is part of a unit of work."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select

from audit.tables import TIMESTAMP, audit_timestamp
from sayso.kernel import Instant, Query, Tx


class Stamped(NamedTuple):
    """A checkpoint with a time-stamp authority's answer over its bytes (RFC 3161, DER), and the time in that."""

    size: int
    root: bytes
    note: bytes
    response: bytes
    at: Instant


def newest(tx: Tx, log: str) -> Query:
    """The newest stamp of a log: see `stamped_from`."""
    c = audit_timestamp.c
    return tx.select(_chosen(c.log == log).order_by(c.size.desc()).limit(1))


def first_from(tx: Tx, log: str, size: int) -> Query:
    """The first stamp of a head at least as large."""
    c = audit_timestamp.c
    return tx.select(_chosen(c.log == log, c.size >= size).order_by(c.size).limit(1))


def last_before(tx: Tx, log: str, size: int) -> Query:
    """The last stamp of a smaller head."""
    c = audit_timestamp.c
    return tx.select(_chosen(c.log == log, c.size < size).order_by(c.size.desc()).limit(1))


def stamped_from(rows: Sequence[Any]) -> Stamped | None:
    """The answer of these reads."""
    return Stamped(*rows[0]) if rows else None


def keep(tx: Tx, log: str, stamped: Stamped) -> None:
    """A head that was stamped."""
    tx.insert(TIMESTAMP, log, *stamped)


def _chosen(*where: ColumnElement[bool]) -> Select[Any]:
    c = audit_timestamp.c
    return select(c.size, c.root, c.note, c.response, c.at).where(*where)
