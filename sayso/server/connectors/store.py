"""Statements of a manifest, carried out in a customer database in one transaction: PostgreSQL, MySQL/MariaDB, SQLite.

What is bound is bound by the driver; what was declared was looked through before (`rights.systems.statements`), and is
looked through here again. Reading happens in a transaction that cannot write. Nothing is committed unless whoever asked
for it still may: a fence is asked for the last time when all is done but the commit, and the database ends what
takes too long (`limits_store.py`).
"""

import asyncio
import contextlib
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, NullPool, TextClause, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from rights import Statement, statement_refusal, statement_words
from sayso.server.connectors.failures import Refused, judged
from sayso.server.connectors.limits_store import MYSQL, bounded, demand_transactional, only_look, take_back

TIMEOUT_S: Final = 60
"""Seconds after which no statement of a task is begun and nothing is committed; one statement may take as long."""

ENDS_S: Final = 3 * TIMEOUT_S
"""Seconds after which nothing of a task is under way any more: a statement more than its time, connecting, asking."""

_CONNECT_S: Final = 15
"""Seconds to connect, to be let in to a locked file, and to hear whether the task is still ours."""

MOST_COMBINATIONS: Final = 100
"""Of the names by which one person is known, when somebody was merged from several."""

Fence = Callable[[], Awaitable[bool]]
"""Whether what was done may be committed: whether the task is still ours."""

_DRIVERS: Final = {
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}


class Ran(Struct, frozen=True):
    """What came of it: rows by statement, and what was read by statement."""

    rows: dict[str, int]
    found: dict[str, list[dict[str, Any]]]

    @property
    def count(self) -> int:
        return sum(self.rows.values())


class _Bound(Struct, frozen=True):
    """A statement, each set of values it is run with, and every word in it that may name a table."""

    name: str
    clause: TextClause
    values: tuple[dict[str, str], ...]
    words: frozenset[str]


class _Job(Struct, frozen=True):
    """What is to be run, and until when (by the monotonic clock) a statement may begin. `commits`: it is meant."""

    bound: tuple[_Bound, ...]
    reads: bool
    most_rows: int
    until: float
    commits: bool

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until


async def carry_out(
    url: str,
    statements: Sequence[Statement],
    names: Mapping[str, Sequence[str]],
    *,
    reads: bool,
    most_rows: int,
    fence: Fence | None = None,
) -> Ran:
    """Run the statements in one transaction; without a `fence` it is a trial, and taken back. A statement that binds a
    name of which the person has none is left out. When this returns nothing is under way any more. Raises `Refused`.
    """
    target = _target(url)
    bound = tuple(_bind(each, names, reads=reads) for each in statements)
    if bound and fence is not None and not any(each.values for each in bound):
        # By no name that any statement asks for: nobody would be looked for.
        raise Refused("no-names")
    job = _Job(bound, reads, most_rows, time.monotonic() + TIMEOUT_S, fence is not None and not reads)
    try:
        if target.get_dialect().is_async:
            return await _asynchronous(target, job, fence)
        return await _in_a_thread(target, job, fence)
    except Refused:
        raise
    except DBAPIError as error:
        raise judged(error.orig, late=job.late) from None
    except (TimeoutError, OSError):
        raise Refused("timeout" if job.late else "unreachable", passing=True) from None
    except ImportError:
        raise Refused("driver-missing") from None
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
    return _Bound(statement.name, clause, tuple(values), statement_words(statement.sql))


def _run(connection: Connection, job: _Job) -> Ran:
    """All statements. What writes is looked at whole before the first of them acts."""
    bounded(connection, TIMEOUT_S)
    if not job.reads:
        for each in job.bound:
            demand_transactional(connection, each.name, each.words)
    rows: dict[str, int] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for each in job.bound:
        taken: list[dict[str, Any]] = []
        touched = 0
        for values in each.values:
            if job.late:
                raise Refused("timeout", each.name, passing=True)
            try:
                result = connection.execute(each.clause, values)
            except DBAPIError as error:
                refused = judged(error.orig, late=job.late)
                raise Refused(refused.word, each.name, passing=refused.passing) from None
            if job.reads:
                taken += [_plain(row) for row in result.mappings().fetchmany(job.most_rows + 1 - len(taken))]
                touched = len(taken)
            else:
                touched += max(result.rowcount, 0)
            if touched > job.most_rows:
                raise Refused("too-many-rows", each.name)
        rows[each.name] = touched
        if job.reads:
            found[each.name] = taken
    return Ran(rows, found)


async def _asynchronous(target: URL, job: _Job, fence: Fence | None) -> Ran:
    engine = create_async_engine(target, poolclass=NullPool)
    try:
        async with asyncio.timeout(ENDS_S), engine.connect() as connection:
            if job.reads:
                connection = await connection.execution_options(postgresql_readonly=True)
            ran: Ran = await connection.run_sync(_run, job)
            if job.commits:
                await _demand(fence, job)
                await connection.commit()
            else:
                await connection.rollback()
            return ran
    finally:
        await engine.dispose()


async def _in_a_thread(target: URL, job: _Job, fence: Fence | None) -> Ran:
    """The thread is waited for to its end, which the database and the socket bound: nothing goes on behind our back."""
    loop = asyncio.get_running_loop()

    def demanded() -> None:
        asyncio.run_coroutine_threadsafe(_demand(fence, job), loop).result(_CONNECT_S)

    return await asyncio.to_thread(_synchronous, target, job, demanded)


async def _demand(fence: Fence | None, job: _Job) -> None:
    """Raises `Refused` (`not-ours`) when another has the task now, `timeout` when the time is over."""
    if fence is None or not await fence():
        raise Refused("not-ours", passing=True)
    if job.late:
        raise Refused("timeout", passing=True)


def _synchronous(target: URL, job: _Job, demanded: Callable[[], None]) -> Ran:
    sqlite = target.get_backend_name() == "sqlite"
    limits = (
        {"timeout": min(TIMEOUT_S, _CONNECT_S)}
        if sqlite
        else {"connect_timeout": _CONNECT_S, "read_timeout": TIMEOUT_S, "write_timeout": _CONNECT_S}
    )
    engine = create_engine(target, poolclass=NullPool, connect_args=limits)
    try:
        with engine.connect() as connection:
            if job.reads:
                only_look(connection)
            try:
                ran = _run(connection, job)
                if job.commits:
                    demanded()
                    connection.commit()
                else:
                    take_back(connection)
                return ran
            except Refused as refused:
                if refused.word != "not-taken-back" and engine.dialect.name in MYSQL:
                    # A connection that is gone took everything back by going.
                    with contextlib.suppress(DBAPIError):
                        take_back(connection)
                raise
    finally:
        engine.dispose()


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as JSON takes it."""
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return b64encode(bytes(value)).decode() if isinstance(value, bytes | bytearray | memoryview) else str(value)
