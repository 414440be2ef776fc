"""The anchor: an append-only file outside the database that remembers which heads were signed.

A database that was restored, cloned or rewritten does not match it, and that is noticed before anything is signed
again. One line per remembered head: the log's name on the wire, size, root in base64. Not the origin: an installation
that is called otherwise tomorrow still holds the same logs.
"""

import os
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

from audit.strict import Malformed, decimal, digest, utf8

_LONGEST_LINE = 1024


class Anchored(NamedTuple):
    """A head that the world may have seen."""

    size: int
    root: bytes


class Anchor:
    """One file for all logs of an installation."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, log: str) -> Anchored | None:
        """The greatest head remembered for a log (`default.main`). Raises `Malformed` on a damaged file. Blocks."""
        try:
            lines = utf8(self._path.read_bytes(), "the anchor file").split("\n")
        except FileNotFoundError:
            return None
        # What stands after the last newline was cut off by a crash; `remember` takes it away.
        heads = [_parse(line) for line in lines[:-1]]
        return max((head for name, head in heads if name == log), default=None)

    def remember(self, log: str, size: int, root: bytes) -> None:
        """Add a head; durable when this returns. Blocks."""
        line = f"{log} {size} {b64encode(root).decode()}\n"
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _cut_torn_line(handle)
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)


def _cut_torn_line(handle: int) -> None:
    size = os.fstat(handle).st_size
    tail = os.pread(handle, _LONGEST_LINE, max(0, size - _LONGEST_LINE))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(handle, size - torn)


def _parse(line: str) -> tuple[str, Anchored]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise Malformed("the anchor file is damaged")
    return parts[0], Anchored(decimal(parts[1], "anchored size"), digest(parts[2], "anchored root"))
