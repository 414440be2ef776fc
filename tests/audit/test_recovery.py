"""A log whose database was rolled back, cloned or rewritten: it is noticed before anything is signed, and mended."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from audit import LogBehind, LogForked, Pressure, RecoveryRefused, decode_leaf, verify
from audit.errors import AnchorUnusable
from audit.tree.anchor import Anchor
from audit.tree.guard import Head
from tests.audit.builders import TENANT, Opened, Store, context
from tests.audit.test_integrator import check_log


async def rolled_back(url: str, folder: Path, *, lost: int = 400, waiting: int = 0) -> Path:
    """A database as a backup has it, while the anchor and an export know `lost` entries more; returns the export.

    `waiting` entries were in the backup's outbox already, and in the tree that was signed after it.
    """
    file, anchor, out = Path(url.removeprefix("sqlite:///")), folder / "anchor", folder / "out"
    async with Opened(url, anchor) as store:
        await store.fill(300)
        await store.log.drain(store.database, TENANT)
        await store.fill(waiting)
    shutil.copyfile(file, folder / "backup.db")
    async with Opened(url, anchor) as store:
        await store.fill(lost - waiting)
        await store.log.drain(store.database, TENANT)
        await store.log.export(store.database, TENANT, out)
    for name in ("", "-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)
    shutil.copyfile(folder / "backup.db", file)
    return out


async def test_every_signed_head_is_anchored_first(sqlite_store: Store, tmp_path: Path) -> None:
    for count in (3, 1, 2):
        await sqlite_store.fill(count)
        await sqlite_store.log.drain(sqlite_store.database, TENANT)
    assert [line.split()[1] for line in (tmp_path / "anchor").read_text().splitlines()] == ["3", "4", "6"]


def broken_disk(*_: object) -> int:
    raise OSError(errno.EIO, "input/output error")


async def test_what_cannot_be_anchored_is_not_signed(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await sqlite_store.fill(2)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", broken_disk)
        with pytest.raises(AnchorUnusable):
            await sqlite_store.log.integrate(sqlite_store.database, TENANT)
    standing = await sqlite_store.log.standing(sqlite_store.database, context())
    assert (standing.size, standing.signed) == (2, 0)
    assert await sqlite_store.log.drain(sqlite_store.database, TENANT) == 2


async def test_an_unreadable_anchor_lets_nothing_grow(sqlite_store: Store, tmp_path: Path) -> None:
    await sqlite_store.fill(2)
    (tmp_path / "anchor").mkdir()
    with pytest.raises(AnchorUnusable):
        await sqlite_store.log.integrate(sqlite_store.database, TENANT)
    (tmp_path / "anchor").rmdir()
    assert await sqlite_store.log.drain(sqlite_store.database, TENANT) == 2


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_failing_disk_stops_signing(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = Anchor(tmp_path / "anchor")
    anchor.remember("default.main", 5, bytes(32))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, broken_disk)
        with pytest.raises(AnchorUnusable):
            anchor.remember("default.main", 6, bytes(32))
    anchor.remember("default.main", 7, bytes(32))
    assert anchor.last("default.main") == (7, bytes(32))


def test_the_anchor_stays_small_and_forgets_no_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.tree.anchor._COMPACT_ABOVE", 2_000)
    anchor, other = Anchor(tmp_path / "anchor"), Anchor(tmp_path / "anchor")
    for size in range(1, 200):
        anchor.remember("default.main", size, bytes([size] * 32))
        if size % 7 == 0:
            other.remember("brand.main", size, bytes([size] * 32))
            assert anchor.moved
    assert (tmp_path / "anchor").stat().st_size < 3_000
    assert (anchor.last("default.main"), anchor.last("brand.main")) == ((199, bytes([199] * 32)), (196, b"\xc4" * 32))


async def test_a_restored_backup_takes_no_entry_and_signs_nothing(sqlite_url: str, tmp_path: Path) -> None:
    await rolled_back(sqlite_url, tmp_path)
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        with pytest.raises(LogForked, match="anchor"):
            await store.log.check(store.database, TENANT)
        with pytest.raises(LogForked) as refused:
            await store.append()
        assert refused.value.retry_after == 600
        assert (await store.log.standing(store.database, context())).signed == 300


@pytest.mark.parametrize("waiting", [0, 150])
async def test_a_copy_brings_the_lost_entries_back(sqlite_url: str, tmp_path: Path, waiting: int) -> None:
    out = await rolled_back(sqlite_url, tmp_path, waiting=waiting)
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        with pytest.raises(LogForked):
            await store.log.check(store.database, TENANT)
        mended = await store.log.replay(store.database, context(), out)
        assert mended.sound
        assert (mended.size, mended.signed) == (701, 701)
        assert (await check_log(store)).size == 701
        note = await store.look(lambda tx: store.log.tile(tx, "tile/entries/002.p/189"))
        assert b'"from_size":"300","log":"main","to_size":"700"' in note
        await store.append()
        # What was signed before the loss is the beginning of what is signed now: the same export grows on.
        assert await store.log.drain(store.database, TENANT) == 702
        assert await store.log.export(store.database, TENANT, out) == 702
        assert verify(out, None).code == 0


async def test_a_copy_that_is_damaged_shorter_or_foreign_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    out = await rolled_back(sqlite_url, tmp_path)
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        for file, change in (
            ("tile/entries/002.p/188", lambda held: held[:-1] + b"!"),
            ("tile/entries/001", lambda held: held[:-1]),
            ("checkpoint", lambda held: held.replace(b"700", b"701")),
            ("checkpoint", lambda held: held[:-3]),
        ):
            held = (out / file).read_bytes()
            (out / file).write_bytes(change(held))
            with pytest.raises(RecoveryRefused):
                await store.log.replay(store.database, context(), out)
            (out / file).write_bytes(held)
        shutil.move(out / "tile/entries", tmp_path / "away")
        with pytest.raises(RecoveryRefused, match="entries"):
            await store.log.replay(store.database, context(), out)
        shutil.move(tmp_path / "away", out / "tile/entries")
        assert (await store.log.standing(store.database, context())).size == 300
        await store.log.replay(store.database, context(), out)
        with pytest.raises(RecoveryRefused, match="no more"):
            await store.log.replay(store.database, context(), out)


async def test_without_a_copy_a_new_epoch_names_what_is_lost(store: Store, tmp_path: Path) -> None:
    await store.fill(10)
    await store.log.drain(store.database, TENANT)
    with pytest.raises(RecoveryRefused, match="nothing to recover"):
        await store.log.open_epoch(store.database, context())
    await store.fill(2)
    Anchor(tmp_path / "anchor").remember("default.main", 17, bytes(32))
    with pytest.raises(LogForked):
        await store.log.integrate(store.database, TENANT)
    begun = await store.log.open_epoch(store.database, context())
    assert begun.sound
    assert (begun.log, begun.origin) == ("main-e2", "sayso.example/log/default.main-e2")
    assert begun.size == begun.signed == 3
    first = (await store.look(lambda tx: store.log.tile(tx, "tile/entries/000.p/3", "main-e2")))[2:]
    leaf = decode_leaf(first[: first.index(b'"v":1}') + 6])
    assert (leaf.type, leaf.res["old_size"], leaf.res["seen_size"]) == ("audit.epoch.opened", "10", "17")
    await store.append()
    assert await store.log.drain(store.database, TENANT) == 4
    # The old log stays as it was, served and provable.
    old = await store.look(lambda tx: store.log.checkpoint(tx))
    assert b"\n10\n" in old


async def test_a_clone_beside_its_original_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    """Two copies of a data folder with one key folder: whoever signs second finds the other's head."""
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        await store.fill(5)
        await store.log.drain(store.database, TENANT)
    shutil.copyfile(file, tmp_path / "clone.db")
    async with (
        Opened(sqlite_url, tmp_path / "anchor") as original,
        Opened(f"sqlite:///{tmp_path / 'clone.db'}", tmp_path / "anchor") as clone,
    ):
        for store in (original, clone):
            await store.log.integrate(store.database, TENANT)
            await store.append()
        assert (await original.log.integrate(original.database, TENANT)).signed == 6
        await clone.append()
        with pytest.raises(LogForked, match="anchor"):
            await clone.log.integrate(clone.database, TENANT)
        assert (await clone.log.standing(clone.database, context())).signed == 5
        await original.append()
        assert (await original.log.integrate(original.database, TENANT)).signed == 7


async def test_a_head_that_was_seen_outside_is_compared(sqlite_store: Store) -> None:
    store = sqlite_store
    await store.fill(4)
    await store.log.drain(store.database, TENANT)

    async def memory(tenant: str, log: str) -> Head | None:
        return Head(9, bytes(32), "the published copy") if (tenant, log) == (TENANT, "main") else None

    fresh = store.another_node()
    fresh.remember_by(memory)
    with pytest.raises(LogForked, match="the published copy"):
        await fresh.integrate(store.database, TENANT)
    seen = await store.look(lambda tx: store.log.checkpoint(tx))
    store.log.observed(TENANT, "main", Head(4, bytes(32), "a witness"))
    with pytest.raises(LogForked, match="a witness"):
        await store.log.integrate(store.database, TENANT)
    assert await store.look(lambda tx: store.log.checkpoint(tx)) == seen


async def test_nothing_new_is_taken_while_too_much_waits(store: Store) -> None:
    store.log = type(store.log)(
        store.sealer, store.signer, "n1", origin_base="sayso.example/log", pressure=Pressure(most=5, longest_s=60)
    )
    await store.fill(6)
    await store.log.weigh(store.database, TENANT)
    with pytest.raises(LogBehind) as refused:
        await store.append()
    assert refused.value.retry_after == 5
    assert (await store.look(lambda tx: store.log.backlog(tx))).pending == 6
    await store.log.drain(store.database, TENANT)
    await store.log.weigh(store.database, TENANT)
    await store.append()


def test_an_entry_that_waits_too_long_means_nobody_integrates() -> None:
    pressure = Pressure(most=100, longest_s=0)
    pressure.weigh("default", 1, b"first")
    assert pressure.pending == 1
    pressure.weigh("default", 1, b"first")
    with pytest.raises(LogBehind):
        pressure.demand("default")
    pressure.demand("other")
    pressure.weigh("default", 0, None)
    pressure.demand("default")
