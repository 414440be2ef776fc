"""Statements of the renewal of worn keys."""

from typing import Any

from sqlalchemy import Select, Update, select, update

from sayso.kernel import bucket_of
from vault import tables


def worn(limit: int) -> Select[Any]:
    """Worn keys: owner and class. There are hardly ever any."""
    c = tables.vault_wear.c
    return select(c.owner, c["class"]).order_by(c.bucket, c.owner, c["class"]).limit(limit)


def records(tenant: str, subject: bytes, cls: str) -> Select[Any]:
    """A person's values under keys of a class: collection, field, version, blob."""
    c = tables.vault_record.c
    of = (c.bucket == bucket_of(tenant, subject), c.subject == subject, c["class"] == cls)
    return select(c.collection, c.field, c.version, c.blob).where(*of).order_by(c.collection, c.field)


def tokens(tenant: str, subject: bytes, after: bytes, limit: int) -> Select[Any]:
    """A person's tokens behind a tag, in order: tag, what is kept of it."""
    c = tables.vault_token_of.c
    of = (c.bucket == bucket_of(tenant, subject), c.subject == subject, c.tag > after)
    return select(c.tag, c.blob).where(*of).order_by(c.tag).limit(limit)


def value_sealed_anew(tenant: str, subject: bytes, place: tuple[str, str, int], was: bytes, blob: bytes) -> Update:
    """A value under the new key; it must still be the version, and the bytes, that were read."""
    table, (collection, field, version) = tables.vault_record, place
    c = table.c
    of = (c.bucket == bucket_of(tenant, subject), c.subject == subject)
    same = (c.collection == collection, c.field == field, c.version == version, c.blob == was)
    return update(table).where(*of, *same).values(blob=blob)


def token_sealed_anew(tenant: str, subject: bytes, tag: bytes, was: bytes, blob: bytes) -> Update:
    """What is kept of a token, under the new key."""
    table = tables.vault_token_of
    c = table.c
    of = (c.bucket == bucket_of(tenant, subject), c.subject == subject)
    return update(table).where(*of, c.tag == tag, c.blob == was).values(blob=blob)
