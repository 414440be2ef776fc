"""A signed tile directory written from entries in memory, for tests that need no database."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.merkle import leaf_hash
from audit.tlog.note import VerifierKey
from audit.tlog.tiles import ENTRIES_LEVEL, HASH_SIZE, WIDTH, Place, grow, levels, pack, path, root

SECRET = Ed25519PrivateKey.from_private_bytes(sha256(b"directories").digest())
KEY = VerifierKey("sayso.example/log/default.main", SECRET.public_key().public_bytes_raw())


def some_entries(count: int) -> list[bytes]:
    return [b'{"entry":%d}' % number for number in range(count)]


def all_places(size: int) -> Iterator[Place]:
    """Every tile and bundle of a tree of `size` leaves."""
    for level in (ENTRIES_LEVEL, *range(levels(size))):
        row = size >> (8 * max(level, 0))
        for number in range(-(-row // WIDTH)):
            yield Place(level, number, min(WIDTH, row - number * WIDTH))


def write_directory(folder: Path, entries: list[bytes], *, earlier: int = 0) -> Path:
    """`folder` as an export of these entries; with `earlier`, partial tiles of that size are left beside."""
    tiles = grow(0, {}, [leaf_hash(entry) for entry in entries])
    for size in (earlier, len(entries)):
        for place in all_places(size):
            file = folder / path(place)
            file.parent.mkdir(parents=True, exist_ok=True)
            if place.level == ENTRIES_LEVEL:
                first = place.number * 256
                file.write_bytes(pack(entries[first : first + place.width]))
            else:
                file.write_bytes(tiles[place.level, place.number][: place.width * HASH_SIZE])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vkey").write_text(KEY.line + "\n")
    (folder / "checkpoint").write_bytes(
        Checkpoint(KEY.name, len(entries), root(len(entries), tiles)).sign(KEY, SECRET.sign)
    )
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def place_of(file: Path, folder: Path) -> Place | None:
    from audit.tlog.tiles import parse_path

    name = file.relative_to(folder).as_posix()
    return parse_path(name) if name.startswith("tile/") else None
