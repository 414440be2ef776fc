"""SQL of the log's index beyond its key: entries by time, and entries about a person."""

from typing import Any

from sqlalchemy import Select, select

from audit.tables import audit_index, audit_subject
from sayso.kernel import Query, Tx, bucket_of


def rows_about(tx: Tx, subject: bytes, after: bytes, before: bytes, limit: int) -> Query:
    """Of the integrated entries about a person, newest first, what `rows_before` tells."""
    about, c = audit_subject.c, audit_index.c
    joined = audit_subject.join(audit_index, c.entry == about.entry)
    chosen = select(c.entry, c.leaf, c.type, c.outcome, c.subject, c.actor, c.log).select_from(joined)
    chosen = chosen.where(about.bucket == bucket_of(tx.context.tenant, subject), about.subject == subject)
    return tx.select(chosen.where(about.entry >= after, about.entry < before).order_by(about.entry.desc()).limit(limit))


def rows_before(tx: Tx, log: str | None, after: bytes, before: bytes, limit: int) -> Query:
    """Entry id, index, type, outcome, subject, actor and log of integrated entries between two ids, newest first;
    `after` is included. In all logs without `log`.
    """
    c = audit_index.c
    chosen = select(c.entry, c.leaf, c.type, c.outcome, c.subject, c.actor, c.log)
    if log is not None:
        chosen = chosen.where(c.log == log)
    return tx.select(chosen.where(c.entry >= after, c.entry < before).order_by(c.entry.desc()).limit(limit))


def found_by(
    tx: Tx,
    log: str | None,
    *,
    types: tuple[str, str] | str | None,
    outcome: str | None,
    since: bytes | None,
    before: bytes | None,
    limit: int,
) -> Query:
    """Entry id, index and log of the hits of a search, newest first; in all logs without `log`.

    `types` is one type, or the bounds of a prefix; entry ids lie from `since` (inclusive) to `before` (exclusive).
    """
    c = audit_index.c
    chosen = _meant((c.entry, c.leaf, c.log), log, types, since, before)
    if outcome is not None:
        chosen = chosen.where(c.outcome == outcome)
    return tx.select(chosen.order_by(c.entry.desc()).limit(limit))


def found_with_owners(
    tx: Tx,
    log: str | None,
    *,
    types: tuple[str, str] | str | None,
    since: bytes | None,
    before: bytes | None,
    limit: int,
) -> Query:
    """Entry id, index, log, subject and actor of the hits, newest first: as `found_by`."""
    c = audit_index.c
    chosen = _meant((c.entry, c.leaf, c.log, c.subject, c.actor), log, types, since, before)
    return tx.select(chosen.order_by(c.entry.desc()).limit(limit))


def _meant(
    columns: tuple[Any, ...],
    log: str | None,
    types: tuple[str, str] | str | None,
    since: bytes | None,
    before: bytes | None,
) -> Select[Any]:
    """These columns of the entries that are meant; see `found_by`."""
    c = audit_index.c
    chosen = select(*columns)
    if log is not None:
        chosen = chosen.where(c.log == log)
    if isinstance(types, tuple):
        chosen = chosen.where(c.type >= types[0], c.type < types[1])
    elif types is not None:
        chosen = chosen.where(c.type == types)
    if since is not None:
        chosen = chosen.where(c.entry >= since)
    if before is not None:
        chosen = chosen.where(c.entry < before)
    return chosen
