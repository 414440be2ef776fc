"""Whom entries touched, as sorted runs of fixed records: made in bounded memory, and merged in bounded memory.

A record says of one person how many entries, first and last (milliseconds), and which categories. People are named by
their id, or, where a list names somebody whom nobody knows any more, by the `aid` in it: eight zero bytes, which no id
begins with, and the number.
"""

import asyncio
import heapq
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from msgspec import Struct

MOST: Final = 50_000
"""People who are held at a time while a step counts."""

_PAGE: Final = 512
_RECORD: Final = struct.Struct("<16sIQQH")
_ERASED: Final = bytes(8)

Record = tuple[bytes, int, int, int, tuple[str, ...]]


class Person(NamedTuple):
    """Somebody who was touched."""

    key: bytes
    entries: int
    first: int
    last: int
    categories: tuple[str, ...]

    @property
    def erased(self) -> bool:
        """Whether only a number in a list is left of them."""
        return self.key[:8] == _ERASED


class Gathered(Struct, array_like=True):
    """What one step counted: its runs, each sorted, and the sets of categories that their records number."""

    runs: list[bytes]
    sets: list[tuple[str, ...]]


class Runs:
    """Counts the people of one step."""

    def __init__(self) -> None:
        self._held: dict[bytes, tuple[int, int, int, int]] = {}
        self._runs: list[bytes] = []
        self._sets: dict[tuple[str, ...], int] = {}
        self._names: list[tuple[str, ...]] = []
        self._joined: dict[tuple[int, str], int] = {}

    def touch(self, key: bytes, at: int, category: str) -> None:
        """One entry more; no category is an empty one."""
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= MOST:
                self._flush()
            self._held[key] = 1, at, at, self._with(-1, category)
            return
        entries, first, last, categories = held
        self._held[key] = entries + 1, min(first, at), max(last, at), self._with(categories, category)

    def done(self) -> Gathered:
        """All that was counted."""
        self._flush()
        return Gathered(self._runs, self._names)

    def _with(self, held: int, category: str) -> int:
        """The number of a set with one category more."""
        found = self._joined.get((held, category))
        if found is None:
            before = self._names[held] if held >= 0 else ()
            names = tuple(sorted({*before, category} - {""}))
            found = self._sets.setdefault(names, len(self._sets))
            if found == len(self._names):
                self._names.append(names)
            self._joined[held, category] = found
        return found

    def _flush(self) -> None:
        if self._held:
            self._runs.append(b"".join(_RECORD.pack(key, *found) for key, found in sorted(self._held.items())))
            self._held.clear()


def aid_key(aid: int) -> bytes:
    """How a number in a list is named whose owner nobody knows any more."""
    return _ERASED + aid.to_bytes(8, "big")


async def merged(steps: Sequence[Gathered]) -> AsyncIterator[list[Person]]:
    """Everybody once, by id, page by page. The merging is work: it is not done in the loop, where others wait."""
    people = _folded(heapq.merge(*(_records(run, step.sets) for step in steps for run in step.runs)))
    while page := await asyncio.to_thread(lambda: list(islice(people, _PAGE))):
        yield page


def _records(run: bytes, sets: Sequence[tuple[str, ...]]) -> Iterator[Record]:
    for key, entries, first, last, categories in _RECORD.iter_unpack(run):
        yield key, entries, first, last, sets[categories]


def _folded(records: Iterator[Record]) -> Iterator[Person]:
    held: Person | None = None
    for key, entries, first, last, categories in records:
        if held is None or key != held.key:
            if held is not None:
                yield held
            held = Person(key, entries, first, last, categories)
            continue
        names = held.categories if categories == held.categories else tuple(sorted({*held.categories, *categories}))
        held = Person(key, held.entries + entries, min(held.first, first), max(held.last, last), names)
    if held is not None:
        yield held
