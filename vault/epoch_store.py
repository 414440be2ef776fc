"""Statements of the sweep and of what stands beside it: which keys lie under which epoch."""

from typing import Any

from sqlalchemy import Select, Update, func, select, tuple_, update

from vault import tables

Place = tuple[int, bytes, str]
"""Bucket, owner and class of a data key: where a sweep is."""


def keys_not_under(tenant: str, epoch: int, after: Place | None, limit: int) -> Select[Any]:
    """Data keys that lie under another epoch, in the order of the table, behind `after`: bucket, owner, class, and the
    row's values.
    """
    c = tables.vault_key.c
    values = (c.version, c.key_version, c.epoch, c.wrapped, c.commitment, c.uses)
    statement = select(c.bucket, c.owner, c["class"], *values).where(c.epoch != epoch)
    if after is not None:
        bucket, owner, cls = after
        where = (c.bucket, c.tenant, c.owner, c["class"])
        statement = statement.where(tuple_(*where) > tuple_(bucket, tenant, owner, cls))
    # By the whole key, though the tenant is one: so both engines walk the index and stop after `limit` rows.
    return statement.order_by(c.bucket, c.tenant, c.owner, c["class"]).limit(limit)


def count_by_epoch() -> Select[Any]:
    """How many data keys lie under each epoch."""
    c = tables.vault_key.c
    return select(c.epoch, func.count()).group_by(c.epoch)


def any_under(epoch: int) -> Select[Any]:
    """One data key under an epoch, if there is any."""
    c = tables.vault_key.c
    return select(c.owner).where(c.epoch == epoch).limit(1)


def rewrap_secret(table: Any, key: dict[str, Any], was: int, epoch: int, wrapped: bytes) -> Update:
    """One of the tenant's own secrets, under another epoch; it must still lie under `was`."""
    statement = update(table).where(table.c.epoch == was).values(epoch=epoch, wrapped=wrapped)
    for name, value in key.items():
        statement = statement.where(table.c[name] == value)
    return statement
