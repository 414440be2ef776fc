"""From the outbox into the tree, and from the tree to a signed checkpoint.

Append (in the business transaction), integrate, sign: three steps, three commits, each safe to die after.

- *Integrate*, one transaction: lock the log's row (or leave it to whoever holds it), take the oldest waiting entries,
  give
  them indices, write tiles, bundles and index rows, move the size on where it still is what was read, delete the
  outbox rows. All of it or nothing.
- *Sign*, a transaction of its own: only a (size, root) that is already committed, read back from the database, never
  from memory. Ed25519 is deterministic, so dying between the two costs nothing: the same head is signed again.

Before a head is signed, the tree must contain every head that is known to have been signed before: the last checkpoint,
what this process signed, and, once after the start, the anchor file. Otherwise the database holds another history (a
restored backup, a clone, tampering), and the log stops: `LogForked`.
"""

import asyncio
import time
from typing import NamedTuple

from audit import store
from audit.anchor import Anchor
from audit.checkpoint import Checkpoint
from audit.errors import LogForked
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.proving import LOG_KEY, root_at, verifier_key
from audit.strict import Malformed
from audit.tiles import WIDTH, grow, pack, right_edge, root
from sayso.kernel import SYSTEM, Context, Database, Signer, Tx, Work, new_id, now

BATCH = 2_048
"""Entries in one integration, about: they are written in one commit, together with what people wait for."""

ANCHOR_EVERY_S = 10.0
"""How far the anchor file may lie behind the last signature, in seconds."""


class Round(NamedTuple):
    """What one round did: how many entries got their index, and up to which size the log is signed."""

    integrated: int
    signed: int


class _Head(NamedTuple):
    size: int
    root: bytes
    found: str


class _Standing(NamedTuple):
    opened: bool
    waiting: bool
    size: int
    signed: int

    @property
    def settled(self) -> bool:
        return self.opened and not self.waiting and self.signed == self.size


class Integrator:
    """Integrates and signs the logs of all tenants. Several may run: one wins each round."""

    def __init__(self, signer: Signer, origin_base: str, anchor: Anchor | None) -> None:
        self._signer = signer
        self._origin_base = origin_base
        self._anchor = anchor
        # What this process itself signed: it stays true whatever becomes of the database.
        self._signed: dict[tuple[str, str], _Head] = {}
        self._anchored: dict[tuple[str, str], float] = {}

    async def run(self, database: Database, tenant: str, log: str, batch: int = BATCH) -> Round:
        """Integrate what waits (up to `batch` entries) and sign. See `AuditLog.integrate`."""
        context = Context(tenant, SYSTEM, now(), new_id("req"))
        key = (tenant, log)
        if key in self._signed:
            heads = [self._signed[key]]
        else:
            # Before anything is added, so that a forked log does not even grow.
            heads = await self._remembered(tenant, log)
            await database.look(context, lambda tx: _check(tx, log, heads))
        standing = await database.look(context, lambda tx: _state(tx, log))
        if standing.settled and key in self._signed:
            return Round(0, standing.signed)
        moved = 0
        if standing.waiting or not standing.opened:
            moved = await database.run_beside(context, lambda tx: _integrate(tx, log, self.origin(tenant, log), batch))
        signed = await database.run_beside(context, lambda tx: self._sign(tx, log, heads))
        if signed is None:
            return Round(moved, max(standing.signed, 0))
        self._signed[key] = _Head(signed.size, signed.root, "a head this process signed")
        await self._remember(key, signed)
        return Round(moved, signed.size)

    async def close(self) -> None:
        """Bring the anchor file up to the last signature."""
        for key, head in self._signed.items():
            self._anchored.pop(key, None)
            await self._remember(key, head)

    def origin(self, tenant: str, log: str) -> str:
        """What a log opened now would be called for ever."""
        return f"{self._origin_base}/{tenant}.{log}"

    def _sign(self, tx: Tx, log: str, heads: list[_Head]) -> Work[store.Signed | None]:
        """Sign the committed head; None while another node is at it."""
        locked, rows = yield (store.tree_to_lock(tx, log), store.last_signed(tx, log))
        if not locked:
            return None
        tree, last = store.Tree(*locked[0]), store.signed_from(rows)
        if last is not None and (last.size, last.root) == (tree.size, tree.root):
            return last
        yield from _contains(tx, log, tree, [*heads, *_as_heads(last)])
        tenant = tx.context.tenant
        checkpoint = Checkpoint(tree.origin, tree.size, tree.root)
        note = checkpoint.sign(
            verifier_key(self._signer, tenant, tree.origin), lambda text: self._signer.sign(tenant, LOG_KEY, text)
        )
        signed = store.Signed(tree.size, tree.root, note)
        store.store_checkpoint(tx, log, signed)
        return signed

    async def _remembered(self, tenant: str, log: str) -> list[_Head]:
        if self._anchor is None:
            return []
        try:
            head = await asyncio.to_thread(self._anchor.last, f"{tenant}.{log}")
        except Malformed as error:
            raise LogForked(log, "the anchor file, which is damaged", 0, 0) from error
        return [_Head(*head, "the anchor file")] if head is not None else []

    async def _remember(self, key: tuple[str, str], head: store.Signed | _Head) -> None:
        last = self._anchored.get(key)
        if self._anchor is None or not head.size or (last is not None and time.monotonic() - last < ANCHOR_EVERY_S):
            return
        self._anchored[key] = time.monotonic()
        await asyncio.to_thread(self._anchor.remember, ".".join(key), head.size, head.root)


def _state(tx: Tx, log: str) -> Work[_Standing]:
    row, waiting, rows = yield (store.tree_of(tx, log), store.any_pending(tx, log), store.last_signed(tx, log))
    size = store.Tree(*row).size if row is not None else 0
    last = store.signed_from(rows)
    return _Standing(row is not None, bool(waiting), size, last.size if last is not None else -1)


def _check(tx: Tx, log: str, heads: list[_Head]) -> Work[None]:
    # The signed head first: read after the tree, it could be one that was signed in between.
    (rows,) = yield (store.last_signed(tx, log),)
    (row,) = yield (store.tree_of(tx, log),)
    tree = store.Tree(*row) if row is not None else store.Tree("", 0, EMPTY_ROOT)
    yield from _contains(tx, log, tree, [*heads, *_as_heads(store.signed_from(rows))])


def _contains(tx: Tx, log: str, tree: store.Tree, heads: list[_Head]) -> Work[None]:
    """Raise `LogForked` unless the tree's tiles fold to its root, and to each of `heads` at that size."""
    for head in [*heads, _Head(tree.size, tree.root, "its own tiles")]:
        try:
            found = (yield from root_at(tx, log, head.size)) if head.size <= tree.size else None
        except Malformed:
            found = None
        if found != head.root:
            raise LogForked(log, head.found, head.size, tree.size)


def _as_heads(last: store.Signed | None) -> list[_Head]:
    return [] if last is None else [_Head(last.size, last.root, "the last checkpoint")]


def _integrate(tx: Tx, log: str, origin: str, batch: int) -> Work[int]:
    """Move about `batch` entries from the outbox into the tree; returns how many."""
    row, locked = yield (store.tree_of(tx, log), store.tree_to_lock(tx, log))
    if row is not None and not locked:
        return 0
    waiting = yield from store.oldest_pending(tx, log, batch)
    pending = waiting.entries
    if row is not None and not pending:
        return 0
    tree = store.Tree(*locked[0]) if row is not None else store.Tree(origin, 0, EMPTY_ROOT)
    if not pending:
        store.open_tree(tx, log, tree)
        return 0
    edge = right_edge(tree.size)
    tiles = yield from store.tiles_at(tx, log, edge)
    last_bundle, partial = divmod(tree.size, WIDTH)
    (held,) = (yield (store.bundle_at(tx, log, last_bundle),)) if partial else (None,)

    leaves = [entry.leaf for entry in pending]
    changed = grow(tree.size, tiles, [leaf_hash(leaf) for leaf in leaves])
    first = WIDTH - partial
    bundles = [(held[0] if held is not None else b"") + pack(leaves[:first])]
    bundles += [pack(leaves[start : start + WIDTH]) for start in range(first, len(leaves), WIDTH)]
    size = tree.size + len(leaves)

    store.store_tiles(tx, log, changed.items())
    store.store_bundles(tx, log, enumerate(bundles, last_bundle))
    store.move_to_index(tx, log, tree.size, waiting)
    # From this commit on the entries have their indices. A crash before it leaves them waiting; after it, to be signed.
    moved = tree._replace(size=size, root=root(size, {**tiles, **changed}))
    if row is None:
        store.open_tree(tx, log, moved)
    else:
        store.advance_tree(tx, log, tree, moved)
    return len(leaves)
