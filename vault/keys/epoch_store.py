"""Statements of the sweep and of what stands beside it: which keys lie under which epoch."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, Update, bindparam, column, func, literal_column, select, tuple_, update, values

from sayso.kernel import Prepared
from vault import tables

Place = tuple[int, bytes, str]
"""Bucket, owner and class of a data key: where a sweep is."""

_REWRAPPED: Final = ("bucket", "owner", "class", "version", "wrapped")
_AT_ONCE: Final = 256
"""Keys in one statement."""


def keys_not_under(tenant: str, epoch: int, after: Place | None, limit: int) -> Select[Any]:
    """Data keys that lie under another epoch, in the order of the table, behind `after`: bucket, owner, class,
    version, the key's own version, epoch, wrapped, commitment.
    """
    c = tables.vault_key.c
    row = (c.version, c.key_version, c.epoch, c.wrapped, c.commitment)
    statement = select(c.bucket, c.owner, c["class"], *row).where(c.epoch != epoch)
    if after is not None:
        bucket, owner, cls = after
        where = (c.bucket, c.tenant, c.owner, c["class"])
        statement = statement.where(tuple_(*where) > tuple_(bucket, tenant, owner, cls))
    # By the bucket alone: both engines walk the index, in its order, and stop after `limit` rows. Asked for the rest of
    # the order the embedded one sorts whole buckets. Should a key be passed over, the sweep's last round finds it.
    return statement.order_by(c.bucket).limit(limit)


@cache
def _rewrap_keys(count: int) -> Prepared:
    """So many data keys under the epoch `fresh`: each must still have the version that it was read in."""
    c = tables.vault_key.c
    places = [tuple(bindparam(f"{name}_{nth}", type_=c[name].type) for name in _REWRAPPED) for nth in range(count)]
    # As a table: both engines then look each key up by its index. Not in front of the statement, where it would keep
    # the embedded engine's driver from counting rows.
    listed = values(*(column(name, c[name].type) for name in _REWRAPPED), name="v").data(places)
    anew = select(listed.cte("v", nesting=True)).subquery("u")
    changed = {"version": anew.c.version + literal_column("1"), "epoch": bindparam("fresh"), "wrapped": anew.c.wrapped}
    same = (c[name] == anew.c[name] for name in _REWRAPPED[:-1])
    return Prepared(update(tables.vault_key).values(changed).where(*same))


def rewrapped_keys(epoch: int, found: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Prepared, int, dict[str, Any]]]:
    """The statements that put data keys (bucket, owner, class, version as read, wrapped anew) under an epoch: each with
    how many rows it must touch and its values. Sizes are powers of two, so that few statements are ever prepared.
    """
    first, size = 0, _AT_ONCE
    while first < len(found):
        while size > len(found) - first:
            size //= 2
        named: dict[str, Any] = {"fresh": epoch}
        for nth, row in enumerate(found[first : first + size]):
            end = f"_{nth}"
            for name, value in zip(_REWRAPPED, row, strict=True):
                named[name + end] = value
        yield _rewrap_keys(size), size, named
        first += size


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
