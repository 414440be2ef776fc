"""The log as a directory in C2SP tlog-tiles layout, for whoever wants to check it without us:

    checkpoint    vkey    tile/<level>/<number>[.p/<width>]    tile/entries/<number>[.p/<width>]

and nothing else; of a log that was pruned also `pruned`, the proof of the entry that says so, in place of the entries
that are gone. It may be written again over itself: full tiles never change and are compared, the right edge of the
older export is removed, `checkpoint` comes last. Whoever stops it half-way has an older checkpoint with all its tiles,
or none at all; running it again finishes it.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from audit import store
from audit.errors import ExportRefused
from audit.retention import prune_store
from audit.retention.classes import MAIN
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.note import SignedNote, VerifierKey
from audit.tlog.strict import HASH_SIZE, Malformed
from audit.tlog.tiles import ENTRIES_LEVEL, WIDTH, Place, levels, parse_path, path, prefix, width_at
from audit.tree.proving import log_key, signed, signing_key, tlog_proof
from sayso.kernel import SYSTEM, Context, Database, Signer, Tx, Unavailable, Work, new_id, now, text

CHECKPOINT = "checkpoint"
VKEY = "vkey"
PRUNED = "pruned"
LOGS = "logs"
"""Below the export of the main log: the exports of the tenant's other logs, each in a folder of its name."""

_CHUNK = 64


def folder_of(out: Path, log: str) -> Path:
    """Where in an export a log lies."""
    return out if log == MAIN else out / LOGS / log


Progress = Callable[[int, int], None]


async def export(
    database: Database, signer: Signer, tenant: str, log: str, out: Path, progress: Progress, patience_s: float
) -> int:
    """Write the log into the folder `out`; returns its size. `progress` is told tiles written, tiles in all.

    Holds every entry that was committed before the call. Something must be integrating meanwhile: a server, or the
    caller beforehand (`AuditLog.drain`). Raises `Unavailable` when that takes longer than `patience_s`, `ExportRefused`
    when `out` holds something else.
    """
    context = Context(tenant, SYSTEM, now(), new_id("req"))
    await caught_up(database, context, log, patience_s)
    head = await database.look(context, lambda tx: signed(tx, log))
    key = await database.look(context, lambda tx: _key(tx, signer, log, head.note))
    row = await database.look(context, lambda tx: _pruned(tx, log))
    stale = await asyncio.to_thread(_earlier, out, key, head.size)
    chunks = list(_chunks(head.size, row.below if row is not None else 0))
    done, everything = 0, sum(len(chunk) for chunk in chunks)
    for chunk in chunks:
        data = await database.look(context, lambda tx, chunk=chunk: read(tx, log, chunk))  # type: ignore[misc]
        await asyncio.to_thread(_write_tiles, out, data)
        done += len(chunk)
        progress(done, everything)
    # Last: whoever pruned meanwhile took bundles that were not read yet.
    proof = await _proof_of_pruning(database, signer, tenant, log, patience_s)
    await asyncio.to_thread(_finish, out, key, head.note, stale, proof)
    return head.size


def _key(tx: Tx, signer: Signer, log: str, note: bytes) -> Work[VerifierKey]:
    """The key that signed the checkpoint: of a log that was closed long ago perhaps one that was since replaced."""
    active = yield from log_key(tx, signer, log)
    return signing_key(signer, tx.context.tenant, active.name, note)


async def _proof_of_pruning(database: Database, signer: Signer, tenant: str, log: str, patience_s: float) -> bytes:
    """The proof of the entry that says what was pruned of a log; empty when nothing was."""
    context = Context(tenant, SYSTEM, now(), new_id("req"))
    row = await database.look(context, lambda tx: _pruned(tx, log))
    if row is None:
        return b""
    await caught_up(database, context, MAIN, patience_s)
    return await database.look(context, lambda tx: tlog_proof(tx, signer, text("ent", row.entry)))


def _pruned(tx: Tx, log: str) -> Work[prune_store.Pruned | None]:
    (row,) = yield (prune_store.pruned_of(tx, log),)
    return prune_store.pruned_from(row)


async def caught_up(database: Database, context: Context, log: str, patience_s: float) -> None:
    """Wait until nothing that was committed before now is still without a signed index."""
    started_ms = context.at // 1000
    deadline = time.monotonic() + patience_s
    while not await database.look(context, lambda tx: _covered(tx, log, started_ms)):
        if time.monotonic() > deadline:
            raise Unavailable("not-integrated", "Entries wait for the integrator, and none is running.", retry_after=5)
        await asyncio.sleep(0.05)


def _covered(tx: Tx, log: str, until_ms: int) -> Work[bool]:
    ((waiting,),) = yield (store.backlog(tx),)
    tree, rows = yield (store.tree_of(tx, log), store.last_signed(tx, log))
    last, oldest = store.signed_from(rows), waiting[1]
    behind = oldest is not None and int.from_bytes(oldest[:6], "big") <= until_ms
    return not behind and tree is not None and last is not None and last.size >= store.Tree(*tree).size


def _chunks(size: int, pruned: int) -> Iterator[list[Place]]:
    """All places of a tree, but for the bundles that were pruned, as runs of one level that one query reads."""
    for level in (ENTRIES_LEVEL, *range(levels(size))):
        count = -(-(size >> (8 * max(level, 0))) // WIDTH)
        start = -(-pruned // WIDTH) if level == ENTRIES_LEVEL else 0
        for first in range(start, count, _CHUNK):
            numbers = range(first, min(first + _CHUNK, count))
            yield [Place(level, number, width_at(level, number, size)) for number in numbers]


def read(tx: Tx, log: str, places: list[Place]) -> Work[list[tuple[Place, bytes]]]:
    """The bytes at places of one level, one after the other. A bundle that was pruned is left out."""
    level, first, end = places[0].level, places[0].number, places[-1].number + 1
    if level == ENTRIES_LEVEL:
        (rows,) = yield (store.bundle_range(tx, log, first, end),)
        bundles = dict(rows)
        return [(place, prefix(bundles[place.number], place.width)) for place in places if place.number in bundles]
    (rows,) = yield (store.tile_range(tx, log, level, first, end),)
    tiles = dict(rows)
    return [(place, tiles[place.number][: place.width * HASH_SIZE]) for place in places]


# the folder


def _earlier(out: Path, key: VerifierKey, size: int) -> list[Path]:
    """Files of an earlier export that the new one does not have. Raises `ExportRefused` on anything else in `out`."""
    if not out.exists():
        return []
    if not out.is_dir():
        raise ExportRefused("The export needs a folder, and there is a file of that name.")
    held = {path.relative_to(out).as_posix(): path for path in _files(out)}
    if not held:
        return []
    _same_log(held, key, size)
    stale = []
    for name, file in held.items():
        if name in (CHECKPOINT, VKEY, PRUNED, f"{CHECKPOINT}.new"):
            continue
        try:
            place = parse_path(name)
        except Malformed:
            raise ExportRefused("The folder holds files that are not part of an export; choose an empty one.") from None
        if width_at(place.level, place.number, size) != place.width:
            stale.append(file)
    return stale


def _same_log(held: dict[str, Path], key: VerifierKey, size: int) -> None:
    try:
        earlier = Checkpoint.parse(SignedNote.parse(held[CHECKPOINT].read_bytes()).text)
    except KeyError:
        return
    except Malformed:
        raise ExportRefused("The folder holds a checkpoint that cannot be read; choose an empty one.") from None
    if earlier.origin != key.name:
        raise ExportRefused("The folder holds the export of another log; choose an empty one.")
    if earlier.size > size:
        raise ExportRefused("The folder holds a longer log than the database; it may be all that is left.")


def _files(out: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(out):
        if Path(folder) == out and LOGS in folders:
            folders.remove(LOGS)
        yield from (Path(folder) / name for name in names)


def _write_tiles(out: Path, tiles: Iterable[tuple[Place, bytes]]) -> None:
    for place, data in tiles:
        file = out / path(place)
        with contextlib.suppress(FileNotFoundError):
            held = file.read_bytes()
            if held == data:
                continue
            # A file that was cut short is finished; one that says something else is evidence, and stays.
            if not data.startswith(held):
                raise ExportRefused("The folder holds an export that contradicts the log; it was left as it is.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _finish(out: Path, key: VerifierKey, note: bytes, stale: list[Path], pruned: bytes) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if pruned:
        (out / PRUNED).write_bytes(pruned)
    (out / VKEY).write_text(key.line + "\n", "utf-8")
    fresh = out / f"{CHECKPOINT}.new"
    fresh.write_bytes(note)
    # From here on the folder is the new export; until here it was the old one with more tiles beside it.
    fresh.replace(out / CHECKPOINT)
    for file in stale:
        file.unlink()
        with contextlib.suppress(OSError):
            file.parent.rmdir()
