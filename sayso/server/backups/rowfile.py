"""`data.rows`: the rows of a store, the same for both databases.

A file of records as `sayso.kernel.framed` writes them, which begins with a line that says what it is. A record is
deflated MessagePack: the name of a table, its columns with their types and a page of rows.
"""

import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, msgpack

from sayso.kernel import Invalid
from sayso.kernel.framed import RecordFile, Torn, records

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


class Writing(RecordFile):
    """The rows of a store that are being written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, FORMAT)

    def page(self, page: Page) -> None:
        """Add rows."""
        self.record(zlib.compress(msgpack.encode(page), _LEVEL))


def pages(path: Path) -> Iterator[Page]:
    """Every page, and at the end whether that was all. Raises `DamagedBackup`."""
    try:
        for record in records(path, FORMAT, _LARGEST):
            yield msgpack.decode(zlib.decompress(record), type=Page)
    except (Torn, zlib.error, ValueError):
        raise DamagedBackup from None


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
