"""One person's values, to be handed over: opened for a permit over the person whole, and sealed for a key they bring.

The file is age's (age-encryption.org/v1): X25519 and ChaCha20-Poly1305 in chunks, by a library of its own. Who holds
the key opens it with `age -d`, and needs nothing of ours.
"""

from typing import Any

import msgspec
from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, Invalid, Permit, Tx, Work, bucket_of, iso, text, together
from vault import canaries, events, records, store
from vault.fields import Collections, Field
from vault.keyring import Keyring

FORMAT = "sayso.vault.person.v1"


class NoAge(Invalid):
    def __init__(self) -> None:
        super().__init__("age-missing", "This needs a library: pip install 'sayso[age]'.", extra="age")


class InvalidRecipient(Invalid):
    def __init__(self) -> None:
        super().__init__("invalid-recipient", "A recipient is a public key of age: age1 and 58 more characters.")


class Portable(Struct, frozen=True):
    """What is stored of a person by collection and field, the values included. `withheld` needs a second person."""

    format: str
    subject: str
    made_at: str
    entry: str
    values: dict[str, dict[str, str]]
    withheld: list[str]

    def __repr__(self) -> str:
        return f"<Portable {self.entry}>"


def collect(
    keyring: Keyring,
    audit: AuditLog,
    tx: Tx,
    collections: Collections,
    subject: bytes,
    permit: Permit,
    reason: str,
    *,
    approved: bool,
) -> Work[Portable]:
    """See `Vault.export`."""
    tenant = tx.context.tenant
    permit.demand(tenant=tenant, subject=subject, action="export")
    rows, key_row, canary = yield (
        tx.query(store.RECORDS_OF, bucket=bucket_of(tenant, subject), subject=subject),
        keyring.read(tx, subject),
        canaries.read(tx, subject),
    )
    places = [
        (name, collections[name].fields[field])
        for name, field, *_ in rows
        if name in collections and field in collections[name].fields
    ]
    withheld = [f"{name}.{field.name}" for name, field in places if field.guards and not approved]
    shown = [(name, field) for name, field in places if not field.guards or approved]

    def one(name: str, field: Field) -> Work[str | None]:
        record, row = yield records.reads(tx, keyring, subject, name, field)
        return (yield from records.opened(tx, keyring, subject, name, field, record, row))

    opened = yield from together(one(name, field) for name, field in shown)
    values: dict[str, dict[str, str]] = {}
    for (name, field), value in zip(shown, opened, strict=True):
        if value is not None:
            values.setdefault(name, {})[field.name] = value
    log_key = keyring.unwrap(tenant, subject, LOG, key_row)
    names = [f"{name}.{field.name}" for name, field in shown]
    entry = audit.append(tx, events.exported(permit, names, reason), log_key)
    if canary is not None:
        audit.append(tx, events.alarm("canary", subject, purpose=permit.purpose), log_key)
        tx.publish(events.ALARM, subject, b"")
    return Portable(FORMAT, text("sub", subject), iso(tx.context.at), entry, values, withheld)


def recipient_of(key: str) -> Any:
    """The public key of age that a text is. Raises `InvalidRecipient`, `NoAge`."""
    try:
        from pyrage import RecipientError, x25519
    except ImportError:
        raise NoAge from None
    try:
        return x25519.Recipient.from_str(key)
    except RecipientError:
        raise InvalidRecipient from None


def sealed_for(recipient: Any, portable: Portable) -> bytes:
    """The person's values as an age file of one JSON object."""
    from pyrage import encrypt

    content: bytes = encrypt(msgspec.json.format(msgspec.json.encode(portable), indent=2), [recipient])
    return content
