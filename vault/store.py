"""Every statement of the vault, each named after the question it answers."""

from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, Table, and_, bindparam, delete, or_, select

from sayso.kernel import Prepared, Rows, bucket_of
from vault import tables

EPOCH = Rows(tables.vault_epoch)
INDEX_KEY = Rows(tables.vault_index_key)
SIGNING_KEY = Rows(tables.vault_signing_key)
STANDING_KEY = Rows(tables.vault_standing_key)
KEY = Rows(tables.vault_key)
RECORD = Rows(tables.vault_record)
INDEX = Rows(tables.vault_index)
INDEX_OF = Rows(tables.vault_index_of)
TOKEN = Rows(tables.vault_token)
TOKEN_OF = Rows(tables.vault_token_of)
TOMBSTONE = Rows(tables.vault_tombstone)


def epochs() -> Select[Any]:
    """All tenant keys, oldest first."""
    c = tables.vault_epoch.c
    return select(c.epoch, c.wrapped, c.commitment, c.provider, c.root).order_by(c.epoch)


def index_roots() -> Select[Any]:
    """All roots of indexes and tokens, oldest first."""
    c = tables.vault_index_key.c
    return select(c.purpose, c.version, c.epoch, c.wrapped, c.commitment).order_by(c.purpose, c.version)


def signing_seeds() -> Select[Any]:
    """All signing keys, oldest first."""
    c = tables.vault_signing_key.c
    return select(c.purpose, c.version, c.epoch, c.wrapped, c.commitment, c.at).order_by(c.purpose, c.version)


def standing_keys() -> Select[Any]:
    """The log keys of clients, sites and the tenant."""
    c = tables.vault_standing_key.c
    return select(c.owner, c.version, c.epoch, c.wrapped, c.commitment)


def keys_of(tenant: str, subject: bytes) -> Select[Any]:
    """A person's data keys: class, version, epoch, commitment."""
    c = tables.vault_key.c
    return (
        select(c["class"], c.version, c.epoch, c.commitment)
        .where(c.bucket == bucket_of(tenant, subject), c.owner == subject)
        .order_by(c["class"])
    )


def records_of(tenant: str, subject: bytes) -> Select[Any]:
    """What is stored of a person: collection, field, version, class, time."""
    c = tables.vault_record.c
    return (
        select(c.collection, c.field, c.version, c["class"], c.at)
        .where(c.bucket == bucket_of(tenant, subject), c.subject == subject)
        .order_by(c.collection, c.field)
    )


def tags_of(tenant: str, subject: bytes) -> Select[Any]:
    """A person's blind index tags: collection, field, name, tag."""
    c = tables.vault_index_of.c
    return select(c.collection, c.field, c.name, c.tag).where(
        c.bucket == bucket_of(tenant, subject), c.subject == subject
    )


def tokens_of(tenant: str, subject: bytes) -> Select[Any]:
    """A person's tokens: tag, collection, field, fingerprint."""
    c = tables.vault_token_of.c
    return select(c.tag, c.collection, c.field, c.fingerprint).where(
        c.bucket == bucket_of(tenant, subject), c.subject == subject
    )


_record = tables.vault_record.c
RECORDS_OF = Prepared(
    select(_record.collection, _record.field, _record.version, _record["class"], _record.at)
    .where(_record.bucket == bindparam("bucket"), _record.subject == bindparam("subject"))
    .order_by(_record.collection, _record.field)
)
"""As `records_of`, for those who ask about one person after the other."""

_of = tables.vault_token_of.c
TOKENS_OF = Prepared(
    select(_of.tag, _of.collection, _of.field, _of.fingerprint, _of.blob).where(
        _of.bucket == bindparam("bucket"), _of.subject == bindparam("subject")
    )
)
"""A person's tokens, each with what it is kept in for being issued again."""


def subjects_at(tenant: str, tag: bytes, limit: int) -> Select[Any]:
    """Who has a tag, at most `limit` of them."""
    c = tables.vault_index.c
    return select(c.subject).where(c.bucket == bucket_of(tenant, tag), c.tag == tag).order_by(c.subject).limit(limit)


def delete_keys(tenant: str, subject: bytes, classes: list[str]) -> Delete:
    """Shred a person's data keys of some classes."""
    c = tables.vault_key.c
    return delete(tables.vault_key).where(
        c.bucket == bucket_of(tenant, subject), c.owner == subject, c["class"].in_(classes)
    )


def delete_keys_beside(tenant: str, subject: bytes, kept: str) -> Delete:
    """Shred a person's data keys of all classes but one."""
    c = tables.vault_key.c
    return delete(tables.vault_key).where(
        c.bucket == bucket_of(tenant, subject), c.owner == subject, c["class"] != kept
    )


def delete_records(tenant: str, subject: bytes, records: list[tuple[str, str, int]]) -> Delete:
    """Delete a person's values: collection, field, and the version that was read."""
    c = tables.vault_record.c
    read = (and_(c.collection == place, c.field == field, c.version == version) for place, field, version in records)
    return _delete_of(tables.vault_record, tenant, subject).where(or_(*read))


def delete_records_under(tenant: str, subject: bytes, classes: list[str]) -> Delete:
    """Delete whatever else lies under keys of some classes."""
    return _delete_of(tables.vault_record, tenant, subject).where(tables.vault_record.c["class"].in_(classes))


def delete_everything(tenant: str, subject: bytes) -> tuple[Delete, Delete, Delete]:
    """Delete all of a person's values, and all that says which tags and tokens they have."""
    whole = (tables.vault_record, tables.vault_index_of, tables.vault_token_of)
    records, tags, tokens = (_delete_of(table, tenant, subject) for table in whole)
    return records, tags, tokens


def delete_tags(tenant: str, subject: bytes, places: list[tuple[str, str]]) -> Delete:
    """Delete what says which tags a person has at some places (collection, field)."""
    return _delete_of(tables.vault_index_of, tenant, subject).where(_at(tables.vault_index_of, places))


def delete_tokens(tenant: str, subject: bytes, places: list[tuple[str, str]]) -> Delete:
    """Delete what says which tokens a person has at some places."""
    return _delete_of(tables.vault_token_of, tenant, subject).where(_at(tables.vault_token_of, places))


def _delete_of(table: Table, tenant: str, subject: bytes) -> Delete:
    return delete(table).where(table.c.bucket == bucket_of(tenant, subject), table.c.subject == subject)


def _at(table: Table, places: list[tuple[str, str]]) -> ColumnElement[bool]:
    c = table.c
    return or_(*(and_(c.collection == collection, c.field == field) for collection, field in places))
