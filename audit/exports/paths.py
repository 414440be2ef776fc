"""Inclusion proofs of many entries under one head, as a bundle holds them: each path without what it shares with the
path of the entry before.

Of the 256 entries under a full tile the upper parts of all paths are one, and the lower eight hashes are siblings
inside the tile: both are worked out once for the tile.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from audit import store
from audit.tlog.merkle import Plan, halve, inclusion_plan, prove
from audit.tlog.strict import HASH_SIZE
from audit.tlog.tiles import WIDTH, TileReader, place_of
from sayso.kernel import Tx, Work

_REMEMBERED: Final = 256
_HEIGHT: Final = 8


class _Block:
    """A full tile of leaf hashes: its rows, from the leaves up, and the path above it."""

    def __init__(self, leaves: bytes, above: list[bytes]) -> None:
        self._rows = [leaves]
        while len(self._rows) < _HEIGHT:
            self._rows.append(halve(self._rows[-1]))
        self._above = above

    def path(self, offset: int) -> list[bytes]:
        """The proof of the entry at an offset."""
        beside = [(offset >> height ^ 1) * HASH_SIZE for height in range(_HEIGHT)]
        return [row[at : at + HASH_SIZE] for row, at in zip(self._rows, beside, strict=True)] + self._above


class Paths:
    """Proves entries of a log of `size`, page by page."""

    def __init__(self, log: str, size: int) -> None:
        self._log = log
        self._size = size
        self._blocks: dict[int, _Block] = {}

    def of(self, tx: Tx, indexes: Sequence[int]) -> Work[list[list[bytes]]]:
        """The proof of each index, lowest hash first."""
        full = self._size // WIDTH
        blocks = {index // WIDTH for index in indexes if index // WIDTH < full}
        singles = {index for index in indexes if index // WIDTH >= full}
        if len(self._blocks) > _REMEMBERED:
            self._blocks.clear()
        yield from self._learn(tx, sorted(blocks - self._blocks.keys()))
        plans = {index: inclusion_plan(index, self._size) for index in singles}
        tiles = yield from self._read(tx, plans.values())
        reader = TileReader(tiles)
        alone = {index: prove(plan, reader) for index, plan in plans.items()}
        return [
            alone[index] if index in alone else self._blocks[index // WIDTH].path(index % WIDTH) for index in indexes
        ]

    def _learn(self, tx: Tx, numbers: Sequence[int]) -> Work[None]:
        # The lowest eight hashes of a path stay inside the tile; what is above them is of the whole tile.
        above = {number: inclusion_plan(number * WIDTH, self._size)[_HEIGHT:] for number in numbers}
        tiles = yield from self._read(tx, above.values(), [(0, number) for number in numbers])
        reader = TileReader(tiles)
        for number, plan in above.items():
            self._blocks[number] = _Block(tiles[0, number], prove(plan, reader))

    def _read(
        self, tx: Tx, plans: Iterable[Plan], besides: Sequence[store.TileKey] = ()
    ) -> Work[dict[store.TileKey, bytes]]:
        wanted = {place_of(node) for plan in plans for nodes in plan for node in nodes} | set(besides)
        return (yield from store.tiles_at(tx, self._log, sorted(wanted)))


def shared(before: Sequence[bytes], path: Sequence[bytes]) -> int:
    """How many hashes at the top of a path are those of the path before."""
    count = 0
    while count < min(len(before), len(path)) and before[-1 - count] == path[-1 - count]:
        count += 1
    return count
