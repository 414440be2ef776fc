"""Runs Alembic in this program, without an ini file: the URL and the connection come from the caller."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sayso.kernel.errors import Conflict
from sayso.kernel.schema import metadata

T = TypeVar("T")

LOCK_TIMEOUT_S = 5
TABLES_IN = (
    "audit.tables",
    "audit.exports.tables",
    "consent.tables",
    "vault.tables",
    "policies.audiences.tables",
    "rights.tables",
    "rights.retention.tables",
    "rights.systems.tables",
    "sayso.server.tables",
    "sayso.server.drp.tables",
    "sayso.server.feed.tables",
    "sayso.server.mail.tables",
    "sayso.server.packages.tables",
    "sayso.server.taken.tables",
)
# "sayso" in ASCII: nodes that start together upgrade one after the other.
_UPGRADE_LOCK = 0x736179736F
_OTHERS_UPGRADE_S = 600


class NewerStore(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "newer-store", "This store was made or upgraded by a newer release of Sayso; nothing in it was touched."
        )


def upgrade(url: str, patience_s: int = LOCK_TIMEOUT_S, *, to: str = "head") -> None:
    """Bring the database at `url` (`sqlite:///path`, `postgresql+asyncpg://…`) to the newest revision, or up `to` one.

    Each revision is one transaction: a failing one leaves nothing behind. Waits at most `patience_s` seconds for a lock
    and raises the driver's error after that, rather than queueing the server's own requests behind itself. Blocks; from
    a running event loop call it in a thread. Raises `NewerStore`.
    """

    def act(connection: Connection) -> None:
        stands = MigrationContext.configure(connection).get_current_revision()
        if not (known(stands or to) and known(to)):
            raise NewerStore
        connection.rollback()
        command.upgrade(configuration(connection), to)

    with_connection(url, act, patience_s)


def known(revision: str) -> bool:
    """Whether this program has the revision; `head` it has."""
    return revision == "head" or revision in {each.revision for each in _script().walk_revisions()}


def current(url: str) -> str | None:
    """The revision that the database at `url` stands at; None when it was never migrated."""
    return with_connection(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


def newest() -> str | None:
    """The newest revision this program knows."""
    return _script().get_current_head()


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def every_table() -> MetaData:
    """The metadata with the tables of all packages in it."""
    for module in TABLES_IN:
        import_module(module)
    return metadata


def configuration(connection: Connection | None = None, target: MetaData | None = None) -> Config:
    """Alembic's configuration for this package; `target` is what a new revision is compared with."""
    config = Config()
    config.set_main_option("script_location", "sayso:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["target"] = target
    return config


def with_connection(url: str, act: Callable[[Connection], T], patience_s: int = LOCK_TIMEOUT_S) -> T:
    """Run `act` with a connection of its own, on either engine."""
    if make_url(url).get_backend_name() == "sqlite":
        return _with_sqlite(url, act, patience_s)
    # A thread of its own, so that it does not matter whether the caller runs in an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _with_postgres(url, act, patience_s)).result()


def _with_sqlite(url: str, act: Callable[[Connection], T], patience_s: int) -> T:
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": patience_s})
    _begin_for_ddl_too(engine)
    try:
        with engine.connect() as connection:
            return act(connection)
    finally:
        engine.dispose()


def _begin_for_ddl_too(engine: Engine) -> None:
    """Python's sqlite3 opens no transaction before DDL by itself, and half a revision would stay."""

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _with_postgres(url: str, act: Callable[[Connection], T], patience_s: int) -> T:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # Another node's whole upgrade is waited for; a table that somebody uses, for a short time only.
            await connection.execute(text(f"SET lock_timeout = '{_OTHERS_UPGRADE_S}s'"))
            await connection.execute(text(f"SELECT pg_advisory_lock({_UPGRADE_LOCK})"))
            await connection.execute(text(f"SET lock_timeout = '{patience_s}s'"))
            await connection.commit()
            return await connection.run_sync(act)
    finally:
        await engine.dispose()
