"""The SQL of pruning. See `store.py`, and `pruning.py` for what it is for."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from audit.tables import BUNDLE, DETAIL, INDEX, PRUNED, SUBJECT, audit_bundle, audit_pruned
from sayso.kernel import Get, Query, Tx, Values, bucket_of


class Pruned(NamedTuple):
    """Of a log: the index below which it was pruned, the ids between which all lie that were (both inclusive), and the
    entry that says so.
    """

    below: int
    first: bytes
    last: bytes
    entry: bytes


def pruned_of(tx: Tx, log: str) -> Get:
    """The read of what was pruned of a log: see `pruned_from`."""
    return tx.get(PRUNED, log)


def pruned_from(row: Values | None) -> Pruned | None:
    """The answer of `pruned_of`."""
    return Pruned(*row) if row is not None else None


def all_pruned(tx: Tx) -> Query:
    """Log, index below which it was pruned, smallest and largest id of what was."""
    c = audit_pruned.c
    return tx.select(select(c.log, c.below, c.first, c.last))


def keep(tx: Tx, log: str, pruned: Pruned) -> None:
    """From this commit on the entries below an index are pruned, whatever of them is still to be deleted."""
    tx.delete(PRUNED, log)
    tx.insert(PRUNED, log, *pruned)


def bundles_below(tx: Tx, log: str, end: int, limit: int) -> Query:
    """Number and entries of the first bundles that are still there below bundle `end`."""
    c = audit_bundle.c
    chosen = select(c.number, c.entries).where(c.log == log, c.number < end)
    return tx.select(chosen.order_by(c.number).limit(limit))


def drop(tx: Tx, log: str, bundles: Sequence[int], entries: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Delete bundles, and of their entries (id, and whom they are about) the index and the openings that are theirs."""
    tenant = tx.context.tenant
    tx.delete_many(BUNDLE, [(log, number) for number in bundles])
    tx.delete_many(INDEX, [(entry,) for entry, _ in entries])
    tx.delete_many(DETAIL, [(entry,) for entry, _ in entries])
    about = [(bucket_of(tenant, subject), subject, entry) for entry, subject in entries if subject is not None]
    if about:
        tx.delete_many(SUBJECT, about)
