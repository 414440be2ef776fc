"""Wrapping keys anew under another epoch. What is inside a key, and what it seals, stays as it is."""

from collections.abc import Sequence
from typing import Any

from sayso.kernel import LOG, Tx
from vault import tables
from vault.ciphers import aad
from vault.keys import epoch_store
from vault.keys.wrapped import WrappingKey

Epochs = dict[int, WrappingKey]


def data_keys(tx: Tx, epochs: Epochs, epoch: int, found: Sequence[tuple[Any, ...]]) -> None:
    """People's keys, as `epoch_store.keys_not_under` gives them. A row that was changed meanwhile loses the race."""
    tenant, fresh = tx.context.tenant, epochs[epoch]
    anew = []
    for bucket, owner, cls, version, key_version, was, wrapped, committed in found:
        whose, tail = aad.data_key_of(tenant, owner, cls), aad.key_tail
        key = epochs[was].unwrap(wrapped, whose + tail(key_version, was), committed)
        anew.append((bucket, owner, cls, version, fresh.wrap(key, whose + tail(key_version, epoch))))
    for statement, count, named in epoch_store.rewrapped_keys(epoch, anew):
        tx.execute(statement, expect=count, **named)


def own_keys(
    tx: Tx,
    epochs: Epochs,
    epoch: int,
    secrets: Sequence[tuple[Any, Sequence[tuple[Any, ...]]]],
    standing: Sequence[tuple[Any, ...]],
) -> None:
    """The tenant's own: roots of indexes and tokens and signing seeds by their table, and the standing log keys."""
    tenant, fresh = tx.context.tenant, epochs[epoch]
    for table, rows in secrets:
        for use, version, was, wrapped, committed, *_ in rows:
            key = epochs[was].unwrap(wrapped, aad.secret(tenant, use, version, was), committed)
            anew = fresh.wrap(key, aad.secret(tenant, use, version, epoch))
            where = {"purpose": use, "version": version}
            tx.execute(epoch_store.rewrap_secret(table, where, was, epoch, anew), expect=1)
    for owner, version, was, wrapped, committed in standing:
        key = epochs[was].unwrap(wrapped, aad.data_key(tenant, owner, LOG, version, was), committed)
        anew = fresh.wrap(key, aad.data_key(tenant, owner, LOG, version, epoch))
        change = epoch_store.rewrap_secret(tables.vault_standing_key, {"owner": owner}, was, epoch, anew)
        tx.execute(change, expect=1)
