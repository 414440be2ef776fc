"""A person's stored values: which keys they lie under, how one is written and how it is opened."""

from typing import Any

from msgspec import Struct

from sayso.kernel import Get, NotFound, Tx, Work
from vault import store
from vault.fields.collections import Collections, Field, collection_of
from vault.fields.normalise import InvalidValue, canonical, tidy
from vault.keys import wear
from vault.keys.keyring import Keyring
from vault.keys.wrapped import DataKey


class UnknownSubject(NotFound):
    def __init__(self) -> None:
        super().__init__("no-subject", "Nobody here is known by that name.")


class Given(Struct, frozen=True):
    """A value as a caller gave it, with what its field declares."""

    field: Field
    value: str
    canonical: str

    def __repr__(self) -> str:
        return f"<Given {self.field.name}>"


def given(field: Field, value: str) -> Given:
    """Raises `InvalidValue`, which names the field and never the value."""
    try:
        return Given(field, tidy(value), canonical(field.type, value, field.region))
    except InvalidValue:
        raise InvalidValue(field.type, field.name) from None


def check_values(collections: Collections, collection: str, fields: dict[str, str]) -> None:
    """Raises as `Vault.store` does for a field that does not exist, and for a value that it does not take."""
    given_all(collections, collection, fields)


def given_all(collections: Collections, collection: str, fields: dict[str, str]) -> list[Given]:
    """All values of one record, by field name. Raises before anything is read."""
    declared = collection_of(collections, collection)
    return [given(declared.field(name), value) for name, value in sorted(fields.items())]


def put(tx: Tx, key: DataKey, collection: str, item: Given, row: tuple[Any, ...] | None) -> None:
    """Write a value in place of `row`. Its version goes up by one and into what the blob is bound to."""
    field = item.field
    version = 1 if row is None else row[0] + 1
    blob = key.seal(collection, field.name, item.value.encode(), version, field.pad)
    tx.put(store.RECORD, (key.owner, collection, field.name), (version, key.cls, blob, tx.context.at), was=row)


def reads(tx: Tx, keyring: Keyring, subject: bytes, collection: str, field: Field) -> tuple[Get, Get]:
    """The reads that `opened` needs: the record, and the key of the class that its field declares."""
    return tx.get(store.RECORD, subject, collection, field.name), keyring.read(tx, subject, field.retention)


def opened(
    tx: Tx,
    keyring: Keyring,
    subject: bytes,
    collection: str,
    field: Field,
    record: tuple[Any, ...] | None,
    key_row: tuple[Any, ...] | None,
) -> Work[str | None]:
    """The value, or None when there is none or its key is gone. Raises `BrokenSeal`."""
    if record is None:
        return None
    version, cls, blob, _ = record
    if cls != field.retention:
        # Stored before the manifest gave the field another class.
        (key_row,) = yield (keyring.read(tx, subject, cls),)
    key = keyring.unwrap(tx.context.tenant, subject, cls, key_row)
    yield from wear.settled(keyring, tx, key)
    return None if key is None else key.open(collection, field.name, blob, version).decode()
