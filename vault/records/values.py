"""A person's stored values, opened side by side for a permit over the person whole: what answers their own request.

What is held back (a guard, tokens that end by themselves, a rule that asks for somebody else) stays closed here unless
a second person agreed: no way round leads past the guard. Of a canary an alarm sounds, as everywhere.
"""

from collections.abc import Collection as Several

from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, Permit, Tx, Work, bucket_of, together
from vault import store
from vault.fields.collections import Collections, Field
from vault.keys.keyring import Keyring
from vault.keys.wrapped import DataKey
from vault.opening import canaries
from vault.opening.guarding import way
from vault.records import stored as records


class Opened(Struct, frozen=True):
    """Values by collection and field, and the names of those that are there and stay closed. `key` is the person's."""

    values: dict[str, dict[str, str]]
    withheld: tuple[str, ...]
    key: DataKey | None

    def __repr__(self) -> str:
        return f"<Opened {len(self.values)}>"


def values(
    keyring: Keyring,
    audit: AuditLog,
    tx: Tx,
    collections: Collections,
    subject: bytes,
    permit: Permit,
    places: Several[str] | None = None,
    *,
    approved: bool = False,
) -> Work[Opened]:
    """See `Vault.values`."""
    tenant = tx.context.tenant
    permit.demand(tenant=tenant, subject=subject, action="export")
    rows, key_row, canary = yield (
        tx.query(store.RECORDS_OF, bucket=bucket_of(tenant, subject), subject=subject),
        keyring.read(tx, subject),
        canaries.read(tx, subject),
    )
    stored = [
        (name, collections[name].fields[field])
        for name, field, *_ in rows
        if name in collections and field in collections[name].fields and (places is None or f"{name}.{field}" in places)
    ]
    closed = [place for place in stored if not _open(place[1], permit, approved=approved)]

    def one(name: str, field: Field) -> Work[str | None]:
        record, row = yield records.reads(tx, keyring, subject, name, field)
        return (yield from records.opened(tx, keyring, subject, name, field, record, row))

    shown = [place for place in stored if place not in closed]
    opened = yield from together(one(name, field) for name, field in shown)
    found: dict[str, dict[str, str]] = {}
    for (name, field), value in zip(shown, opened, strict=True):
        if value is not None:
            found.setdefault(name, {})[field.name] = value
    log_key = keyring.unwrap(tenant, subject, LOG, key_row)
    if canary is not None:
        canaries.sound(audit, tx, subject, log_key, permit.purpose)
    return Opened(found, tuple(f"{name}.{field.name}" for name, field in closed), log_key)


def _open(field: Field, permit: Permit, *, approved: bool) -> bool:
    """Whether the field's values may be opened for this permit. Nobody breaks glass to answer a request."""
    if field.token.limited and not approved:
        return False
    return way(field.guards, permit.obligations, approved=approved, glass=False) is not None
