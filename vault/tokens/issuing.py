"""Tokens for values that are stored already: for another audience, or for one use."""

from collections.abc import Sequence

from msgspec.structs import replace

from audit import AuditLog
from sayso.kernel import LOG, Tx, Work
from vault import events
from vault.fields.collections import Collections, collection_of
from vault.keys import wear
from vault.keys.keyring import Keyring
from vault.records import stored as records
from vault.records.stored import Given, UnknownSubject
from vault.records.storing import Stored, SubjectFacts, tokens_for


def issue(
    keyring: Keyring,
    audit: AuditLog,
    tx: Tx,
    collections: Collections,
    facts: SubjectFacts,
    collection: str,
    names: Sequence[str],
    audience: str,
    ttl: str,
    uses: int,
) -> Work[Stored]:
    """See `Vault.issue`."""
    declared = collection_of(collections, collection)
    fields = [declared.field(name) for name in sorted(set(names))]
    narrowed = {field.name: replace(field, token=field.token.narrowed(ttl, uses)) for field in fields}
    if not facts.known or facts.erased:
        raise UnknownSubject
    subject, tenant = facts.subject, tx.context.tenant
    classes = sorted({LOG, *(field.retention for field in fields)})
    rows = yield tuple(keyring.read(tx, subject, cls) for cls in classes)
    key_rows = dict(zip(classes, rows, strict=True))
    log_key = keyring.unwrap(tenant, subject, LOG, key_rows[LOG])
    if log_key is None:
        raise UnknownSubject
    given: list[Given] = []
    for field in fields:
        record, key_row = yield records.reads(tx, keyring, subject, collection, field)
        value = yield from records.opened(tx, keyring, subject, collection, field, record, key_row)
        if value is not None:
            given.append(records.given(narrowed[field.name], value))
    for cls, row in key_rows.items():
        # As in a store: an erasure on another node deletes these rows, and then this unit loses the race.
        if row is not None:
            wear.use(tx, subject, cls, row, len(given))
    keys = {
        cls: keyring.unwrap(tenant, subject, cls, row) or keyring.create(tx, subject, cls)
        for cls, row in key_rows.items()
        if cls in {item.field.retention for item in given}
    }
    yield from wear.settled(keyring, tx, *keys.values())
    fresh = {cls for cls in keys if key_rows[cls] is None}
    issued = yield from tokens_for(keyring, tx, subject, keys, fresh, collection, given, audience)
    entry = audit.append(tx, events.issued(subject, collection, sorted(issued), audience, ttl, uses), log_key)
    return Stored(issued, entry)
