"""What an export found waits for it: nothing of it is pruned while somebody may still fetch it."""

from pathlib import Path

import pytest

from audit import Classes, Content, EntryPruned, ExportDesk, ExportGone, LogClass, Order, Selection
from audit.retention import pruning
from audit.tables import audit_bundle
from sayso.kernel import Try, Tx, Work, new_id
from tests.audit.builders import CHANGED, CRM, Store, context
from tests.audit.test_pruning import ACCESS, Killed, about, at, die, nobody_holds, nothing_else, prune


class Exporting:
    """Exports as the server orders, makes and reads them."""

    def __init__(self, store: Store, log: str) -> None:
        self.store, self.log, self.desk = store, log, ExportDesk(store.sealer)

    async def order(self, *subjects: bytes) -> str:
        selection = Selection(type=CHANGED, subjects=subjects)
        order = Order("entries", "jsonl", selection, CRM.id, new_id("ent"), logs=(self.log,))

        def unit(tx: Tx) -> Work[str]:
            yield ()
            return self.desk.order(tx, order)

        return await self.store.database.run_alone(context(), unit)

    async def make(self) -> None:
        while await self.store.look(lambda tx: self.desk.job.pending(tx, b"")):
            await self.store.database.run_alone(context(), lambda tx: self.desk.step(tx, Try(b"", 0)))

    async def fetch(self, export: str) -> list[str]:
        """Ids of the entries in it."""
        found = await self.store.look(lambda tx: self.desk.finished(tx, export))
        heads = await self.store.look(lambda tx: self.desk.heads(tx, found))
        content = Content(
            self.store.database,
            context(),
            self.desk,
            found,
            lambda: pytest.fail("nothing is opened"),
            self.store.signer,
            heads,
            {},
            trust=b"",
            policies={},
        )
        return [each.id async for page in content.pages() for each in page]


async def test_what_an_export_found_is_kept_from_pruning_until_its_term_is_over(store: Store, tmp_path: Path) -> None:
    store.classes = ACCESS
    exports, person = Exporting(store, "access"), store.person()
    with at("2026-01-01"):
        await store.fill(300)
        await store.settle()
        theirs = await about(store, person, 3)
        await store.settle()
        await store.fill(300)
        await store.settle()
    with at("2026-06-01"):
        await store.settle()
        export = await exports.order(person)
        assert await store.log.over(store.database, context()) == [], "it may need any while it is being made"
        await exports.make()
        (due,) = await prune(store, tmp_path / "copy")
        assert (due.begin, due.below) == (0, 256), "the bundle with the first of theirs stays, and all after it"
        assert set(await exports.fetch(export)) == set(theirs)
    with at("2026-06-09"):
        with pytest.raises(ExportGone):
            await exports.fetch(export)
        await exports.make()
        (due,) = await prune(store, tmp_path / "copy")
        assert (due.begin, due.below) == (256, 603)


async def test_an_export_leaves_out_what_is_said_to_be_pruned_and_is_refused_whole_where_entries_are_gone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.classes = Classes({"consent": LogClass("consent", ("tests.*",), "P1M")})
    exports = Exporting(store, "consent")
    with at("2026-02-01"):
        await store.fill(256)
        await store.settle()
    with at("2026-02-20"):
        young = await store.fill(5)
        await store.settle()
    with at("2026-03-10"):
        await store.settle()
        with monkeypatch.context() as patched:
            patched.setattr(pruning, "finish", die)
            with pytest.raises(Killed):
                await store.log.prune(store.database, context(), tmp_path / "copy", nobody_holds, nothing_else)
        await store.settle()
        export = await exports.order()
        await exports.make()
        await prune(store, tmp_path / "copy")
        assert set(await exports.fetch(export)) == set(young)
        # Nothing of ours takes them now. Whoever does, the reader is told before the first byte.
        await store.database.run_alone(context(), taken)
        with pytest.raises(EntryPruned):
            await exports.fetch(export)


def taken(tx: Tx) -> Work[None]:
    yield ()
    tx.execute(audit_bundle.delete())
