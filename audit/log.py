"""`AuditLog`: the append-only log of a tenant, from the event to the proof.

The story: packages `append` events in their own transactions; `integrate` gives waiting entries their index and signs
the tree; everyone else reads entries, tiles and proofs under signed checkpoints, exports the log, and checks it offline
(`audit.verify`).

Methods that take `tx` first are units of work or parts of one: `await database.look(context, lambda tx: audit.entry(tx,
id))`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from msgspec import Struct

from audit import store
from audit.append import Appender
from audit.errors import LogNotFound, NothingToRecover
from audit.exports import directory as export
from audit.leaf.entry import AuditEvent, Entry, Opening
from audit.reading import listing, search
from audit.reading.listing import LogInfo
from audit.reading.replay import Replayed, replay
from audit.reading.search import Page, Search
from audit.retention import class_store, pruning
from audit.retention.classes import MAIN, Classes
from audit.retention.pruning import Due
from audit.tlog.note import VerifierKey
from audit.tree import proving, recovery
from audit.tree.anchor import Anchor
from audit.tree.guard import ForkGuard, Head, Memory
from audit.tree.integrator import BATCH, Integrator, Round
from audit.tree.lost import Losses
from audit.tree.pressure import Pressure
from audit.tree.recovery import LogStanding
from audit.witnesses import witnessing
from sayso.kernel import SYSTEM, Context, Database, Key, Sealer, Signer, Tx, Work, new_id, now

_ONE_LOG = Classes()


class Backlog(Struct, frozen=True):
    """What waits for the integrator: how many entries, and since when the oldest (milliseconds, or None)."""

    pending: int
    oldest_ms: int | None


class AuditLog:
    """The logs of all tenants.

    `node` stands in each leaf as the writer. `origin_base` is the public address under which the logs are served,
    without scheme and trailing slash (`sayso.example/log`); a log takes it over for ever when it is opened. `anchor` is
    a file outside the data folder's database that remembers signed heads. `classes` says what a tenant declared of its
    logs; without it there is one, `main`.
    """

    def __init__(
        self,
        sealer: Sealer,
        signer: Signer,
        node: str,
        *,
        origin_base: str = "sayso.invalid/log",
        anchor: Path | None = None,
        pressure: Pressure | None = None,
        classes: Callable[[str], Classes] = lambda _: _ONE_LOG,
    ) -> None:
        self._sealer = sealer
        self._signer = signer
        self._appender = Appender(sealer, node)
        self.pressure = pressure or Pressure()
        self._guard = ForkGuard(Anchor(anchor) if anchor is not None else None)
        self._integrator = Integrator(signer, origin_base, self._guard, self.pressure, self._appender)
        self._classes = classes
        self.losses = Losses(signer, self._guard)
        self._known: dict[str, dict[str, None]] = {}

    # writing

    def append(self, tx: Tx, event: AuditEvent, subject_key: Key | None = None) -> str:
        """Add an entry to the caller's write-set; returns its id (`ent_…`).

        `subject_key` is the log key of `event.subject`. Without it, though the event names a subject, the person is
        unknown or erased: the leaf then carries random bytes, and the detail is sealed under the tenant's key; that of
        another system's entry is not kept.

        Raises `LogForked` and `LogBehind` while the log takes no entries, `UndeclaredEvent` and `LeafRefused`, which
        are faults of the calling code: the change must not happen then.
        """
        tenant = tx.context.tenant
        self.pressure.demand(tenant)
        return self._appender.append(tx, event, subject_key, self._classes(tenant).of(event.type))

    async def classes(self, database: Database, tenant: str) -> tuple[str, ...]:
        """The classes of a tenant that are to be integrated: `main`, those declared, and those that once were."""
        known = self._known.get(tenant)
        if known is None:
            context = Context(tenant, SYSTEM, now(), new_id("req"))
            found = await database.look(context, class_store.classes)
            known = self._known[tenant] = dict.fromkeys((MAIN, *found))
        known.update(dict.fromkeys(self._classes(tenant).names))
        return tuple(known)

    def declared(self, tenant: str) -> Classes:
        """What the tenant declared of its logs."""
        return self._classes(tenant)

    def append_while_forked(self, tx: Tx, event: AuditEvent) -> str:
        """Add an entry though the log takes none: for what must be done before it does again."""
        return self._appender.append(tx, event, None, self._classes(tx.context.tenant).of(event.type))

    async def integrate(self, database: Database, tenant: str, log: str = MAIN, batch: int = BATCH) -> Round:
        """One round: give about `batch` waiting entries their index (more of a large backlog), sign the committed head.

        To be called again and again, on every node, about four times a second, at once after a full batch. Opens the
        log when there is none. Raises `LogForked`, and `Unavailable` when the database is: nothing is signed then, and
        the next round reads anew.
        """
        return await self._integrator.run(database, tenant, log, batch)

    async def drain(self, database: Database, tenant: str, log: str = MAIN) -> int:
        """Integrate and sign until nothing waits; returns the signed size."""
        while True:
            done = await self.integrate(database, tenant, log)
            if not done.integrated:
                return done.signed

    def remember_by(self, memory: Memory) -> None:
        """Compare the logs with what `memory` saw of them, too, before the first signature."""
        self._guard.memories.append(memory)

    def observed(self, tenant: str, log: str, head: Head) -> None:
        """Somebody outside holds this head: the next round compares the log with it."""
        self._guard.observe(tenant, log, head)

    async def check(self, database: Database, tenant: str, log: str = MAIN) -> None:
        """Compare a log with what the world may have seen of it, before the first answer. Raises `LogForked`; from then
        on `append` refuses.
        """
        await self._integrator.check(database, tenant, log)

    async def weigh(self, database: Database, tenant: str) -> None:
        """See how much waits, and refuse or take new entries accordingly. To be called about every second."""
        context = Context(tenant, SYSTEM, now(), new_id("req"))
        ((count, oldest),) = await database.look(context, _weight)
        self.pressure.weigh(tenant, count, oldest)

    # when the log contradicts what was signed

    async def standing(self, database: Database, context: Context, log: str = MAIN) -> LogStanding:
        """How a log stands to what was seen of it."""
        return (await recovery.stand(database, context, log, self._guard))[0]

    async def replay(self, database: Database, context: Context, folder: Path, log: str = MAIN) -> LogStanding:
        """Take what the database lost from a static copy, then sign again. Raises `RecoveryRefused`, `LogForked`."""
        tenant = context.tenant
        _, tree = await recovery.stand(database, context, log, self._guard)
        keys = self._keys_of(tenant, tree.origin)
        name, before, after = await recovery.replay(database, context, log, folder, keys)
        await self.integrate(database, tenant, log)
        event = AuditEvent(recovery.RECOVERED, "ok", {"log": name, "from_size": str(before), "to_size": str(after)})
        await database.run_alone(context, lambda tx: self._note(tx, event, log))
        await self.drain(database, tenant, log)
        return await self.standing(database, context, log)

    async def open_epoch(self, database: Database, context: Context, log: str = MAIN) -> LogStanding:
        """End a log that contradicts what was seen of it, and begin another under a new origin. Raises
        `RecoveryRefused` when there is nothing to recover from.
        """
        found, tree = await recovery.stand(database, context, log, self._guard)
        if found.sound:
            raise NothingToRecover
        new, event = recovery.next_log(found.log), recovery.opening_event(found, tree)
        if not (await database.look(context, lambda tx: recovery.size_of(tx, new))):
            await database.run_alone(context, lambda tx: self._note(tx, event, new))
            await self._integrator.run(database, context.tenant, new)
        await database.run_alone(context, lambda tx: recovery.turn(tx, log, new))
        await self.drain(database, context.tenant, log)
        return await self.standing(database, context, log)

    def _keys_of(self, tenant: str, origin: str) -> list[VerifierKey]:
        return [VerifierKey(origin, public) for _, public in self._signer.published(tenant, proving.LOG_KEY)]

    def _note(self, tx: Tx, event: AuditEvent, log: str) -> Work[str]:
        # Past `append`: what ends the standstill cannot wait for its end.
        yield ()
        return self._appender.append(tx, event, None, log)

    # entries

    def entry(self, tx: Tx, entry_id: str) -> Work[Entry]:
        """One entry, from the moment an answer named it. Raises `EntryNotFound`, `Invalid`."""
        return search.entry(tx, entry_id)

    def entries(self, tx: Tx, wanted: Search) -> Work[Page]:
        """A page of integrated entries, newest first."""
        return search.entries(tx, wanted)

    def recorded(self, tx: Tx, wanted: Search) -> Work[tuple[list[Replayed], str | None]]:
        """A page of integrated entries with what is sealed under no person's key, and the cursor of the next."""
        return replay(tx, self._sealer, wanted)

    def entries_about(self, tx: Tx, subject: bytes, cursor: str | None = None, limit: int = 50) -> Work[Page]:
        """A page of the entries about one person, newest first, waiting ones included."""
        return search.entries_about(tx, subject, cursor, limit)

    def places_about(self, tx: Tx, subjects: Sequence[bytes]) -> Work[list[tuple[str, int]]]:
        """Where all integrated entries about a person stand (log, index), oldest first."""
        return search.places_about(tx, subjects)

    def subject_of(self, tx: Tx, entry_id: str) -> Work[bytes | None]:
        """The person an entry is about, while the log still knows."""
        return search.subject_of(tx, entry_id)

    def openings(self, tx: Tx, entry_id: str, subject_key: Key | None = None) -> Work[list[Opening]]:
        """What may be opened of an entry, checked against its leaf. The caller has decided that it may be shown."""
        return search.openings(tx, self._sealer, entry_id, subject_key)

    def openings_of(self, tx: Tx, entry: Entry, subject_key: Key | None = None) -> Work[list[Opening]]:
        """The same of an entry that was read already."""
        return search.openings_of(tx, self._sealer, entry, subject_key)

    def owner_of(self, tenant: str, actor_id: str) -> bytes:
        """Under which 16 bytes the index keeps the entries of an actor (`key_…`)."""
        return self._appender.owner_of(tenant, actor_id)

    def forget(self, tx: Tx, subject: bytes) -> Work[int]:
        """Delete a person's openings and what leads to them; returns of how many entries. Cold.

        Their key is destroyed in the same unit. The leaves stay, and say nothing.
        """
        return store.forget(tx, subject)

    def backlog(self, tx: Tx) -> Work[Backlog]:
        """What waits for the integrator, of all classes."""
        ((row,),) = yield (store.backlog(tx),)
        count, oldest = row
        return Backlog(count, int.from_bytes(oldest[:6], "big") if oldest else None)

    # the log as a transparency log

    def logs(self, tx: Tx) -> Work[list[LogInfo]]:
        """Every log of the tenant, oldest first."""
        return listing.logs(tx, self._signer)

    def shown(self, tx: Tx) -> Work[list[tuple[str, bool]]]:
        """The logs that the world is to see, and whether each was closed under its last checkpoint."""
        return listing.shown(tx)

    def holding(self, tx: Tx, types: Collection[str], since: int, *, external: bool) -> Work[list[str]]:
        """Names of the logs that may hold entries of these types made at or after an instant; `external`: and those of
        other systems.
        """
        return listing.holding(tx, self._classes(tx.context.tenant), types, since, external=external)

    def vkey(self, tx: Tx, log: str = MAIN) -> Work[VerifierKey]:
        """The key that checks the log's checkpoints. Raises `LogNotFound`."""
        return proving.log_key(tx, self._signer, log)

    def vkey_of(self, tx: Tx, note: bytes, log: str = MAIN) -> Work[VerifierKey]:
        """The key that signed this checkpoint of the log, be it retired by now. Raises `LogNotFound`."""
        return proving.signer_of(tx, self._signer, log, note)

    def checkpoint(self, tx: Tx, log: str = MAIN) -> Work[bytes]:
        """The newest signed checkpoint (C2SP). Raises `LogNotFound`."""
        return (yield from proving.signed(tx, log)).note

    def tile(self, tx: Tx, path: str, log: str = MAIN) -> Work[bytes]:
        """The bytes at a path such as `tile/0/000.p/8` or `tile/entries/000` (tlog-tiles). Raises `TileNotFound`."""
        return proving.tile(tx, log, path)

    def inclusion_proof(self, tx: Tx, index: int, size: int | None = None, log: str = MAIN) -> Work[list[bytes]]:
        """Hashes proving the entry at `index` in the tree of `size`, lowest first. Raises `SizeNotInLog`."""
        return proving.inclusion_proof(tx, log, index, size)

    def root_at(self, tx: Tx, log: str, size: int) -> Work[bytes]:
        """The root of a log's first `size` entries, from its tiles. Raises `Malformed` without them."""
        return proving.root_at(tx, log, size)

    def tlog_proof(self, tx: Tx, entry_id: str, *, witnessed: bool = False) -> Work[bytes]:
        """The entry's receipt (C2SP tlog-proof), self-contained; `witnessed`: with the cosignatures of enough
        witnesses. Raises `NotIntegrated`, `NotWitnessed`, `EntryNotFound`.
        """
        return proving.tlog_proof(tx, self._signer, entry_id, witnessed=witnessed)

    def tlog_proofs(self, tx: Tx, entry_ids: Sequence[str]) -> Work[dict[str, bytes]]:
        """The receipts of many entries, by id; those that no signed checkpoint covers yet are left out."""
        return proving.tlog_proofs(tx, self._signer, entry_ids)

    def witnessed(self, tx: Tx, log: str = MAIN) -> Work[bytes]:
        """The last checkpoint that enough witnesses cosigned. Raises `LogNotFound` when there is none."""
        seen = yield from witnessing.witnessed(tx, log)
        if seen is None:
            raise LogNotFound
        return seen.note

    def keys_of(self, tx: Tx, log: str = MAIN) -> Work[list[VerifierKey]]:
        """Every key that ever signed a log; of one that is not there, under the name it would be opened with."""
        return proving.keys_of(tx, self._signer, log, self._integrator.origin(tx.context.tenant, log))

    def keys(self, tx: Tx) -> Work[list[VerifierKey]]:
        """Every key that ever signed a log of the tenant, those to come and the retired included."""
        (rows,) = yield (store.all_trees(tx),)
        published = self._signer.published(tx.context.tenant, proving.LOG_KEY)
        return [VerifierKey(origin, public) for _, origin, *_ in rows for _, public in published]

    async def export(
        self,
        database: Database,
        tenant: str,
        out: Path,
        log: str = MAIN,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
        patience_s: float = 30.0,
    ) -> int:
        """Write the log as a C2SP tile directory; returns its size. `export.export` says what it promises."""
        return await export.export(database, self._signer, tenant, log, out, progress, patience_s)

    # pruning

    async def over(self, database: Database, context: Context) -> list[Due]:
        """What the tenant may prune by what it declared; nothing is changed."""
        return await pruning.due(database, context, self._classes(context.tenant))

    async def prune(
        self, database: Database, context: Context, copy: Path, guard: pruning.Guard, also: pruning.Also
    ) -> list[Due]:
        """Export all logs into `copy`, verify that, then prune what is over; returns what was. `guard` is asked in the
        commit that says so and in those that delete, `also` in the latter. Raises `ExportRefused`, `PruneRefused`, what
        `guard` raises.
        """
        tenant = context.tenant
        await database.look(context, guard)
        await pruning.finish_all(database, context, guard, also)
        sizes = await self.export_all(database, tenant, copy)
        keys = await database.look(context, self.keys)
        await asyncio.to_thread(pruning.checked, copy, keys)
        found = [each for each in await self.over(database, context) if each.below <= sizes.get(each.log, 0)]
        for each in found:
            await pruning.carry_out(database, context, each, lambda tx, event: self._note(tx, event, MAIN), guard, also)
        return found

    async def export_all(self, database: Database, tenant: str, out: Path) -> dict[str, int]:
        """`main` into the folder `out` and every other log below `out/logs`; returns the size of each by name."""
        sizes = {MAIN: await self.export(database, tenant, out, MAIN)}
        context = Context(tenant, SYSTEM, now(), new_id("req"))
        for each in await database.look(context, self.logs):
            if each.name != MAIN:
                folder = export.folder_of(out, each.name)
                sizes[each.name] = await self.export(database, tenant, folder, each.name)
        return sizes


def _weight(tx: Tx) -> Work[list[tuple[int, bytes | None]]]:
    (rows,) = yield (store.backlog(tx),)
    return list(rows)
