"""Units of work on both databases: shared flushes, lost races, failures that stay alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    bindparam,
    select,
)
from sqlalchemy.schema import CreateTable

from sayso.kernel import SYSTEM, Conflict, Context, Database, Invalid, Prepared, Rows, Tx, Work, now, open_database
from sayso.kernel.schema import feed
from sayso.kernel.sqlite import connect

_metadata = MetaData()
counter = Table(
    "test_counter",
    _metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "tenant", "subject"),
    info={"owner": "subject"},
)
claim = Table(
    "test_claim",
    _metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("tag", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    PrimaryKeyConstraint("bucket", "tenant", "tag"),
    info={"owner": "tag"},
)
COUNTER, CLAIM = Rows(counter), Rows(claim)


def context(tenant: str = "default") -> Context:
    return Context(tenant, SYSTEM, now(), "test")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url, role=None) if "postgres" in database_url else open_database(database_url)
    await database.start()
    if database.kind == "sqlite":
        for table in (counter, claim):
            database.writer.execute(str(CreateTable(table)))  # type: ignore[attr-defined]
    else:
        from sqlalchemy.dialects.postgresql import dialect

        async with database._checkout() as connection:  # type: ignore[attr-defined]
            for table in (counter, claim):
                await connection.raw.execute(str(CreateTable(table).compile(dialect=dialect())))
    yield database
    await database.stop()


def add(subject: bytes, amount: int):
    def unit(tx: Tx) -> Work[int]:
        (row,) = yield (tx.get(COUNTER, subject),)
        version, total = row or (0, 0)
        tx.put(COUNTER, (subject,), (version + 1, total + amount), was=row)
        tx.publish("counted", subject, b"")
        return total + amount

    return unit


def read(subject: bytes):
    def unit(tx: Tx) -> Work[int]:
        (row,) = yield (tx.get(COUNTER, subject),)
        return row[1] if row else 0

    return unit


async def test_units_of_one_flush_fold_on_one_another(database: Database) -> None:
    totals = await asyncio.gather(*(database.run(context(), add(b"a" * 16, 1)) for _ in range(100)))
    assert sorted(totals) == list(range(1, 101))
    assert await database.look(context(), read(b"a" * 16)) == 100
    flushes, units = database.flushes
    assert units == 100
    assert flushes < 10


def add_to_all(subjects: list[bytes]):
    def unit(tx: Tx) -> Work[list[int]]:
        (rows,) = yield (tx.get_each(COUNTER, subjects, kept=True),)
        # A second round of reads: what was shown in the first may be overtaken meanwhile.
        yield (tx.get(CLAIM, subjects[0]),)
        totals = [total + 1 for _, total in (row or (0, 0) for row in rows)]
        for subject, row, total in zip(subjects, rows, totals, strict=True):
            tx.put(COUNTER, (subject,), (total, total), was=row)
        return totals

    return unit


async def test_units_that_write_what_they_read_many_at_once_fold_too(database: Database) -> None:
    subjects = [bytes([nth]) * 16 for nth in range(12)]
    lists = [subjects[nth : nth + 3] for nth in range(10)] * 4
    totals = await asyncio.gather(*(database.run(context(), add_to_all(each)) for each in lists))
    for subject in subjects:
        told = sorted(
            total
            for each, told in zip(lists, totals, strict=True)
            for s, total in zip(each, told, strict=True)
            if s == subject
        )
        assert told == list(range(1, len(told) + 1))
        assert await database.look(context(), read(subject)) == len(told)


async def test_units_that_meet_in_pairs_are_run_again_side_by_side(database: Database) -> None:
    subjects = [bytes([nth]) * 16 for nth in range(100, 140)]
    totals = await asyncio.gather(*(database.run(context(), add_to_all([each])) for each in subjects * 2))
    assert totals == [[1]] * 40 + [[2]] * 40
    flushes, _ = database.flushes
    assert flushes < 4


async def test_cold_and_hot_units_never_lose_each_others_changes(database: Database) -> None:
    ways = (database.run, database.run_alone)
    await asyncio.gather(*(ways[nth % 2](context(), add(b"b" * 16, 1)) for nth in range(24)))
    assert await database.look(context(), read(b"b" * 16)) == 24


def first_sight(tag: bytes, subject: bytes):
    def unit(tx: Tx) -> Work[bytes]:
        (row,) = yield (tx.get(CLAIM, tag),)
        if row:
            return row[0]
        # A second round of reads: what was shown in the first may be overtaken meanwhile.
        yield (tx.get(COUNTER, subject),)
        tx.insert(CLAIM, tag, subject)
        return subject

    return unit


async def test_thirty_racing_first_sights_name_one_subject(database: Database) -> None:
    subjects = [bytes([nth]) * 16 for nth in range(30)]
    seen = await asyncio.gather(*(database.run(context(), first_sight(b"t" * 16, each)) for each in subjects))
    assert len(set(seen)) == 1


async def test_a_unit_that_raises_fails_alone_and_writes_nothing(database: Database) -> None:
    def bad(tx: Tx) -> Work[None]:
        yield ()
        tx.insert(CLAIM, b"x" * 16, b"x" * 16)
        raise Invalid("broken", "No.")

    results = await asyncio.gather(
        database.run(context(), add(b"c" * 16, 1)),
        database.run(context(), bad),
        database.run(context(), add(b"c" * 16, 1)),
        return_exceptions=True,
    )
    assert [results[0], results[2]] == [1, 2]
    assert isinstance(results[1], Invalid)
    assert await database.run(context(), first_sight(b"x" * 16, b"y" * 16)) == b"y" * 16


async def test_a_row_the_database_refuses_does_not_fail_its_neighbours(database: Database) -> None:
    def refused(tx: Tx) -> Work[None]:
        yield ()
        tx.insert(CLAIM, b"n" * 16, None)

    results = await asyncio.gather(
        database.run(context(), add(b"d" * 16, 1)), database.run(context(), refused), return_exceptions=True
    )
    assert results[0] == 1
    assert isinstance(results[1], Exception)
    assert await database.look(context(), read(b"d" * 16)) == 1


async def test_what_a_failed_flush_was_to_write_is_not_decided_on(database: Database) -> None:
    subject = b"p" * 16

    def refused(tx: Tx) -> Work[None]:
        (row,) = yield (tx.get(COUNTER, subject),)
        tx.put(COUNTER, (subject,), (1, 100), was=row)
        tx.insert(CLAIM, b"p" * 16, None)

    for _ in range(5):
        failing = asyncio.ensure_future(database.run(context(), refused))
        # The failing flush is on its way to the database when the next one is decided on top of it.
        for _ in range(4):
            await asyncio.sleep(0)
        following = [asyncio.ensure_future(database.run(context(), read(subject))) for _ in range(3)]
        with pytest.raises(Exception, match=r"."):
            await failing
        assert await asyncio.gather(*following) == [0, 0, 0]


async def test_flushes_in_flight_keep_the_order_of_changes(database: Database) -> None:
    async def lane() -> list[int]:
        return [await database.run(context(), add(b"q" * 16, 1)) for _ in range(20)]

    totals = [total for lane in await asyncio.gather(*(lane() for _ in range(12))) for total in lane]
    assert sorted(totals) == list(range(1, 241))


async def test_a_key_that_is_always_taken_ends_in_a_conflict(database: Database) -> None:
    def blind(tx: Tx) -> Work[None]:
        yield ()
        tx.insert(CLAIM, b"k" * 16, b"k" * 16)

    await database.run(context(), blind)
    with pytest.raises(Conflict):
        await database.run(context(), blind)


async def test_tenants_do_not_see_each_other(database: Database) -> None:
    await database.run(context("one"), add(b"e" * 16, 5))
    assert await database.look(context("two"), read(b"e" * 16)) == 0


async def test_positions_follow_the_commits_without_gaps(database: Database) -> None:
    await asyncio.gather(*(database.run(context(), add(bytes([nth]) * 16, 1)) for nth in range(50)))

    def positions(tx: Tx) -> Work[list[int]]:
        (rows,) = yield (tx.select(select(feed.c.position).order_by(feed.c.position)),)
        return [position for (position,) in rows]

    assert await database.look(context(), positions) == list(range(1, 51))


async def test_a_look_must_not_write(database: Database) -> None:
    with pytest.raises(RuntimeError):
        await database.look(context(), add(b"f" * 16, 1))


async def test_stopping_answers_what_waits(database: Database) -> None:
    waiting = [asyncio.ensure_future(database.run(context(), add(b"g" * 16, 1))) for _ in range(20)]
    await asyncio.sleep(0)
    await database._batcher.drain()  # type: ignore[attr-defined]
    assert sorted(await asyncio.gather(*waiting)) == list(range(1, 21))
    database._batcher._closing = False  # type: ignore[attr-defined]


async def test_changed_configuration_is_loaded_before_the_next_decision(database_url: str, database: Database) -> None:
    seen: list[int] = []

    async def loaded(tenant: str, config: int) -> None:
        seen.append(config)

    other = open_database(database_url, loaded, role=None) if database.kind == "postgres" else database
    database._loaded = loaded  # type: ignore[attr-defined]
    database._batcher._loaded = loaded  # type: ignore[attr-defined]

    def reconfigure(tx: Tx) -> Work[None]:
        yield ()
        tx.configure()

    await database.run_alone(context(), reconfigure)
    if other is not database:
        await other.start()
    await other.run(context(), add(b"h" * 16, 1))
    if other is not database:
        await other.stop()
    assert seen[-1] == 1


async def test_many_looks_at_once_leave_the_loader_a_connection(database: Database) -> None:
    loading: set[asyncio.Task[None] | None] = set()

    async def loaded(_tenant: str, _config: int) -> None:
        if (task := asyncio.current_task()) not in loading:
            loading.add(task)
            await database.look(context(), read(b"n" * 16))
            loading.discard(task)

    database._loaded = loaded  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        totals = await asyncio.gather(*(database.look(context(), read(b"n" * 16)) for _ in range(60)))
    assert totals == [0] * 60


async def test_a_lock_of_another_connection_holds_up_the_change_and_not_the_loop(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    await database.start()
    try:
        database.writer.execute(str(CreateTable(counter)))  # type: ignore[attr-defined]
        other = connect(Path(sqlite_url.removeprefix("sqlite:///")))
        other.execute("BEGIN IMMEDIATE")
        change = database.run(context(), add(b"h" * 16, 1))
        turns = 0
        while turns < 50:
            await asyncio.sleep(0.01)
            turns += 1
        assert not change.done()
        other.execute("ROLLBACK")
        other.close()
        assert await change == 1
        assert await database.run(context(), add(b"h" * 16, 1)) == 2
    finally:
        await database.stop()


async def test_a_flush_with_many_rows_is_whole_as_well(database: Database) -> None:
    people = [nth.to_bytes(16, "big") for nth in range(9_000)]

    def many(tx: Tx) -> Work[None]:
        for each in people:
            tx.put(COUNTER, (each,), (1, 7), was=None)
        yield ()

    await database.run(context(), many)
    assert await database.look(context(), read(people[-1])) == 7

    def twice(tx: Tx) -> Work[None]:
        # The last one is there already: nothing of the rest may stay.
        for each in [b"n" * 16, people[-1]]:
            tx.put(COUNTER, (each,), (1, 8), was=None)
        yield ()

    with pytest.raises(Conflict):
        await database.run(context(), twice)
    assert await database.look(context(), read(b"n" * 16)) == 0


async def test_a_brief_question_needs_no_other_thread_and_a_long_one_does(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    await database.start()
    try:
        database.writer.execute(str(CreateTable(counter)))  # type: ignore[attr-defined]
        totals = select(counter.c.total).where(counter.c.subject == bindparam("person"))

        def ask(brief: bool):
            prepared = Prepared(totals, brief=brief)

            def unit(tx: Tx) -> Work[list[tuple[int]]]:
                (rows,) = yield (tx.query(prepared, person=b"b" * 16),)
                return list(rows)

            return unit

        await database.run(context(), add(b"b" * 16, 5))
        assert await database.look(context(), ask(brief=False)) == [(5,)]
        database.query_thread.shutdown()  # type: ignore[attr-defined]
        assert await database.look(context(), ask(brief=True)) == [(5,)]
        assert await database.run_alone(context(), ask(brief=True)) == [(5,)]
        assert await database.look(context("other"), ask(brief=True)) == []
        with pytest.raises(RuntimeError):
            await database.look(context(), ask(brief=False))
    finally:
        await database.stop()
