"""A person's stored values, opened for what answers their own request."""

from collections.abc import Collection as Several

from sayso.kernel import Permit, Tx, Work
from vault import records
from vault.fields import Collections
from vault.keyring import Keyring


def values(
    keyring: Keyring, tx: Tx, collections: Collections, subject: bytes, permit: Permit, places: Several[str]
) -> Work[dict[str, str]]:
    """See `Vault.values`."""
    permit.demand(tenant=tx.context.tenant, subject=subject, action="export")
    wanted = [
        (name, field)
        for name, declared in collections.items()
        for field in declared.fields.values()
        if f"{name}.{field.name}" in places
    ]
    found: dict[str, str] = {}
    for collection, field in wanted:
        record, key_row = yield records.reads(tx, keyring, subject, collection, field)
        value = yield from records.opened(tx, keyring, subject, collection, field, record, key_row)
        if value is not None:
            found[f"{collection}.{field.name}"] = value
    return found
