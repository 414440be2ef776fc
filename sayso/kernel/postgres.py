"""PostgreSQL: several nodes, one database. asyncpg under SQLAlchemy's engine, arrays instead of rows.

A flush reads with one statement per table, decides, and writes with one statement for everything. Rows
that another node changed in between are noticed by their version, and the units concerned run again.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from sayso.kernel.batcher import ATTEMPTS, Batcher
from sayso.kernel.context import Context
from sayso.kernel.errors import Conflict, LostRace, SaysoError, Unavailable
from sayso.kernel.flush import Job, Loaded, Writes, decide, look
from sayso.kernel.fused import fuse
from sayso.kernel.rows import Values
from sayso.kernel.tx import Get, GetEach, Head, Query, Unit, View

log = logging.getLogger("sayso.postgres")

_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]
_RACES = (asyncpg.UniqueViolationError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)
_SAFETIES = ("fsync", "synchronous_commit", "full_page_writes")

_HEAD = "SELECT position, config FROM feed_head WHERE tenant = $1 AND shard = 0"


class PostgresDatabase:
    """`Database` over a PostgreSQL server. See `database.py` for what the methods promise."""

    kind = "postgres"

    def __init__(self, url: str, loaded: Loaded, *, role: str | None = "sayso_app", pool: int = 8) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url, pool_size=pool, max_overflow=4, pool_timeout=5, connect_args={"statement_cache_size": 512}
        )
        self._role = role
        self._loaded = loaded
        self._hot: list[_Connection] = []
        self._cold = asyncio.Lock()
        self._batcher = Batcher(self._session, loaded)

    async def start(self) -> None:
        async with self._checkout() as connection:
            for name in _SAFETIES:
                if await connection.raw.fetchval(f"SHOW {name}") == "off":
                    raise Unavailable(
                        "unsafe-database", f"The database runs with {name}=off; Sayso does not start on it."
                    )
        self._batcher.start()

    async def stop(self) -> None:
        await self._batcher.drain()
        for connection in self._hot:
            await connection.close(broken=connection.raw.is_closed())
        await self._engine.dispose()

    def run(self, context: Context, unit: Unit[Any]) -> asyncio.Future[Any]:
        return self._batcher.submit(context, unit)

    async def run_alone(self, context: Context, unit: Unit[Any]) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # One at a time in this process: cold units would only wait for each other's row locks.
                async with self._cold:
                    return await self._alone(context, unit)
            except (LostRace, *_RACES):
                await asyncio.sleep(random.uniform(0.002, 0.01) * 2**attempt)  # noqa: S311 - spreads retries, no secret
            except _LOST as error:
                raise _outcome_unknown() from error
        raise Conflict("contended", "Too many changes of the same thing at once; try again.")

    async def run_beside(self, context: Context, unit: Unit[Any]) -> Any:
        # On connections of their own cold units are beside the flushes anyway.
        return await self.run_alone(context, unit)

    async def look(self, context: Context, unit: Unit[Any]) -> Any:
        # The loader wants a connection of its own: awaited with one in hand, as many looks as the pool has connections
        # would wait for each other.
        async with self._checkout() as connection:
            await connection.become(context.tenant)
            head = await _PostgresSession(connection, context.tenant).head()
        await self._loaded(context.tenant, head.config)
        async with self._checkout() as connection:
            await connection.become(context.tenant)
            return await look(_PostgresSession(connection, context.tenant), context, unit, _no_reload)

    async def tidy(self) -> None:
        """Nothing to do: PostgreSQL keeps deleted rows until it vacuums, which is why erasure is final only later."""

    @property
    def waiting(self) -> int:
        return self._batcher.waiting

    @property
    def flushes(self) -> tuple[int, int]:
        """Flushes so far, and units in them."""
        return self._batcher.flushes, self._batcher.units

    async def _alone(self, context: Context, unit: Unit[Any]) -> Any:
        async with self._checkout() as connection:
            await connection.become(context.tenant)
            session = _PostgresSession(connection, context.tenant)
            # Configuration is loaded outside: the loader needs a connection of its own and must see what is committed.
            await self._loaded(context.tenant, (await session.head()).config)
            # READ COMMITTED: under a stricter level every cold unit would lose to the hot flushes that raise the feed's
            # head all the time. What a unit's decision rests on is guarded by `put` and `expect` instead.
            transaction = connection.raw.transaction()
            await transaction.start()
            try:
                job = Job(context, unit, asyncio.get_running_loop().create_future(), alone=True)
                await decide(session, context.tenant, [job], _no_reload, View())
                if job.error is not None:
                    raise job.error
                await session.apply(Writes([job]))
            except BaseException:
                if not connection.raw.is_closed():
                    await transaction.rollback()
                raise
            await transaction.commit()
            return job.result

    @asynccontextmanager
    async def _session(self, tenant: str, *, behind: bool) -> AsyncIterator["_PostgresSession"]:
        """One of the flusher's own connections, kept from flush to flush: one writes while the other decides."""
        connection = self._hot.pop() if self._hot else await _Connection.open(self._engine, self._role)
        try:
            await connection.become(tenant)
            yield _PostgresSession(connection, tenant)
        except (LostRace, SaysoError):
            self._hot.append(connection)
            raise
        except BaseException:
            await connection.close(broken=connection.raw.is_closed())
            raise
        self._hot.append(connection)

    @asynccontextmanager
    async def _checkout(self) -> AsyncIterator["_Connection"]:
        connection = await _Connection.open(self._engine, self._role)
        try:
            yield connection
        finally:
            await connection.close(broken=connection.raw.is_closed())


class _Connection:
    """A pooled connection that knows which tenant's rows it may see."""

    __slots__ = ("_pooled", "info", "raw")

    def __init__(self, pooled: AsyncConnection, raw: asyncpg.Connection, info: dict[Any, Any]) -> None:
        self._pooled = pooled
        self.raw = raw
        self.info = info

    @classmethod
    async def open(cls, engine: AsyncEngine, role: str | None) -> "_Connection":
        try:
            pooled = await engine.connect()
        except NoneFree as error:
            raise Unavailable("overloaded", "Too many requests wait; nothing was done for this one.") from error
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise Unavailable("storage-unavailable", "The database cannot be reached; nothing was done.") from error
        fairy = await pooled.get_raw_connection()
        raw: asyncpg.Connection = fairy.driver_connection
        if role is not None and fairy.info.get("role") != role:
            await raw.execute(f'SET ROLE "{role}"')
            fairy.info["role"] = role
        return cls(pooled, raw, fairy.info)

    async def become(self, tenant: str) -> None:
        """From here on row-level security shows this tenant's rows and no others."""
        if self.info.get("tenant") != tenant:
            await self.raw.fetchval("SELECT set_config('sayso.tenant', $1, false)", tenant)
            self.info["tenant"] = tenant

    async def close(self, *, broken: bool) -> None:
        if broken:
            await self._pooled.invalidate()
        await self._pooled.close()


class _PostgresSession:
    __slots__ = ("_raw", "_tenant")

    def __init__(self, connection: _Connection, tenant: str) -> None:
        self._raw = connection.raw
        self._tenant = tenant

    async def head(self) -> Head:
        row = await self._raw.fetchrow(_HEAD, self._tenant)
        return Head(*row) if row else Head(0, 0)

    async def read(self, gets: list[Get]) -> dict[Get, Values]:
        tables: dict[Any, list[Get]] = {}
        for get in gets:
            tables.setdefault(get.rows, []).append(get)
        found: dict[Get, Values] = {}
        for rows, asked in tables.items():
            for row in await self._raw.fetch(rows.postgres.select, *zip(*(get.key for get in asked), strict=True)):
                found[asked[row[0] - 1]] = tuple(row)[1:]
        return found

    async def read_each(self, asked: GetEach) -> list[Values | None]:
        found: list[Values | None] = [None] * len(asked.keys)
        if not asked.keys:
            # Columns of nothing are no columns.
            return found
        for row in await self._raw.fetch(asked.rows.postgres.select, *zip(*asked.keys, strict=True)):
            found[row[0] - 1] = row[1:]
        return found

    async def query(self, query: Query) -> list[Values]:
        text, values = query.text(_DIALECT)
        if any(type(value) is str and "\0" in value for value in values):
            # No text here holds this character, and the engine refuses the question.
            return []
        return [tuple(row) for row in await self._raw.fetch(text, *values)]

    async def write(self, writes: Writes) -> int | None:
        if writes.deletes or writes.executes:
            return await self._transact(writes)
        text, values = fuse(self._tenant, writes)
        try:
            # A statement outside a transaction is one of its own: this line commits.
            position: int | None = await self._raw.fetchval(text, *values)
        except _RACES as error:
            raise LostRace(str(error)) from error
        except _LOST as error:
            raise _outcome_unknown() from error
        return position

    async def _transact(self, writes: Writes) -> int | None:
        transaction = self._raw.transaction()
        try:
            await transaction.start()
            position = await self.apply(writes)
        except _RACES as error:
            await transaction.rollback()
            raise LostRace(str(error)) from error
        except BaseException:
            if not self._raw.is_closed():
                await transaction.rollback()
            raise
        try:
            await transaction.commit()
        except _RACES as error:
            raise LostRace(str(error)) from error
        except _LOST as error:
            # The commit may have happened. Running the units again could do them twice, so the callers must ask.
            raise _outcome_unknown() from error
        return position

    async def apply(self, writes: Writes) -> int | None:
        """What is to be written, inside a transaction that the caller opened; returns what `write` does."""
        raw, position = self._raw, None
        for rows, keys in writes.deletes.items():
            await raw.execute(rows.postgres.delete, *zip(*keys, strict=True))
        if writes.adds:
            text, arrays = fuse(self._tenant, writes)
            position = await raw.fetchval(text, *arrays)
        for item in writes.executes:
            text, values = item.text(_DIALECT)
            status = await raw.execute(text, *values)
            if item.expect is not None:
                _expect(status, item.expect, text)
        return position


def _expect(status: str, count: int, what: str) -> None:
    if int(status.rsplit(" ", 1)[1]) != count:
        raise LostRace(what)


def _outcome_unknown() -> SaysoError:
    return Unavailable(
        "outcome-unknown",
        "The database went away during the commit. Ask again with the same Idempotency-Key.",
        retry_after=2,
    )


async def _no_reload(_tenant: str, _config: int) -> None:
    return None
