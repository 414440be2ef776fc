"""The SQL of exports. Each function is part of a unit of work."""

from typing import Any

from sqlalchemy import select

from audit.exports.tables import audit_export, audit_export_part
from audit.tables import audit_index
from sayso.kernel import Query, Tx

OPEN = ("queued", "running")

IndexRow = tuple[bytes, int, str, str, bytes | None, bytes]
"""Entry id, index in the log, type, outcome, whom it is about, who acted."""


def rows_after(tx: Tx, log: str, after: bytes, before: bytes, limit: int) -> Query:
    """The integrated entries with ids between two (both exclusive), oldest first, as `IndexRow`."""
    c = audit_index.c
    chosen = select(c.entry, c.leaf, c.type, c.outcome, c.subject, c.actor).where(c.log == log)
    return tx.select(chosen.where(c.entry > after, c.entry < before).order_by(c.entry).limit(limit))


def unfinished(tx: Tx) -> Query:
    """The oldest export on which there is work."""
    c = audit_export.c
    return tx.select(select(c.export).where(c.status.in_(OPEN)).order_by(c.made_at, c.export).limit(1))


def past(tx: Tx, at: int) -> Query:
    """One export whose term is over."""
    c = audit_export.c
    return tx.select(select(c.export).where(c.until <= at, c.status != "expired").limit(1))


def forget_parts(tx: Tx, export: bytes) -> None:
    """Delete what an export selected."""
    tx.execute(audit_export_part.delete().where(audit_export_part.c.export == export))


def listed(tx: Tx, limit: int) -> Query:
    """Every column of the newest exports."""
    c: Any = audit_export.c
    names = [column for column in c if column.name != "tenant"]
    return tx.select(select(*names).order_by(c.made_at.desc(), c.export.desc()).limit(limit))
