"""What an older database lost, as a static copy of its log still has it; and whether the log it has is whole.

Of a lost entry there is only the leaf: what happened, when, and a blind tag. Whoever holds a person's log key can tell
whether it is about that person.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import UNSET, Struct

from audit import outbox, store
from audit.errors import RecoveryRefused
from audit.exports.directory import CHECKPOINT, LOGS
from audit.leaf.commitment import tag, tag_key_of
from audit.leaf.encoding import decode_leaf, id_of, index_of
from audit.leaf.entry import Leaf
from audit.retention import class_store, prune_store
from audit.tlog.checkpoint import open_checkpoint
from audit.tlog.merkle import EMPTY_ROOT, leaf_hash
from audit.tlog.note import SignatureInvalid, VerifierKey
from audit.tlog.strict import Malformed
from audit.tlog.tiles import WIDTH, grow, pack, right_edge, root, unpack
from audit.tree import recovery
from audit.tree.guard import ForkGuard
from audit.tree.proving import LOG_KEY
from sayso.kernel import Context, Database, Key, Signer, Tx, Work

_AT_ONCE = 8
"""Bundles read at once."""


class Lost(Struct, frozen=True):
    """What a copy of a log has and the database has not. `size` is the copy's, `last_at` the time of its last entry,
    `types` counts what was lost, `leaves` are those that were asked for.
    """

    log: str
    size: int
    last_at: int
    types: dict[str, int]
    leaves: list[Leaf]


class DamagedLog(RecoveryRefused):
    """The log in the database is not the one that was signed."""

    def __init__(self, log: str) -> None:
        super().__init__(f"The entries of the log {log} are not those that were signed. Take an earlier backup.")


class Losses:
    """What an older database lost of a log, and whether what it has is whole."""

    def __init__(self, signer: Signer, guard: ForkGuard) -> None:
        self._signer = signer
        self._guard = guard

    async def whole(self, database: Database, context: Context) -> None:
        """Hash every entry of every log of the tenant again. Raises `DamagedLog`."""
        await demand_whole(database, context, lambda origin: self._keys(context.tenant, origin))

    async def lost(
        self, database: Database, context: Context, folder: Path, wanted: Callable[[str], bool], log: str
    ) -> Lost:
        """What a static copy of the log of a class has beyond the database, with the leaves of the types that are
        `wanted`. Changes nothing. Raises `RecoveryRefused`.
        """
        _, tree, _ = await database.look(context, lambda tx: recovery.tree_of(tx, log))
        return await lost(database, context, log, folder, self._keys(context.tenant, tree.origin), wanted)

    async def anchored(self, database: Database, context: Context, log: str) -> int | None:
        """The size of the greatest head that the anchor remembers of a log; None where it knows none, or knows a log of
        the tenant that the database does not: then entries went on there, under a later shard or manifest.
        """
        if await self.elsewhere(database, context):
            return None
        return (await self._guard.anchored(context.tenant)).get(log)

    async def elsewhere(self, database: Database, context: Context, folder: Path | None = None) -> bool:
        """Whether the anchor knows a log of the tenant that the database does not, or a copy of one lies beside the
        copy in `folder`: entries went on in a log of which nothing can be told.
        """
        here = {name for name, _, _ in await database.look(context, _heads)}
        seen = set(await self._guard.anchored(context.tenant))
        if folder is not None:
            seen |= await asyncio.to_thread(copies_beside, folder, context.tenant)
        return not seen <= here

    def _keys(self, tenant: str, origin: str) -> list[VerifierKey]:
        return [VerifierKey(origin, public) for _, public in self._signer.published(tenant, LOG_KEY)]


async def lost(
    database: Database,
    context: Context,
    cls: str,
    folder: Path,
    keys: Sequence[VerifierKey],
    wanted: Callable[[str], bool],
) -> Lost:
    """Read what the copy in `folder` holds beyond the database; nothing is changed. Entries that wait in the database
    are not lost. Raises `RecoveryRefused` as `recovery.replay` does.
    """
    log, tree, edge = await database.look(context, lambda tx: recovery.tree_of(tx, cls))
    waiting = await database.look(context, lambda tx: _waiting(tx, cls))
    copy = await asyncio.to_thread(recovery.checked, folder, tree, edge, keys)
    return await asyncio.to_thread(_read, log, tree.size, copy, waiting, wanted)


def copies_beside(folder: Path, tenant: str) -> set[str]:
    """The logs of a tenant of which a copy lies below or beside the copy of one of them in `folder`, as they are
    exported (`logs/NAME`) or as they are published (`TENANT.NAME`). Blocks.
    """
    exported = folder.parent if folder.parent.name == LOGS else folder / LOGS
    names = {each.parent.name for each in exported.glob(f"*/{CHECKPOINT}")}
    published = folder.parent.glob(f"{tenant}.*/{CHECKPOINT}")
    return names | {each.parent.name.removeprefix(f"{tenant}.") for each in published}


def _waiting(tx: Tx, cls: str) -> Work[frozenset[str]]:
    (rows,) = yield (class_store.waiting_in(tx, cls),)
    return frozenset(f"ent_{each.entry.hex()}" for (contents,) in rows for each in outbox.unpack(contents))


def _read(log: str, size: int, copy: recovery.Copy, waiting: frozenset[str], wanted: Callable[[str], bool]) -> Lost:
    types: Counter[str] = Counter()
    leaves: list[Leaf] = []
    last_at, end = 0, -(-copy.checkpoint.size // WIDTH)
    for first in range(size // WIDTH, end, _AT_ONCE):
        for place, bundle in enumerate(recovery.bundles(copy, range(first, min(first + _AT_ONCE, end))), first):
            for raw in bundle[max(size - place * WIDTH, 0) :]:
                kind = index_of(raw).type
                if id_of(raw) in waiting:
                    continue
                types[kind] += 1
                if wanted(kind):
                    leaves.append(decode_leaf(raw))
            if bundle:
                last_at = decode_leaf(bundle[-1]).ts
    return Lost(log, copy.checkpoint.size, last_at, dict(sorted(types.items())), leaves)


def about(keys: Mapping[bytes, Key], leaves: Iterable[Leaf]) -> dict[bytes, list[str]]:
    """Which of these people leaves are about, each with the types of what happened, in order. Pure, and slow by
    design: a hash for every person and leaf.
    """
    tagged = [(leaf.n, leaf.t.s, leaf.type) for leaf in leaves if leaf.t.s is not UNSET]
    found: dict[bytes, list[str]] = {}
    for subject, key in keys.items():
        tag_key = tag_key_of(key)
        types = [kind for nonce, told, kind in tagged if tag(tag_key, nonce) == told]
        if types:
            found[subject] = types
    return found


async def demand_whole(database: Database, context: Context, keys: Callable[[str], Sequence[VerifierKey]]) -> None:
    """Raise `DamagedLog` unless the entries of every log of the tenant make the tree that the database has of it, and
    its newest checkpoint was signed by one of `keys` of the log's origin.
    """
    for log, tree, last in await database.look(context, _heads):
        # What was pruned is vouched for by its hashes, which stay.
        size, tiles = await database.look(context, lambda tx: _pruned(tx, log))  # noqa: B023
        for number in range(size // WIDTH, -(-tree.size // WIDTH)):
            here = number
            held = await database.look(context, lambda tx: _bundle(tx, log, here))  # noqa: B023
            try:
                hashes = [leaf_hash(leaf) for leaf in unpack(held)]
            except Malformed:
                raise DamagedLog(log) from None
            hashes = hashes[max(size - number * WIDTH, 0) :]
            tiles |= grow(size, tiles, hashes)
            size += len(hashes)
            tiles = {key: tiles[key] for key in right_edge(size)}
        if size != tree.size or (root(size, tiles) if size else EMPTY_ROOT) != tree.root:
            raise DamagedLog(log)
        try:
            signed = open_checkpoint(last.note, keys(tree.origin)) if last is not None else None
        except (Malformed, SignatureInvalid):
            raise DamagedLog(log) from None
        if signed is not None and signed.size == tree.size and signed.root != tree.root:
            raise DamagedLog(log)


def _heads(tx: Tx) -> Work[list[tuple[str, store.Tree, store.Signed | None]]]:
    (rows,) = yield (store.all_trees(tx),)
    found = []
    for log, *_ in rows:
        row, signed = yield (store.tree_of(tx, log), store.last_signed(tx, log))
        assert row is not None
        found.append((log, store.Tree(*row), store.signed_from(signed)))
    return found


def _pruned(tx: Tx, log: str) -> Work[tuple[int, dict[store.TileKey, bytes]]]:
    """Below which entry the log was pruned, and the tiles at that size."""
    (row,) = yield (prune_store.pruned_of(tx, log),)
    pruned = prune_store.pruned_from(row)
    if pruned is None or not pruned.below:
        return 0, {}
    return pruned.below, (yield from store.tiles_at(tx, log, right_edge(pruned.below)))


def _bundle(tx: Tx, log: str, number: int) -> Work[bytes]:
    (row,) = yield (store.bundle_at(tx, log, number),)
    return row[0] if row is not None else pack([])
