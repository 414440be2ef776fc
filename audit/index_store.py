"""SQL of the log's index beyond its key: entries by time, and entries about a person."""

from sqlalchemy import select

from audit.tables import audit_index, audit_subject
from sayso.kernel import Query, Tx, bucket_of


def rows_about(tx: Tx, subject: bytes, after: bytes, before: bytes, limit: int) -> Query:
    """Of the integrated entries about a person, newest first, what `rows_before` tells."""
    about, c = audit_subject.c, audit_index.c
    joined = audit_subject.join(audit_index, c.entry == about.entry)
    chosen = select(c.entry, c.leaf, c.type, c.outcome, c.subject, c.actor, c.log).select_from(joined)
    chosen = chosen.where(about.bucket == bucket_of(tx.context.tenant, subject), about.subject == subject)
    return tx.select(chosen.where(about.entry >= after, about.entry < before).order_by(about.entry.desc()).limit(limit))


def rows_before(tx: Tx, log: str, after: bytes, before: bytes, limit: int) -> Query:
    """Entry id, index, type, outcome, subject, actor and log of integrated entries between two ids, newest first;
    `after` is included.
    """
    c = audit_index.c
    chosen = select(c.entry, c.leaf, c.type, c.outcome, c.subject, c.actor, c.log).where(c.log == log)
    return tx.select(chosen.where(c.entry >= after, c.entry < before).order_by(c.entry.desc()).limit(limit))
