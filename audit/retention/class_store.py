"""The SQL of classes: into which log entries go now, and what recovery writes there. See `store.py`."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from audit import outbox
from audit.leaf.encoding import id_of, index_of
from audit.retention.shards import class_of
from audit.store import entry_key
from audit.tables import CLASS, INDEX, audit_class, audit_outbox, audit_tree
from sayso.kernel import TENANT_OWNER, Get, Query, Tx, Values, Work


def current_of(tx: Tx, cls: str) -> Get:
    """The read of the log that the entries of a class go into: see `log_from`."""
    return tx.get(CLASS, cls)


def log_from(row: Values | None, cls: str) -> str:
    """The answer of `current_of`: a class begins with the log of its own name."""
    return str(row[0]) if row is not None else cls


def waiting_in(tx: Tx, cls: str) -> Query:
    """What lies in the outbox for a class: packed entries."""
    c = audit_outbox.c
    return tx.select(select(c.entries).where(c.log == cls))


def turned(tx: Tx) -> Query:
    """Every class whose entries go into another log than the one of its own name, and that log."""
    return tx.select(select(audit_class.c["class"], audit_class.c.log))


def classes(tx: Tx) -> Work[list[str]]:
    """Every class that has a log, or entries that wait for one."""
    trees, waiting = yield (tx.select(select(audit_tree.c.log)), tx.select(select(audit_outbox.c.log).distinct()))
    return list(dict.fromkeys(class_of(log) for (log,) in (*trees, *waiting)))


def turn_class(tx: Tx, cls: str, log: str) -> None:
    """From here on the entries of a class go into this log."""
    tx.delete(CLASS, cls)
    tx.insert(CLASS, cls, log)


def index_unknown(tx: Tx, log: str, start: int, leaves: Collection[bytes]) -> list[bytes]:
    """Index entries of which only the leaf is left, from `start` on: nobody's keys open them. Returns their ids."""
    rows: list[tuple[Any, ...]] = []
    for leaf, raw_leaf in enumerate(leaves, start):
        head = index_of(raw_leaf)
        rows.append((entry_key(id_of(raw_leaf)), log, leaf, head.type, head.out, None, TENANT_OWNER))
    tx.insert_many(INDEX, rows)
    return [row[0] for row in rows]


def drop_waiting(tx: Tx, entries: Collection[bytes]) -> Work[None]:
    """Take entries out of the outbox: they have their place in the tree."""
    c, gone = audit_outbox.c, frozenset(entries)
    chosen = select(c.bucket, c.first, c.entries).where(c.first <= max(gone), c.last >= min(gone))
    (rows,) = yield (tx.select(chosen),)
    for bucket, first, contents in rows:
        kept = [each for each in outbox.unpack(contents) if each.entry not in gone]
        own = (c.bucket == bucket, c.first == first)
        if not kept:
            tx.execute(audit_outbox.delete().where(*own), expect=1)
        elif len(kept) < sum(1 for _ in outbox.unpack(contents)):
            packed = b"".join(outbox.pack(*each) for each in kept)
            tx.execute(audit_outbox.update().where(*own).values(entries=packed, count=len(kept)), expect=1)
