"""The embedded database's write-ahead file: whoever deletes something waits until it is empty, and nobody else does."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.schema import CreateTable

from sayso.kernel import Tx, Work, new_raw, open_database
from sayso.kernel.sqlite import SqliteDatabase, connect
from tests.kernel.test_units import CLAIM, COUNTER, add, claim, context, counter


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[SqliteDatabase]:
    database = open_database(sqlite_url)
    assert isinstance(database, SqliteDatabase)
    await database.start()
    for table in (counter, claim):
        database.writer.execute(str(CreateTable(table)))
    yield database
    await database.stop()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [tmp_path / "sayso.db", tmp_path / "sayso.db-wal"]


def stored(tag: bytes, secret: bytes):
    def unit(tx: Tx) -> Work[None]:
        yield ()
        tx.insert(CLAIM, tag, secret)

    return unit


def deleted(tag: bytes):
    def unit(tx: Tx) -> Work[None]:
        yield ()
        tx.delete(CLAIM, tag)

    return unit


async def until_clean(files: list[Path], secret: bytes) -> None:
    for _ in range(6_000):
        if not any(secret in file.read_bytes() for file in files if file.exists()):
            return
        await asyncio.sleep(0.01)
    pytest.fail("it is still there")


async def test_what_many_erase_beside_a_full_load_is_in_no_file_when_they_are_answered(
    database: SqliteDatabase, files: list[Path]
) -> None:
    ended = False

    async def erase() -> None:
        for _ in range(6):
            tag, secret = new_raw(), os.urandom(64)
            await database.run(context(), stored(tag, secret))
            assert any(secret in file.read_bytes() for file in files), "the check would find it"
            await database.run_alone(context(), deleted(tag))
            await database.tidy()
            assert not [file.name for file in files if secret in file.read_bytes()]

    async def load(subject: bytes) -> int:
        count = 0
        while not ended:
            count += 1
            assert await database.run(context(), add(subject, 1)) == count
        return count

    subjects = [new_raw() for _ in range(8)]
    async with asyncio.TaskGroup() as group:
        loads = [group.create_task(load(subject)) for subject in subjects]
        async with asyncio.TaskGroup() as erasing:
            for _ in range(6):
                erasing.create_task(erase())
        ended = True
    for subject, loaded in zip(subjects, loads, strict=True):
        (row,) = await database.look(context(), lambda tx, subject=subject: (yield (tx.get(COUNTER, subject),)))
        assert row[1] == loaded.result(), "no commit was lost"


async def test_those_who_wait_share_one_tidying(database: SqliteDatabase) -> None:
    asked: list[str] = []
    database._tidying._connection.set_trace_callback(asked.append)
    await database.run(context(), add(new_raw(), 1))
    first = asyncio.create_task(database.tidy())
    async with asyncio.timeout(60):
        while not asked:  # noqa: ASYNC110 - another thread asks
            await asyncio.sleep(0.001)
    # The one that runs began before these came: it serves none of them.
    await asyncio.gather(*(database.tidy() for _ in range(20)))
    assert first.done()
    # Two, and another try where the thread that moves pages was at it.
    assert 2 <= sum("TRUNCATE" in each for each in asked) < 10


async def test_one_who_goes_away_takes_the_tidying_from_nobody(database: SqliteDatabase, files: list[Path]) -> None:
    await database.run(context(), add(new_raw(), 1))
    stays, goes = asyncio.create_task(database.tidy()), asyncio.create_task(database.tidy())
    await asyncio.sleep(0)
    goes.cancel()
    await stays
    assert goes.cancelled()
    assert files[1].stat().st_size == 0


async def test_a_long_reader_holds_up_the_erasure_and_nobody_else(database: SqliteDatabase, files: list[Path]) -> None:
    tag, secret, subject = new_raw(), os.urandom(64), new_raw()
    await database.run(context(), stored(tag, secret))
    reader = connect(files[0], read_only=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM test_claim").fetchone()
    await database.run_alone(context(), deleted(tag))
    database._tidying._patience = 600
    erasing = asyncio.create_task(database.tidy())
    for count in range(1, 30):
        assert await database.run(context(), add(subject, 1)) == count
        await asyncio.sleep(0.005)
    assert not erasing.done()
    assert secret in files[1].read_bytes(), "so that the reader sees it"
    reader.execute("COMMIT")
    reader.close()
    await erasing
    await until_clean(files, secret)


async def test_a_reader_without_end_is_told_and_what_was_erased_goes_after_it(
    database: SqliteDatabase, files: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    database._tidying._patience = 0.05
    tag, secret, subject = new_raw(), os.urandom(64), new_raw()
    await database.run(context(), stored(tag, secret))
    reader = connect(files[0], read_only=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM test_claim").fetchone()
    await database.run_alone(context(), deleted(tag))
    await database.tidy()
    assert "holds up the tidying" in caplog.text
    for count in range(1, 30):
        assert await database.run(context(), add(subject, 1)) == count
        await asyncio.sleep(0.01)
    reader.execute("COMMIT")
    reader.close()
    await until_clean(files, secret)


async def test_a_disk_that_fails_is_told_to_all_who_wait_and_it_is_done_when_it_works_again(
    database: SqliteDatabase, files: list[Path]
) -> None:
    tag, secret = new_raw(), os.urandom(64)
    await database.run(context(), stored(tag, secret))
    await database.run_alone(context(), deleted(tag))
    database._tidying._connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
    told = await asyncio.gather(database.tidy(), database.tidy(), return_exceptions=True)
    assert [isinstance(each, sqlite3.Error) for each in told] == [True, True]
    database._tidying._connection.set_authorizer(None)
    await until_clean(files, secret)
    await database.tidy()


def test_who_is_killed_before_the_tidying_leaves_nothing_once_it_is_started_again(
    sqlite_url: str, files: list[Path]
) -> None:
    tag, secret = new_raw(), os.urandom(64)

    async def die() -> None:
        database = open_database(sqlite_url)
        assert isinstance(database, SqliteDatabase)
        await database.start()
        database.writer.execute(str(CreateTable(claim)))
        database.writer.execute(str(CreateTable(counter)))
        await database.run(context(), stored(tag, secret))
        await database.run_alone(context(), deleted(tag))
        os.kill(os.getpid(), signal.SIGKILL)

    async def live() -> None:
        database = open_database(sqlite_url)
        await database.start()
        await until_clean(files, secret)
        await database.stop()

    child = os.fork()
    if child == 0:
        asyncio.run(die())
        os._exit(7)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert any(secret in file.read_bytes() for file in files), "the check would find it"
    asyncio.run(live())
