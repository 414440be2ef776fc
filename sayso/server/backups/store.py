"""SQL of backups: every row of a store read at one moment, and put into an empty one. Not through `Tx`: these are the
rows of all brands, of a revision that may not be this program's.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from sayso.migrations import with_connection
from sayso.server.backups.rowfile import Page
from sayso.server.tables import restores

KEY_TABLES: Final = frozenset(
    {"vault_key", "vault_epoch", "vault_index_key", "vault_signing_key", "vault_standing_key", "vault_roll"}
)
"""Keys, which a copy of the data never holds (design 6.6), and how far they are on their way to a new epoch."""

MOMENTARY: Final = frozenset({"server_session", "server_idempotency", "server_mail", "server_restore"})
"""What must not live again: sessions that ended, answers for retries, letters that were sent."""

LEAP: Final = 1 << 32
"""So many positions of the registry are left out after a restore: what was handed out and lost is never given again."""

_READ: Final = 200
_MOST_ROWS: Final = 2_000
_MOST_BYTES: Final = 1 << 20
_TYPES: Final = ((sa.SmallInteger, "int2"), (sa.BigInteger, "int8"), (sa.LargeBinary, "bytes"), (sa.Text, "text"))
_BY_NAME: Final[dict[str, Any]] = {name: kind for kind, name in _TYPES}


def copy_embedded(source: Path, target: Path) -> None:
    """The embedded database as it is at one moment, beside whoever writes to it."""
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()


def read_all(url: str, take: Callable[[Page], None]) -> str:
    """Give `take` every row of the store, page by page, all as they are at one moment; the revision of the tables."""
    return with_connection(url, lambda connection: _read_all(connection, take))


def _read_all(connection: sa.Connection, take: Callable[[Page], None]) -> str:
    if connection.dialect.name != "sqlite":
        # One snapshot for all tables, and no lock that anybody waits for.
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    found = sa.MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name in KEY_TABLES | MOMENTARY or table.name == "alembic_version":
            continue
        columns = tuple((str(column.name), _type_of(column)) for column in table.columns)
        streamed = connection.execution_options(stream_results=True, yield_per=_READ).execute(sa.select(table))
        rows: list[tuple[Any, ...]] = []
        weight = 0
        for row in streamed:
            rows.append(tuple(row))
            weight += sum(len(value) for value in row if isinstance(value, (bytes, str)))
            if len(rows) >= _MOST_ROWS or weight >= _MOST_BYTES:
                take(Page(str(table.name), columns, rows))
                rows, weight = [], 0
        if rows:
            take(Page(str(table.name), columns, rows))
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _type_of(column: sa.Column[Any]) -> str:
    return next(name for kind, name in _TYPES if isinstance(column.type, kind))


def holds_store(url: str) -> bool:
    """Whether there is a brand in the database."""
    return with_connection(url, lambda connection: _count(connection, "server_tenant") > 0)


def unfinished(url: str) -> str | None:
    """The backup that was begun to be put back here and is not through, if any."""

    def look(connection: sa.Connection) -> str | None:
        if not _count(connection, "server_restore"):
            return None
        found: str | None = connection.scalar(
            sa.select(restores.c.backup).where(restores.c.state != "done").order_by(restores.c.at.desc())
        )
        return found

    return with_connection(url, look)


def _count(connection: sa.Connection, table: str) -> int:
    if not sa.inspect(connection).has_table(table):
        return 0
    return int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)


def put_all(url: str, pages: Iterable[Page], mark: tuple[Any, ...]) -> None:
    """Put every row into the empty tables of the database, and the row `mark` into `server_restore`; all or none."""

    def put(connection: sa.Connection) -> None:
        for page in _leaping(pages):
            names = [name for name, _ in page.columns]
            table = sa.table(page.table, *(sa.column(name, _BY_NAME[kind]()) for name, kind in page.columns))
            if page.rows:
                connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in page.rows])
        if connection.dialect.name != "sqlite":
            connection.execute(sa.text("ANALYZE"))
        connection.execute(restores.insert().values(dict(zip(restores.c.keys(), mark, strict=True))))
        connection.commit()

    with_connection(url, put)


def _leaping(pages: Iterable[Page]) -> Iterator[Page]:
    for page in pages:
        if page.table != "feed_head":
            yield page
            continue
        place = [name for name, _ in page.columns].index("position")
        rows = [(*row[:place], row[place] + LEAP, *row[place + 1 :]) for row in page.rows]
        yield Page(page.table, page.columns, rows)
