"""Logs by class and shard: routed, closed, chained by their first entry, told by a restored copy that went on."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import select

from audit import MAIN, AuditLog, Classes, LogClass, LogForked, Search, decode_leaf, print_trust, verify
from audit.retention import shards
from audit.retention.shards import class_of, due, holding, next_shard
from audit.store import Tree
from audit.tables import audit_index
from sayso.kernel import Tx, Work, parse_instant
from tests.audit.builders import CHANGED, TENANT, Opened, Store, context

ACCESS = Classes({"access": LogClass("access", ("tests.*",), "P90D")})
YEARLY = Classes({"consent": LogClass("consent", ("tests.*",))})


def at(day: str) -> Any:
    return freeze_time(f"{day}T12:00:00Z", real_asyncio=True)


async def logs(store: Store) -> dict[str, tuple[int, bool]]:
    return {each.name: (each.size, each.ended) for each in await store.look(store.log.logs)}


async def test_a_class_has_a_log_of_its_own_and_main_keeps_the_rest(store: Store) -> None:
    before = await store.fill(2)
    await store.settle()
    store.classes = ACCESS
    after = await store.fill(3)
    await store.settle()
    assert await logs(store) == {"main": (2, False), "access": (3, False)}
    assert [(await store.look(lambda tx, each=each: store.log.entry(tx, each))).log for each in (*before, *after)] == [  # type: ignore[misc]
        "main",
        "main",
        "access",
        "access",
        "access",
    ]
    found = await store.look(lambda tx: store.log.entries(tx, Search(type=CHANGED)))
    assert {each.id for each in found.entries} == {*before, *after}
    of_access = await store.look(lambda tx: store.log.entries(tx, Search(log="access")))
    assert {each.id for each in of_access.entries} == set(after)
    # A class that is declared no more is still integrated: its entries were promised an index.
    late = await store.fill(1)
    store.classes = Classes()
    await store.settle(store.another_node())
    assert (await store.look(lambda tx: store.log.entry(tx, late[0]))).index == 3


async def test_a_days_log_is_closed_and_the_next_begins_with_its_last_head(store: Store, tmp_path: Path) -> None:
    store.classes = ACCESS
    with at("2026-11-21"):
        await store.fill(300)
        await store.settle()
        assert await logs(store) == {"main": (0, False), "access": (300, False)}
    with at("2026-11-22"):
        later = await store.fill(5)
        await store.settle()
    sizes = await logs(store)
    assert sizes["access"][1]
    assert sizes["access"][0] + sizes["access-2"][0] == 306
    first = await store.look(lambda tx: store.log.tile(tx, "tile/entries/000.p/1", "access-2"))
    told = decode_leaf(first[2:])
    ended = await store.look(lambda tx: store.log.checkpoint(tx, "access"))
    assert told.type == "audit.shard.opened"
    assert told.res["old_origin"] == "sayso.example/log/default.access"
    assert ended.split(b"\n")[1].decode() == told.res["old_size"]
    assert (await store.look(lambda tx: store.log.tlog_proof(tx, later[-1]))).startswith(b"c2sp.org/tlog-proof@v1")
    out = tmp_path / "out"
    assert (await store.log.export_all(store.database, TENANT, out))["access-2"] == sizes["access-2"][0]
    keys = tmp_path / "keys.json"
    keys.write_bytes(print_trust(await store.look(store.log.keys), ()))
    verdict = verify(out, keys)
    assert verdict.code == 0, verdict.report
    assert "default.access-2 goes on where sayso.example/log/default.access ended" in verdict.report
    assert {each.name for each in out.iterdir()} == {"checkpoint", "logs", "vkey"}

    # A shard that is missing is named; one that ends elsewhere is a broken chain.
    whole = tmp_path / "whole"
    shutil.copytree(out, whole)
    shutil.rmtree(out / "logs" / "access")
    assert "goes on after sayso.example/log/default.access, which is not here" in verify(out, keys).report
    async with Opened(f"sqlite:///{await _forged(store, tmp_path)}", None) as other:
        other.signer = store.signer
        other.log = other.another_node()
        other.classes = ACCESS
        await other.fill(4)
        await other.settle()
        await other.log.export(other.database, TENANT, out / "logs" / "access", "access")
    verdict = verify(out, keys)
    assert (verdict.code, verdict.index) == (1, 0)
    assert "another end" in verdict.report
    # Nor does it pass below another log, where no chain is followed, beside the true one, or by a link.
    shutil.copytree(out, tmp_path / "hidden")
    (tmp_path / "hidden/logs/access-2/logs").mkdir()
    (tmp_path / "hidden/logs/access").rename(tmp_path / "hidden/logs/access-2/logs/access")
    shutil.copytree(out / "logs/access", whole / "logs/aaa")
    linked = tmp_path / "linked"
    shutil.copytree(out, linked, ignore=shutil.ignore_patterns("logs"))
    (linked / "logs").symlink_to(out / "logs")
    assert [verify(each, keys).code for each in (tmp_path / "hidden", whole, linked)] == [2, 1, 2]


async def _forged(store: Store, tmp_path: Path) -> Path:
    from sayso.migrations import upgrade

    path = tmp_path / "forged.db"
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    return path


async def test_racing_integrators_open_one_shard_and_lose_nothing(store: Store) -> None:
    store.classes = ACCESS
    nodes = [store.log, *(store.another_node() for _ in range(3))]
    made: list[str] = []
    with at("2026-11-20") as clock:
        stopping = False

        async def integrate(node: AuditLog) -> None:
            while not stopping:
                await node.integrate(store.database, TENANT, "access", batch=20)

        work = [asyncio.ensure_future(integrate(node)) for node in nodes]
        for day in range(3):
            clock.tick(86_400 if day else 0)
            for _ in range(3):
                made += await store.fill(25)
        stopping = True
        await asyncio.gather(*work)
        await store.settle()
    sizes = await logs(store)
    assert sum(size for size, _ in sizes.values()) == len(made) + len(sizes) - 2
    assert {name for name, (_, ended) in sizes.items() if not ended} == {"main", f"access-{len(sizes) - 1}"}
    (rows,) = await store.look(_places)
    assert len(rows) == len({entry for entry, _, _ in rows}) == len({(log, leaf) for _, log, leaf in rows})
    assert {f"ent_{entry.hex()}" for entry, _, _ in rows} >= set(made)
    for name, (size, _) in sizes.items():
        indexes = sorted(leaf for _, log, leaf in rows if log == name)
        assert indexes == list(range(size))


def _places(tx: Tx) -> Work[tuple[list[Any]]]:
    (rows,) = yield (tx.select(select(audit_index.c.entry, audit_index.c.log, audit_index.c.leaf)),)
    return (list(rows),)


@pytest.mark.parametrize("step", ["_close", "_unknown_yet", "_open"])
async def test_dying_at_any_step_of_the_turn_is_finished_by_the_next(
    store: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.tree import integrator

    class Killed(BaseException):
        pass

    def die(*_: Any) -> Any:
        raise Killed

    store.classes = ACCESS
    with at("2026-11-21"):
        await store.fill(3)
        await store.settle()
    with at("2026-11-22"):
        await store.fill(2)
        place = integrator if step == "_close" else integrator.Integrator
        with monkeypatch.context() as patched:
            patched.setattr(place, step, die)
            with pytest.raises(BaseException):  # noqa: B017, PT011
                await store.settle()
        await store.settle(store.another_node())
    sizes = await logs(store)
    assert sizes["access"][1]
    assert sum(size for size, _ in sizes.values()) == 6


async def test_a_restored_copy_that_once_went_on_is_told_by_the_name_of_its_next_shard(
    sqlite_url: str, tmp_path: Path
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    anchor = tmp_path / "anchor"
    with at("2026-11-21"):
        async with Opened(sqlite_url, anchor) as store:
            store.classes = ACCESS
            await store.fill(3)
            await store.settle()
    backup = tmp_path / "backup.db"
    shutil.copyfile(path, backup)
    with at("2026-11-22"):
        async with Opened(sqlite_url, anchor) as store:
            store.classes = ACCESS
            await store.fill(2)
            await store.settle()
    shutil.copyfile(backup, path)
    # Days later: by a date the new log would have a name that nobody ever saw.
    with at("2026-12-05"):
        async with Opened(sqlite_url, anchor) as store:
            store.classes = ACCESS
            # The copy ends with the very head under which its log was closed: that head alone tells nothing.
            with pytest.raises(LogForked):
                await store.log.check(store.database, TENANT, "access")
            with pytest.raises(LogForked):
                await store.append()
            store.log.pressure.release(TENANT, "access")
            await store.fill(1)
            with pytest.raises(LogForked):
                await store.settle()
            standing = await store.log.standing(store.database, context(), "access")
            assert not standing.sound
            begun = await store.log.open_epoch(store.database, context(), "access")
            assert (begun.log, begun.sound) == ("access-e2", True)
            await store.settle()
        with at("2026-12-06"):
            async with Opened(sqlite_url, anchor) as store:
                store.classes = ACCESS
                await store.fill(1)
                await store.settle()
                assert list(await logs(store))[-1] == "access-2-e2"


async def test_only_a_day_turns_access_only_a_year_the_others_and_nothing_turns_main(store: Store) -> None:
    tree = Tree("o", 5, b"", parse_instant("2026-12-31T23:59:59Z"), 0)
    soon, days, year = (parse_instant(f"{each}T00:00:00Z") for each in ("2026-12-31", "2027-01-01", "2027-12-31"))
    assert [due("access", "access", tree, each) for each in (soon, days)] == [False, True]
    assert [due("consent", "consent", tree, each) for each in (soon, days, year)] == [False, True, True]
    assert not any(due(MAIN, "main", tree, each) for each in (soon, days, year))
    assert not due("access", "access-2", tree._replace(size=1), days), "with nothing but its opening"
    assert not due("access", "access", tree._replace(ended=1), days)
    assert due("consent", "consent", tree._replace(size=shards.MOST), soon)
    assert [next_shard(each) for each in ("access", "access-2", "admin-9-e3")] == [
        "access-2",
        "access-3",
        "admin-10-e3",
    ]
    assert {class_of(each) for each in ("access", "access-2", "access-e2")} == {"access"}


def test_a_filter_knows_which_logs_may_hold_it() -> None:
    known = [("main", 0), ("access", 100), ("access-2", 200), ("access-3", 300)]
    assert holding(known, {"access"}, 0) == ["main", "access", "access-2", "access-3"]
    assert holding(known, {"access"}, 100) == ["access", "access-2", "access-3"]
    assert holding(known, {"access"}, 250) == ["access-2", "access-3"]
    assert holding(known, {"main"}, 250) == ["main"]
    assert holding(known, {"main", "access"}, 300) == ["main", "access-3"]
    assert holding(known[:1], {"access"}, 0) == ["main"]
