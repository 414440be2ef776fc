"""`sayso audit prune`: entries whose declared time is over leave, and every proof stays.

What goes: bundles of entries below a multiple of 256 (of a closed log all of them), the index of these entries, and the
openings that are theirs alone. What stays: all tiles of hashes and all checkpoints, so that receipts, consistency and
whoever kept the entries can still be checked; and in `main`, which is never pruned, the entry that says what was taken,
under which root, and by whom.

Nothing goes that was not exported and verified a moment before, nor what an export holds that somebody may still fetch:
it waits until that export's term is over. The first commit says what is gone, then it is deleted
in small steps: who is killed between them goes on with the next call.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from audit import store
from audit.errors import PruneRefused
from audit.exports.store import held
from audit.leaf.encoding import decode_leaf, id_of
from audit.leaf.entry import AuditEvent
from audit.leaf.vocabulary import declare
from audit.reading.search import entry as entry_of
from audit.reading.selection import milliseconds
from audit.retention import prune_store, shards
from audit.retention.classes import Classes
from audit.tlog.note import VerifierKey
from audit.tlog.tiles import WIDTH, unpack
from audit.tree.proving import root_at, signed
from audit.trust import print_trust
from audit.verify import SOUND, verify
from sayso.kernel import Context, Database, Tx, Work, add_duration, text

PRUNED: Final = declare(
    "audit.log.pruned", "log", "origin", "from", "below", "root", "old_log", "old_origin", "old_size", "old_root"
)
"""`root` is that of the first `below` entries, in hex. `old_…`: what entry 0 said, which of a shard names the log
before it and is pruned with the rest.
"""

Also = Callable[[Tx, Sequence[tuple[bytes, str]]], None]
"""Deletes what hangs on pruned entries (id and type) elsewhere, in the same commit."""

_LINKS: Final = ("old_log", "old_origin", "old_size", "old_root")
_BUNDLES: Final = 16
"""Bundles of one step."""

Guard = Callable[[Tx], Work[None]]
"""Raises when nothing may be pruned now: a legal hold."""


class Due(Struct, frozen=True):
    """What is over of one log: the entries from index `begin` to `below` (exclusive), `size` bytes, with ids between
    `first` and `last`. `keep` is what the class declares.
    """

    log: str
    keep: str
    begin: int
    below: int
    size: int
    first: bytes
    last: bytes

    @property
    def entries(self) -> int:
        return self.below - self.begin


async def due(database: Database, context: Context, classes: Classes) -> list[Due]:
    """What may be pruned now, log by log. Reads what would go, and changes nothing."""
    found = []
    for log, size, ended in await database.look(context, _logs):
        declared = classes.classes.get(shards.class_of(log))
        if declared is not None and declared.keep:
            found.append(await _over(database, context, log, size, ended=ended, keep=declared.keep))
    return [each for each in found if each.entries > 0]


async def carry_out(
    database: Database,
    context: Context,
    due: Due,
    note: Callable[[Tx, AuditEvent], Work[str]],
    guard: Guard,
    also: Also,
) -> None:
    """Say in `main` what is pruned, then delete it. Raises what `guard` raises, which is asked in each commit, and
    `PruneRefused` when somebody else was faster.
    """
    await database.run_alone(context, lambda tx: _told(tx, due, note, guard))
    await finish(database, context, due.log, guard, also)


async def finish(database: Database, context: Context, log: str, guard: Guard, also: Also) -> None:
    """Delete what is left of the pruned entries of a log."""
    deleted = -1
    while deleted:
        deleted = await database.run_alone(context, lambda tx: _deleted(tx, log, guard, also))
    await database.tidy()


async def finish_all(database: Database, context: Context, guard: Guard, also: Also) -> None:
    """The same of every log that was ever pruned."""
    for log, *_ in await database.look(context, _all_pruned):
        await finish(database, context, log, guard, also)


def _all_pruned(tx: Tx) -> Work[list[tuple[str, int, bytes, bytes]]]:
    (rows,) = yield (prune_store.all_pruned(tx),)
    return list(rows)


def checked(copy: Path, keys: Sequence[VerifierKey]) -> None:
    """Raises `PruneRefused` unless the export in `copy` holds, by the verifier that everybody else uses. Blocks."""
    with tempfile.NamedTemporaryFile(prefix="sayso-", suffix=".json") as file:
        file.write(print_trust(keys, ()))
        file.flush()
        verdict = verify(copy, file.name)
    if verdict.code != SOUND:
        raise PruneRefused(f"The export does not verify, so nothing was pruned: {verdict.lines[-1]}")


def _logs(tx: Tx) -> Work[list[tuple[str, int, bool]]]:
    """Of each log its name, how much of it is signed, and whether it was closed there."""
    (rows,) = yield (store.all_trees(tx),)
    heads = yield tuple(store.last_signed(tx, row[0]) for row in rows)
    sizes = [found[0][0] if found else 0 for found in heads]
    return [(name, size, bool(ended)) for (name, _, _, _, ended), size in zip(rows, sizes, strict=True)]


async def _over(database: Database, context: Context, log: str, size: int, *, ended: bool, keep: str) -> Due:
    """Walk from what was pruned last to the first bundle with an entry whose time is not over."""
    row = prune_store.pruned_from(await database.look(context, lambda tx: _pruned(tx, log)))
    needed = await database.look(context, lambda tx: held(tx, log))
    end = size if needed is None else min(size, needed)
    begin = below = row.below if row is not None else 0
    first, last, weight = b"\xff" * 16, b"", 0
    while below < end:
        number = below // WIDTH
        rows = await database.look(context, lambda tx: _bundles(tx, log, number))  # noqa: B023
        if not rows:
            break
        for raw in rows:
            keys = [store.entry_key(id_of(leaf)) for leaf in unpack(raw)]
            over = all(add_duration(milliseconds(key) * 1000, keep) <= context.at for key in keys)
            whole = len(keys) == WIDTH or (ended and below + len(keys) == size)
            if not over or not whole or below + len(keys) > end:
                return Due(log, keep, begin, below, weight, first, last)
            first, last = min(first, *keys), max(last, *keys)
            below, weight = below + len(keys), weight + len(raw)
    return Due(log, keep, begin, below, weight, first, last)


def _pruned(tx: Tx, log: str) -> Work[tuple[object, ...] | None]:
    (row,) = yield (prune_store.pruned_of(tx, log),)
    return row  # type: ignore[no-any-return]


def _bundles(tx: Tx, log: str, first: int) -> Work[list[bytes]]:
    (rows,) = yield (store.bundle_range(tx, log, first, first + _BUNDLES),)
    return [entries for _, entries in sorted(rows)]


def _told(tx: Tx, due: Due, note: Callable[[Tx, AuditEvent], Work[str]], guard: Guard) -> Work[None]:
    yield from guard(tx)
    row, tree = yield (prune_store.pruned_of(tx, due.log), store.tree_of(tx, due.log))
    before = prune_store.pruned_from(row)
    head = yield from signed(tx, due.log)
    if (before.below if before is not None else 0) != due.begin or head.size < due.below:
        raise PruneRefused("The log was pruned by somebody else meanwhile; look again.")
    needed = yield from held(tx, due.log)
    if needed is not None and needed < due.below:
        raise PruneRefused("An export was ordered meanwhile that may hold some of these entries; look again.")
    root = yield from root_at(tx, due.log, due.below)
    res = {"log": due.log, "origin": store.Tree(*tree).origin, "from": str(due.begin), "below": str(due.below)}
    event = AuditEvent(PRUNED, "ok", res | {"root": root.hex()} | (yield from _link(tx, due.log, before)))
    entry = store.entry_key((yield from note(tx, event)))
    first = min(due.first, before.first) if before is not None else due.first
    last = max(due.last, before.last) if before is not None else due.last
    prune_store.keep(tx, due.log, prune_store.Pruned(due.below, first, last, entry))


def _link(tx: Tx, log: str, before: prune_store.Pruned | None) -> Work[dict[str, str]]:
    """What the log's entry 0 said of the log before it; once that was pruned, what was said then."""
    if before is not None:
        told = (yield from entry_of(tx, text("ent", before.entry))).leaf
    else:
        told = (yield from store.leaves_at(tx, log, [0]))[0]
    res = decode_leaf(told).res
    return {name: res[name] for name in _LINKS if name in res}


def _deleted(tx: Tx, log: str, guard: Guard, also: Also) -> Work[int]:
    """One step; returns how many bundles it deleted."""
    (row,) = yield (prune_store.pruned_of(tx, log),)
    pruned = prune_store.pruned_from(row)
    if pruned is None:
        return 0
    (rows,) = yield (prune_store.bundles_below(tx, log, -(-pruned.below // WIDTH), _BUNDLES),)
    keys = [store.entry_key(id_of(leaf)) for _, raw in rows for leaf in unpack(raw)]
    places = yield tuple(store.locate(tx, key) for key in keys)
    found = [(key, place) for key, place in zip(keys, places, strict=True) if place is not None]
    if rows:
        # A hold that came since keeps what is still here, told of or not; the next prune goes on once it is lifted.
        yield from guard(tx)
        prune_store.drop(tx, log, [number for number, _ in rows], [(key, place[-2]) for key, place in found])
        also(tx, [(key, place[2]) for key, place in found])
    return len(rows)
