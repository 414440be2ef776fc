"""The anchor: an append-only file outside the database that remembers which heads were signed.

A database that was restored, cloned or rewritten does not match it, and that is noticed before anything is signed
again. One line per remembered head: the log's name on the wire, size, root in base64. Not the origin: an installation that is called
otherwise tomorrow still holds the same logs.
"""

import os
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

from audit.strict import Malformed, decimal, digest

_LONGEST_LINE = 1024


class Anchored(NamedTuple):
    """A head that the world may have seen."""

    size: int
    root: bytes


class Anchor:
    """One file for all logs of an installation."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, origin: str) -> Anchored | None:
        """The greatest head remembered for this log. Raises `Malformed` on a damaged file. Blocks."""
        try:
            lines = self._path.read_text("utf-8").split("\n")
        except FileNotFoundError:
            return None
        # What stands after the last newline was cut off by a crash: that head was never answered for.
        heads = [head for line in lines[:-1] if (head := _parse(line, origin)) is not None]
        return max(heads, default=None)

    def remember(self, origin: str, size: int, root: bytes) -> None:
        """Add a head; durable when this returns. Blocks."""
        line = f"{origin} {size} {b64encode(root).decode()}\n"
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


def _parse(line: str, origin: str) -> Anchored | None:
    if not line.startswith(f"{origin} "):
        return None
    parts = line.split(" ")
    if len(parts) != 3:
        raise Malformed("the anchor file is damaged")
    return Anchored(decimal(parts[1], "anchored size"), digest(parts[2], "anchored root"))
