"""Statements that copy the key table, and that clear it for a copy to be put back."""

from typing import Any

from sqlalchemy import Delete, Select, delete, select, tuple_

from sayso.kernel.schema import metadata
from vault import tables

Place = tuple[int, bytes, str]
"""Bucket, owner and class of a data key."""


def all_of(table: str) -> Select[Any]:
    """Every row of one of the tenant's own tables, without the tenant, by its key."""
    columns = [column for column in metadata.tables[table].columns if column.name != "tenant"]
    return select(*columns).order_by(*columns[:2])


def keys_after(tenant: str, place: Place | None, limit: int) -> Select[Any]:
    """Data keys behind a place, in the order of the table: the bucket, and the row without bucket and tenant."""
    table = tables.vault_key
    c = table.c
    statement = select(*(column for column in table.columns if column.name != "tenant"))
    if place is not None:
        bucket, owner, cls = place
        where = (c.bucket, c.tenant, c.owner, c["class"])
        statement = statement.where(tuple_(*where) > tuple_(bucket, tenant, owner, cls))
    # By the whole key, though the tenant is one: so both engines walk the index and stop after `limit` rows.
    return statement.order_by(c.bucket, c.tenant, c.owner, c["class"]).limit(limit)


def delete_all(table: str) -> Delete:
    """Every row of the tenant in a table."""
    return delete(metadata.tables[table])


def delete_roll() -> Delete:
    """Everything about rolls and backups: what a restored key table says of them is not true any more."""
    c = tables.vault_roll.c
    return delete(tables.vault_roll).where(c.name.in_(("roll", "backup")))
