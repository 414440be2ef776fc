"""What changed between two texts, in words. Pure.

Lines are compared first, and within those that changed words: so a moved comma does not strike out a paragraph, and a
long text costs no more than its changed lines. Where people write without spaces, every character is a word.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

Kind = Literal["same", "added", "removed"]

_WORD: Final = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\d_]+|\d+|\s+|.", re.DOTALL
)
_MOST: Final = 1_000_000
"""Pairs of words that are compared; a larger change is shown as the old text and the new one."""

_TOO_ALIKE: Final = 3
"""An unchanged stretch of fewer characters between two changes is not worth reading round."""


class Piece(Struct, frozen=True):
    """A stretch of text that stayed, came or went."""

    kind: Kind
    text: str


@lru_cache(maxsize=256)
def differing(before: str, after: str) -> tuple[Piece, ...]:
    """The two texts as one, in order; what went stands before what came in its place."""
    return _tidy(_by_line(before.splitlines(keepends=True), after.splitlines(keepends=True)))


def _by_line(before: list[str], after: list[str]) -> Iterator[Piece]:
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[old_from:old_to]), "".join(after[new_from:new_to])
        if tag == "replace":
            yield from _by_word(_WORD.findall(old), _WORD.findall(new))
        else:
            yield from _replaced("" if tag == "equal" else old, new if tag == "insert" else "", old)


def _by_word(before: list[str], after: list[str]) -> Iterator[Piece]:
    if len(before) * len(after) > _MOST:
        yield from _replaced("".join(before), "".join(after), "")
        return
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[old_from:old_to]), "".join(after[new_from:new_to])
        if tag == "equal":
            yield Piece("same", old)
        else:
            yield from _replaced(old, new, "")


def _replaced(old: str, new: str, same: str) -> Iterator[Piece]:
    if old:
        yield Piece("removed", old)
    if new:
        yield Piece("added", new)
    if same and not old and not new:
        yield Piece("same", same)


def _tidy(pieces: Iterator[Piece]) -> tuple[Piece, ...]:
    """Neighbouring changes joined, with what little stayed between them."""
    found: list[Piece] = []
    old = new = between = ""
    changed = False

    def flush() -> None:
        nonlocal old, new, between, changed
        found.extend(_replaced(old, new, ""))
        if between:
            found.append(Piece("same", between))
        old = new = between = ""
        changed = False

    for piece in pieces:
        if piece.kind == "same":
            between += piece.text
            if not changed or len(between) >= _TOO_ALIKE or "\n" in between:
                flush()
            continue
        # A short stretch that stayed between two changes goes and comes with them.
        old, new, between = old + between, new + between, ""
        if piece.kind == "removed":
            old += piece.text
        else:
            new += piece.text
        changed = True
    flush()
    return tuple(found)
