"""Erasing: the keys go first, and with them every copy of what they sealed, wherever it lies.

What is deleted here is gone from the live store at once (`shredded`). Copies in backups open until the tenant key's
epoch that wrapped the keys is destroyed (`final`): the tombstone names that epoch.
"""

from collections.abc import Collection as Several
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, Permit, Query, Tx, Work, new_raw
from vault import events, store
from vault.fields import RESERVED_CLASSES
from vault.keyring import Keyring

PROOF: Final = "proof"
"""The class of proof capsules. It outlives an erasure and is shredded by its own term, by name."""

Place = tuple[str, str]
"""Collection and field."""


class DestroyedKey(Struct, frozen=True):
    """One data key that is no more. `key` is its commitment in hex: it fits no other key, and opens nothing."""

    cls: str
    epoch: int
    key: str
    version: int


class Tombstone(Struct, frozen=True):
    """What was destroyed, for the certificate. `epoch` is the newest tenant key that wrapped any of it."""

    tombstone: str
    epoch: int
    keys: tuple[DestroyedKey, ...]
    records: int
    tags: int
    tokens: int
    entry: str


class Held(Struct, frozen=True):
    """One value that is stored, without the value."""

    collection: str
    field: str
    cls: str
    version: int
    at: int


class _Stock(Struct, frozen=True):
    """All rows of one person."""

    keys: list[Any]
    records: list[Any]
    tags: list[Any]
    tokens: list[Any]


def held(tx: Tx, subject: bytes) -> Work[tuple[Held, ...]]:
    """See `Vault.held`."""
    (rows,) = yield (tx.select(store.records_of(tx.context.tenant, subject)),)
    return tuple(Held(collection, field, cls, version, at) for collection, field, version, cls, at in rows)


def shred(
    keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes, permit: Permit, classes: Several[str] | None
) -> Work[Tombstone]:
    """See `Vault.shred`."""
    permit.demand(tenant=tx.context.tenant, subject=subject, action="erase")
    stock = yield from _stock(tx, subject)
    doomed = {row[0] for row in stock.keys if (row[0] != PROOF if classes is None else row[0] in classes)}
    places = {(row[0], row[1]) for row in stock.records if row[3] in doomed}
    if doomed.issuperset(row[0] for row in stock.keys if row[0] not in RESERVED_CLASSES):
        # The last class of data goes: nothing may stay behind, not even a row that points at nothing.
        places |= {(row[0], row[1]) for row in (*stock.records, *stock.tags)}
        places |= {(row[1], row[2]) for row in stock.tokens}
    (log_row,) = yield (keyring.read(tx, subject),)
    log_key = None if LOG in doomed else keyring.unwrap(tx.context.tenant, subject, LOG, log_row)
    if log_key is not None:
        # Held until the commit, so that nothing is stored meanwhile under a key that is about to go.
        tx.put(store.KEY, (subject, LOG), log_row, was=log_row)
    tombstone = _destroy(tx, subject, stock, places, doomed)
    event = events.shredded(
        subject,
        keys=len(tombstone.keys),
        records=tombstone.records,
        epoch=tombstone.epoch,
        tombstone=tombstone.tombstone,
    )
    return msgspec.structs.replace(tombstone, entry=audit.append(tx, event, log_key))


def expire(
    keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes, places: Several[Place], ground: str
) -> Work[Tombstone]:
    """See `Vault.expire`."""
    stock = yield from _stock(tx, subject)
    gone = {(row[0], row[1]) for row in stock.records} & set(places)
    kept = {row[3] for row in stock.records if (row[0], row[1]) not in gone}
    doomed = {row[3] for row in stock.records if (row[0], row[1]) in gone} - kept
    (log_row,) = yield (keyring.read(tx, subject),)
    log_key = keyring.unwrap(tx.context.tenant, subject, LOG, log_row)
    if log_key is not None:
        tx.put(store.KEY, (subject, LOG), log_row, was=log_row)
    tombstone = _destroy(tx, subject, stock, gone, doomed)
    names = sorted(f"{collection}.{field}" for collection, field in gone)
    return msgspec.structs.replace(
        tombstone, entry=audit.append(tx, events.expired(subject, fields=names, ground=ground), log_key)
    )


def _stock(tx: Tx, subject: bytes) -> Work[_Stock]:
    tenant = tx.context.tenant
    questions = (store.keys_of, store.records_of, store.tags_of, store.tokens_of)
    reads: tuple[Query, ...] = tuple(tx.select(question(tenant, subject)) for question in questions)
    return _Stock(*(yield reads))


def _destroy(tx: Tx, subject: bytes, stock: _Stock, places: set[Place], classes: set[str]) -> Tombstone:
    """Delete keys of `classes` and everything at `places`. Loses the race when something was added meanwhile."""
    tenant = tx.context.tenant
    keys = [row for row in stock.keys if row[0] in classes]
    records = [row for row in stock.records if (row[0], row[1]) in places]
    tags = [row for row in stock.tags if (row[0], row[1]) in places]
    tokens = [row for row in stock.tokens if (row[1], row[2]) in places]
    for _, _, _, tag in tags:
        tx.delete(store.INDEX, tag, subject)
    for _, _, _, fingerprint in tokens:
        tx.delete(store.TOKEN, fingerprint)
    # Keys first: who stores for this person right now holds the log key's row, and this waits for it.
    if keys:
        tx.execute(store.delete_keys(tenant, subject, sorted(classes)), expect=len(keys))
    if places:
        listed = sorted(places)
        tx.execute(store.delete_records(tenant, subject, listed), expect=len(records))
        tx.execute(store.delete_tags(tenant, subject, listed), expect=len(tags))
        tx.execute(store.delete_tokens(tenant, subject, listed), expect=len(tokens))
    raw = new_raw()
    destroyed = tuple(DestroyedKey(cls, epoch, commitment.hex(), version) for cls, version, epoch, commitment in keys)
    newest = max((key.epoch for key in destroyed), default=0)
    tombstone = Tombstone(f"tmb_{raw.hex()}", newest, destroyed, len(records), len(tags), len(tokens), "")
    tx.insert(store.TOMBSTONE, raw, newest, msgspec.json.encode(destroyed), tx.context.at)
    return tombstone
