"""`sayso audit recover`: a log that contradicts what was signed (`LogForked`) goes on, and never quietly.

Two ways. *Replay*: a static copy of the log (an export, the published directory) holds what the database lost; its
entries are appended again, and the tree that follows must be the very one that the copy's checkpoint was signed for.
*New epoch*: nothing holds it; the old log ends where it stands, and a new one begins under another origin, whose entry
0 names the old head and how long the log was seen: what lies between is lost.
"""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from audit import store
from audit.errors import LogForked, NothingMore, RecoveryRefused
from audit.leaf.entry import AuditEvent
from audit.leaf.vocabulary import declare
from audit.retention import class_store
from audit.retention.classes import MAIN
from audit.retention.shards import class_of, next_shard
from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.merkle import EMPTY_ROOT, leaf_hash
from audit.tlog.note import SignatureInvalid, VerifierKey
from audit.tlog.strict import Malformed
from audit.tlog.tiles import ENTRIES_LEVEL, WIDTH, Place, grow, path, right_edge, root, unpack, width_at
from audit.tree.guard import ForkGuard, standing
from audit.tree.integrator import Edge, add_leaves, edge_of
from sayso.kernel import Context, Database, Tx, Work

RECOVERED = declare("audit.log.recovered", "log", "from_size", "to_size")
EPOCH_OPENED = declare("audit.epoch.opened", "log", "old_log", "old_size", "old_root", "seen_size")

_BATCH = 8
"""Bundles in one commit of a replay."""


class LogStanding(Struct, frozen=True, kw_only=True):
    """How a log stands to what was seen of it. `seen` is the greatest head that it does not contain, `found` where."""

    log: str
    origin: str
    size: int
    signed: int
    found: str | None = None
    seen: int | None = None

    @property
    def sound(self) -> bool:
        return self.found is None


class Copy(NamedTuple):
    """A static copy, checked as a whole: its signed head, and the digest of each bundle that the database lacks."""

    folder: Path
    checkpoint: Checkpoint
    note: bytes
    first: int
    digests: list[bytes]


async def replay(
    database: Database, context: Context, cls: str, folder: Path, keys: Sequence[VerifierKey]
) -> tuple[str, int, int]:
    """Append what the copy in `folder` holds beyond the database; returns the log, its size before and after.

    The copy's checkpoint must be signed by one of `keys`, and its tree must begin with ours. Openings are not in a
    copy: the entries are back, what they said of people is not. Raises `RecoveryRefused`; may be repeated after a
    crash.
    """
    log, tree, edge = await database.look(context, lambda tx: tree_of(tx, cls))
    copy = await asyncio.to_thread(checked, folder, tree, edge, keys)
    before, end = tree.size, copy.checkpoint.size
    while tree.size < end:
        number = tree.size // WIDTH
        held = await asyncio.to_thread(bundles, copy, range(number, min(number + _BATCH, -(-end // WIDTH))))
        leaves = [leaf for bundle in held for leaf in bundle][tree.size % WIDTH :]
        here = tree
        tree = await database.run_beside(context, lambda tx: _append(tx, log, here, leaves))  # noqa: B023
    await database.run_beside(context, lambda tx: _keep_head(tx, log, copy))
    return log, before, end


def tree_of(tx: Tx, cls: str) -> Work[tuple[str, store.Tree, Edge]]:
    """The log of a class, its row and its right edge. Raises `RecoveryRefused` when there is none."""
    (current,) = yield (class_store.current_of(tx, cls),)
    log = class_store.log_from(current, cls)
    (row,) = yield (store.tree_of(tx, log),)
    if row is None:
        raise RecoveryRefused("The database has no such log; restore one that has, or begin a new epoch.")
    tree = store.Tree(*row)
    return log, tree, (yield from edge_of(tx, log, tree.size))


def checked(folder: Path, tree: store.Tree, edge: Edge, keys: Sequence[VerifierKey]) -> Copy:
    """The copy, if our tree with the copy's further entries is the tree that it was signed for. Blocks."""
    try:
        note = (folder / "checkpoint").read_bytes()
        checkpoint = open_checkpoint(note, keys)
    except OSError:
        raise RecoveryRefused("The folder holds no checkpoint that can be read.") from None
    except (Malformed, SignatureInvalid):
        raise RecoveryRefused("The folder's checkpoint is not signed by this log.") from None
    size, tiles = tree.size, dict(edge.tiles)
    if checkpoint.size <= size:
        raise NothingMore
    digests: list[bytes] = []
    copy = Copy(folder, checkpoint, note, size // WIDTH, digests)
    for number in range(copy.first, -(-checkpoint.size // WIDTH)):
        raw = _raw(copy, number)
        leaves = _entries(raw, number, checkpoint.size)[size % WIDTH :]
        tiles |= grow(size, tiles, [leaf_hash(leaf) for leaf in leaves])
        size += len(leaves)
        edges = right_edge(size)
        tiles = {key: tiles[key] for key in edges}
        digests.append(sha256(raw).digest())
    if _root(size, tiles) != checkpoint.root:
        raise RecoveryRefused("The folder's log does not begin with the one in the database, or was damaged.")
    return copy


def _root(size: int, tiles: dict[store.TileKey, bytes]) -> bytes:
    # The right edge alone tells the root: a full tile below is one hash of the tile above it.
    try:
        return root(size, tiles)
    except Malformed:
        raise RecoveryRefused("The folder's log cannot be followed to its root.") from None


def _raw(copy: Copy, number: int) -> bytes:
    width = width_at(ENTRIES_LEVEL, number, copy.checkpoint.size)
    try:
        return (copy.folder / path(Place(ENTRIES_LEVEL, number, width))).read_bytes()
    except OSError:
        raise RecoveryRefused("The folder lacks entries (tile/entries); hashes alone bring nothing back.") from None


def _entries(raw: bytes, number: int, size: int) -> list[bytes]:
    try:
        leaves = unpack(raw)
    except Malformed:
        raise RecoveryRefused("The folder's entries are damaged.") from None
    if len(leaves) != width_at(ENTRIES_LEVEL, number, size):
        raise RecoveryRefused("The folder's entries are damaged.")
    return leaves


def bundles(copy: Copy, numbers: range) -> list[list[bytes]]:
    """Entries of a copy that was checked, by bundle. Blocks. Raises `RecoveryRefused` when it changed since."""
    found = []
    for number in numbers:
        raw = _raw(copy, number)
        if sha256(raw).digest() != copy.digests[number - copy.first]:
            raise RecoveryRefused("The folder changed while it was read.")
        found.append(unpack(raw))
    return found


def _append(tx: Tx, log: str, tree: store.Tree, leaves: list[bytes]) -> Work[store.Tree]:
    edge = yield from edge_of(tx, log, tree.size)
    moved = add_leaves(tx, log, tree, edge, leaves)
    entries = class_store.index_unknown(tx, log, tree.size, leaves)
    yield from class_store.drop_waiting(tx, entries)
    store.advance_tree(tx, log, tree, moved)
    return moved


def _keep_head(tx: Tx, log: str, copy: Copy) -> Work[None]:
    """The copy's checkpoint is ours again."""
    (rows,) = yield (store.last_signed(tx, log),)
    last = store.signed_from(rows)
    if last is None or last.size < copy.checkpoint.size:
        store.store_checkpoint(tx, log, store.Signed(copy.checkpoint.size, copy.checkpoint.root, copy.note))


# a new epoch


def next_log(log: str) -> str:
    """`main`, `main-e2`, `main-e3`, …"""
    name, epoch, number = log.rpartition("-e")
    return f"{name}-e{int(number) + 1}" if epoch and number.isdigit() else f"{log}-e2"


def opening_event(found: LogStanding, tree: store.Tree) -> AuditEvent:
    """Entry 0 of the log that comes after one that contradicts what was seen of it."""
    res = {"log": next_log(found.log), "old_log": found.log, "old_size": str(tree.size), "old_root": tree.root.hex()}
    return AuditEvent(EPOCH_OPENED, "ok", res | {"seen_size": str(found.seen)})


async def stand(database: Database, context: Context, cls: str, guard: ForkGuard) -> tuple[LogStanding, store.Tree]:
    """How the log of a class stands to what was seen of it, and its row."""
    log, tree, last = await database.look(context, lambda tx: _now(tx, cls))
    found = LogStanding(log=log, origin=tree.origin, size=tree.size, signed=last.size if last is not None else 0)
    try:
        heads = await guard.heads(context.tenant, log)
        await database.look(context, lambda tx: standing(tx, log, heads))
        if class_of(log) != MAIN:
            # An older copy of a log that went on: the world knows its next shard.
            following = next_shard(log)
            heads = await guard.heads(context.tenant, following)
            await database.look(context, lambda tx: standing(tx, following, heads))
    except LogForked as error:
        found = replace(found, found=error.seen[1], seen=error.seen[2])
    return found, tree


def _now(tx: Tx, cls: str) -> Work[tuple[str, store.Tree, store.Signed | None]]:
    (current,) = yield (class_store.current_of(tx, cls),)
    log = class_store.log_from(current, cls)
    row, rows = yield (store.tree_of(tx, log), store.last_signed(tx, log))
    tree = store.Tree(*row) if row is not None else store.Tree("", 0, EMPTY_ROOT)
    return log, tree, store.signed_from(rows)


def size_of(tx: Tx, log: str) -> Work[int]:
    """How many entries a log has; 0 when there is none."""
    (row,) = yield (store.tree_of(tx, log),)
    return store.Tree(*row).size if row is not None else 0


def turn(tx: Tx, cls: str, log: str) -> Work[None]:
    """The entries of the class go into `log` from here on. Its first entry is in it already."""
    yield ()
    class_store.turn_class(tx, cls, log)
