"""A job that counts to a number, one row of the feed for each step; as a program, one that can be killed."""

import asyncio
import sys
import time

from sayso.kernel import Context, Database, Done, Job, Jobs, Try, Tx, Work, now, open_database
from sayso.kernel.context import SYSTEM
from sayso.kernel.schema import feed

LAST = 200


def counting(last: int = LAST, each: int = 1, rest: float = 0.0) -> Job:
    """Counts from 1 to `last`, `each` at a step, which takes `rest` seconds at least."""

    def pending(_tx: Tx, cursor: bytes) -> Work[bool]:
        yield ()
        return place(cursor) < last

    def step(tx: Tx, attempt: Try) -> Work[Done]:
        yield ()
        time.sleep(rest)
        begin = place(attempt.cursor)
        end = min(begin + each, last)
        for number in range(begin + 1, end + 1):
            tx.publish("counted", bytes(16), number.to_bytes(4, "big"))
        return Done(end.to_bytes(4, "big"), end - begin, end / last, more=end < last)

    return Job("counting", 0.0, pending, step)


def place(cursor: bytes) -> int:
    return int.from_bytes(cursor, "big")


async def counted(database: Database) -> list[int]:
    """The numbers that are in the feed, in its order."""
    from sqlalchemy import select

    def unit(tx: Tx) -> Work[list[int]]:
        (rows,) = yield (tx.select(select(feed.c.ref).order_by(feed.c.position)),)
        return [int.from_bytes(bytes(ref), "big") for (ref,) in rows]

    return await database.look(Context("default", SYSTEM, now(), "test"), unit)


def jobs_of(database: Database, *jobs: Job, alone: bool = False, slice_s: float = 60.0) -> tuple[Jobs, list[str]]:
    """A node's jobs, and what it reports."""
    reported: list[str] = []
    made = Jobs(
        database,
        jobs,
        alone=alone,
        report=lambda job, error: reported.append(f"{job}: {type(error).__name__}"),
        slice_s=slice_s,
    )
    return made, reported


async def main(url: str) -> None:
    database = open_database(url)
    await database.start()
    # So slow that nobody comes too late to kill it.
    jobs, _ = jobs_of(database, counting(rest=0.05), alone=database.kind == "sqlite")
    print("working", flush=True)
    await jobs.work("default")
    await database.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
