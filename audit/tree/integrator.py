"""From the outbox into the tree, and from the tree to a signed checkpoint.

Append (in the business transaction), integrate, anchor, sign: each step is safe to die after.

- *Integrate*, one transaction: lock the log's row (or leave it to whoever holds it), take the oldest waiting entries,
  give them indices, write tiles, bundles and index rows, move the size on where it still is what was read, delete the
  outbox rows. All of it or nothing.
- *Anchor*: the committed head, read back from the database, goes into a file outside before it is signed.
- *Sign*, a transaction of its own: only what is committed and anchored, never from memory. Ed25519 is deterministic, so
  dying between the steps costs nothing: the same head is signed again.

Before that the tree must contain every head that the world may have seen: see `guard.py`. When a log is due to end the
next shard is opened after it: see `shards.py`.
"""

from typing import NamedTuple

from audit import store
from audit.append import Appender
from audit.errors import LogForked
from audit.retention import class_store, shards
from audit.retention.classes import MAIN
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.merkle import EMPTY_ROOT, leaf_hash
from audit.tlog.tiles import WIDTH, grow, pack, right_edge, root
from audit.tree.guard import ForkGuard, Head, as_heads, contains, standing
from audit.tree.pressure import Pressure
from audit.tree.proving import LOG_KEY
from sayso.kernel import SYSTEM, Context, Database, Signer, Tx, Work, new_id, now

BATCH = 2_048
"""Entries in one integration, about: they are written in one commit, together with what people wait for."""

FAR = 8_192
"""Where so many wait they are taken at once: who is this far behind gains by fewer rounds, each of which rewrites the
log's edge, is anchored and signed.
"""


class Round(NamedTuple):
    """What one round did: how many entries got their index, and up to which size the log is signed."""

    integrated: int
    signed: int


class _State(NamedTuple):
    log: str
    tree: store.Tree | None
    waiting: bool
    signed: int

    @property
    def settled(self) -> bool:
        return self.tree is not None and not self.waiting and self.signed == self.tree.size

    def turns(self, log_class: str, at: int) -> bool:
        """Whether the next shard is to follow."""
        tree = self.tree
        return tree is not None and (bool(tree.ended) or shards.due(log_class, self.log, tree, at))


class Integrator:
    """Integrates and signs the logs of all tenants. Several may run: one wins each round."""

    def __init__(
        self, signer: Signer, origin_base: str, guard: ForkGuard, pressure: Pressure, appender: Appender
    ) -> None:
        self._signer = signer
        self._appender = appender
        self._origin_base = origin_base
        self._guard = guard
        self._pressure = pressure

    async def run(self, database: Database, tenant: str, cls: str, batch: int = BATCH) -> Round:
        """Integrate what waits (about `batch` entries, or `FAR`) and sign. See `AuditLog.integrate`."""
        context = Context(tenant, SYSTEM, now(), new_id("req"))
        state = await database.look(context, lambda tx: _state(tx, cls))
        turns = state.turns(cls, context.at)
        if state.settled and not turns and self._guard.knows(tenant, state.log):
            return Round(0, state.signed)
        try:
            done = await self._round(database, context, cls, state, batch)
            if turns:
                done = done._replace(integrated=done.integrated + await self._turn(database, context, cls))
        except LogForked as error:
            self._pressure.halt(tenant, cls, error)
            raise
        self._pressure.release(tenant, cls)
        return done

    async def check(self, database: Database, tenant: str, cls: str) -> None:
        """Compare the log with what the world may have seen; integrate and sign nothing. Raises `LogForked`."""
        context = Context(tenant, SYSTEM, now(), new_id("req"))
        state = await database.look(context, lambda tx: _state(tx, cls))
        try:
            heads = await self._guard.heads(tenant, state.log)
            await database.look(context, lambda tx: standing(tx, state.log, heads))
            if shards.class_of(state.log) != MAIN:
                await self._unknown_yet(database, context, shards.next_shard(state.log))
        except LogForked as error:
            self._pressure.halt(tenant, cls, error)
            raise

    async def _turn(self, database: Database, context: Context, cls: str) -> int:
        """Open the next log of a class, if the one before is closed and signed; returns how many entries it made."""
        state = await database.look(context, lambda tx: _state(tx, cls))
        if state.tree is None or not state.tree.ended or state.signed != state.tree.size:
            return 0
        new = shards.next_shard(state.log)
        await self._unknown_yet(database, context, new)
        origin = self.origin(context.tenant, new)
        return await database.run_beside(context, lambda tx: self._open(tx, cls, state.log, new, origin))

    async def _unknown_yet(self, database: Database, context: Context, new: str) -> None:
        """Raise `LogForked` when the world saw a log that is not here: this database is an older copy."""
        heads = await self._guard.heads(context.tenant, new)
        await database.look(context, lambda tx: standing(tx, new, heads))

    def _open(self, tx: Tx, cls: str, old: str, new: str, origin: str) -> Work[int]:
        """The next shard with its first entry, in one commit with the turn of the class."""
        row, current, rows, held = yield (
            store.tree_of(tx, old),
            class_store.current_of(tx, cls),
            store.last_signed(tx, old),
            store.tree_of(tx, new),
        )
        tree, last = store.Tree(*row), store.signed_from(rows)
        if held is not None or class_store.log_from(current, cls) != old or last is None or last.size != tree.size:
            return 0
        made = self._appender.made(tx, shards.opening(new, old, tree, last), None)
        fresh = store.Tree(origin, 0, EMPTY_ROOT)
        store.open_tree(tx, new, add_leaves(tx, new, fresh, Edge({}, b""), [made.leaf]))
        store.move_to_index(tx, new, 0, store.Waiting([], [made]))
        class_store.turn_class(tx, cls, new)
        return 1

    def origin(self, tenant: str, log: str) -> str:
        """What a log opened now would be called for ever."""
        return f"{self._origin_base}/{tenant}.{log}"

    async def _round(self, database: Database, context: Context, cls: str, state: _State, batch: int) -> Round:
        tenant, log, moved = context.tenant, state.log, 0
        heads = await self._guard.heads(tenant, log)
        if not self._guard.knows(tenant, log):
            # Before anything is added, so that a forked log does not even grow.
            await database.look(context, lambda tx: standing(tx, log, heads))
        if state.turns(cls, context.at):
            # What waits is of a new day: it waits for the next shard.
            await database.run_beside(context, lambda tx: _close(tx, cls, log))
        elif state.waiting or state.tree is None:
            origin = self.origin(tenant, log)
            moved = await database.run_beside(context, lambda tx: _integrate(tx, cls, log, origin, batch))
        tree, last = await database.look(context, lambda tx: standing(tx, log, heads))
        if tree is None:
            return Round(moved, max(state.signed, 0))
        if last is None or (last.size, last.root) != (tree.size, tree.root):
            await self._guard.before_signing(tenant, log, tree)
            head = Head(tree.size, tree.root, "the anchored head")
            last = await database.run_beside(context, lambda tx: self._sign(tx, log, head))
            if last is None:
                return Round(moved, max(state.signed, 0))
        self._guard.signed(tenant, log, last, heads)
        return Round(moved, last.size)

    def _sign(self, tx: Tx, log: str, head: Head) -> Work[store.Signed | None]:
        """Sign a head that is committed and anchored; None while another node is at it."""
        locked, rows = yield (store.tree_to_lock(tx, log), store.last_signed(tx, log))
        if not locked:
            return None
        tree, last = store.Tree(*locked[0]), store.signed_from(rows)
        yield from contains(tx, log, tree, [head, *as_heads(last)])
        if last is not None and last.size >= head.size:
            return last
        tenant = tx.context.tenant
        note = Checkpoint(tree.origin, head.size, head.root).sign_by(self._signer.pairs(tenant, LOG_KEY))
        signed = store.Signed(head.size, head.root, note)
        store.store_checkpoint(tx, log, signed)
        return signed


def _state(tx: Tx, cls: str) -> Work[_State]:
    (current,) = yield (class_store.current_of(tx, cls),)
    log = class_store.log_from(current, cls)
    row, waiting, rows = yield (store.tree_of(tx, log), store.any_pending(tx, cls), store.last_signed(tx, log))
    last = store.signed_from(rows)
    tree = store.Tree(*row) if row is not None else None
    return _State(log, tree, bool(waiting), last.size if last is not None else -1)


def _close(tx: Tx, cls: str, log: str) -> Work[None]:
    """The log of a class takes no more entries."""
    locked, current = yield (store.tree_to_lock(tx, log), class_store.current_of(tx, cls))
    if locked and class_store.log_from(current, cls) == log and not store.Tree(*locked[0]).ended:
        store.end_tree(tx, log, store.Tree(*locked[0]))


def _integrate(tx: Tx, cls: str, log: str, origin: str, batch: int) -> Work[int]:
    """Move about `batch` entries of a class, or `FAR`, from the outbox into the tree of its log; returns how many."""
    row, locked, current = yield (store.tree_of(tx, log), store.tree_to_lock(tx, log), class_store.current_of(tx, cls))
    if (row is not None and not locked) or class_store.log_from(current, cls) != log:
        return 0
    waiting = yield from store.oldest_pending(tx, cls, batch, FAR)
    pending = waiting.entries
    if row is not None and not pending:
        return 0
    tree = store.Tree(*locked[0]) if row is not None else store.Tree(origin, 0, EMPTY_ROOT)
    if tree.ended:
        return 0
    if not pending:
        store.open_tree(tx, log, tree)
        return 0
    edge = yield from edge_of(tx, log, tree.size)
    moved = add_leaves(tx, log, tree, edge, [entry.leaf for entry in pending])
    store.move_to_index(tx, log, tree.size, waiting)
    # From this commit on the entries have their indices. A crash before it leaves them waiting; after it, to be signed.
    if row is None:
        store.open_tree(tx, log, moved)
    else:
        store.advance_tree(tx, log, tree, moved)
    return len(pending)


class Edge(NamedTuple):
    """All that appending must read: the partial tiles, and the packed entries of the partial bundle."""

    tiles: dict[store.TileKey, bytes]
    bundle: bytes


def edge_of(tx: Tx, log: str, size: int) -> Work[Edge]:
    """The right edge of a tree of `size` leaves."""
    tiles = yield from store.tiles_at(tx, log, right_edge(size))
    number, partial = divmod(size, WIDTH)
    (held,) = (yield (store.bundle_at(tx, log, number),)) if partial else (None,)
    return Edge(tiles, held[0] if held is not None else b"")


def add_leaves(tx: Tx, log: str, tree: store.Tree, edge: Edge, leaves: list[bytes]) -> store.Tree:
    """Write the tiles and bundles that change when `leaves` are appended; returns the tree as it then is."""
    changed = grow(tree.size, edge.tiles, [leaf_hash(leaf) for leaf in leaves])
    number, partial = divmod(tree.size, WIDTH)
    first = WIDTH - partial
    bundles = [edge.bundle + pack(leaves[:first])]
    bundles += [pack(leaves[start : start + WIDTH]) for start in range(first, len(leaves), WIDTH)]
    size = tree.size + len(leaves)
    store.store_tiles(tx, log, changed.items())
    store.store_bundles(tx, log, enumerate(bundles, number))
    return tree._replace(size=size, root=root(size, {**edge.tiles, **changed}))
