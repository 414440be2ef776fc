"""`AuditLog`: the append-only log of a tenant, from the event to the proof.

The story: packages `append` events in their own transactions; `integrate` gives waiting entries their index and signs
the tree; everyone else reads entries, tiles and proofs under signed checkpoints, exports the log, and checks it offline
(`audit.verify`).

Methods that take `tx` first are units of work or parts of one: `await database.look(context, lambda tx: audit.entry(tx,
id))`.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from audit import export, proving, search, store
from audit.anchor import Anchor
from audit.append import Appender
from audit.entry import AuditEvent, Entry, Opening
from audit.integrator import BATCH, Integrator, Round
from audit.note import VerifierKey
from audit.replay import Replayed, replay
from audit.search import Page, Search
from sayso.kernel import Database, Key, Sealer, Signer, Tx, Work

MAIN = "main"
"""The log that every tenant has."""


class LogInfo(Struct, frozen=True):
    """A log as it is announced: `log` is its name on the wire (`default.main`), `size` what is integrated."""

    name: str
    log: str
    origin: str
    vkey: str
    size: int


class Backlog(Struct, frozen=True):
    """What waits for the integrator: how many entries, and since when the oldest (milliseconds, or None)."""

    pending: int
    oldest_ms: int | None


class AuditLog:
    """The logs of all tenants.

    `node` stands in each leaf as the writer. `origin_base` is the public address under which the logs are served,
    without scheme and trailing slash (`sayso.example/log`); a log takes it over for ever when it is opened. `anchor` is
    a file outside the data folder's database that remembers signed heads.
    """

    def __init__(
        self,
        sealer: Sealer,
        signer: Signer,
        node: str,
        *,
        origin_base: str = "sayso.invalid/log",
        anchor: Path | None = None,
    ) -> None:
        self._sealer = sealer
        self._signer = signer
        self._appender = Appender(sealer, node)
        self._integrator = Integrator(signer, origin_base, Anchor(anchor) if anchor is not None else None)

    # writing

    def append(self, tx: Tx, event: AuditEvent, subject_key: Key | None = None) -> str:
        """Add an entry to the caller's write-set; returns its id (`ent_…`).

        `subject_key` is the log key of `event.subject`. Without it, though the event names a subject, the person is
        unknown or erased: the leaf then carries random bytes, and the detail is sealed under the tenant's key.

        Raises `UndeclaredEvent` and `LeafRefused`, which are faults of the calling code: the change must not happen
        then.
        """
        return self._appender.append(tx, event, subject_key, MAIN)

    async def integrate(self, database: Database, tenant: str, log: str = MAIN, batch: int = BATCH) -> Round:
        """One round: give up to `batch` waiting entries their index, then sign the committed head.

        To be called again and again, on every node, about every 100 ms, at once after a full batch. Opens the log when
        there is none. Raises `LogForked`, and `Unavailable` when the database is: nothing is signed then, and the next
        round reads anew.
        """
        return await self._integrator.run(database, tenant, log, batch)

    async def drain(self, database: Database, tenant: str, log: str = MAIN) -> int:
        """Integrate and sign until nothing waits; returns the signed size."""
        while True:
            done = await self.integrate(database, tenant, log)
            if not done.integrated:
                return done.signed

    async def close(self) -> None:
        """Write down the last signed heads. Call it when the server stops."""
        await self._integrator.close()

    # entries

    def entry(self, tx: Tx, entry_id: str) -> Work[Entry]:
        """One entry, from the moment an answer named it. Raises `EntryNotFound`, `Invalid`."""
        return search.entry(tx, entry_id)

    def entries(self, tx: Tx, wanted: Search) -> Work[Page]:
        """A page of integrated entries, newest first."""
        return search.entries(tx, wanted)

    def replay(self, tx: Tx, wanted: Search) -> Work[tuple[list[Replayed], str | None]]:
        """A page of integrated entries with what is sealed under no person's key, and the cursor of the next."""
        return replay(tx, self._sealer, wanted)

    def entries_about(self, tx: Tx, subject: bytes, cursor: str | None = None, limit: int = 50) -> Work[Page]:
        """A page of the entries about one person, newest first, waiting ones included."""
        return search.entries_about(tx, subject, cursor, limit)

    def subject_of(self, tx: Tx, entry_id: str) -> Work[bytes | None]:
        """The person an entry is about, while the log still knows."""
        return search.subject_of(tx, entry_id)

    def openings(self, tx: Tx, entry_id: str, subject_key: Key | None = None) -> Work[list[Opening]]:
        """What may be opened of an entry, checked against its leaf. The caller has decided that it may be shown."""
        return search.openings(tx, self._sealer, entry_id, subject_key)

    def forget(self, tx: Tx, subject: bytes) -> Work[int]:
        """Delete a person's openings and what leads to them; returns of how many entries. Cold.

        Their key is destroyed in the same unit. The leaves stay, and say nothing.
        """
        return store.forget(tx, subject)

    def backlog(self, tx: Tx, log: str = MAIN) -> Work[Backlog]:
        """What waits for the integrator. New writes should be refused while it is too long."""
        ((row,),) = yield (store.backlog(tx, log),)
        count, oldest = row
        return Backlog(count, int.from_bytes(oldest[:6], "big") if oldest else None)

    # the log as a transparency log

    def logs(self, tx: Tx) -> Work[list[LogInfo]]:
        """Every log of the tenant."""
        (rows,) = yield (store.all_trees(tx),)
        tenant = tx.context.tenant
        return [
            LogInfo(name, f"{tenant}.{name}", origin, proving.verifier_key(self._signer, tenant, origin).line, size)
            for name, origin, size in rows
        ]

    def vkey(self, tx: Tx, log: str = MAIN) -> Work[VerifierKey]:
        """The key that checks the log's checkpoints. Raises `LogNotFound`."""
        return proving.log_key(tx, self._signer, log)

    def checkpoint(self, tx: Tx, log: str = MAIN) -> Work[bytes]:
        """The newest signed checkpoint (C2SP). Raises `LogNotFound`."""
        return (yield from proving.signed(tx, log)).note

    def tile(self, tx: Tx, path: str, log: str = MAIN) -> Work[bytes]:
        """The bytes at a path such as `tile/0/000.p/8` or `tile/entries/000` (tlog-tiles). Raises `TileNotFound`."""
        return proving.tile(tx, log, path)

    def inclusion_proof(self, tx: Tx, index: int, size: int | None = None, log: str = MAIN) -> Work[list[bytes]]:
        """Hashes proving the entry at `index` in the tree of `size`, lowest first. Raises `SizeNotInLog`."""
        return proving.inclusion_proof(tx, log, index, size)

    def consistency_proof(self, tx: Tx, old: int, new: int | None = None, log: str = MAIN) -> Work[list[bytes]]:
        """Hashes proving that the tree of `new` entries begins with that of `old`. Raises `SizeNotInLog`."""
        return proving.consistency_proof(tx, log, old, new)

    def tlog_proof(self, tx: Tx, entry_id: str) -> Work[bytes]:
        """The entry's receipt (C2SP tlog-proof), self-contained. Raises `NotIntegrated`, `EntryNotFound`."""
        return proving.tlog_proof(tx, self._signer, entry_id)

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
