"""Files of many records: there whole and durable, or not there; and none that is damaged is read as if it were whole.

head | (length (4, big-endian) | record) … | 0 (4) | SHA-256 of everything before it (32)

The head is a line that says what the file is.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sayso.kernel.files import sync_folder


class Torn(Exception):
    """The file has another head, ends early, says more than it may, or is not what was hashed."""


class RecordFile:
    """A file that is being written, 0600. Left without an error it is there, whole and durable; otherwise it is not."""

    def __init__(self, path: Path, head: bytes) -> None:
        self._path, self._head = path, head
        self._beside = path.with_name(path.name + ".new")
        self._hash = sha256()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._put(self._head)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._file:
                if kind is None:
                    self._put(bytes(4))
                    self._file.write(self._hash.digest())
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if kind is None:
                self._beside.rename(self._path)
                sync_folder(self._path.parent)
        finally:
            self._beside.unlink(missing_ok=True)

    def record(self, content: bytes) -> None:
        """Add one, which is not empty."""
        self._put(len(content).to_bytes(4, "big") + content)

    def _put(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)


def records(path: Path, head: bytes, most: int) -> Iterator[bytes]:
    """Every record, none longer than `most` bytes, and at the end whether that was all. Raises `Torn`."""
    hashed = sha256()
    with path.open("rb") as file:
        if file.read(len(head)) != head:
            raise Torn
        hashed.update(head)
        while True:
            lead = file.read(4)
            hashed.update(lead)
            length = int.from_bytes(lead, "big")
            if len(lead) < 4 or length > most:
                raise Torn
            if not length:
                break
            record = file.read(length)
            hashed.update(record)
            yield record
        if file.read() != hashed.digest():
            raise Torn
