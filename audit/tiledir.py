"""Checks a C2SP tile directory: every byte of every file is compared with what the signed checkpoint commits to.

(1) the checkpoint's signature, (2) each entry against its leaf hash, (3) each tile against the hashes below it, (4) the
root that follows against the signed one, (5) narrower tiles left from earlier sizes, (6) that nothing else lies there.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.findings import Broken, Unusable
from audit.merkle import leaf_hash, perfect_root
from audit.note import SignatureInvalid, VerifierKey
from audit.strict import HASH_SIZE, Malformed, utf8
from audit.tiles import ENTRIES_LEVEL, WIDTH, Place, levels, parse_path, path, prefix, root, unpack_damaged, width_at
from audit.trust import Trust

CHECKPOINT, VKEY, LOGS = "checkpoint", "vkey", "logs"


class Inventory(NamedTuple):
    """The files of a directory by what they are."""

    heads: set[str]
    places: set[Place]
    logs: list[Path]
    unknown: list[str]


def is_tile_directory(folder: Path) -> bool:
    """Whether anything in the folder says that it is one."""
    return any((folder / name).exists() for name in (CHECKPOINT, VKEY, "tile"))


def check_directory(folder: Path, trust: Trust | None) -> list[str]:
    """Lines that say what holds. Raises `Broken`, or `Unusable` when all holds but foreign files lie there."""
    held = _inventory(folder)
    checkpoint, key = _head(folder, trust)
    rows = _Tree(folder, checkpoint, held).check()
    lines = [
        f"log {checkpoint.origin}",
        f"size {checkpoint.size}, {rows} tiles and bundles read, every entry hashed",
        f"signed by {key.line}",
    ]
    for log in held.logs:
        try:
            lines += check_directory(log, trust)
        except Broken as error:
            place = f"{LOGS}/{log.name}/{error.place or ''}"
            raise Broken(f"{LOGS}/{log.name}: {error}", index=error.index, place=place) from error
    if held.unknown:
        raise Unusable(f"files that do not belong here: {', '.join(held.unknown[:5])}")
    return lines


def _inventory(folder: Path) -> Inventory:
    held = Inventory(set(), set(), [], [])
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        if here == folder and LOGS in folders:
            folders.remove(LOGS)
            _other_logs(folder / LOGS, held)
        held.unknown.extend(_relative(here / name, folder) for name in folders if (here / name).is_symlink())
        for name in names:
            _classify(here / name, _relative(here / name, folder), held)
    held.logs.sort()
    held.unknown.sort()
    return held


def _other_logs(folder: Path, held: Inventory) -> None:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            held.logs.append(child)
        else:
            held.unknown.append(f"{LOGS}/{child.name}")


def _classify(file: Path, name: str, held: Inventory) -> None:
    if file.is_symlink() or not file.is_file():
        held.unknown.append(name)
    elif name in (CHECKPOINT, VKEY):
        held.heads.add(name)
    else:
        try:
            held.places.add(parse_path(name))
        except Malformed:
            held.unknown.append(name)


def _relative(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _head(folder: Path, trust: Trust | None) -> tuple[Checkpoint, VerifierKey]:
    """The checkpoint and the key that vouches for it: a trusted one where there is trust, else the one in `vkey`."""
    own: list[VerifierKey] = []
    try:
        line = utf8(_read(folder, VKEY), VKEY)
        own.append(VerifierKey.parse(line.removesuffix("\n")))
        if line != own[0].line + "\n":
            raise Broken("vkey is not one line", place=VKEY)
    except Malformed as error:
        raise Broken(f"vkey: {error}", place=VKEY) from error
    except FileNotFoundError as error:
        # The log of another program may come without one; then the trusted key is all there is.
        if trust is None:
            raise Broken("vkey is missing", place=VKEY) from error
    try:
        raw = _read(folder, CHECKPOINT)
        checkpoint = None
        for keys in filter(None, (own, trust.logs if trust is not None else ())):
            checkpoint = open_checkpoint(raw, keys)
        if checkpoint is None:
            raise Broken("no trusted key of this log is known", place=CHECKPOINT)
    except FileNotFoundError as error:
        raise Broken("checkpoint is missing", place=CHECKPOINT) from error
    except (Malformed, SignatureInvalid) as error:
        raise Broken(f"checkpoint: {error}", place=CHECKPOINT) from error
    vouching: Sequence[VerifierKey] = trust.logs if trust is not None else own
    return checkpoint, next(key for key in vouching if key.name == checkpoint.origin)


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


class _Tree:
    """One pass over entries and tiles, from the leaves up. Memory grows by one hash per 256 entries."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, held: Inventory) -> None:
        self._folder = folder
        self._size = checkpoint.size
        self._root = checkpoint.root
        self._held = held
        self._widths: dict[tuple[int, int], list[int]] = {}
        for place in held.places:
            self._widths.setdefault(place[:2], []).append(place.width)

    def check(self) -> int:
        """How many tiles and bundles were compared. Raises `Broken`."""
        row, edge, files = b"", {}, 0
        for level in range(levels(self._size)):
            parents = []
            for number in range(-(-(self._size >> (8 * level)) // WIDTH)):
                place = Place(level, number, width_at(level, number, self._size))
                if level == 0:
                    hashes = self._leaves(place)
                else:
                    start = number * WIDTH * HASH_SIZE
                    hashes = row[start : start + place.width * HASH_SIZE]
                    self._compare(place, hashes)
                self._narrower(place, hashes)
                files += 2 if level == 0 else 1
                if place.width == WIDTH:
                    parents.append(perfect_root(hashes))
                else:
                    edge[level, number] = hashes
            row = b"".join(parents)
        if root(self._size, edge) != self._root:
            # Entries and tiles agree with each other: all of them were written anew, and only the signature was not.
            message = "index 0 or later: entries and tiles agree with each other, and not with the signed root"
            raise Broken(message, index=0, place=CHECKPOINT)
        self._nothing_beyond()
        return files

    def _leaves(self, place: Place) -> bytes:
        """The leaf hashes of a bundle, compared one by one with the tile of level 0."""
        bundle = place._replace(level=ENTRIES_LEVEL)
        first = place.number * WIDTH
        raw = self._file(bundle, first)
        tile = self._file(place, first)
        entries, complete = unpack_damaged(raw)
        hashes = [leaf_hash(entry) for entry in entries[: place.width]]
        for offset, value in enumerate(hashes):
            if tile[offset * HASH_SIZE : (offset + 1) * HASH_SIZE] != value:
                what = f"the entry in {path(bundle)} is not the one that {path(place)} has the hash of"
                raise _broken(first + offset, what, bundle)
        if len(entries) != place.width or not complete:
            raise _broken(first + len(hashes), f"{path(bundle)} does not hold {place.width} entries", bundle)
        if len(tile) != place.width * HASH_SIZE:
            raise _broken(first + place.width, f"{path(place)} does not hold {place.width} hashes", place)
        self._narrower(bundle, raw)
        return tile

    def _compare(self, place: Place, expected: bytes) -> None:
        found = self._file(place, _first_leaf(place))
        if found == expected:
            return
        pieces = range(0, len(expected), HASH_SIZE)
        bad = next((at for at in pieces if found[at : at + HASH_SIZE] != expected[at : at + HASH_SIZE]), len(expected))
        index = _first_leaf(place) + (bad // HASH_SIZE << 8 * place.level)
        raise _broken(min(index, self._size), f"{path(place)} is not what the hashes below it give", place)

    def _narrower(self, place: Place, data: bytes) -> None:
        """Partial tiles of earlier checkpoints may lie beside a wider one. Each is its beginning, or wrong."""
        for width in self._widths[place[:2]]:
            if width < place.width:
                earlier = place._replace(width=width)
                expected = prefix(data, width) if place.level == ENTRIES_LEVEL else data[: width * HASH_SIZE]
                if _read(self._folder, path(earlier)) != expected:
                    raise _broken(_first_leaf(place), f"{path(earlier)} is not the beginning of {path(place)}", earlier)

    def _file(self, place: Place, index: int) -> bytes:
        if place not in self._held.places:
            raise _broken(index, f"{path(place)} is missing", place)
        return _read(self._folder, path(place))

    def _nothing_beyond(self) -> None:
        for place in sorted(self._held.places):
            if place.width > width_at(place.level, place.number, self._size):
                self._held.unknown.append(f"{path(place)} (beyond the signed size)")


def _first_leaf(place: Place) -> int:
    """Index of the first entry under a tile or bundle."""
    return place.number * WIDTH << 8 * max(place.level, 0)


def _broken(index: int, what: str, place: Place) -> Broken:
    return Broken(f"index {index}: {what}", index=index, place=path(place))
