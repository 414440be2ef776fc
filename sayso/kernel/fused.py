"""All that a flush writes on PostgreSQL as one statement: one round trip, one commit, all or nothing.

The parts are data-modifying queries beside each other. A replacement that did not find its row in the version it was
read in makes the statement fail with a serialization error, so that nothing of it is kept.
"""

from functools import lru_cache
from typing import Any, Final

from sayso.kernel.flush import Writes
from sayso.kernel.rows import Rows

Part = tuple[str, Rows]
"""What is done to a table: `insert`, `once` or `replace`."""

# The head row is locked until the commit, so positions are commit-ordered, without gaps.
_HEAD: Final = """head AS (
  INSERT INTO feed_head AS h (tenant, shard, position, config) VALUES (${0}, 0, ${1}, ${2})
  ON CONFLICT (tenant, shard) DO UPDATE
  SET position = h.position + excluded.position, config = h.config + excluded.config
  RETURNING h.position)"""
_FEED: Final = """fed AS (
  INSERT INTO feed (tenant, shard, position, kind, subject, ref, at)
  SELECT ${0}, 0, head.position - ${1} + u.nth, u.kind, u.subject, u.ref, u.at
  FROM head, unnest(${3}::text[], ${4}::bytea[], ${5}::bytea[], ${6}::bigint[])
    WITH ORDINALITY AS u(kind, subject, ref, at, nth))"""


def fuse(tenant: str, writes: Writes) -> tuple[str, list[Any]]:
    """The statement and its parameters, for a write-set without deletes and statements of its own.

    The first column of its one row is the tenant's position by then; NULL when nothing moved it.
    """
    parts: list[Part] = []
    values: list[Any] = []
    for rows, fresh in writes.inserts.items():
        parts.append(("insert", rows))
        values += zip(*fresh, strict=True)
    for rows, known in writes.onces.items():
        parts.append(("once", rows))
        values += zip(*known.values(), strict=True)
    for rows, changes in writes.replaces.items():
        parts.append(("replace", rows))
        values += zip(*((*new, *key, was) for new, key, was in changes), strict=True)
        values.append(len(changes))
    moved = bool(writes.published or writes.config_changed)
    if moved:
        count = len(writes.published)
        values += (tenant, count, int(writes.config_changed))
        values += zip(*writes.published, strict=True) if count else ([], [], [], [])
    return _statement(tuple(parts), moved), values


@lru_cache(maxsize=256)
def _statement(parts: tuple[Part, ...], moved: bool) -> str:
    queries: list[str] = []
    expected: list[str] = []
    first = 1
    for number, (verb, rows) in enumerate(parts):
        text = getattr(rows.postgres, verb)(first)
        queries.append(f"p{number} AS ({text})")
        if verb == "replace":
            first += rows.postgres.replaced
            expected.append(f"sayso_expect((SELECT count(*) FROM p{number}), ${first})")  # noqa: S608
            first += 1
        else:
            first += rows.postgres.width
    if moved:
        places = range(first, first + 7)
        queries += (_HEAD.format(*places), _FEED.format(*places))
    position = "(SELECT position FROM head)" if moved else "NULL::bigint"
    return f"WITH {', '.join(queries)} SELECT {', '.join((position, *expected))}"
