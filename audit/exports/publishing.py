"""The log as static files that need us no more: full tiles once, then the right edge, `checkpoint` last.

A *shelf* is where they go: a directory, or a bucket. What lies there was shown to the world, so it is compared before
anything is put beside it: a checkpoint there that this log does not contain is a fork, a full tile with other bytes an
alarm. Whoever stops half-way leaves the older checkpoint with all its tiles; the next round goes on, from nothing if it
must.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from audit import store
from audit.errors import LogForked
from audit.exports.directory import CHECKPOINT, VKEY, read
from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.note import SignatureInvalid, SignedNote, VerifierKey
from audit.tlog.strict import Malformed
from audit.tlog.tiles import ENTRIES_LEVEL, WIDTH, Place, levels, path, width_at
from audit.tree.guard import Head
from audit.tree.proving import root_at
from sayso.kernel import Context, Database, Tx, Unavailable, Work

FOR_EVER = "public, max-age=31536000, immutable"
A_MOMENT = "public, max-age=1"
TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
_CHUNK = 64
_FOUND = "the published copy"


class Shelf(Protocol):
    """Somewhere to put files. All raise `ShelfUnusable` when it cannot be used."""

    async def get(self, name: str) -> bytes | None:
        """What lies under a name, or None."""
        ...

    async def put(self, name: str, content: bytes, media_type: str, cache: str) -> None:
        """Put a file under a name, whole or not at all; durable when this returns."""
        ...

    async def drop(self, prefix: str) -> None:
        """Remove all whose names begin so."""
        ...


class ShelfUnusable(Unavailable):
    """Where the log is published cannot be read or written: full, away, forbidden. The log goes on; it is tried
    again.
    """

    def __init__(self) -> None:
        super().__init__("log-unpublished", "The place where the log is published cannot be used.", retry_after=30)


class PublishedAltered(Unavailable):
    """What lies where the log is published is not what was put there. It was left as it is, as evidence."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "log-published-altered",
            "The published copy of the log was altered; nothing is published until an operator has looked at it.",
            retry_after=600,
            name=name,
        )


class Directory:
    """A directory, perhaps one that a web server serves. Cache rules are that server's: see docs/operations/log.md."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._get, name)

    async def put(self, name: str, content: bytes, media_type: str, cache: str) -> None:
        await asyncio.to_thread(self._put, name, content)

    async def drop(self, prefix: str) -> None:
        await asyncio.to_thread(self._drop, prefix)

    def _drop(self, prefix: str) -> None:
        try:
            shutil.rmtree(self._folder / prefix)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ShelfUnusable from error

    def _get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ShelfUnusable from error

    def _put(self, name: str, content: bytes) -> None:
        file = self._folder / name
        fresh = file.with_name(file.name + ".new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(file)
            # The name is durable only once its folder is (reference: tessera issue 749).
            handle = os.open(file.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise ShelfUnusable from error


class _Due(NamedTuple):
    origin: str
    head: store.Signed | None


class Publisher:
    """Puts the logs of a tenant on a shelf, each below a folder of its name on the wire.

    `observed` is told of a checkpoint there that this log does not contain.
    """

    def __init__(self, shelf: Shelf, observed: Callable[[str, str, Head], None], *, entries: bool) -> None:
        self._shelf = shelf
        self._observed = observed
        self._entries = entries

    async def round(self, database: Database, context: Context, log: str, keys: Sequence[VerifierKey]) -> int | None:
        """Publish the newest checkpoint of a log; returns its size, None when it lies there already. `keys` are all
        that ever signed it, newest first.

        Raises `LogForked` when this log does not contain the checkpoint that lies there, `PublishedAltered` when
        something else there is not what was put there, `ShelfUnusable`.
        """
        origin, head = await database.look(context, lambda tx: _due(tx, log))
        if head is None:
            return None
        folder = f"{context.tenant}.{log}"
        shown = await self._shown(folder, keys)
        if shown is not None:
            await self._compare(database, context, log, shown)
            if shown.size >= head.size:
                return None
        placed = shown.size if shown is not None else 0
        async for place, data in self._tiles(database, context, log, placed, head.size):
            await self._place(folder, place, data, placed)
        signer = SignedNote.parse(head.note).verify([key for key in keys if key.name == origin])[0]
        await self._shelf.put(f"{folder}/{VKEY}", signer.line.encode() + b"\n", TEXT, A_MOMENT)
        # Another node may have been faster: what the world saw never shrinks.
        newest = await self._shown(folder, keys)
        if newest is not None and newest.size >= head.size:
            return None
        await self._shelf.put(f"{folder}/{CHECKPOINT}", head.note, TEXT, A_MOMENT)
        return head.size

    async def remembered(self, tenant: str, log: str, keys: Sequence[VerifierKey]) -> Head | None:
        """The head that lies there, if this log's own key signed it; None too when the place is away.

        Whoever can stop a log must have its signature: a checkpoint of others there stops publishing only.
        """
        try:
            shown = await self._shown(f"{tenant}.{log}", keys)
        except (ShelfUnusable, PublishedAltered):
            return None
        return Head(shown.size, shown.root, _FOUND) if shown is not None else None

    async def _shown(self, folder: str, keys: Sequence[VerifierKey]) -> Checkpoint | None:
        raw = await self._shelf.get(f"{folder}/{CHECKPOINT}")
        if raw is None:
            return None
        try:
            return open_checkpoint(raw, keys)
        except (Malformed, SignatureInvalid) as error:
            raise PublishedAltered(f"{folder}/{CHECKPOINT}") from error

    async def _compare(self, database: Database, context: Context, log: str, shown: Checkpoint) -> None:
        try:
            await database.look(context, lambda tx: _contained(tx, log, shown))
        except LogForked:
            self._observed(context.tenant, log, Head(shown.size, shown.root, _FOUND))
            raise

    async def _place(self, folder: str, place: Place, data: bytes, placed: int) -> None:
        name = f"{folder}/{path(place)}"
        if place.width < WIDTH:
            await self._shelf.put(name, data, BYTES, FOR_EVER)
            return
        held = await self._shelf.get(name)
        if held is not None and held != data:
            # Immutable, and different: evidence, whoever did it. It stays.
            raise PublishedAltered(name)
        if held is None:
            await self._shelf.put(name, data, BYTES, FOR_EVER)
        if place.number == _number(place.level, placed):
            # Its narrower ones of earlier checkpoints; any of them is its beginning (tlog-tiles allows it).
            await self._shelf.drop(f"{name}.p/")

    async def _tiles(
        self, database: Database, context: Context, log: str, placed: int, size: int
    ) -> AsyncIterator[tuple[Place, bytes]]:
        for level in (*((ENTRIES_LEVEL,) if self._entries else ()), *range(levels(size))):
            first, count = (_number(level, placed), -(-(size >> (8 * max(level, 0))) // WIDTH))
            for start in range(first, count, _CHUNK):
                numbers = range(start, min(start + _CHUNK, count))
                places = [Place(level, number, width_at(level, number, size)) for number in numbers]
                for each in await database.look(context, lambda tx: read(tx, log, places)):  # noqa: B023
                    yield each


def _number(level: int, size: int) -> int:
    """The first tile of a level that is not full in a tree of this size."""
    return (size >> (8 * max(level, 0))) // WIDTH


def _due(tx: Tx, log: str) -> Work[_Due]:
    row, rows = yield (store.tree_of(tx, log), store.last_signed(tx, log))
    return _Due(store.Tree(*row).origin if row is not None else "", store.signed_from(rows))


def _contained(tx: Tx, log: str, shown: Checkpoint) -> Work[None]:
    (row,) = yield (store.tree_of(tx, log),)
    size = store.Tree(*row).size if row is not None else 0
    found = (yield from root_at(tx, log, shown.size)) if shown.size <= size else None
    if found != shown.root:
        raise LogForked(log, _FOUND, shown.size, size)
