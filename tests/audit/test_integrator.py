import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from audit import AuditLog, LogForked, NotIntegrated
from audit.tables import audit_checkpoint, audit_index, audit_outbox, audit_tile, audit_tree
from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from audit.tlog.note import VerifierKey
from audit.tlog.strict import Malformed
from audit.tlog.tiles import unpack
from audit.tree import proving
from audit.tree.anchor import Anchor
from audit.tree.integrator import Round
from sayso.kernel import Tx, Work
from tests.audit.builders import TENANT, Opened, Store


async def check_log(store: Store, log: AuditLog | None = None) -> Checkpoint:
    """Verify everything again: entries, index, tiles, root, signature. Returns the signed checkpoint."""
    log = log or store.log

    def unit(tx: Tx) -> Work[tuple[bytes, VerifierKey, list[bytes], list[bytes]]]:
        note = yield from log.checkpoint(tx)
        key = yield from log.vkey(tx)
        size = open_checkpoint(note, [key]).size
        leaves: list[bytes] = []
        for number in range(-(-size // 256)):
            width = min(256, size - 256 * number)
            suffix = f".p/{width}" if width < 256 else ""
            leaves += unpack((yield from log.tile(tx, f"tile/entries/{number:03d}{suffix}")))
        (rows,) = yield (tx.select(select(audit_index.c.entry).order_by(audit_index.c.leaf)),)
        return note, key, leaves, [entry for (entry,) in rows]

    note, key, leaves, index = await store.look(unit)
    checkpoint = open_checkpoint(note, [key])
    assert len(leaves) == checkpoint.size
    assert root_of(map(leaf_hash, leaves)) == checkpoint.root
    assert len(set(index)) == len(index) == checkpoint.size
    for leaf, entry in zip(leaves, index, strict=True):
        assert f'"id":"ent_{entry.hex()}"'.encode() in leaf
    return checkpoint


async def test_what_waits_gets_an_index_and_a_signed_root(store: Store) -> None:
    entries = await store.fill(300)
    with pytest.raises(NotIntegrated):
        await store.look(lambda tx: store.log.tlog_proof(tx, entries[0]))
    assert (await store.log.integrate(store.database, TENANT)) == Round(300, 300)
    assert (await store.log.integrate(store.database, TENANT)) == Round(0, 300)
    assert (await check_log(store)).origin == "sayso.example/log/default.main"
    assert (await store.look(lambda tx: store.log.backlog(tx))).pending == 0
    shown = await store.look(lambda tx: store.log.entry(tx, entries[7]))
    assert shown.index is not None


async def test_growing_over_tile_borders_stays_consistent(store: Store) -> None:
    seen: list[Checkpoint] = []
    for count in (1, 254, 1, 1, 600, 3):
        await store.fill(count)
        await store.log.drain(store.database, TENANT)
        seen.append(await check_log(store))
    assert [checkpoint.size for checkpoint in seen] == [1, 255, 256, 257, 857, 860]
    for old in seen:
        proof = await store.look(lambda tx, old=old: proving.consistency_proof(tx, "main", old.size, 860))  # type: ignore[misc]
        verify_consistency(old.size, 860, proof, old.root, seen[-1].root)
    leaf = (await store.look(lambda tx: store.log.tile(tx, "tile/0/000")))[: 32 * 7][-32:]
    for size in (7, 200, 256, 257, 860):
        proof = await store.look(lambda tx, size=size: store.log.inclusion_proof(tx, 6, size))  # type: ignore[misc]
        tree = await store.look(lambda tx, size=size: _root(tx, size))  # type: ignore[misc]
        verify_inclusion(6, size, leaf, proof, tree)


def _root(tx: Tx, size: int) -> Work[bytes]:
    from audit.tree.proving import root_at

    return root_at(tx, "main", size)


async def test_racing_integrators_lose_and_double_nothing(store: Store) -> None:
    nodes = [store.log, *(store.another_node() for _ in range(3))]
    entries: list[str] = []
    stopping = False

    async def integrate(node: AuditLog) -> None:
        while not stopping:
            await node.integrate(store.database, TENANT, batch=40)

    work = [asyncio.ensure_future(integrate(node)) for node in nodes]
    for _ in range(12):
        entries += await store.fill(60)
    stopping = True
    await asyncio.gather(*work)
    await store.log.drain(store.database, TENANT)
    assert (await check_log(store)).size == len(set(entries)) == 720
    heads = await store.look(_heads)
    assert len({size for size, _ in heads}) == len(heads)


async def test_no_change_waits_for_the_row_that_elects_the_integrator(postgres_url: str) -> None:
    url = make_url(postgres_url)
    async with Opened(postgres_url, None) as store:
        await store.fill(1)
        await store.log.drain(store.database, TENANT)
        other = await asyncpg.connect(user=url.username, host=url.query["host"], database=url.database)
        try:
            async with other.transaction():
                await other.execute("SELECT 1 FROM audit_tree FOR UPDATE")
                # Another node is integrating: changes commit, and nobody stands in line behind it.
                await asyncio.wait_for(store.fill(3), 60)
                assert await asyncio.wait_for(store.log.integrate(store.database, TENANT), 60) == Round(0, 1)
        finally:
            await other.close()
        assert await store.log.drain(store.database, TENANT) == 4


async def test_who_is_far_behind_takes_more_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.tree.integrator.FAR", 60)

    async def took() -> int:
        return (await store.log.integrate(store.database, TENANT, batch=10)).integrated

    for _ in range(13):
        await store.fill(5)  # so no row of the outbox holds more than five
    assert 55 < await took() <= 60
    await store.log.drain(store.database, TENANT)
    for _ in range(11):
        await store.fill(5)
    assert await took() <= 10
    await store.log.drain(store.database, TENANT)
    assert (await check_log(store)).size == 120


def _heads(tx: Tx) -> Work[list[tuple[int, bytes]]]:
    (rows,) = yield (tx.select(select(audit_checkpoint.c.size, audit_checkpoint.c.root)),)
    return list(rows)


async def test_dying_between_integrating_and_signing_loses_nothing(store: Store) -> None:
    from audit.tree.integrator import _integrate

    await store.log.drain(store.database, TENANT)
    entries = await store.fill(5)
    # The process ends right after the commit that gave them their index: nothing is signed.
    assert await store.database.run_alone(_system(), lambda tx: _integrate(tx, "main", "main", "unused", 100)) == 5
    with pytest.raises(NotIntegrated):
        await store.look(lambda tx: store.log.tlog_proof(tx, entries[0]))
    fresh = store.another_node()
    assert await fresh.integrate(store.database, TENANT) == Round(0, 5)
    assert (await check_log(store, fresh)).size == 5


def _system():
    from tests.audit.builders import context

    return context()


async def test_the_same_head_is_signed_the_same_way_again(store: Store) -> None:
    await store.fill(3)
    await store.log.drain(store.database, TENANT)
    first = await store.look(lambda tx: store.log.checkpoint(tx))
    again = Checkpoint.parse(first.decode().split("\n\n")[0] + "\n").sign(
        await store.look(lambda tx: store.log.vkey(tx)), lambda text: store.signer.sign(TENANT, "log", text)
    )
    assert again == first


async def test_tenants_have_logs_of_their_own(store: Store) -> None:
    await store.fill(3)
    other = await store.append(tenant="other")
    await store.log.drain(store.database, TENANT)
    await store.log.drain(store.database, "other")
    assert (await store.look(lambda tx: store.log.entry(tx, other), tenant="other")).index == 0
    (mine,) = await store.look(lambda tx: store.log.logs(tx))
    (theirs,) = await store.look(lambda tx: store.log.logs(tx), tenant="other")
    assert (mine.log, mine.size, theirs.log, theirs.size) == ("default.main", 3, "other.main", 1)
    assert mine.vkey != theirs.vkey


async def test_a_restored_database_is_noticed_before_anything_is_signed(sqlite_store: Store, tmp_path: Path) -> None:
    store = sqlite_store
    anchor = tmp_path / "anchor"
    await store.fill(10)
    await store.log.drain(store.database, TENANT)
    assert anchor.read_text().startswith("default.main 10 ")
    anchor.write_text(anchor.read_text().replace(" 10 ", " 11 "))
    for node in (store.another_node(anchor), store.another_node(anchor)):
        await store.append()
        with pytest.raises(LogForked, match="anchor"):
            await node.integrate(store.database, TENANT)
    assert (await store.look(lambda tx: store.log.backlog(tx))).pending == 2
    (info,) = await store.look(lambda tx: store.log.logs(tx))
    assert info.size == 10


def test_the_anchor_keeps_the_greatest_head_of_each_log(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "anchor")
    assert anchor.last("default.main") is None
    for log, size in (("default.main", 5), ("other.main", 50), ("default.main", 7), ("default.main", 6)):
        anchor.remember(log, size, bytes([size] * 32))
    assert anchor.last("default.main") == (7, bytes([7] * 32))
    assert anchor.last("default") is None
    with (tmp_path / "anchor").open("ab") as file:
        file.write(b"default.main 9 AAAA")  # cut off by a crash
    assert anchor.last("default.main") == (7, bytes([7] * 32))
    anchor.remember("default.main", 8, bytes([8] * 32))
    assert anchor.last("default.main") == (8, bytes([8] * 32))
    held = (tmp_path / "anchor").read_bytes()
    for damage in (held.replace(b" 50 ", b" 5x "), held.replace(b"=", b"", 1), held + b"\xff\n", held + b"one two\n"):
        (tmp_path / "anchor").write_bytes(damage)
        with pytest.raises(Malformed):
            anchor.last("default.main")


async def test_a_rewritten_history_is_not_signed(sqlite_store: Store) -> None:
    store = sqlite_store
    await store.fill(10)
    await store.log.drain(store.database, TENANT)

    def rewrite(tx: Tx) -> Work[None]:
        (rows,) = yield (tx.select(select(audit_tile.c.hashes).where(audit_tile.c.level == 0)),)
        forged = leaf_hash(b"forged") + rows[0][0][32:]
        hashes = [forged[i : i + 32] for i in range(0, len(forged), 32)]
        tx.execute(audit_tile.update().where(audit_tile.c.level == 0).values(hashes=forged))
        tx.execute(audit_tree.update().values(root=root_of(hashes)))

    await store.database.run_alone(_system(), rewrite)
    await store.append()
    with pytest.raises(LogForked, match="a head this process signed"):
        await store.log.integrate(store.database, TENANT)
    with pytest.raises(LogForked, match="the last checkpoint"):
        await store.another_node().integrate(store.database, TENANT)


async def test_an_outbox_row_is_consumed_whatever_its_id(store: Store) -> None:
    """A long transaction commits an old id late: consuming rows cannot miss it, polling by id would."""
    late = bytes(16)
    await store.fill(4)
    await store.log.drain(store.database, TENANT)

    def insert_old(tx: Tx) -> Work[None]:
        from audit import outbox
        from audit.tables import OUTBOX

        (rows,) = yield (tx.select(select(audit_index.c.entry).limit(1)),)
        template = yield from store.log.entry(tx, "ent_" + rows[0][0].hex())
        leaf = template.leaf.replace(rows[0][0].hex().encode(), late.hex().encode())
        tx.pack(OUTBOX, "main", late, outbox.pack(late, leaf, None, bytes(16)))

    await store.database.run_alone(_system(), insert_old)
    assert await store.log.integrate(store.database, TENANT) == Round(1, 5)
    assert (await store.look(lambda tx: store.log.entry(tx, "ent_" + late.hex()))).index == 4
    assert audit_outbox is not None


async def test_a_log_survives_a_restart(sqlite_url: str, tmp_path: Path) -> None:
    for round_ in range(1, 4):
        async with Opened(sqlite_url, tmp_path / "anchor") as store:
            await store.fill(100)
            await store.log.drain(store.database, TENANT)
            assert (await check_log(store)).size == 100 * round_
