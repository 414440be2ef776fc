"""One person's values, to be handed over: opened for a permit over the person whole, and sealed for a key they bring.

The file is age's (age-encryption.org/v1): X25519 and ChaCha20-Poly1305 in chunks, by a library of its own. Who holds
the key opens it with `age -d`, and needs nothing of ours.
"""

from typing import Any

import msgspec
from msgspec import Struct

from audit import AuditLog
from sayso.kernel import Invalid, Permit, Tx, Work, iso, text
from vault import events
from vault.fields.collections import Collections
from vault.keys.keyring import Keyring
from vault.records.values import values

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
    opened = yield from values(keyring, audit, tx, collections, subject, permit, approved=approved)
    names = [f"{name}.{field}" for name, fields in opened.values.items() for field in fields]
    entry = audit.append(tx, events.exported(permit, names, reason), opened.key)
    return Portable(FORMAT, text("sub", subject), iso(tx.context.at), entry, opened.values, list(opened.withheld))


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
