"""`data.rows`: the rows of a store, the same for both databases.

The file begins with a line that says what it is. Then come records: four bytes of length (big-endian), and that many
bytes of deflated MessagePack, the name of a table, its columns with their types and a page of rows. A length of 0 and
the SHA-256 of everything before it end the file. It is written whole or not at all, 0600.
"""

import os
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from msgspec import Struct, msgpack

from sayso.kernel import Invalid
from sayso.kernel.files import sync_folder

FORMAT: Final = b"sayso-data-1\n"
_LARGEST: Final = 1 << 30
_LEVEL: Final = 3


class DamagedBackup(Invalid):
    def __init__(self) -> None:
        super().__init__("damaged-backup", "This is no whole backup. Take an earlier one.")


class Page(Struct, frozen=True, array_like=True):
    """Rows of a table. `columns` are names and types (`int2 int8 bytes text`), in the order of the values."""

    table: str
    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]


class Writing:
    """A file that is being written. Left without an error it is there, whole and durable; otherwise it is not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(path.name + ".new")
        self._hash = sha256()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._put(FORMAT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._put(bytes(4))
                self._file.write(self._hash.digest())
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()
        if kind is not None:
            self._beside.unlink(missing_ok=True)
            return
        self._beside.rename(self._path)
        sync_folder(self._path.parent)

    def page(self, page: Page) -> None:
        """Add rows."""
        packed = zlib.compress(msgpack.encode(page), _LEVEL)
        self._put(len(packed).to_bytes(4, "big") + packed)

    def _put(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)


def pages(path: Path) -> Iterator[Page]:
    """Every page, and at the end whether that was all. Raises `DamagedBackup`."""
    hashed = sha256()
    with path.open("rb") as file:
        if file.read(len(FORMAT)) != FORMAT:
            raise DamagedBackup
        hashed.update(FORMAT)
        while True:
            lead = file.read(4)
            hashed.update(lead)
            length = int.from_bytes(lead, "big")
            if len(lead) < 4 or length > _LARGEST:
                raise DamagedBackup
            if not length:
                break
            record = file.read(length)
            hashed.update(record)
            try:
                yield msgpack.decode(zlib.decompress(record), type=Page)
            except (zlib.error, ValueError):
                raise DamagedBackup from None
        if file.read() != hashed.digest():
            raise DamagedBackup


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises `DamagedBackup` when it cannot be read."""
    hashed = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                hashed.update(piece)
    except OSError:
        raise DamagedBackup from None
    return hashed.hexdigest()
