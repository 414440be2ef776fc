"""The database, as everyone above the kernel sees it: four ways to run a unit of work. Nobody else commits."""

from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sayso.kernel.context import Context
from sayso.kernel.errors import Invalid
from sayso.kernel.flush import Loaded
from sayso.kernel.tx import Unit

T = TypeVar("T")


class Database(Protocol):
    """Runs units of work. Each answer comes after its own commit, never before.

    Freshness: a unit reads what is committed after it was submitted; no state of a person is ever cached.
    """

    kind: str

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Answer everything that waits, refuse what comes, close."""
        ...

    def run(self, context: Context, unit: Unit[T]) -> Awaitable[T]:
        """Hot: share a flush with whatever queued meanwhile. The unit uses point reads and inserts only."""
        ...

    async def run_alone(self, context: Context, unit: Unit[T]) -> T:
        """Cold: a transaction of its own, any statement. What the unit decides on it guards by `put` or `expect`."""
        ...

    async def run_beside(self, context: Context, unit: Unit[T]) -> T:
        """Cold, and no hot unit waits for it: for a unit about tables that no hot unit reads, guarded by `expect`."""
        ...

    async def look(self, context: Context, unit: Unit[T]) -> T:
        """Read only: no queue and no commit. The unit must not write."""
        ...

    async def tidy(self) -> None:
        """Make what was deleted unreadable on disk as far as this engine can at once."""
        ...

    @property
    def waiting(self) -> int:
        """Units that wait for their flush."""
        ...

    @property
    def flushes(self) -> tuple[int, int]:
        """Flushes so far, and units in them."""
        ...


async def _nothing_to_load(_tenant: str, _config: int) -> None:
    return None


def open_database(url: str, loaded: Loaded = _nothing_to_load, **options: Any) -> Database:
    """A database by its URL: `sqlite:///path/to/file` or `postgresql+asyncpg://…`. Not started yet.

    `loaded` is awaited in each flush with the tenant's configuration counter, before any unit decides.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from sayso.kernel.sqlite import SqliteDatabase

        return SqliteDatabase(Path(rest.removeprefix("/")), loaded)
    if scheme.startswith("postgresql"):
        from sayso.kernel.postgres import PostgresDatabase

        return PostgresDatabase(f"postgresql+asyncpg://{rest}", loaded, **options)
    raise Invalid("unknown-database", "A database URL begins with sqlite:/// or postgresql://.")
