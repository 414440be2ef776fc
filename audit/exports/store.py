"""The SQL of exports. Each function is part of a unit of work."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from audit.exports.tables import audit_export, audit_export_head, audit_export_part
from audit.tables import audit_index
from sayso.kernel import Query, Tx

OPEN = ("queued", "running")

IndexRow = tuple[bytes, int, str, str, bytes | None, bytes, str]
"""Entry id, index in the log, type, outcome, whom it is about, who acted, the log."""


def rows_after(tx: Tx, logs: Collection[str], after: bytes, before: bytes, limit: int) -> Query:
    """The integrated entries of these logs with ids between two (both exclusive), oldest first, as `IndexRow`."""
    c = audit_index.c
    chosen = select(c.entry, c.leaf, c.type, c.outcome, c.subject, c.actor, c.log).where(c.log.in_(logs))
    return tx.select(chosen.where(c.entry > after, c.entry < before).order_by(c.entry).limit(limit))


def unfinished(tx: Tx) -> Query:
    """The oldest export on which there is work."""
    c = audit_export.c
    return tx.select(select(c.export).where(c.status.in_(OPEN)).order_by(c.made_at, c.export).limit(1))


def past(tx: Tx, at: int) -> Query:
    """One export whose term is over."""
    c = audit_export.c
    return tx.select(select(c.export).where(c.until <= at, c.status != "expired").limit(1))


def heads_of(tx: Tx, export: bytes) -> Query:
    """Log, size, note and hits of each head of an export, by number."""
    c = audit_export_head.c
    return tx.select(select(c.log, c.size, c.note, c.hits).where(c.export == export).order_by(c.number))


def count_hits(tx: Tx, export: bytes, number: int, hits: int) -> None:
    """So many more were found under a head."""
    c = audit_export_head.c
    changed = audit_export_head.update().where(c.export == export, c.number == number)
    tx.execute(changed.values(hits=c.hits + hits), expect=1)


def forget(tx: Tx, export: bytes) -> None:
    """Delete what an export selected, and under which heads."""
    tx.execute(audit_export_part.delete().where(audit_export_part.c.export == export))
    tx.execute(audit_export_head.delete().where(audit_export_head.c.export == export))


def listed(tx: Tx, limit: int) -> Query:
    """Every column of the newest exports."""
    c: Any = audit_export.c
    names = [column for column in c if column.name != "tenant"]
    return tx.select(select(*names).order_by(c.made_at.desc(), c.export.desc()).limit(limit))
