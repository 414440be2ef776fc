"""Customer databases: a shop on a real SQLite, PostgreSQL and MariaDB, and the manifest that reaches it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

MANIFEST = """
systems:
  shop:
    title: {en: Shop}
    holds: [contact]
    connector: sql
    kinds: [access, erasure]
    identify: {mail: customers.email, phone: customers.phone}
    most_rows: 3
    statements:
      access:
        orders: "SELECT id, item, price FROM orders WHERE mail = :mail ORDER BY id"
      erasure:
        orders: "DELETE FROM orders WHERE mail = :mail"
        customers: "UPDATE customers SET name = NULL, mail = NULL WHERE mail = :mail"
        calls: "DELETE FROM calls WHERE phone = :phone"
"""
TABLES = (
    "CREATE TABLE customers (id integer PRIMARY KEY, name text, mail text)",
    "CREATE TABLE orders (id integer PRIMARY KEY, mail text, item text, price numeric(8, 2))",
    "CREATE TABLE calls (id integer PRIMARY KEY, phone text)",
    "INSERT INTO customers VALUES (1, 'Lin', 'lin@example.com'), (2, 'Ann', 'ann@example.com')",
    "INSERT INTO orders VALUES (1, 'lin@example.com', 'tea', 4.5), (2, 'ann@example.com', 'tea', 9)",
    "INSERT INTO calls VALUES (1, '+491511234567')",
)


class Shop:
    """The customer's database."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def do(self, *statements: str) -> list[tuple[Any, ...]]:
        def work(connection: Any) -> list[tuple[Any, ...]]:
            for each in statements:
                result = connection.execute(text(each))
            found = [tuple(row) for row in result] if result.returns_rows else []
            connection.commit()
            return found

        if not self.url.startswith("postgres"):
            engine = create_engine(self.url, poolclass=NullPool)
            with engine.connect() as connection:
                return work(connection)
        other = create_async_engine(self.url, poolclass=NullPool)
        async with other.connect() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Somebody else has the rows of `orders`: whoever wants to write there waits."""
        engine = create_async_engine(self.url) if self.url.startswith("postgres") else create_engine(self.url)
        taken = "UPDATE orders SET item = 'held'"
        if isinstance(engine, AsyncEngine):
            async with engine.connect() as connection:
                await connection.execute(text(taken))
                yield
                await connection.rollback()
            await engine.dispose()
        else:
            with engine.connect() as plain:
                plain.execute(text(taken))
                yield
                plain.rollback()
            engine.dispose()

    async def orders(self) -> list[tuple[Any, ...]]:
        return await self.do("SELECT mail FROM orders ORDER BY id")


async def held() -> bool:
    """A fence that lets pass."""
    return True
