"""The embedded database: SQLite in write-ahead mode, one process, one writer thread.

Reads by key run in the event loop (microseconds, no thread hop) and see the last commit. A flush is one transaction.
Its rows go in from the loop too, and the one writer thread commits, which waits for the disk: a thread would have to
ask the loop for the interpreter after each statement, and that costs both more than the statements do. What is large
is the writer thread's from its first row. Brief questions and a few prepared changes run in the loop as well: while a
cold unit is decided everybody else waits. `synchronous=FULL`: what was answered survives a
power cut. `secure_delete=ON`: what was deleted is overwritten.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from sayso.kernel.batcher import Batcher
from sayso.kernel.context import Context
from sayso.kernel.errors import LostRace, Unavailable
from sayso.kernel.flush import Job, Loaded, Writes, decide, look
from sayso.kernel.rows import Rows, Values
from sayso.kernel.schema import feed
from sayso.kernel.statements import Prepared
from sayso.kernel.tidying import Tidying
from sayso.kernel.tx import Get, GetEach, Head, Query, Unit, View

log = logging.getLogger("sayso.sqlite")

T = TypeVar("T")

_DIALECT = sqlite_dialect()
_CHECKPOINT_PAGES = 2_048
_BACKFILL_PAGES = 256
_LARGEST_PART = 128
_LARGE = 8_192
"""Rows of a flush that the loop would be held up for: about a tenth of a second."""
_PATIENCE = 10.0
"""Seconds that a lock of another connection is waited for."""
_WAL_LIMIT = 64 * 1024 * 1024
"""Bytes that the write-ahead file keeps on disk; what it once needed beyond them is given back."""

_HEAD = "SELECT position, config FROM feed_head WHERE tenant = ? AND shard = 0"
_RAISE_HEAD = (
    "INSERT INTO feed_head (tenant, shard, position, config) VALUES (?, 0, ?, ?) "
    "ON CONFLICT (tenant, shard) DO UPDATE "
    "SET position = position + excluded.position, config = config + excluded.config "
    "RETURNING position"
)
_FEED = Rows(feed, journal=True)


def connect(path: Path, *, read_only: bool = False, patience: float = _PATIENCE) -> sqlite3.Connection:
    """A connection with every safety that the store relies on. `patience`: seconds that it waits for a lock."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=_PATIENCE
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA cache_size=-32768")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    connection.execute(f"PRAGMA busy_timeout={patience * 1000:.0f}")
    return connection


def parts(count: int) -> Iterator[tuple[int, int]]:
    """`count` rows cut into powers of two, largest first: few different statements, each prepared once."""
    first, size = 0, _LARGEST_PART
    while first < count:
        while size > count - first:
            size //= 2
        yield first, first + size
        first += size


class SqliteDatabase:
    """`Database` over one file. See `database.py` for what the methods promise."""

    kind = "sqlite"

    def __init__(self, path: Path, loaded: Loaded) -> None:
        self._path = path
        self._loaded = loaded
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="sayso-writer")
        self.query_thread = ThreadPoolExecutor(1, thread_name_prefix="sayso-query")
        self._batcher = Batcher(self._session, loaded)
        self._cold = asyncio.Lock()
        self.gate = asyncio.Lock()
        self._tidying = Tidying(self.gate, _PATIENCE)
        self._stop_checkpoints = threading.Event()
        self._untidy = threading.Event()
        self._checkpoints: threading.Thread | None = None

    async def start(self) -> None:
        self.writer = connect(self._path)
        self._patience = _PATIENCE
        # The checkpoint thread moves pages all the time; the writer takes the last step, after which it begins the file
        # anew: pages that are there already cost half of what new ones do.
        self.writer.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self.writer.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
        self._reader = connect(self._path, read_only=True)
        self._queries = connect(self._path, read_only=True)
        self._tidying.start(connect(self._path, patience=0))
        self._batcher.start()
        # Who was killed after an erasure was committed left the file as it was.
        self._untidy.set()
        self._checkpoints = threading.Thread(target=self._checkpoint_loop, name="sayso-checkpoint", daemon=True)
        self._checkpoints.start()

    async def stop(self) -> None:
        await self._batcher.drain()
        await self._tidying.stop()
        self._stop_checkpoints.set()
        if self._checkpoints is not None:
            self._checkpoints.join()
        self._writer_thread.shutdown()
        self.query_thread.shutdown()
        for connection in (self._reader, self._queries):
            connection.close()
        self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()

    def run(self, context: Context, unit: Unit[Any]) -> asyncio.Future[Any]:
        return self._batcher.submit(context, unit)

    async def run_alone(self, context: Context, unit: Unit[Any]) -> Any:
        async with self._cold:
            return await self._batcher.submit(context, unit, alone=True)

    async def run_beside(self, context: Context, unit: Unit[Any]) -> Any:
        # Decided here, beside whatever is flushed, and written with the next flush. Other cold units wait, so nothing
        # that this one read is changed in between but by hot units, which append to it at most.
        async with self._cold:
            job = Job(context, unit, asyncio.get_running_loop().create_future(), alone=True)
            await decide(
                _SqliteSession(self, context.tenant, self._reader), context.tenant, [job], self._loaded, View()
            )
            if job.error is not None:
                raise job.error
            if job.tx.writes:
                await self._batcher.submit(context, job.tx.again)
            return job.result

    async def look(self, context: Context, unit: Unit[Any]) -> Any:
        return await look(_SqliteSession(self, context.tenant, self._reader), context, unit, self._loaded)

    async def tidy(self) -> None:
        """Move the write-ahead file into the database and empty it: what was erased is then gone from both files."""
        try:
            done = await self._tidying.done()
        except sqlite3.Error:
            self._untidy.set()
            raise
        if not done:
            self._untidy.set()
            log.warning("a reader holds up the tidying of the write-ahead file; it is tried again until it is done")

    @property
    def waiting(self) -> int:
        return self._batcher.waiting

    @property
    def flushes(self) -> tuple[int, int]:
        """Flushes so far, and units in them."""
        return self._batcher.flushes, self._batcher.units

    @asynccontextmanager
    async def _session(self, tenant: str, *, behind: bool) -> AsyncIterator["_SqliteSession"]:
        # With no flush ahead the writer thread is idle until this one writes, and its connection may read in the loop.
        # No one else changes the file, so its page cache stays true from flush to flush: a read costs no system call.
        yield _SqliteSession(self, tenant, self._reader if behind else self.writer)

    def fetch(self, text: str, values: Values) -> list[Values]:
        """One cold SELECT. Called in the query thread."""
        return self._queries.execute(text, values).fetchall()

    def in_writer(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._writer_thread, work)

    def begin(self, *, patient: bool) -> bool:
        """Whether the writer's transaction began: impatient, it does not while another connection has the one lock."""
        self._be_patient(_PATIENCE if patient else 0)
        try:
            self.writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not patient and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        return True

    def _be_patient(self, seconds: float) -> None:
        if seconds != self._patience:
            self.writer.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")
            self._patience = seconds

    def _checkpoint_loop(self) -> None:
        """Move pages out of the write-ahead file beside the writer, in small steps: never in the commit's way."""
        # It waits for no lock: who waits for the last reader holds up every commit.
        own = connect(self._path, patience=0)
        wal = self._path.with_name(self._path.name + "-wal")
        try:
            while not self._stop_checkpoints.wait(0.1):
                try:
                    size = wal.stat().st_size
                except FileNotFoundError:
                    continue
                try:
                    if size > _BACKFILL_PAGES * 4096:
                        own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    if self._untidy.is_set():
                        # In this order: whoever finds it untidy meanwhile is not overlooked.
                        self._untidy.clear()
                        if own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                            self._untidy.set()
                except sqlite3.OperationalError as error:
                    self._untidy.set()
                    # A full or failing disk, which the commits tell of. It is tried again.
                    log.warning("the write-ahead file could not be moved: %s", error.sqlite_errorname)
        finally:
            own.close()


class _SqliteSession:
    """Reads in the loop, writes in the writer thread, one flush at a time."""

    __slots__ = ("_database", "_reads", "_tenant")

    def __init__(self, database: SqliteDatabase, tenant: str, reads: sqlite3.Connection) -> None:
        self._database = database
        self._tenant = tenant
        self._reads = reads

    async def head(self) -> Head:
        row = self._reads.execute(_HEAD, (self._tenant,)).fetchone()
        return Head(*row) if row else Head(0, 0)

    async def read(self, gets: list[Get]) -> dict[Get, Values]:
        tables: dict[Rows, list[Get]] = {}
        for get in gets:
            asked = tables.get(get.rows)
            if asked is None:
                tables[get.rows] = [get]
            else:
                asked.append(get)
        found: dict[Get, Values] = {}
        for rows, asked in tables.items():
            answers = self._each(rows, [get.key for get in asked])
            found.update({get: row for get, row in zip(asked, answers, strict=True) if row is not None})
        return found

    async def read_each(self, asked: GetEach) -> list[Values | None]:
        return self._each(asked.rows, asked.keys)

    def _each(self, rows: Rows, keys: list[Values]) -> list[Values | None]:
        found: list[Values | None] = [None] * len(keys)
        for first, last in parts(len(keys)):
            text = rows.sqlite.each(last - first)
            for row in self._reads.execute(text, list(chain.from_iterable(keys[first:last]))):
                found[first + row[0]] = row[1:]
        return found

    async def query(self, query: Query) -> list[Values]:
        text, values = query.text(_DIALECT)
        if query.brief:
            return self._reads.execute(text, values).fetchall()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database.query_thread, lambda: self._database.fetch(text, values))

    async def write(self, writes: Writes) -> int | None:
        executes = [(*item.text(_DIALECT), item.expect) for item in writes.executes]
        database = self._database
        short = all(isinstance(item.statement, Prepared) for item in writes.executes)
        small = short and writes.rows + len(executes) <= _LARGE
        async with database.gate:
            if small and database.begin(patient=False):
                with _or_nothing(database.writer):
                    position = self._apply(database.writer, writes, executes)
                await database.in_writer(self._commit)
                return position
            return await database.in_writer(lambda: self._write(writes, executes))

    def _write(self, writes: Writes, executes: list[tuple[str, Values, int | None]]) -> int | None:
        self._database.begin(patient=True)
        with _or_nothing(self._database.writer):
            position = self._apply(self._database.writer, writes, executes)
        self._commit()
        return position

    def _commit(self) -> None:
        with _or_nothing(self._database.writer):
            self._database.writer.execute("COMMIT")

    def _apply(
        self, connection: sqlite3.Connection, writes: Writes, executes: list[tuple[str, Values, int | None]]
    ) -> int | None:
        for rows, keys in writes.deletes.items():
            connection.executemany(rows.sqlite.delete, keys)
        for rows, fresh in writes.inserts.items():
            _insert(connection, rows, fresh)
        for rows, known in writes.onces.items():
            connection.executemany(rows.sqlite.once, known.values())
        for rows, changes in writes.replaces.items():
            cursor = connection.executemany(rows.sqlite.replace, [(*values, *key, was) for values, key, was in changes])
            if cursor.rowcount != len(changes):
                raise LostRace(rows.name)
        for text, values, expect in executes:
            if connection.execute(text, values).rowcount != expect and expect is not None:
                raise LostRace(text)
        if not writes.published and not writes.config_changed:
            return None
        count = len(writes.published)
        position: int
        (position,) = connection.execute(_RAISE_HEAD, (self._tenant, count, int(writes.config_changed))).fetchone()
        first = position - count + 1
        _insert(connection, _FEED, [(self._tenant, 0, first + nth, *item) for nth, item in enumerate(writes.published)])
        return position


@contextmanager
def _or_nothing(connection: sqlite3.Connection) -> Iterator[None]:
    """Part of a transaction: if it fails nothing of the whole stays. Raises `LostRace`, `Unavailable` (full disk)."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        connection.execute("ROLLBACK")
        raise LostRace(str(error)) from error
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            raise Unavailable("disk-full", "The disk is full; nothing was done.", retry_after=30) from error
        raise


def _insert(connection: sqlite3.Connection, rows: Rows, fresh: list[Values]) -> None:
    for first, last in parts(len(fresh)):
        connection.execute(rows.sqlite.insert(last - first), list(chain.from_iterable(fresh[first:last])))
