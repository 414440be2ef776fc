"""`Tx`: what one unit of work wants to read and to write. It holds no connection and cannot commit.

A unit of work is a generator function over a `Tx`. It yields the reads it needs, is sent the rows, adds what is to be
written, and returns its answer:

    def unit(tx):
        person, key = yield (tx.get(PERSON, subject), tx.get(KEY, subject, "log"))
        tx.put(PERSON, (subject,), changed, was=person)
        return answer

It must do nothing but that, because it is run again from its beginning after a lost race. Who runs it, with whom it
shares its statements and its commit, is the business of `batcher.py`.
"""

from collections.abc import Callable, Generator, Iterable
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from sqlalchemy import Delete, Select, Update
from sqlalchemy.engine import Dialect

from sayso.kernel.context import Context
from sayso.kernel.errors import LostRace
from sayso.kernel.ids import bucket_of
from sayso.kernel.rows import Rows, Values
from sayso.kernel.statements import Prepared, tables_of, written

T = TypeVar("T")


class Get(Struct, frozen=True, gc=False, cache_hash=True):
    """A point read: the values of the row at `key` (bucket and tenant included), or None.

    On its way through a flush each is looked up half a dozen times, so its hash is worked out once.
    """

    rows: Rows
    key: Values


class GetEach(NamedTuple):
    """Many point reads of one table, in order. Answered with a list of values or None.

    `kept`: the unit may write what it read here, so it is remembered as what a `Get` read is.
    """

    rows: Rows
    keys: list[Values]
    kept: bool = False


class Query(NamedTuple):
    """A cold read: any SELECT, already narrowed to the tenant. Answered with a list of tuples."""

    statement: Select[Any] | Prepared
    tenant: str = ""
    values: dict[str, Any] | None = None

    def text(self, dialect: Dialect) -> tuple[str, Values]:
        """The statement and its values for a driver."""
        return written(self.statement, dialect, self.tenant, self.values)


class Execute(NamedTuple):
    """A cold write, already narrowed to the tenant. `expect` rows must be touched, else the race was lost."""

    statement: Update | Delete | Prepared
    expect: int | None
    tenant: str = ""
    values: dict[str, Any] | None = None

    def text(self, dialect: Dialect) -> tuple[str, Values]:
        """The statement and its values for a driver."""
        return written(self.statement, dialect, self.tenant, self.values)


class Item(NamedTuple):
    """A part of a row that a flush makes of many: see `Tx.pack`."""

    rows: Rows
    group: str
    key: bytes
    content: bytes


class Publish(NamedTuple):
    """A row of the feed, still without its position."""

    kind: str
    subject: bytes
    ref: bytes
    at: int


Reads = tuple[Get | GetEach | Query, ...]
Found = tuple[Any, ...]
Work = Generator[Reads, Found, T]
Unit = Callable[["Tx"], Work[T]]


class Tx:
    """The write-set of one unit. Tenant and bucket are added here, never by callers."""

    __slots__ = (
        "_seen",
        "_seen_each",
        "_view",
        "config_changed",
        "context",
        "deletes",
        "executes",
        "head",
        "inserts",
        "many_deletes",
        "many_inserts",
        "onces",
        "packed",
        "position",
        "published",
        "puts",
    )

    def __init__(self, context: Context, view: "View", head: "Head") -> None:
        self.context = context
        self.head = head
        self.config_changed = False
        self.inserts: list[tuple[Rows, Values]] = []
        self.many_inserts: list[tuple[Rows, list[Values]]] = []
        self.onces: list[tuple[Rows, Values]] = []
        self.packed: list[Item] = []
        self.many_deletes: list[tuple[Rows, list[Values]]] = []
        self.puts: list[tuple[Get, Values, Values | None]] = []
        self.deletes: list[Get] = []
        self.executes: list[Execute] = []
        self.published: list[Publish] = []
        self.position: int | None = None
        self._view = view
        self._seen: list[tuple[Get, Values | None]] = []
        self._seen_each: list[tuple[GetEach, list[Values | None]]] = []

    # reads, to be yielded

    def get(self, rows: Rows, *key: Any, bucket: int | None = None) -> Get:
        """The read of one row by its key (without bucket and tenant)."""
        return Get(rows, rows.key_of(self.context.tenant, key, bucket))

    def get_each(self, rows: Rows, owners: Iterable[bytes], *, kept: bool = False) -> GetEach:
        """The reads of many rows whose key is their owner alone: for decisions about many people.

        A unit that asks so, and not to have them `kept`, must not write what it read: nothing holds these rows to what
        they were.
        """
        tenant = self.context.tenant
        return GetEach(rows, [(bucket_of(tenant, owner), tenant, owner) for owner in owners], kept)

    def select(self, statement: Select[Any]) -> Query:
        """Any SELECT over the tenant's own rows. Cold units only: it is not shared with other units."""
        for table in tables_of(statement):
            statement = statement.where(table.c.tenant == self.context.tenant)
        return Query(statement)

    def query(self, prepared: Prepared, **values: Any) -> Query:
        """The same for a statement that was prepared. Cold units only."""
        return Query(prepared, self.context.tenant, values)

    # writes

    def insert(self, rows: Rows, *columns: Any, bucket: int | None = None) -> None:
        """A new row: the table's columns after bucket and tenant. A key that is taken means a lost race."""
        self.inserts.append((rows, rows.row_of(self.context.tenant, columns, bucket)))

    def once(self, rows: Rows, *columns: Any) -> None:
        """A row whose key tells its content: where there is one already, it is this one, and nothing is done."""
        self.onces.append((rows, rows.row_of(self.context.tenant, columns, None)))

    def pack(self, rows: Rows, group: str, key: bytes, content: bytes) -> None:
        """`content` goes into the one row that a flush writes for all that is packed into `group` of this table.

        The row is (first key, group, last key, count, the contents one after the other), owned by its first key.
        """
        self.packed.append(Item(rows, group, key, content))

    def insert_many(self, rows: Rows, columns: Iterable[Values]) -> None:
        """Many new rows of a cold unit. Each begins with its bucket, where the table has one; the tenant is added."""
        tenant, lead = self.context.tenant, rows.lead - 1
        self.many_inserts.append((rows, [(*row[:lead], tenant, *row[lead:]) for row in columns]))

    def delete_many(self, rows: Rows, keys: Iterable[Values]) -> None:
        """The same for rows that are to go."""
        tenant, lead = self.context.tenant, rows.lead - 1
        self.many_deletes.append((rows, [(*key[:lead], tenant, *key[lead:]) for key in keys]))

    def put(self, rows: Rows, key: Values, values: Values, *, was: Values | None, bucket: int | None = None) -> None:
        """The state row at `key` becomes `values`. `was` is what this unit read there: None for a new row.

        The table has a column `version`; the row is replaced only while it still carries the version in `was`.
        """
        self.puts.append((Get(rows, rows.key_of(self.context.tenant, key, bucket)), values, was))

    def delete(self, rows: Rows, *key: Any) -> None:
        """No row at `key` any more; none there is no error."""
        self.deletes.append(Get(rows, rows.key_of(self.context.tenant, key, None)))

    def execute(self, statement: Update | Delete | Prepared, *, expect: int | None = None, **values: Any) -> None:
        """A cold write over the tenant's own rows. `values` are those of a statement that was prepared."""
        if isinstance(statement, Prepared):
            self.executes.append(Execute(statement, expect, self.context.tenant, values))
            return
        table = statement.entity_description.get("table", statement.table)
        self.executes.append(Execute(statement.where(table.c.tenant == self.context.tenant), expect))

    def publish(self, kind: str, subject: bytes, ref: bytes) -> None:
        """A change that caches, webhooks and `GET /v1/changes` learn of, in commit order."""
        self.published.append(Publish(kind, subject, ref, self.context.at))

    def configure(self) -> None:
        """This unit changes what every node keeps in memory (manifest, keys): they reload before they decide again."""
        self.config_changed = True

    @property
    def seq(self) -> str:
        """The position that clients are told: that of the unit's own commit, once there is one that published; before,
        and for one that did not, of what it was decided on.
        """
        return self.head.seq if self.position is None else seq_of(self.position)

    @property
    def writes(self) -> bool:
        """Whether there is anything to commit."""
        return bool(
            self.inserts
            or self.packed
            or self.onces
            or self.puts
            or self.deletes
            or self.executes
            or self.published
            or self.config_changed
            or self.many_inserts
            or self.many_deletes
        )

    def again(self, tx: "Tx") -> Work[None]:
        """A unit that writes what this one decided to."""
        for name in _WRITTEN:
            getattr(tx, name).extend(getattr(self, name))
        tx.config_changed = tx.config_changed or self.config_changed
        yield ()

    # the batcher's side

    def found(self, get: Get, row: Values | None) -> Values | None:
        """What this unit is shown at `get`: a neighbour's fresh row before the stored one. Remembered, see `fresh`."""
        shown = self._newest(get, row) if self._view.rows else row
        self._seen.append((get, shown))
        return shown

    def found_each(self, asked: GetEach, stored: list[Values | None]) -> list[Values | None]:
        """The same for many rows; remembered only where something may be written on their ground."""
        rows, shown = asked.rows, stored
        if self._view.rows:
            shown = [self._newest(Get(rows, key), row) for key, row in zip(asked.keys, stored, strict=True)]
        if asked.kept:
            self._seen_each.append((asked, shown))
        return shown

    def _newest(self, get: Get, row: Values | None) -> Values | None:
        rows = self._view.rows
        if get not in rows:
            return row
        shown = rows[get]
        version = get.rows.version
        if row is not None and shown is not None and version is not None and row[version] > shown[version]:
            # Another node was faster than the news of our own commit: what is stored is the newer row.
            shown = rows[get] = row
        return shown

    @property
    def fresh(self) -> bool:
        """Whether all that this unit was shown still stands among its neighbours in the flush."""
        rows = self._view.rows
        if not rows:
            return True
        each = (
            (Get(asked.rows, key), row)
            for asked, found in self._seen_each
            for key, row in zip(asked.keys, found, strict=True)
        )
        return all(rows.get(get, shown) is shown for get, shown in chain(self._seen, each))

    def settle(self) -> None:
        """Show this unit's rows to the units after it. Raises `LostRace` when a neighbour took one of its keys."""
        rows, own = self._view.rows, self._view.own
        fresh: list[tuple[Get, Values | None]] = []
        for table, row in self.inserts:
            if table.journal:
                continue
            width = table.lead + table.key_width
            get = Get(table, row[:width])
            if rows.get(get) is not None:
                raise LostRace(table.name)
            fresh.append((get, row[width:]))
        fresh += [(get, values) for get, values, _ in self.puts]
        fresh += [(get, None) for get in self.deletes]
        rows.update(fresh)
        own.update(fresh)


_WRITTEN = (
    "deletes",
    "executes",
    "inserts",
    "many_deletes",
    "many_inserts",
    "onces",
    "packed",
    "published",
    "puts",
)
"""The attributes of a `Tx` that hold what is to be written."""


class View:
    """What the units of one flush are shown before the stored rows: the rows of those before them (`own`), and those of
    the flush before, which is still being written.
    """

    __slots__ = ("own", "rows")

    def __init__(self, before: "View | None" = None) -> None:
        self.own: dict[Get, Values | None] = {}
        self.rows: dict[Get, Values | None] = dict(before.own) if before is not None else {}


class Head(NamedTuple):
    """Where a tenant's changes stand: `position` counts published changes, `config` counts changes of configuration."""

    position: int
    config: int

    @property
    def seq(self) -> str:
        """The position as clients see it."""
        return seq_of(self.position)


def seq_of(position: int) -> str:
    """A position as clients see it: opaque, of fixed width so that it also compares as text."""
    return f"{position:016x}"
