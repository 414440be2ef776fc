"""Storing a record: seal, index, issue tokens, tell the log."""

from typing import Final

from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, Invalid, Tx, Values, Work
from vault import events, store
from vault.ciphers.derive import hmac_sha256, parts
from vault.ciphers.index import TAG_BYTES
from vault.fields.collections import Collections
from vault.fields.normalise import normaliser_of
from vault.keys import wear
from vault.keys.keyring import Keyring
from vault.keys.wrapped import DataKey
from vault.opening import search
from vault.records import stored as records
from vault.records.stored import Given, UnknownSubject
from vault.tokens import rows as tokens

MOST_FIELDS: Final = 100


class SubjectFacts(Struct, frozen=True):
    """What the registry knows of a person, read by the caller in the same unit."""

    subject: bytes
    known: bool
    erased: bool


class Stored(Struct, frozen=True):
    """A token for each field stored, and the log's entry."""

    tokens: dict[str, str]
    entry: str


def store_record(
    keyring: Keyring,
    audit: AuditLog,
    tx: Tx,
    collections: Collections,
    facts: SubjectFacts,
    collection: str,
    fields: dict[str, str],
    audience: str,
) -> Work[Stored]:
    """See `Vault.store`."""
    if not 1 <= len(fields) <= MOST_FIELDS:
        raise Invalid("invalid-record", f"A record has 1 to {MOST_FIELDS} fields.")
    given = records.given_all(collections, collection, fields)
    if not facts.known or facts.erased:
        raise UnknownSubject
    subject, tenant = facts.subject, tx.context.tenant
    classes = sorted({item.field.retention for item in given})
    tagged = [(item, name) for item in given for name in item.field.indexes]
    rows = yield (
        keyring.read(tx, subject),
        *(keyring.read(tx, subject, cls) for cls in classes),
        *(tx.get(store.RECORD, subject, collection, item.field.name) for item in given),
        *(tx.get(store.INDEX_OF, subject, collection, item.field.name, name) for item, name in tagged),
    )
    log_row, key_rows = rows[0], dict(zip(classes, rows[1:], strict=False))
    record_rows, tag_rows = rows[1 + len(classes) :][: len(given)], rows[1 + len(classes) + len(given) :]
    log_key = keyring.unwrap(tenant, subject, LOG, log_row)
    if log_key is None:
        raise UnknownSubject
    # An erasure on another node deletes these rows, a sweep wraps them anew; then this unit loses the race and decides
    # again.
    for cls, row in ((LOG, log_row), *key_rows.items()):
        if row is not None:
            wear.use(tx, subject, cls, row, 2 * len(given))
    keys = {
        cls: keyring.unwrap(tenant, subject, cls, row) or keyring.create(tx, subject, cls)
        for cls, row in key_rows.items()
    }
    yield from wear.settled(keyring, tx, *keys.values())
    for item, row in zip(given, record_rows, strict=True):
        records.put(tx, keys[item.field.retention], collection, item, row)
    for (item, name), row in zip(tagged, tag_rows, strict=True):
        _put_tag(keyring, tx, subject, collection, item, name, row)
    # Under a key that was made a moment ago nothing can have been issued.
    fresh = {cls for cls, row in key_rows.items() if row is None}
    issued = yield from tokens_for(keyring, tx, subject, keys, fresh, collection, given, audience)
    entry = audit.append(tx, events.stored(subject, collection, sorted(issued), audience), log_key)
    tx.publish(events.STORED, subject, b"")
    return Stored(issued, entry)


def _put_tag(
    keyring: Keyring, tx: Tx, subject: bytes, collection: str, item: Given, name: str, row: Values | None
) -> None:
    """The value's tag in place of the one it had."""
    index = keyring.of(tx.context.tenant).index
    tag = search.tag_of(index, collection, item, name)
    if row is not None:
        if row[1] == tag:
            return
        tx.delete(store.INDEX, row[1], subject)
    tx.insert(store.INDEX, tag, subject)
    values = (1 if row is None else row[0] + 1, tag, index.version, normaliser_of(item.field.type).version)
    tx.put(store.INDEX_OF, (subject, collection, item.field.name, name), values, was=row)


def tokens_for(
    keyring: Keyring,
    tx: Tx,
    subject: bytes,
    keys: dict[str, DataKey],
    fresh: set[str],
    collection: str,
    given: list[Given],
    audience: str,
) -> Work[dict[str, str]]:
    """The tokens that the values have for this audience, or new ones: always new where a token ends by itself."""
    secrets = keyring.of(tx.context.tenant).token
    under = {cls: key.derive(wear.TOKEN) for cls, key in keys.items()}
    tags = {item.field.name: _value_tag(under[item.field.retention], collection, item, audience) for item in given}
    asked = [item.field.name for item in given if item.field.retention not in fresh and not item.field.token.limited]
    rows = yield tuple(tx.get(store.TOKEN_OF, subject, tags[name]) for name in asked)
    held = {name: row for name, row in zip(asked, rows, strict=True) if row is not None}
    issued: dict[str, str] = {}
    for item in given:
        name, key, terms = item.field.name, keys[item.field.retention], item.field.token
        if name in held:
            issued[name] = tokens.reopened(key, tags[name], held[name])
        else:
            issued[name] = tokens.issue(tx, secrets, key, tags[name], collection, name, audience, terms)
    return issued


def _value_tag(secret: bytes, collection: str, item: Given, audience: str) -> bytes:
    """Finds the token that a value already has. `secret` is the person's own: equal values of two people differ."""
    message = parts(audience.encode(), collection.encode(), item.field.name.encode(), item.canonical.encode())
    return hmac_sha256(secret, message)[:TAG_BYTES]
