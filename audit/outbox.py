"""A row of the outbox: all entries that one flush wrote into one log, one after the other.

Each entry is its leaf's length (4 bytes, big-endian), entry id, actor and subject (16 bytes each; the subject zeros for
none), and the leaf. One row for many entries, because a row costs more than what stands in it.
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

_HEAD = Struct(">I16s16s16s")
_NOBODY = bytes(16)


class Pending(NamedTuple):
    """An entry that waits for its index: id, the leaf's bytes, and whose keys open it."""

    entry: bytes
    leaf: bytes
    subject: bytes | None
    actor: bytes


def pack(entry: bytes, leaf: bytes, subject: bytes | None, actor: bytes) -> bytes:
    """One entry as it lies in a row."""
    return _HEAD.pack(len(leaf), entry, actor, subject or _NOBODY) + leaf


def unpack(contents: bytes) -> Iterator[Pending]:
    """The entries of a row, in the order they were written."""
    place, end, head = 0, len(contents), _HEAD.size
    while place < end:
        length, entry, actor, subject = _HEAD.unpack_from(contents, place)
        start = place + head
        place = start + length
        yield Pending(entry, contents[start:place], None if subject == _NOBODY else subject, actor)


def forget(contents: bytes, subject: bytes, nobody: bytes) -> bytes:
    """The row without a person: what was about them is about no one, what they did was done by `nobody`."""
    if subject not in contents:
        return contents
    return b"".join(
        pack(each.entry, each.leaf, None, nobody if each.actor == subject else each.actor)
        if subject in (each.subject, each.actor)
        else pack(*each)
        for each in unpack(contents)
    )
