"""The SQL of exports. Each function is part of a unit of work."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import case, func, select

from audit.exports.tables import audit_export, audit_export_head, audit_export_part
from audit.tables import audit_index
from sayso.kernel import Query, Tx, Work

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


def lowest_of(tx: Tx, export: bytes) -> Query:
    """Log and smallest index of what an export found there."""
    c = audit_export_head.c
    return tx.select(select(c.log, c.lowest).where(c.export == export, c.hits > 0))


def held(tx: Tx, log: str) -> Work[int | None]:
    """From which index on exports that may still be fetched need the entries of a log; None: they need none of them.
    One that is still being made may need any.
    """
    e, h = audit_export.c, audit_export_head.c
    made = select(func.min(h.lowest)).select_from(
        audit_export_head.join(audit_export, (h.tenant == e.tenant) & (h.export == e.export))
    )
    making, lowest = yield (
        unfinished(tx),
        tx.select(made.where(h.log == log, h.hits > 0, e.status == "done")),
    )
    found: int | None = lowest[0][0]
    return 0 if making else found


def count_hits(tx: Tx, export: bytes, number: int, found: Sequence[int]) -> None:
    """These indexes more were found under a head."""
    c, lowest = audit_export_head.c, min(found)
    changed = audit_export_head.update().where(c.export == export, c.number == number)
    least = case((c.lowest > lowest, lowest), else_=c.lowest)
    tx.execute(changed.values(hits=c.hits + len(found), lowest=least), expect=1)


def forget(tx: Tx, export: bytes) -> None:
    """Delete what an export selected, and under which heads."""
    tx.execute(audit_export_part.delete().where(audit_export_part.c.export == export))
    tx.execute(audit_export_head.delete().where(audit_export_head.c.export == export))


def listed(tx: Tx, limit: int) -> Query:
    """Every column of the newest exports."""
    c: Any = audit_export.c
    names = [column for column in c if column.name != "tenant"]
    return tx.select(select(*names).order_by(c.made_at.desc(), c.export.desc()).limit(limit))
