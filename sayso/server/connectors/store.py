"""Statements of a manifest, carried out in a customer database in one transaction: PostgreSQL, MySQL/MariaDB, SQLite.

What is bound is bound by the driver; what was declared was looked through before (`rights.systems.statements`), and is
looked through here again. Reading happens in a transaction that cannot write.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, NullPool, TextClause, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import create_async_engine

from rights import Statement, statement_refusal

TIMEOUT_S: Final = 60
"""Seconds within which all statements of one task end."""

MOST_COMBINATIONS: Final = 100
"""Of the names by which one person is known, when somebody was merged from several."""

_DRIVERS: Final = {
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}


class Refused(Exception):
    """It was not done, and nothing was changed. `word` says why without a value; `passing`: it may go better later."""

    def __init__(self, word: str, statement: str = "", *, passing: bool = False) -> None:
        super().__init__(word)
        self.word = word
        self.statement = statement
        self.passing = passing


class Ran(Struct, frozen=True):
    """What came of it: rows by statement, and what was read by statement."""

    rows: dict[str, int]
    found: dict[str, list[dict[str, Any]]]

    @property
    def count(self) -> int:
        return sum(self.rows.values())


class _Bound(Struct, frozen=True):
    """A statement, and each set of values it is run with."""

    name: str
    clause: TextClause
    values: tuple[dict[str, str], ...]


async def carry_out(
    url: str,
    statements: Sequence[Statement],
    names: Mapping[str, Sequence[str]],
    *,
    reads: bool,
    most_rows: int,
    dry_run: bool = False,
) -> Ran:
    """Run the statements in one transaction; `dry_run` takes it back. A statement that binds a name of which the person
    has none is left out. Raises `Refused`.
    """
    target = _target(url)
    bound = [_bind(each, names, reads=reads) for each in statements]
    if bound and not dry_run and not any(each.values for each in bound):
        # By no name that any statement asks for: nobody would be looked for.
        raise Refused("no-names")

    def work(connection: Connection) -> Ran:
        return _run(connection, bound, reads=reads, most_rows=most_rows)

    try:
        async with asyncio.timeout(TIMEOUT_S):
            if target.get_dialect().is_async:
                return await _asynchronous(target, work, reads=reads, dry_run=dry_run)
            return await asyncio.to_thread(_synchronous, target, work, reads=reads, dry_run=dry_run)
    except TimeoutError:
        raise Refused("timeout", passing=True) from None
    except (OperationalError, InterfaceError, OSError):
        raise Refused("unreachable", passing=True) from None
    except ImportError:
        raise Refused("driver-missing") from None
    except Refused:
        raise
    except (SQLAlchemyError, TypeError, ValueError, RuntimeError):
        # The last three are drivers' own, for an option of the URL that they do not know. Their text may hold values.
        raise Refused("refused") from None


def _target(url: str) -> URL:
    try:
        made = make_url(url)
        wanted = _DRIVERS.get(made.get_backend_name())
        if wanted is None:
            raise Refused("unknown-database")
        made = made.set(drivername=wanted)
        made.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise Refused("unknown-database") from None
    if made.get_backend_name() == "sqlite" and not Path(made.database or "").is_file():
        # SQLite would make an empty file and find nobody in it.
        raise Refused("unreachable", passing=True)
    return made


def _bind(statement: Statement, names: Mapping[str, Sequence[str]], *, reads: bool) -> _Bound:
    clause = text(statement.sql)
    wanted = sorted(clause.compile().params)
    if statement_refusal(statement.sql, reads=reads, names=frozenset(wanted)):
        raise Refused("statement-refused", statement.name)
    values = [dict(zip(wanted, each, strict=True)) for each in product(*(names.get(name, ()) for name in wanted))]
    if len(values) > MOST_COMBINATIONS:
        raise Refused("too-many-names", statement.name)
    return _Bound(statement.name, clause, tuple(values))


def _run(connection: Connection, bound: Sequence[_Bound], *, reads: bool, most_rows: int) -> Ran:
    rows: dict[str, int] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for each in bound:
        taken: list[dict[str, Any]] = []
        touched = 0
        for values in each.values:
            try:
                result = connection.execute(each.clause, values)
            except (OperationalError, InterfaceError):
                raise
            except DBAPIError:
                raise Refused("refused", each.name) from None
            if reads:
                taken += [_plain(row) for row in result.mappings().fetchmany(most_rows + 1 - len(taken))]
                touched = len(taken)
            else:
                touched += max(result.rowcount, 0)
            if touched > most_rows:
                raise Refused("too-many-rows", each.name)
        rows[each.name] = touched
        if reads:
            found[each.name] = taken
    return Ran(rows, found)


async def _asynchronous(target: URL, work: Any, *, reads: bool, dry_run: bool) -> Ran:
    engine = create_async_engine(target, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            if reads:
                connection = await connection.execution_options(postgresql_readonly=True)
            ran: Ran = await connection.run_sync(work)
            await (connection.rollback() if dry_run or reads else connection.commit())
            return ran
    finally:
        await engine.dispose()


def _synchronous(target: URL, work: Any, *, reads: bool, dry_run: bool) -> Ran:
    limits = (
        {"timeout": TIMEOUT_S / 4}
        if target.get_backend_name() == "sqlite"
        else {"connect_timeout": TIMEOUT_S // 4, "read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S}
    )
    engine = create_engine(target, poolclass=NullPool, connect_args=limits)
    try:
        with engine.connect() as connection:
            if reads:
                only_look(connection)
            ran: Ran = work(connection)
            if dry_run or reads:
                connection.rollback()
            else:
                connection.commit()
            return ran
    finally:
        engine.dispose()


def only_look(connection: Connection) -> None:
    """From here on the connection refuses to write, whatever it is told."""
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("PRAGMA query_only = ON" if sqlite else "SET SESSION TRANSACTION READ ONLY")
    connection.rollback()


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as JSON takes it."""
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return b64encode(bytes(value)).decode() if isinstance(value, bytes | bytearray | memoryview) else str(value)
