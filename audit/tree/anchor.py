"""The anchor: an append-only file outside the database that remembers which heads were signed.

A database that was restored, cloned or rewritten does not match it, and that is noticed before anything is signed
again: a head is written here before it is signed, never after. One line per head: the log's name on the wire, size,
root in base64. Not the origin: an installation that is called otherwise tomorrow still holds the same logs.
"""

import fcntl
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from audit.errors import AnchorUnusable
from audit.tlog.strict import Malformed, decimal, digest, utf8

_LONGEST_LINE = 1024
_COMPACT_ABOVE = 1 << 16
"""Bytes of the file above which only the greatest head of each log is kept, and at least twice what is kept."""

_Mark = tuple[int, int]


class Anchored(NamedTuple):
    """A head that the world may have seen."""

    size: int
    root: bytes


class Anchor:
    """One file for all logs of an installation. Several processes of one machine may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: _Mark | None = None
        self._compact_above = _COMPACT_ABOVE

    def last(self, log: str) -> Anchored | None:
        """The greatest head remembered for a log (`default.main`). Raises `Malformed` on a damaged file. Blocks."""
        known = self._mark()
        found = max((head for name, head in self._heads() if name == log), default=None)
        self._known = known
        return found

    def every(self) -> dict[str, Anchored]:
        """The greatest head of each log. Raises `Malformed` on a damaged file. Blocks."""
        greatest: dict[str, Anchored] = {}
        for name, head in self._heads():
            greatest[name] = max(head, greatest.get(name, head))
        return greatest

    @property
    def moved(self) -> bool:
        """Whether the file has changed since this process last read or wrote it. Blocks."""
        return self._known != self._mark()

    def remember(self, log: str, size: int, root: bytes) -> None:
        """Add a head; durable when this returns. Raises `AnchorUnusable` when it cannot be. Blocks."""
        try:
            with self._locked() as handle:
                _cut_torn_line(handle)
                _write(handle, _line(log, Anchored(size, root)))
                os.fsync(handle)
                if os.fstat(handle).st_size > self._compact_above:
                    self._compact()
            self._known = self._mark()
        except OSError as error:
            raise AnchorUnusable from error

    def _heads(self) -> list[tuple[str, Anchored]]:
        try:
            lines = utf8(self._path.read_bytes(), "the anchor file").split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AnchorUnusable from error
        # What stands after the last newline was cut off by a crash; `remember` takes it away.
        return [_parse(line) for line in lines[:-1]]

    def _mark(self) -> _Mark:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_size

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The open file, for this process alone: also not one that another has just put a shorter one in place of."""
        while True:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if os.fstat(handle).st_ino == self._mark()[0]:
                    yield handle
                    return
            finally:
                os.close(handle)

    def _compact(self) -> None:
        """Keep the greatest head of each log. The old file stays whole until the new one is durable."""
        greatest = self.every()
        fresh = self._path.with_name(self._path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        kept = b"".join(_line(name, head) for name, head in sorted(greatest.items()))
        # Shards add up: what is kept must not be written anew for every head.
        self._compact_above = max(_COMPACT_ABOVE, 2 * len(kept))
        try:
            _write(handle, kept)
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write(handle: int, content: bytes) -> None:
    if os.write(handle, content) != len(content):
        raise OSError("the disk took only a part")


def _cut_torn_line(handle: int) -> None:
    size = os.fstat(handle).st_size
    tail = os.pread(handle, _LONGEST_LINE, max(0, size - _LONGEST_LINE))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(handle, size - torn)


def _line(log: str, head: Anchored) -> bytes:
    return f"{log} {head.size} {b64encode(head.root).decode()}\n".encode()


def _parse(line: str) -> tuple[str, Anchored]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise Malformed("the anchor file is damaged")
    return parts[0], Anchored(decimal(parts[1], "anchored size"), digest(parts[2], "anchored root"))
