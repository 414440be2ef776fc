"""Every statement of the vault, each named after the question it answers."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, delete, literal_column, or_, select, union_all

from sayso.kernel import Prepared, Rows, bucket_of
from vault import tables
from vault.keys.epoch import Epoch

EPOCH = Rows(tables.vault_epoch)
INDEX_KEY = Rows(tables.vault_index_key)
SIGNING_KEY = Rows(tables.vault_signing_key)
STANDING_KEY = Rows(tables.vault_standing_key)
ROLL = Rows(tables.vault_roll)
KEY = Rows(tables.vault_key)
WEAR = Rows(tables.vault_wear)
RECORD = Rows(tables.vault_record)
INDEX = Rows(tables.vault_index)
INDEX_OF = Rows(tables.vault_index_of)
TOKEN = Rows(tables.vault_token)
TOKEN_OF = Rows(tables.vault_token_of)
TOKEN_END = Rows(tables.vault_token_end)
GRANT = Rows(tables.vault_grant)
CANARY = Rows(tables.vault_canary)
TOMBSTONE = Rows(tables.vault_tombstone)


def epochs() -> Select[Any]:
    """All tenant keys, oldest first."""
    c = tables.vault_epoch.c
    return select(*(c[name] for name in Epoch.__struct_fields__)).order_by(c.epoch)


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


def _of_person(table: Table, *columns: ColumnElement[Any], owner: str = "subject") -> Prepared:
    c = table.c
    own = c.bucket == bindparam("bucket"), c[owner] == bindparam("subject")
    return Prepared(select(*columns).where(*own).order_by(*columns[:2]), brief=True)


_key, _tag = tables.vault_key.c, tables.vault_index_of.c
KEYS_OF = _of_person(tables.vault_key, _key["class"], _key.key_version, _key.epoch, _key.commitment, owner="owner")
"""A person's data keys: class, version, epoch, commitment."""

TAGS_OF = _of_person(tables.vault_index_of, _tag.collection, _tag.field, _tag.name, _tag.tag)
"""A person's blind index tags: collection, field, name, tag."""

_record = tables.vault_record.c
RECORDS_OF = _of_person(
    tables.vault_record, _record.collection, _record.field, _record.version, _record["class"], _record.at
)
"""What is stored of a person: collection, field, version, class, time."""

_of = tables.vault_token_of.c
TOKENS_OF = _of_person(tables.vault_token_of, _of.tag, _of.collection, _of.field, _of.fingerprint, _of.blob)
"""A person's tokens, each with what it is kept in for being issued again."""


def tokens_ended(at: int, limit: int) -> Select[Any]:
    """Tokens whose time is over, at most `limit`, the oldest first: end, fingerprint."""
    c = tables.vault_token_end.c
    return select(c.ends_at, c.fingerprint).where(c.ends_at <= at).order_by(c.ends_at).limit(limit)


def grants(limit: int) -> Select[Any]:
    """The newest requests for a second person, whole rows."""
    c = tables.vault_grant.c
    return select(*(column for column in c if column.name != "tenant")).order_by(c.at.desc(), c.id).limit(limit)


def standing_grants(purpose: str, at: int, limit: int) -> Select[Any]:
    """Requests for a second person for this purpose whose time is not over, newest first, whole rows."""
    c = tables.vault_grant.c
    chosen = select(*(column for column in c if column.name != "tenant")).where(c.purpose == purpose, c.ends_at > at)
    return chosen.order_by(c.at.desc(), c.id).limit(limit)


def canaries(limit: int) -> Select[Any]:
    """People who were planted, newest first."""
    c = tables.vault_canary.c
    return select(c.subject).order_by(c.at.desc()).limit(limit)


def subjects_having(tenant: str, tags: Sequence[bytes], limit: int) -> Iterator[tuple[Prepared, dict[str, Any]]]:
    """Who has these tags, at most `limit` people for each: statements of tag and subject, and their values. Sizes are
    powers of two, so that few statements are ever prepared.
    """
    first, size = 0, _TAGS_AT_ONCE
    while first < len(tags):
        while size > len(tags) - first:
            size //= 2
        some = tags[first : first + size]
        yield (
            _subjects_having(size, limit),
            named(("bucket", "tag"), [(bucket_of(tenant, tag), tag) for tag in some]) | {"brand": tenant},
        )
        first += size


_TAGS_AT_ONCE: Final = 64


@cache
def _subjects_having(count: int, limit: int) -> Prepared:
    c = tables.vault_index.c
    each = [
        select(c.tag, c.subject)
        .where(c.bucket == bindparam(f"bucket_{nth}"), c.tenant == bindparam("brand"), c.tag == bindparam(f"tag_{nth}"))
        .order_by(c.subject)
        .limit(literal_column(str(limit)))
        .subquery()
        for nth in range(count)
    ]
    return Prepared(select(union_all(*(select(one.c.tag, one.c.subject) for one in each)).subquery()))


def _delete_of(table: Table, *conditions: ColumnElement[bool], owner: str = "subject") -> Prepared:
    c = table.c
    return Prepared(delete(table).where(c.bucket == bindparam("bucket"), c[owner] == bindparam("subject"), *conditions))


# Of a few classes, values or places each; a statement is prepared for every number of them that comes up.


@cache
def delete_keys(classes: int) -> Prepared:
    """Shred a person's data keys of so many classes: `named`."""
    return _delete_of(tables.vault_key, tables.vault_key.c["class"].in_(_each("class", classes)), owner="owner")


DELETE_KEYS_BESIDE = _delete_of(tables.vault_key, tables.vault_key.c["class"] != bindparam("kept"), owner="owner")
"""Shred a person's data keys of all classes but one."""


@cache
def delete_records(count: int) -> Prepared:
    """Delete so many of a person's values: `named` by collection, field, and the version that was read."""
    return _delete_of(tables.vault_record, _any_of(tables.vault_record, count, "collection", "field", "version"))


@cache
def delete_records_under(classes: int) -> Prepared:
    """Delete whatever else lies under keys of so many classes: `named`."""
    return _delete_of(tables.vault_record, tables.vault_record.c["class"].in_(_each("class", classes)))


DELETE_RECORDS = _delete_of(tables.vault_record)
"""Delete all of a person's values."""

DELETE_TAGS = _delete_of(tables.vault_index_of)
"""Delete all that says which tags a person has."""

DELETE_TOKENS = _delete_of(tables.vault_token_of)
"""Delete all that says which tokens a person has."""


@cache
def delete_tags(places: int) -> Prepared:
    """Delete what says which tags a person has at so many places: `named` by collection and field."""
    return _delete_of(tables.vault_index_of, _any_of(tables.vault_index_of, places, "collection", "field"))


@cache
def delete_tokens(places: int) -> Prepared:
    """Delete what says which tokens a person has at so many places: `named` by collection and field."""
    return _delete_of(tables.vault_token_of, _any_of(tables.vault_token_of, places, "collection", "field"))


def named(columns: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The values of such a statement: a row for each of what it is about."""
    return {f"{name}_{nth}": value for nth, row in enumerate(rows) for name, value in zip(columns, row, strict=True)}


def _each(name: str, count: int) -> list[ColumnElement[Any]]:
    return [bindparam(f"{name}_{nth}") for nth in range(count)]


def _any_of(table: Table, count: int, *columns: str) -> ColumnElement[bool]:
    same = (and_(*(table.c[name] == bindparam(f"{name}_{nth}") for name in columns)) for nth in range(count))
    return or_(*same)
