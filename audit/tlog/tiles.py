"""C2SP tlog-tiles (https://c2sp.org/tlog-tiles): where the hashes and entries of a tree lie, and how it grows. Pure.

Tile (level, number) is a row of at most 256 concatenated hashes; hash i of it is the root over the perfect subtree of
height
8 * level that begins at leaf (number * 256 + i) << (8 * level). A narrower tile of a smaller tree is a prefix of the
wider one, so only the widest is ever kept and every older one is a slice. The same holds for bundles of entries.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from audit.tlog.merkle import EMPTY_ROOT, Node, fold, perfect_root, root_plan
from audit.tlog.strict import HASH_SIZE, Malformed, decimal

WIDTH = 256
"""Hashes of a full tile, entries of a full bundle."""

ENTRY_LIMIT = 0xFFFF
"""Bytes that the uint16 length before an entry can count."""

ENTRIES = "entries"
_LEVELS = 8  # of 8 bits each: more leaves than a 63-bit size can count


class Place(NamedTuple):
    """A tile (level 0 and up) or, with level `ENTRIES_LEVEL`, a bundle of entries; `width` of them."""

    level: int
    number: int
    width: int = WIDTH


ENTRIES_LEVEL = -1
"""The level under which a bundle of entries is named."""


def path(place: Place) -> str:
    """The path below the log's prefix: `tile/0/x001/x234/067`, `tile/entries/000.p/17`."""
    digits = f"{place.number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    level = ENTRIES if place.level == ENTRIES_LEVEL else str(place.level)
    return f"tile/{level}/{number}" + (f".p/{place.width}" if place.width < WIDTH else "")


def parse_path(text: str) -> Place:
    """The place that `path` prints as `text`. Raises `Malformed` on every other text."""
    head, *rest = text.split("/")
    if head != "tile" or len(rest) < 2:
        raise Malformed("not the path of a tile")
    level = ENTRIES_LEVEL if rest[0] == ENTRIES else decimal(rest[0], "tile level")
    width, groups = WIDTH, rest[1:]
    if len(groups) > 1 and groups[-2].endswith(".p"):
        width = decimal(groups[-1], "tile width")
        groups = [*groups[:-2], groups[-2].removesuffix(".p")]
    digits = "".join(group.removeprefix("x") for group in groups)
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 21:
        raise Malformed("not the path of a tile")
    place = Place(level, int(digits), width)
    if level >= _LEVELS or not 0 < width <= WIDTH or path(place) != text:
        raise Malformed("not the path of a tile")
    return place


def levels(size: int) -> int:
    """How many levels of tiles a tree of `size` leaves has."""
    count = 0
    while size:
        count, size = count + 1, size >> 8
    return count


def width_at(place_level: int, number: int, size: int) -> int:
    """How wide the tile or bundle is in a tree of `size` leaves; 0 where there is none."""
    row = size >> (8 * max(place_level, 0))
    return max(0, min(WIDTH, row - number * WIDTH))


def place_of(node: Node) -> tuple[int, int]:
    """Level and number of the tile from which the hash of `node` can be computed."""
    level, height = divmod(node.height, 8)
    return level, (node.nth << height) // WIDTH


def right_edge(size: int) -> list[tuple[int, int]]:
    """Level and number of every tile that is partial in a tree of `size` leaves: all that appending must read."""
    return [(level, size >> (8 * level) >> 8) for level in range(levels(size)) if (size >> (8 * level)) % WIDTH]


class TileReader:
    """Hashes of nodes out of tiles held in memory: `{(level, number): hashes}`, each at least as wide as is asked."""

    def __init__(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        self._tiles = tiles

    def __call__(self, node: Node) -> bytes:
        """The hash of `node`. Raises `Malformed` when its tile is missing or too narrow."""
        level, number = place_of(node)
        height = node.height - 8 * level
        start = ((node.nth << height) % WIDTH) * HASH_SIZE
        hashes = self._tiles.get((level, number), b"")[start : start + (HASH_SIZE << height)]
        if len(hashes) != HASH_SIZE << height:
            raise Malformed(f"tile {level}/{number} is missing or too narrow")
        return perfect_root(hashes)


def root(size: int, tiles: Mapping[tuple[int, int], bytes]) -> bytes:
    """Root of the first `size` leaves. Raises `Malformed` when a tile it needs is missing or too narrow."""
    if not size:
        return EMPTY_ROOT
    reader = TileReader(tiles)
    return fold([reader(node) for node in root_plan(size)])


def grow(size: int, edge: Mapping[tuple[int, int], bytes], hashes: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change when `hashes` are appended to a tree of `size` leaves with the right edge `edge`.

    Each comes whole, as wide as it then is. Raises `Malformed` when the edge has not the widths that `size` asks for.
    """
    changed: dict[tuple[int, int], bytes] = {}
    row, level = b"".join(hashes), 0
    while row:
        before = size >> (8 * level)
        number, partial = divmod(before, WIDTH)
        start = edge.get((level, number), b"") if partial else b""
        if len(start) != partial * HASH_SIZE:
            raise Malformed(f"tile {level}/{number} is not {partial} hashes wide")
        row = start + row
        full = WIDTH * HASH_SIZE
        tiles = [row[i : i + full] for i in range(0, len(row), full)]
        changed.update({(level, number + i): tile for i, tile in enumerate(tiles)})
        row = b"".join([perfect_root(tile) for tile in tiles if len(tile) == full])
        level += 1
    return changed


def pack(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle: each behind its length as big-endian uint16. Raises `Malformed` above 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > ENTRY_LIMIT:
            raise Malformed("an entry longer than 65,535 bytes")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def unpack(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises `Malformed` when it ends inside one."""
    entries, complete = unpack_damaged(bundle)
    if not complete:
        raise Malformed(f"the bundle ends inside its entry {len(entries)}")
    return entries


def unpack_damaged(bundle: bytes) -> tuple[list[bytes], bool]:
    """The whole entries at the head of a bundle, and whether nothing is left after them."""
    entries, at = [], 0
    while at + 2 <= len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle):
            break
        entries.append(bundle[at + 2 : end])
        at = end
    return entries, at == len(bundle)


def prefix(bundle: bytes, width: int) -> bytes:
    """The first `width` entries of a bundle, still packed. Raises `Malformed` when it has fewer."""
    at = 0
    for _ in range(width):
        if at + 2 > len(bundle):
            raise Malformed(f"the bundle has fewer than {width} entries")
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    if at > len(bundle):
        raise Malformed(f"the bundle ends inside its entry {width - 1}")
    return bundle[:at]
