"""What a customer database is told before a statement runs there, and what it could not take back.

The database itself ends what takes too long, so that a worker which was suspended or cut off commits nothing later.
"""

import time
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from sayso.server.connectors.failures import Refused

MYSQL: Final = ("mysql", "mariadb")
_NOT_ROLLED_BACK: Final = 1196
_STEPS: Final = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""

# A view has no engine of its own: what is below it is not seen from here, so it counts as not to be taken back.
_UNSAFE: Final = text(
    "SELECT COUNT(*) FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE"
    " WHERE LOWER(t.TABLE_NAME) IN :names AND (t.TABLE_SCHEMA = DATABASE() OR LOWER(t.TABLE_SCHEMA) IN :names)"
    " AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'"
).bindparams(bindparam("names", expanding=True))


def only_look(connection: Connection) -> None:
    """From here on the connection refuses to write, whatever it is told."""
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("PRAGMA query_only = ON" if sqlite else "SET SESSION TRANSACTION READ ONLY")
    connection.rollback()


def bounded(connection: Connection, seconds: int) -> None:
    """The database ends a statement, a wait for a lock and a pause of ours that take longer than `seconds`."""
    dialect: Any = connection.dialect
    if dialect.name == "sqlite":
        end = time.monotonic() + seconds
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    elif dialect.name in MYSQL:
        own = (
            f"max_statement_time = {seconds}, idle_transaction_timeout = {seconds}"
            if dialect.is_mariadb
            else f"max_execution_time = {seconds * 1000}"
        )
        # `autocommit` is an option that an address may carry: with it nothing could be taken back.
        connection.exec_driver_sql(
            f"SET SESSION autocommit = 0, wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}, {own}"
        )
    else:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {name} = {seconds * 1000}")


def demand_transactional(connection: Connection, statement: str, words: Collection[str]) -> None:
    """Raises `Refused` (`not-transactional`) when a table among `words` could not be given back as it was: MyISAM,
    Aria, MEMORY, and views, of which that is not seen. Two statements would not be one act there, a dry run would act.
    """
    if connection.dialect.name in MYSQL and connection.execute(_UNSAFE, {"names": sorted(words)}).scalar():
        raise Refused("not-transactional", statement)


def take_back(connection: Connection) -> None:
    """Roll back. Raises `Refused` (`not-taken-back`) when the database says that something stays: a trigger that nobody
    could see from outside wrote where nothing is taken back.
    """
    connection.rollback()
    if connection.dialect.name in MYSQL:
        warnings = connection.exec_driver_sql("SHOW WARNINGS").fetchall()
        connection.rollback()
        if any(number == _NOT_ROLLED_BACK for _, number, _ in warnings):
            raise Refused("not-taken-back")
