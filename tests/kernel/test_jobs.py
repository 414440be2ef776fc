"""Jobs on both databases: every step once, whoever is killed, sleeps too long, or lives in another time."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from freezegun import freeze_time

from sayso.kernel import (
    SYSTEM,
    Context,
    Database,
    Done,
    Invalid,
    Job,
    JobState,
    Try,
    Tx,
    Work,
    now,
    open_database,
    to_datetime,
)
from sayso.kernel.jobs import LEASE_S
from tests.kernel.counting import LAST, counted, counting, jobs_of

MOMENT = "2026-11-22T10:00:00Z"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url)
    await database.start()
    yield database
    await database.stop()


async def state(database: Database, job: Job) -> JobState:
    jobs, _ = jobs_of(database, job)
    (found,) = await database.look(Context("default", SYSTEM, now(), "test"), jobs.states)
    return found


async def until_counted(database: Database, number: int) -> None:
    while len(await counted(database)) < number:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.001)


def everything(last: int = LAST) -> list[int]:
    return list(range(1, last + 1))


async def test_a_round_does_every_step_once_and_ends(database: Database) -> None:
    job = counting(25, each=10)
    jobs, reported = jobs_of(database, job)
    assert await jobs.work("default") == 3
    assert await counted(database) == everything(25)
    assert await jobs.work("default") == 0
    after = await state(database, job)
    assert (after.working, after.share, after.done, after.error) == (False, 1.0, 25, "")
    assert after.finished_at >= after.started_at > 0
    assert reported == []


async def test_a_slice_leaves_the_rest_to_whoever_comes_next(database: Database) -> None:
    job = counting(20)
    first, _ = jobs_of(database, job, slice_s=0.0)
    second, _ = jobs_of(database, job)
    assert await first.work("default") == 1
    halfway = await state(database, job)
    assert (halfway.working, halfway.done) == (False, 1)
    assert halfway.share == pytest.approx(0.05)
    await second.work("default")
    assert await counted(database) == everything(20)


async def test_stopping_ends_after_the_step_under_way(database: Database) -> None:
    jobs, _ = jobs_of(database, counting(LAST))
    working = asyncio.create_task(jobs.work("default"))
    await until_counted(database, 1)
    jobs.stop()
    await working
    done = await counted(database)
    assert done == everything(len(done))
    assert len(done) < LAST
    assert not (await state(database, counting(LAST))).working


async def test_two_nodes_share_a_job_without_doing_anything_twice(database: Database) -> None:
    job = counting(40)
    nodes = [jobs_of(database, job, slice_s=0.0)[0] for _ in range(3)]
    while sum(await asyncio.gather(*(node.work("default") for node in nodes))):
        pass
    assert await counted(database) == everything(40)


class Sleepy:
    """The database of a node that is put to sleep before its third commit: it has taken a job and done one step."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = 0
        self.asleep = asyncio.Event()
        self.woken = asyncio.Event()

    async def look(self, context: Context, unit: Any) -> Any:
        return await self._database.look(context, unit)

    async def run_alone(self, context: Context, unit: Any) -> Any:
        self._commits += 1
        if self._commits == 3:
            self.asleep.set()
            await self.woken.wait()
        return await self._database.run_alone(context, unit)


async def test_a_node_that_stands_still_is_overtaken_and_writes_nothing_any_more(database: Database) -> None:
    job, sleepy = counting(10), Sleepy(database)
    sleeper, reported = jobs_of(sleepy, job)  # type: ignore[arg-type]
    waker, _ = jobs_of(database, job)
    with freeze_time(MOMENT, real_asyncio=True) as clock:
        turn = asyncio.create_task(sleeper.work("default"))
        await sleepy.asleep.wait()
        assert await waker.work("default") == 0, "it has only just seen that somebody works"
        clock.tick(LEASE_S - 1)
        assert await waker.work("default") == 0
        clock.tick(2)
        assert await waker.work("default") > 0
        sleepy.woken.set()
        await turn
    assert await counted(database) == everything(10)
    assert reported == [], "to be overtaken is no failure"


async def test_clocks_that_differ_by_five_seconds_take_nothing_from_a_node_that_works(database: Database) -> None:
    job = counting(10)
    ours, _ = jobs_of(database, job, slice_s=0.0)
    theirs, _ = jobs_of(database, job, slice_s=0.0)
    steps = [0, 0]
    for turn in range(20):
        offset = 5 * (turn % 2)
        with freeze_time(MOMENT, real_asyncio=True) as clock:
            clock.tick(turn + offset)
            steps[turn % 2] += await (theirs if turn % 2 else ours).work("default")
    assert await counted(database) == everything(10)
    assert min(steps) > 0, "both had their turns"


async def test_a_step_that_fails_is_told_and_tried_again_later_with_its_count(database: Database) -> None:
    seen: list[int] = []

    def step(tx: Tx, attempt: Try) -> Work[Done]:
        yield ()
        seen.append(attempt.failures)
        tx.publish("counted", bytes(16), b"\0\0\0\1")
        if attempt.failures < 2:
            raise Invalid("broken", "Not yet.")
        return Done(b"\1", 1)

    job = Job("counting", 0.0, lambda tx, cursor: counting(1).pending(tx, cursor), step)
    jobs, reported = jobs_of(database, job)
    with freeze_time(MOMENT, real_asyncio=True) as clock:
        await jobs.work("default")
        failed = await state(database, job)
        assert (failed.failures, failed.error, failed.working) == (1, "broken", False)
        assert await jobs.work("default") == 0, "not before its pause is over"
        for _ in range(2):
            clock.tick(10)
            await jobs.work("default")
        after = await state(database, job)
    assert seen == [0, 1, 2]
    assert (after.failures, after.error, after.done) == (0, "", 1)
    assert await counted(database) == [1], "what a failed step wrote was not committed"
    assert reported == ["counting: Invalid"] * 2


@pytest.mark.parametrize("after", [1, 7])
async def test_a_killed_workers_job_goes_on_where_its_last_commit_left_it(database_url: str, after: int) -> None:
    command = [sys.executable, "-m", "tests.kernel.counting", database_url]
    process = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE, text=True)
    database = open_database(database_url)
    await database.start()
    try:
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await until_counted(database, after)
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.communicate)
        done = await counted(database)
        assert done == everything(len(done))
        assert len(done) < LAST, "it was killed too late to show anything"
        alone = database.kind == "sqlite"
        jobs, _ = jobs_of(database, counting(), alone=alone)
        # The killed process had the real clock.
        with freeze_time(to_datetime(now()), real_asyncio=True) as clock:
            if not alone:
                assert await jobs.work("default") == 0, "for all it knows the other still works"
            clock.tick(LEASE_S + 1)
            await jobs.work("default")
        assert await counted(database) == everything()
    finally:
        await database.stop()
