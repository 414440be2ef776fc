"""What an older copy of a log lost, and whether the log of a store that was put back is the one that was signed."""

import sqlite3
from pathlib import Path

import pytest

from audit import AuditEvent, DamagedLog, NothingMore, RecoveryRefused, about, decode_leaf
from audit.tlog.tiles import unpack
from audit.tree.anchor import Anchor
from tests.audit.builders import CHANGED, Opened, Store, context
from tests.audit.test_pruning import ACCESS, at, prune
from tests.audit.test_recovery import rolled_back


async def test_what_a_copy_has_beyond_the_database_is_counted_and_told(sqlite_url: str, tmp_path: Path) -> None:
    out = await rolled_back(sqlite_url, tmp_path, lost=300, waiting=40)
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        losses = store.log.losses
        lost = await losses.lost(store.database, context(), out, lambda kind: kind == CHANGED, "main")
        # Those that waited in the older database are in it.
        assert (lost.size, lost.types, len(lost.leaves)) == (600, {CHANGED: 260}, 260)
        assert lost.last_at == lost.leaves[-1].ts
        assert await losses.anchored(store.database, context(), "main") == 600
        assert await losses.anchored(store.database, context(), "consent") is None
        assert (await losses.lost(store.database, context(), out, lambda _: False, "main")).leaves == []
        await store.log.replay(store.database, context(), out)
        with pytest.raises(NothingMore):
            await losses.lost(store.database, context(), out, lambda _: True, "main")
        with pytest.raises(RecoveryRefused):
            await losses.lost(store.database, context(), tmp_path, lambda _: True, "main")


async def test_a_lost_entry_is_known_by_its_tag_to_who_holds_the_persons_key(
    sqlite_store: Store, tmp_path: Path
) -> None:
    store = sqlite_store
    people = [store.person() for _ in range(3)]
    for subject in (people[0], people[1], people[0]):
        await store.append(AuditEvent(CHANGED, "ok", {"name": "thing"}, subject))
    await store.append()
    await store.settle()
    entries = [await store.look(lambda tx: store.log.tile(tx, "tile/entries/000.p/4"))]
    leaves = [decode_leaf(raw) for raw in unpack(entries[0])]
    keys = {each: store.sealer.unwrap("default", each, "log", None) for each in people}
    found = about({each: key for each, key in keys.items() if key is not None}, leaves)
    assert found == {people[0]: [CHANGED, CHANGED], people[1]: [CHANGED]}


async def test_a_log_is_whole_until_a_byte_of_an_entry_differs(sqlite_url: str, tmp_path: Path) -> None:
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        await store.fill(600)
        await store.settle()
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        await store.log.losses.whole(store.database, context())
    file = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    entries = bytes(file.execute("SELECT entries FROM audit_bundle WHERE number = 1").fetchone()[0])
    for changed in (entries.replace(b"thing", b"thinG", 1), entries[:-1], b""):
        with file:
            file.execute("UPDATE audit_bundle SET entries = ? WHERE number = 1", (changed,))
        async with Opened(sqlite_url, tmp_path / "anchor") as store:
            with pytest.raises(DamagedLog):
                await store.log.losses.whole(store.database, context())
    file.close()


async def test_a_log_that_was_pruned_is_whole(store: Store, tmp_path: Path) -> None:
    store.classes = ACCESS
    with at("2026-01-01"):
        await store.fill(300)
        await store.settle()
    with at("2026-03-01"):
        await store.fill(300)
        await store.settle()
        await store.settle()
    with at("2026-05-15"):
        assert await prune(store, tmp_path / "copy")
        await store.log.losses.whole(store.database, context())


async def test_an_anchor_that_knows_a_log_which_the_database_does_not_bounds_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    anchor = tmp_path / "anchor"
    async with Opened(sqlite_url, anchor) as store:
        await store.fill(3)
        await store.settle()
        losses = store.log.losses
        Anchor(anchor).remember("other.consent", 7, bytes(32))
        assert await losses.anchored(store.database, context(), "main") == 3
        Anchor(anchor).remember("default.consent", 7, bytes(32))
        assert await losses.anchored(store.database, context(), "main") is None
