"""A turn of shards and a prune, killed around each of their commits: the next run goes on, and nothing is lost."""

import asyncio
import os
import signal
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from asyncpg.transaction import Transaction
from freezegun import freeze_time

from audit import Classes, LogClass, Search, decode_leaf, print_trust, verify
from audit.retention import pruning
from sayso.kernel import postgres, sqlite
from tests.audit.builders import TENANT, Opened, Store
from tests.audit.test_pruning import counts, prune

Work = Callable[[Store], Awaitable[Any]]
ACCESS = Classes({"access": LogClass("access", ("tests.*",), "P90D")})


class Place:
    """A database and its anchor, at which processes work and die."""

    def __init__(self, url: str, anchor: Path) -> None:
        self.url = url
        self.anchor = anchor

    async def at(self, day: str, work: Work) -> Any:
        with freeze_time(f"{day}T12:00:00Z", real_asyncio=True):
            async with Opened(self.url, self.anchor) as store:
                store.classes = ACCESS
                return await work(store)

    def run(self, day: str, work: Work) -> Any:
        return asyncio.run(self.at(day, work))

    def dies(self, day: str, work: Work, number: int, *, after: bool) -> bool:
        """Work in a process that is killed as soon as it comes to a commit of this number, or right after that; False
        when it had not so many to make.
        """
        seen = 0
        child = os.fork()
        if child == 0:

            def dying(write: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
                async def written(*words: Any) -> Any:
                    nonlocal seen
                    seen += 1
                    done = await write(*words) if seen < number or after else None
                    if seen >= number:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return done

                return written

            for place, commits in (
                (sqlite._SqliteSession, "write"),
                (postgres._PostgresSession, "write"),
                (Transaction, "commit"),
            ):
                setattr(place, commits, dying(getattr(place, commits)))
            try:
                self.run(day, work)
            except Exception:  # noqa: BLE001 - told by the code, and read by whoever looks why
                traceback.print_exc()
                os._exit(7)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    def through(self, day: str, work: Work) -> int:
        """Work, one commit in each life; returns how many lives there were. On PostgreSQL, where a look under a lock
        is a commit as well, one more in each.
        """
        lives, number = 0, 1
        while self.dies(day, work, number, after=False):
            self.dies(day, work, number, after=True)
            lives += 1
            number += self.url.startswith("postgres")
        return lives


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path / "anchor")


async def sound(store: Store, tmp_path: Path) -> str:
    """What the verifier says of all logs together."""
    out, keys = tmp_path / "out", tmp_path / "keys.json"
    await store.log.export_all(store.database, TENANT, out)
    keys.write_bytes(print_trust(await store.look(store.log.keys), ()))
    verdict = verify(out, keys)
    assert verdict.code == 0, verdict.report
    return verdict.report


def test_a_shards_turn_killed_around_each_commit_ends_with_one_next_shard(place: Place, tmp_path: Path) -> None:
    async def day(store: Store) -> list[str]:
        made = await store.fill(3)
        await store.settle()
        return made

    made = place.run("2026-11-21", day)
    made += place.run("2026-11-22", lambda store: store.fill(2))
    # Closed, the next one opened with the end of this, signed; what waited integrated there, and signed.
    assert place.through("2026-11-22", lambda store: store.settle()) >= 2

    async def look(store: Store) -> None:
        found = {each.name: (each.size, each.ended) for each in await store.look(store.log.logs)}
        assert found == {"main": (0, False), "access": (3, True), "access-2": (3, False)}
        first = await store.look(lambda tx: store.log.tile(tx, "tile/entries/000.p/1", "access-2"))
        assert decode_leaf(first[2:]).type == "audit.shard.opened"
        places = [await store.look(lambda tx, each=each: store.log.entry(tx, each)) for each in made]  # type: ignore[misc]
        assert sorted((each.log, each.index) for each in places) == [
            *(("access", index) for index in range(3)),
            *(("access-2", index) for index in (1, 2)),
        ]
        assert "goes on where sayso.example/log/default.access ended" in await sound(store, tmp_path)

    place.run("2026-11-22", look)


def test_a_prune_killed_around_each_commit_is_said_once_and_finished(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BUNDLES", 1)

    async def day(store: Store) -> None:
        await store.fill(300)
        await store.settle()

    async def over(store: Store) -> None:
        # As its server would: a log is exported up to a signed head.
        await store.settle()
        await prune(store, tmp_path / f"copy-{os.getpid()}")

    place.run("2026-01-01", day)
    place.run("2026-03-01", day)
    # What is said, two bundles, what is said integrated and signed; and the day's turn of the shard before them.
    assert place.through("2026-04-05", over) >= 2

    async def look(store: Store) -> None:
        assert await prune(store, tmp_path / "copy") == []
        said = (await store.look(lambda tx: store.log.entries(tx, Search(type="audit.log.pruned")))).entries
        assert [decode_leaf(each.leaf).res["below"] for each in said] == ["300"]
        bundles, index, *_ = await counts(store)
        # Of the second shard its opening and 300 entries, the opening of the third, and what main says.
        assert (bundles, index) == (4, 303)
        report = await sound(store, tmp_path)
        assert "pruned below index 300" in report
        assert "300 entries that were pruned" in report

    place.run("2026-04-05", look)
