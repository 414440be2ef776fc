"""Entries whose time is over leave; every proof of them stays good."""

import json
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import func, select

from audit import (
    AuditEvent,
    Classes,
    Due,
    EntryNotFound,
    EntryPruned,
    LogClass,
    PruneRefused,
    Search,
    TileNotFound,
    decode_leaf,
    leaf_hash,
    print_trust,
    verify,
    verify_inclusion,
)
from audit.retention import pruning
from audit.tables import audit_bundle, audit_detail, audit_index, audit_subject, audit_tile
from audit.tlog.checkpoint import open_checkpoint
from audit.tlog.merkle import verify_consistency
from audit.tlog.tiles import pack
from audit.tree import proving
from sayso.kernel import Conflict, Tx, Work, new_id
from tests.audit.builders import CHANGED, CRM, TENANT, Store, context

ACCESS = Classes({"access": LogClass("access", ("tests.*",), "P90D")})


def at(day: str) -> Any:
    return freeze_time(f"{day}T12:00:00Z", real_asyncio=True)


def nobody_holds(_: Tx) -> Work[None]:
    yield ()


def nothing_else(_: Tx, entries: Sequence[tuple[bytes, str]]) -> None:
    assert {kind for _, kind in entries} <= {CHANGED, "audit.shard.opened"}


def held(_: Tx) -> Work[None]:
    yield ()
    raise Conflict("held", "A hold stands.")


async def prune(store: Store, copy: Path, guard: Any = nobody_holds) -> list[Due]:
    gone = await store.log.prune(store.database, context(), copy, guard, nothing_else)
    await store.settle()
    return gone


async def counts(store: Store) -> list[int]:
    """Rows that pruning deletes (bundles, index, openings of people and of nobody), and tiles, which it does not."""

    def unit(tx: Tx) -> Work[list[int]]:
        tables = (audit_bundle, audit_index, audit_subject, audit_detail, audit_tile)
        found = yield tuple(tx.select(select(func.count()).select_from(table)) for table in tables)
        return [rows[0][0] for rows in found]

    return await store.look(unit)


async def about(store: Store, subject: bytes | None, count: int) -> list[str]:
    detail = {"why": "asked"}
    return [await store.append(AuditEvent(CHANGED, "ok", {"name": "thing"}, subject, detail)) for _ in range(count)]


def trusted(store: Store, keys: Any, tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_bytes(print_trust(keys, ()))
    return file


async def test_what_is_over_leaves_and_receipts_proofs_and_consistency_hold(store: Store, tmp_path: Path) -> None:
    store.classes = ACCESS
    person = store.person()
    with at("2026-01-01"):
        old = await about(store, person, 3) + await about(store, None, 3)
        old += await store.fill(300)
        await store.settle()
        receipt = await store.look(lambda tx: store.log.tlog_proof(tx, old[0]))
        early = await store.look(lambda tx: store.log.checkpoint(tx, "access"))
        leaf = await store.look(lambda tx: store.log.entry(tx, old[0]))
    with at("2026-03-01"):
        young = await store.fill(3)
        await store.settle()
    with at("2026-04-05"):
        # The day's log was closed in March: all of it is over, and nothing of the one that followed.
        (due,) = await store.log.over(store.database, context())
        assert (due.log, due.begin, due.below) == ("access", 0, 306)
        before = await counts(store)
        assert await prune(store, tmp_path / "copy") == [due]
    after = await counts(store)
    # Left are the opening and three entries of the second shard, the opening of the third, and what main says of it.
    assert (before[:2], after[:2]) == ([3, 310], [3, 6])
    assert before[2:4] == [3, 3]
    assert after[2:4] == [0, 0]
    assert after[4] >= before[4]
    for entry in (old[0], old[3], old[-1]):
        for read in (store.log.entry, store.log.tlog_proof):
            with pytest.raises(EntryPruned):
                await store.look(lambda tx, read=read, entry=entry: read(tx, entry))  # type: ignore[misc]
    with pytest.raises(EntryNotFound):
        await store.look(lambda tx: store.log.entry(tx, new_id("ent")))
    with pytest.raises(EntryPruned):
        await store.look(lambda tx: store.log.tile(tx, "tile/entries/000", "access"))
    with pytest.raises(TileNotFound):
        await store.look(lambda tx: store.log.tile(tx, "tile/entries/009", "access"))
    assert (await store.look(lambda tx: store.log.entries_about(tx, person))).entries == []
    assert (await store.look(lambda tx: store.log.entry(tx, young[0]))).log == "access-2"
    found = await store.look(lambda tx: store.log.entries(tx, Search(type=CHANGED)))
    assert {each.id for each in found.entries} == set(young)

    # What was handed out before is as good as ever, and so is what is asked of the hashes now.
    keys = await store.look(store.log.keys)
    trust = trusted(store, keys, tmp_path)
    (tmp_path / "receipt").write_bytes(receipt)
    assert verify(tmp_path / "receipt", trust).code == 0
    head = open_checkpoint(await store.look(lambda tx: store.log.checkpoint(tx, "access")), keys)
    was = open_checkpoint(early, keys)
    proof = await store.look(lambda tx: proving.consistency_proof(tx, "access", was.size, head.size))
    verify_consistency(was.size, head.size, proof, was.root, head.root)
    assert leaf.index is not None
    path = await store.look(lambda tx: store.log.inclusion_proof(tx, leaf.index or 0, head.size, "access"))
    verify_inclusion(leaf.index, head.size, leaf_hash(leaf.leaf), path, head.root)

    # The copy has all of it; an export made now has the hashes, and says what is gone and who took it.
    again = tmp_path / "again"
    sizes = await store.log.export_all(store.database, TENANT, again)
    assert sizes["access"] == 306
    verdict = verify(again, trust)
    assert verdict.code == 0, verdict.report
    assert "pruned below index 306" in verdict.report
    assert "306 entries that were pruned" in verdict.report
    assert not (again / "logs" / "access" / "tile" / "entries").exists()
    assert verify(tmp_path / "copy", trust).code == 0
    page = await store.look(lambda tx: store.log.entries(tx, Search(type="audit.log.pruned")))
    told = decode_leaf(page.entries[0].leaf)
    assert page.entries[0].log == "main"
    assert told.res["below"] == "306"
    assert told.res["root"] == head.root.hex()
    opened = await store.look(lambda tx: store.log.openings(tx, page.entries[0].id))
    assert json.loads(opened[0].payload)["name"] == CRM.name


async def test_an_open_log_is_pruned_below_a_multiple_of_256_and_again_later(store: Store, tmp_path: Path) -> None:
    store.classes = Classes({"consent": LogClass("consent", ("tests.*",), "P1M")})
    with at("2026-02-01"):
        await store.fill(600)
        await store.settle()
    with at("2026-03-10"):
        await store.fill(300)
        await store.settle()
        (due,) = await prune(store, tmp_path / "copy")
        assert (due.begin, due.below) == (0, 512)
        assert await store.log.over(store.database, context()) == []
        more = await store.fill(5)
        await store.settle()
        assert (await store.look(lambda tx: store.log.tlog_proof(tx, more[0]))).startswith(b"c2sp.org/tlog-proof")
    with at("2026-04-20"):
        (due,) = await prune(store, tmp_path / "copy")
        assert (due.begin, due.below) == (512, 768)
        await store.log.export_all(store.database, TENANT, tmp_path / "out")
    trust = trusted(store, await store.look(store.log.keys), tmp_path)
    assert "pruned below index 768" in verify(tmp_path / "out", trust).report
    # The folder into which each prune exported has every entry that ever was.
    assert "NOT CHECKED: 0 entries" in verify(tmp_path / "copy", trust).report


async def test_a_hold_a_damaged_copy_and_an_open_ended_class_keep_everything(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store
    store.classes = ACCESS
    with at("2026-01-01"):
        await store.fill(300)
        await store.settle()
    with at("2026-06-01"):
        with pytest.raises(Conflict):
            await prune(store, tmp_path / "copy", held)
        store.classes = Classes({"access": LogClass("access", ("tests.*",))})
        assert await prune(store, tmp_path / "copy") == []
        store.classes = ACCESS
        exported = pruning.checked

        def damaged(copy: Path, keys: Any) -> None:
            file = copy / "logs" / "access" / "tile" / "entries" / "000"
            file.write_bytes(file.read_bytes()[:-1] + b"!")
            exported(copy, keys)

        with monkeypatch.context() as patched:
            patched.setattr(pruning, "checked", damaged)
            with pytest.raises(PruneRefused):
                await prune(store, tmp_path / "copy")
        assert (await counts(store))[1] == 301, "all of them, and the opening of the shard that followed"
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        (stranger / "thesis.txt").write_text("mine")
        with pytest.raises(Conflict):
            await prune(store, stranger)
    assert (await counts(store))[1] == 301


class Killed(BaseException):
    """The process ends here."""


async def die(*_: Any) -> None:
    raise Killed


async def test_a_prune_that_was_killed_is_finished_by_the_next(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.classes = ACCESS
    with at("2026-01-01"):
        made = await store.fill(300)
        await store.settle()
    with at("2026-06-01"):
        with monkeypatch.context() as patched:
            patched.setattr(pruning, "finish", die)
            with pytest.raises(Killed):
                await store.log.prune(store.database, context(), tmp_path / "copy", nobody_holds, nothing_else)
        await store.settle()
        assert (await counts(store))[1] > 300
        await prune(store, tmp_path / "copy")
        assert (await counts(store))[:2] == [2, 3], "the opening of the next shard, and twice what main says"
    with pytest.raises(EntryPruned):
        await store.look(lambda tx: store.log.entry(tx, made[0]))


async def test_a_hold_that_is_placed_between_two_steps_keeps_what_is_still_there(
    sqlite_store: Store, tmp_path: Path
) -> None:
    store, asked = sqlite_store, 0

    def held_from_the_second_step(tx: Tx) -> Work[None]:
        nonlocal asked
        asked += 1
        yield from (held if asked > 3 else nobody_holds)(tx)

    store.classes = ACCESS
    with at("2026-01-01"):
        await store.fill(17 * 256)
        await store.settle()
    with at("2026-06-01"):
        await store.settle()
        with pytest.raises(Conflict):
            await prune(store, tmp_path / "copy", held_from_the_second_step)
        await store.settle()
        bundles, index, *_ = await counts(store)
        assert (bundles, index) == (3, 258), "one of the bundles, the opening of the next shard, what main says"
        await prune(store, tmp_path / "copy")
        assert (await counts(store))[:2] == [2, 2]


class Meanwhile:
    """The database, with something that happens before the look of this number."""

    def __init__(self, store: Store, number: int, act: Callable[[], Awaitable[object]]) -> None:
        self._database, self._left, self._act = store.database, number, act

    async def look(self, *given: Any) -> Any:
        self._left -= 1
        if not self._left:
            await self._act()
        return await self._database.look(*given)


@pytest.mark.parametrize("number", [4, 5, 6])
async def test_an_export_that_a_prune_overtakes_says_what_is_gone(
    sqlite_store: Store, tmp_path: Path, number: int
) -> None:
    store, out = sqlite_store, tmp_path / "out"
    store.classes = ACCESS
    with at("2026-01-01"):
        await store.fill(300)
        await store.settle()
    with at("2026-06-01"):
        await store.settle()
        beside: Any = Meanwhile(store, number, lambda: prune(store, tmp_path / "copy"))
        await store.log.export(beside, TENANT, out, "access")
    assert (await counts(store))[0] == 2, "pruned"
    verdict = verify(out, trusted(store, await store.look(store.log.keys), tmp_path))
    assert verdict.code == 0, verdict.report


def damages(folder: Path) -> Iterator[tuple[str, Path]]:
    """Copies of an export of a pruned log, each with one thing done to it."""
    log = Path("logs") / "access"

    def copy(name: str) -> Path:
        return Path(shutil.copytree(folder, folder.parent / name.replace(" ", "-")))

    made = copy("no word of it")
    (made / log / "pruned").unlink()
    yield "no word of it", made
    made = copy("the word of another log")
    proof = (made / log / "pruned").read_bytes()
    (made / "logs" / "access-2" / "pruned").write_bytes(proof)
    yield "the word of another log", made
    made = copy("a hash changed")
    tile = made / log / "tile" / "0" / "000"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    yield "a hash changed", made
    made = copy("a word cut short")
    (made / log / "pruned").write_bytes(proof[:-9])
    yield "a word cut short", made
    made = copy("not that word")
    (made / log / "pruned").write_bytes(b"")
    yield "not that word", made
    made = copy("what is left was made up")
    left = made / log / "tile" / "entries" / "000.p" / "5"
    left.parent.mkdir(parents=True)
    left.write_bytes(pack([b"{}"] * 5))
    yield "what is left was made up", made


async def test_what_is_missing_without_a_signed_word_is_damage(sqlite_store: Store, tmp_path: Path) -> None:
    store = sqlite_store
    store.classes = ACCESS
    with at("2026-01-01"):
        await store.fill(300)
        await store.settle()
    with at("2026-03-01"):
        await store.fill(3)
        await store.settle()
    with at("2026-04-05"):
        await prune(store, tmp_path / "copy")
        folder = tmp_path / "export"
        await store.log.export_all(store.database, TENANT, folder)
    trust = trusted(store, await store.look(store.log.keys), tmp_path)
    assert verify(folder, trust).code == 0
    for name, damaged in damages(folder):
        assert verify(damaged, trust).code == 1, name
