"""A copy of one brand's key table, apart from any copy of the data.

A file of records as `sayso.kernel.framed` writes them, which begins with a line that says what it is. A record is
MessagePack: the name of a table and the values of one row without bucket and tenant. Nothing in it opens without the
provider of the root key.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, msgpack

from sayso.kernel import Conflict, Context, Database, Invalid, Rows, Tx, Work, bucket_of
from sayso.kernel.framed import RecordFile, Torn, records
from vault import store
from vault.keys import keybackup_store as statements

_FORMAT: Final = b"sayso-key-table-1\n"
_PAGE: Final = 2_000
_LARGEST: Final = 1 << 20
_HEAD: Final = "head"
_KEY: Final = "vault_key"
_TOMBSTONE: Final = "vault_tombstone"
_SMALL: Final = {str(rows.name): rows for rows in (store.EPOCH, store.INDEX_KEY, store.SIGNING_KEY, store.STANDING_KEY)}


class DamagedKeyBackup(Invalid):
    def __init__(self) -> None:
        super().__init__("damaged-key-backup", "This is no whole backup of a key table. Take an earlier one.")


class ForeignKeyBackup(Invalid):
    def __init__(self, tenant: str) -> None:
        super().__init__("foreign-key-backup", "This backup is of the key table of another brand.", tenant=tenant)


class RollBegan(Conflict):
    def __init__(self) -> None:
        super().__init__("roll-began", "A roll began while the key table was copied; nothing was kept. Try again.")


class RestoreUnfinished(Conflict):
    def __init__(self, what: str) -> None:
        super().__init__("restore-unfinished", f"Putting back a copy of {what} did not finish; do it again.")


class KeyTableCopy(Struct, frozen=True):
    """What is in a backup. `at` is the instant from which it was taken."""

    tenant: str
    epoch: int
    keys: int
    at: int


class _Head(Struct, frozen=True):
    tenant: str
    epoch: int
    at: int


async def write(database: Database, context: Context, epoch: int, path: Path) -> KeyTableCopy:
    """Copy the brand's key table to `path`, beside whoever works with it. Raises `RollBegan`."""
    with _Writing(path, _FORMAT) as out:
        keys = await _write(database, context, epoch, out)
    return KeyTableCopy(context.tenant, epoch, keys, context.at)


async def _write(database: Database, context: Context, epoch: int, out: "_Writing") -> int:
    out.head(_Head(context.tenant, epoch, context.at))
    before = await database.look(context, partial(_small, rows=store.EPOCH))
    for table, rows in _SMALL.items():
        for row in await database.look(context, partial(_small, rows=rows)):
            out.row(table, row)
    place: statements.Place | None = None
    keys = 0
    while True:
        found = await database.look(context, partial(_keys, place=place))
        for row in found:
            out.row(_KEY, row[1:])
        keys += len(found)
        if len(found) < _PAGE:
            break
        place = (found[-1][0], bytes(found[-1][1]), found[-1][2])
    for row in await database.look(context, partial(_small, rows=store.TOMBSTONE)):
        out.row(_TOMBSTONE, row)
    if before != await database.look(context, partial(_small, rows=store.EPOCH)):
        raise RollBegan
    return keys


def read(path: Path) -> _Head:
    """What a backup says of itself. The whole file is checked. Raises `DamagedKeyBackup`."""
    head: _Head | None = None
    for table, values in _records(path):
        if head is None:
            head = _head(table, values)
    if head is None:
        raise DamagedKeyBackup
    return head


async def put_back(database: Database, context: Context, path: Path) -> KeyTableCopy:
    """Put the key table of a backup in place of what the database holds. Nobody else may be at work on it.

    Killed in between, it is done again from its beginning: `restoring` says so until it is `finished`. Raises
    `DamagedKeyBackup`, `ForeignKeyBackup`.
    """
    head = read(path)
    if head.tenant != context.tenant:
        raise ForeignKeyBackup(context.tenant)
    await database.run_alone(context, _clear)
    keys = 0
    for page in _pages(path):
        await database.run_alone(context, partial(_insert, page=page))
        keys += len(page)
    await database.run_alone(context, _through)
    await database.tidy()
    return KeyTableCopy(context.tenant, head.epoch, keys, head.at)


def tombstones(path: Path) -> list[tuple[bytes, bytes]]:
    """What was destroyed before the backup was taken: id and facts of each tombstone."""
    return [(values[0], values[2]) for table, values in _records(path) if table == _TOMBSTONE]


def restoring(tx: Tx) -> Work[bool]:
    """Whether a restore was begun and not finished. Read only."""
    (row,) = yield (tx.get(store.ROLL, _RESTORE),)
    return row is not None


_RESTORE: Final = "restore"


def _small(tx: Tx, rows: Rows) -> Work[list[tuple[Any, ...]]]:
    (found,) = yield (tx.select(statements.all_of(rows.name)),)
    return [tuple(row) for row in found]


def _keys(tx: Tx, place: "statements.Place | None") -> Work[list[tuple[Any, ...]]]:
    (found,) = yield (tx.select(statements.keys_after(tx.context.tenant, place, _PAGE)),)
    return [tuple(row) for row in found]


def _clear(tx: Tx) -> Work[None]:
    (row,) = yield (tx.get(store.ROLL, _RESTORE),)
    for name in (*_SMALL, _KEY):
        tx.execute(statements.delete_all(name))
    tx.execute(statements.delete_roll())
    if row is None:
        tx.insert(store.ROLL, _RESTORE, 1, "restoring", 0, 0, 0, 0, 0, 0, tx.context.at, 0)
    # What is deleted by statement is deleted last in a commit: the rows themselves are the next unit's.


def _insert(tx: Tx, page: list[tuple[str, tuple[Any, ...]]]) -> Work[None]:
    for table, values in page:
        if table == _KEY:
            tx.insert(store.KEY, *values, bucket=bucket_of(tx.context.tenant, values[0]))
        else:
            tx.insert(_SMALL[table], *values)
    yield ()


def _through(tx: Tx) -> Work[None]:
    tx.configure()
    yield ()


def finished(tx: Tx) -> None:
    """From here on the store may be served: whoever was erased since the backup is erased again."""
    tx.delete(store.ROLL, _RESTORE)


def _pages(path: Path) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    page: list[tuple[str, tuple[Any, ...]]] = []
    for table, values in _records(path):
        if table in _SMALL or table == _KEY:
            page.append((table, values))
            if len(page) == _PAGE:
                yield page
                page = []
    if page:
        yield page


class _Writing(RecordFile):
    def head(self, head: _Head) -> None:
        self.row(_HEAD, (head.tenant, head.epoch, head.at))

    def row(self, table: str, values: tuple[Any, ...]) -> None:
        self.record(msgpack.encode((table, values)))


def _records(path: Path) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every record, and at the end whether that was all."""
    try:
        for record in records(path, _FORMAT, _LARGEST):
            yield msgpack.decode(record, type=tuple[str, tuple[Any, ...]])
    except (Torn, ValueError):
        raise DamagedKeyBackup from None


def _head(table: str, values: tuple[Any, ...]) -> _Head:
    if table != _HEAD or len(values) != 3:
        raise DamagedKeyBackup
    return _Head(*values)
