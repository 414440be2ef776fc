"""Erasing: the keys go first, and with them every copy of what they sealed, wherever it lies.

What is deleted here is gone from the live store at once (`shredded`). Copies in backups open until the tenant key's
epoch that wrapped the keys is destroyed (`final`): the tombstone names that epoch.
"""

from collections.abc import Collection as Several
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, Permit, Query, Tx, Work, bucket_of, new_raw, text
from vault import events, store
from vault.keys.keyring import Keyring
from vault.keys.wear import CARRIED, forerunners_in
from vault.keys.wrapped import FORMER, DataKey

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
    carried: list[Any] = []


def held(tx: Tx, subject: bytes) -> Work[tuple[Held, ...]]:
    """See `Vault.held`."""
    (rows,) = yield (tx.query(store.RECORDS_OF, bucket=bucket_of(tx.context.tenant, subject), subject=subject),)
    return tuple(Held(collection, field, cls, version, at) for collection, field, version, cls, at in rows)


def shred(
    keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes, permit: Permit, classes: Several[str] | None
) -> Work[Tombstone]:
    """See `Vault.shred`."""
    permit.demand(tenant=tx.context.tenant, subject=subject, action="erase")
    stock = yield from _stock(tx, subject)
    if classes is None:
        log_key = None
        tombstone = _destroy_all(tx, subject, stock)
    else:
        doomed = {row[0] for row in stock.keys if row[0] in classes}
        places = {(row[0], row[1]) for row in stock.records if row[3] in doomed}
        log_key = None if LOG in doomed else (yield from _log_key(keyring, tx, subject))
        tombstone = _destroy(tx, subject, stock, places, doomed)
    event = events.shredded(
        subject,
        keys=len(tombstone.keys),
        records=tombstone.records,
        epoch=tombstone.epoch,
        tombstone=tombstone.tombstone,
    )
    return msgspec.structs.replace(tombstone, entry=audit.append(tx, event, log_key))


def shred_proof(audit: AuditLog, tx: Tx, subject: bytes) -> Work[Tombstone]:
    """See `Vault.shred_proof`."""
    stock = yield from _stock(tx, subject)
    tombstone = _destroy(tx, subject, stock, set(), {PROOF})
    keys, epoch = len(tombstone.keys), tombstone.epoch
    event = events.shredded(subject, keys=keys, records=0, epoch=epoch, tombstone=tombstone.tombstone)
    # The log key went with the erasure: to the log this is about nobody.
    return msgspec.structs.replace(tombstone, entry=audit.append(tx, event, None))


def again(keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes, classes: Several[str]) -> Work[Tombstone]:
    """See `Vault.shred_again`."""
    stock = yield from _stock(tx, subject)
    doomed = {row[0] for row in stock.keys if row[0] in classes}
    left = {row[0] for row in stock.keys} - doomed
    places = {(row[0], row[1]) for row in stock.records if row[3] not in left}
    log_key = None if LOG in doomed else (yield from _log_key(keyring, tx, subject))
    tombstone = _destroy(tx, subject, stock, places, doomed)
    keys, records, epoch = len(tombstone.keys), tombstone.records, tombstone.epoch
    event = events.shredded(subject, keys=keys, records=records, epoch=epoch, tombstone=tombstone.tombstone)
    return msgspec.structs.replace(tombstone, entry=audit.append(tx, event, log_key))


def expire(
    keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes, places: Several[Place], ground: str
) -> Work[Tombstone]:
    """See `Vault.expire`."""
    stock = yield from _stock(tx, subject)
    gone = {(row[0], row[1]) for row in stock.records} & set(places)
    kept = {row[3] for row in stock.records if (row[0], row[1]) not in gone}
    doomed = {row[3] for row in stock.records if (row[0], row[1]) in gone} - kept
    log_key = yield from _log_key(keyring, tx, subject)
    tombstone = _destroy(tx, subject, stock, gone, doomed)
    names = sorted(f"{collection}.{field}" for collection, field in gone)
    event = events.expired(subject, fields=names, ground=ground)
    tx.publish(events.EXPIRED, subject, b"")
    return msgspec.structs.replace(tombstone, entry=audit.append(tx, event, log_key))


def _log_key(keyring: Keyring, tx: Tx, subject: bytes) -> Work[DataKey | None]:
    (row,) = yield (keyring.read(tx, subject),)
    return keyring.unwrap(tx.context.tenant, subject, LOG, row)


def _stock(tx: Tx, subject: bytes) -> Work[_Stock]:
    whose = _whose(tx, subject)
    questions = (store.KEYS_OF, store.RECORDS_OF, store.TAGS_OF, store.TOKENS_OF)
    reads: tuple[Query, ...] = tuple(tx.query(question, **whose) for question in questions)
    keys, records, tags, tokens = yield reads
    carried = [row for row in tokens if row[1] == CARRIED]
    return _Stock(keys, records, tags, [row for row in tokens if row[1] != CARRIED], carried)


def _whose(tx: Tx, subject: bytes) -> dict[str, Any]:
    return {"bucket": bucket_of(tx.context.tenant, subject), "subject": subject}


def _destroy_all(tx: Tx, subject: bytes, stock: _Stock) -> Tombstone:
    """Delete everything of a person but the key of proofs. Loses the race when something was stored meanwhile."""
    whose = _whose(tx, subject)
    keys = [row for row in stock.keys if row[0] != PROOF]
    # Keys first: whoever stores for this person right now holds the log key's row, and this statement waits for it.
    tx.execute(store.DELETE_KEYS_BESIDE, expect=len(keys), kept=PROOF, **whose)
    _delete_records(tx, subject, stock.records)
    tx.execute(store.DELETE_RECORDS, expect=0, **whose)
    tx.execute(store.DELETE_TAGS, **whose)
    tx.execute(store.DELETE_TOKENS, **whose)
    tx.delete(store.CANARY, subject)
    return _bury(tx, subject, keys, stock, stock.carried)


def _destroy(tx: Tx, subject: bytes, stock: _Stock, places: set[Place], classes: set[str]) -> Tombstone:
    """Delete keys of `classes` and everything at `places`. Loses the race when something was stored there meanwhile."""
    # With a key goes the one whose place it took a moment ago.
    classes = classes | {row[0] for row in stock.keys if row[0][:1] == FORMER and row[0][1:] in classes}
    whose, at, under = _whose(tx, subject), sorted(places), [(cls,) for cls in sorted(classes)]
    gone = _Stock(
        [row for row in stock.keys if row[0] in classes],
        [row for row in stock.records if (row[0], row[1]) in places],
        [row for row in stock.tags if (row[0], row[1]) in places],
        [row for row in stock.tokens if (row[1], row[2]) in places],
    )
    if gone.keys:
        doomed = store.named(("class",), under)
        tx.execute(store.delete_keys(len(under)), expect=len(gone.keys), **doomed, **whose)
    _delete_records(tx, subject, gone.records)
    if gone.keys:
        tx.execute(store.delete_records_under(len(under)), expect=0, **store.named(("class",), under), **whose)
    if at:
        there = store.named(("collection", "field"), at)
        tx.execute(store.delete_tags(len(at)), **there, **whose)
        tx.execute(store.delete_tokens(len(at)), **there, **whose)
    carried = [row for row in stock.carried if row[2] in classes]
    for row in carried:
        tx.delete(store.TOKEN_OF, subject, bytes(row[0]))
    return _bury(tx, subject, gone.keys, gone, carried)


def _delete_records(tx: Tx, subject: bytes, records: list[Any]) -> None:
    """Delete values by the version that was read. Every store raises it, so tags and tokens are as read too."""
    if records:
        read = [(row[0], row[1], row[2]) for row in records]
        values = store.named(("collection", "field", "version"), read)
        tx.execute(store.delete_records(len(read)), expect=len(read), **values, **_whose(tx, subject))


def _bury(tx: Tx, subject: bytes, keys: list[Any], gone: _Stock, carried: list[Any]) -> Tombstone:
    """Delete the look-up rows, which lie in other buckets, and write down what is no more.

    Forerunners of a key are named as well: they went long ago, and an old copy of the database has them still.
    """
    for _, _, _, tag in gone.tags:
        tx.delete(store.INDEX, tag, subject)
    for _, _, _, fingerprint, _ in gone.tokens:
        tx.delete(store.TOKEN, fingerprint)
    for cls, *_ in keys:
        tx.delete(store.WEAR, subject, cls)
    raw = new_raw()
    before = [
        (row[2], each.version, each.epoch, each.commitment) for row in carried for each in forerunners_in(row[1:])
    ]
    named = {bytes(key[3]): key for key in (*before, *keys)}
    destroyed = tuple(
        DestroyedKey(cls, epoch, commitment.hex(), version) for cls, version, epoch, commitment in named.values()
    )
    newest = max((key.epoch for key in destroyed), default=0)
    tx.insert(store.TOMBSTONE, raw, newest, msgspec.json.encode(destroyed), tx.context.at)
    return Tombstone(text("tmb", raw), newest, destroyed, len(gone.records), len(gone.tags), len(gone.tokens), "")
