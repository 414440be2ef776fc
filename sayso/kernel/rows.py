"""A table as the hot path sees it: point reads by key, appends, guarded replacements. No SQL leaves this file."""

from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Table, Text

from sayso.kernel.ids import bucket_of

Values = tuple[Any, ...]

_POSTGRES_TYPES: Final = {SmallInteger: "smallint", BigInteger: "bigint", LargeBinary: "bytea", Text: "text"}


class Rows:
    """One table, its statements written once.

    *key*: the primary key's columns after bucket and tenant. *values*: the other columns, in table order. A table that
    is `put` to has a column `version`, which every replacement raises; it names the version it was decided on. A
    `journal` only grows and no hot unit reads it back in the flush that wrote it: its rows are not shown to neighbours.
    """

    __slots__ = (
        "_owner_in_columns",
        "_owner_in_key",
        "bucketed",
        "columns",
        "journal",
        "key_width",
        "lead",
        "name",
        "postgres",
        "sqlite",
        "version",
    )

    def __init__(self, table: Table, *, journal: bool = False) -> None:
        names = [column.name for column in table.columns]
        self.journal = journal
        key = [column.name for column in table.primary_key]
        self.name = table.name
        self.bucketed = names[0] == "bucket"
        self.lead = 2 if self.bucketed else 1
        if names[: len(key)] != key:
            raise ValueError(f"{table.name}: key columns must come first, in key order")
        self.key_width = len(key) - self.lead
        values = names[len(key) :]
        self.columns = len(names)
        self.version = values.index("version") if "version" in values else None
        owner = table.info.get("owner")
        own = names[self.lead :]
        self._owner_in_columns = own.index(owner) if owner else None
        self._owner_in_key = self._owner_in_columns if owner in key else None
        types = [_POSTGRES_TYPES[type(column.type)] for column in table.columns]
        self.sqlite = _SqliteStatements(table.name, names, key, values)
        self.postgres = _PostgresStatements(table.name, names, key, values, types)

    def __repr__(self) -> str:
        return f"Rows({self.name})"

    def key_of(self, tenant: str, key: Values, bucket: int | None) -> Values:
        """The full primary key: bucket and tenant in front of `key`."""
        if not self.bucketed:
            return (tenant, *key)
        if bucket is None:
            if self._owner_in_key is None:
                raise ValueError(f"{self.name}: this key does not name the owner, so a bucket must be given")
            bucket = bucket_of(tenant, key[self._owner_in_key])
        return (bucket, tenant, *key)

    def row_of(self, tenant: str, columns: Values, bucket: int | None) -> Values:
        """A full row: bucket and tenant in front of `columns`."""
        if not self.bucketed:
            return (tenant, *columns)
        if bucket is None:
            bucket = bucket_of(tenant, columns[self._owner_in_columns])  # type: ignore[index]
        return (bucket, tenant, *columns)


class _SqliteStatements:
    """SQLite runs in this process, so a statement costs microseconds and no round trip. But each execution lets go of
    the interpreter's lock and waits to get it back: what is many comes in statements for many rows.
    """

    __slots__ = (
        "_each",
        "_each_of",
        "_insert",
        "_insert_of",
        "_key_width",
        "_width",
        "delete",
        "once",
        "replace",
    )

    def __init__(self, name: str, names: list[str], key: list[str], values: list[str]) -> None:
        same = " AND ".join(f"t.{part} = u.column{place}" for place, part in enumerate(key, 2))
        found = "".join(f", t.{part}" for part in values)
        # CROSS JOIN fixes the order: the keys first, then one look-up for each.
        self._each = f"SELECT u.column1{found} FROM (VALUES %s) u CROSS JOIN {name} t ON {same}"  # noqa: S608
        self._each_of: dict[int, str] = {}
        self._key_width = len(key)
        where = " AND ".join(f"{part} = ?" for part in key)
        self._insert = f"INTO {name} ({', '.join(names)}) VALUES "
        self._insert_of: dict[int, str] = {}
        self._width = len(names)
        self.once = f"INSERT OR IGNORE {self._insert}{_places(1, self._width)}"
        self.delete = f"DELETE FROM {name} WHERE {where}"  # noqa: S608
        changed = ", ".join(f"{part} = ?" for part in values)
        self.replace = f"UPDATE {name} SET {changed} WHERE {where} AND version = ?"  # noqa: S608

    def each(self, count: int) -> str:
        """The SELECT of `count` keys in one statement; each row found comes behind the place of its key."""
        known = self._each_of.get(count)
        if known is None:
            marks = ", ?" * self._key_width
            known = self._each_of[count] = self._each % ", ".join(f"({place}{marks})" for place in range(count))
        return known

    def insert(self, count: int) -> str:
        """The INSERT of `count` rows in one statement."""
        known = self._insert_of.get(count)
        if known is None:
            known = self._insert_of[count] = f"INSERT {self._insert}{_places(count, self._width)}"
        return known


def _places(rows: int, columns: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


class _PostgresStatements:
    """One statement for many rows: each column travels as an array. `insert`, `once` and `replace` are parts of a
    larger statement: they count their parameters from a given number.
    """

    __slots__ = ("_insert", "_kinds", "_order", "_replace", "_same", "delete", "replaced", "select", "width")

    def __init__(self, name: str, names: list[str], key: list[str], values: list[str], types: list[str]) -> None:
        kinds = dict(zip(names, types, strict=True))

        keyed = _arrays([kinds[part] for part in key], 1)
        same = " AND ".join(f"t.{part} = u.{part}" for part in key)
        listed = "".join(f", t.{part}" for part in values)
        self.select = (
            f"SELECT u.nth{listed} FROM unnest({keyed}) WITH ORDINALITY AS u({', '.join(key)}, nth) "  # noqa: S608
            f"JOIN {name} t ON {same}"
        )
        self.width = len(names)
        self._kinds = types
        self._insert = f"INSERT INTO {name} ({', '.join(names)}) SELECT * FROM unnest"  # noqa: S608
        self.delete = f"DELETE FROM {name} t USING unnest({keyed}) AS u({', '.join(key)}) WHERE {same}"  # noqa: S608
        order = [*values, *key]
        self._order = [*(kinds[column] for column in order), "bigint"]
        self.replaced = len(self._order)
        changed = ", ".join(f"{part} = u.{part}" for part in values)
        self._replace = f"UPDATE {name} t SET {changed} FROM unnest"  # noqa: S608
        self._same = f" AS u({', '.join(order)}, was) WHERE {same} AND t.version = u.was RETURNING 1"

    def insert(self, first: int) -> str:
        """Adds rows: one array for each column."""
        return f"{self._insert}({_arrays(self._kinds, first)})"

    def once(self, first: int) -> str:
        """The same, where a key that is there already is left as it is."""
        return f"{self.insert(first)} ON CONFLICT DO NOTHING"

    def replace(self, first: int) -> str:
        """Replaces rows that still have the version they were read in: arrays of values, of keys, of those versions."""
        return f"{self._replace}({_arrays(self._order, first)}){self._same}"


def _arrays(kinds: list[str], first: int) -> str:
    return ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, first))
