"""Statements about what was destroyed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from vault import tables


def tombstones_after(tombstone: bytes, limit: int) -> Select[Any]:
    """Tombstones in the order of their time: id and facts."""
    c = tables.vault_tombstone.c
    return select(c.tombstone, c.facts).where(c.tombstone > tombstone).order_by(c.tombstone).limit(limit)


def tombstones_among(tombstones: Sequence[bytes]) -> Select[Any]:
    """Which of these are in the table."""
    c = tables.vault_tombstone.c
    return select(c.tombstone).where(c.tombstone.in_(tombstones))
