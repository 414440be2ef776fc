"""Which entries are meant: one filter for the search, the exports and the reports. Pure."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

_LAST_MS = (1 << 48) - 1
_INDEX_BITS = 48
_INDEX_MASK = (1 << _INDEX_BITS) - 1
HIGHEST = b"\xff" * 17
"""Beyond every entry id."""


class _Named(Struct, frozen=True):
    res: dict[str, str] = {}


_named = msgspec.json.Decoder(_Named)


class Selection(Struct, frozen=True, array_like=True):
    """A filter of entries; what is empty or None admits all. `log` is the name of one. `type`, `purpose` and `category`
    are one name, or a prefix such as `consent.*`. `actor` is the owner of an actor's entries, `subjects` the ids a
    person goes by (16 raw bytes each). `since` (inclusive) and `until` (exclusive) are instants, compared to the
    millisecond with the time in the entry's id.
    """

    log: str = ""
    type: str | None = None
    outcome: str | None = None
    actor: bytes | None = None
    subjects: tuple[bytes, ...] = ()
    purpose: str | None = None
    category: str | None = None
    since: int | None = None
    until: int | None = None
    types: tuple[str, ...] = ()

    @property
    def reads_leaves(self) -> bool:
        """Whether the index alone cannot tell."""
        return self.purpose is not None or self.category is not None

    def bounds(self) -> tuple[bytes, bytes]:
        """The entry ids between which all hits lie: the first inclusive, the second exclusive."""
        return first_id(self.since) or b"", first_id(self.until) or HIGHEST

    def admits(self, kind: str, outcome: str, subject: bytes | None, actor: bytes) -> bool:
        """Whether the index's columns of an entry fit."""
        return (
            (self.outcome is None or outcome == self.outcome)
            and (self.actor is None or actor == self.actor)
            and (not self.subjects or subject in self.subjects)
            and fits(self.type, kind)
            and (not self.types or kind in self.types)
        )

    def admits_leaf(self, leaf: bytes) -> bool:
        """Whether the names in the leaf fit."""
        res = _named.decode(leaf).res
        return fits(self.purpose, res.get("purpose", "")) and fits(self.category, res.get("category", ""))


def fits(wanted: str | None, name: str) -> bool:
    """Whether a name is the wanted one, or lies below the wanted prefix (`marketing.*`)."""
    if wanted is None:
        return True
    return name.startswith(wanted[:-1]) if wanted.endswith(".*") else name == wanted


def first_id(instant: int | None) -> bytes | None:
    """The smallest id of the millisecond that begins at or after an instant."""
    if instant is None:
        return None
    milliseconds = min(max(-(-instant // 1000), 0), _LAST_MS)
    return milliseconds.to_bytes(6, "big") + bytes(10)


def before(*bounds: bytes | None) -> bytes:
    """The smallest of those that are bounds."""
    return min((bound for bound in bounds if bound is not None), default=HIGHEST)


def milliseconds(entry: bytes) -> int:
    """When an entry's id was made."""
    return int.from_bytes(entry[:6], "big")


def packed(places: Iterable[tuple[int, int]]) -> bytes:
    """Places (number of a log, index in it) as little-endian u64, the number in the upper 16 bits."""
    return b"".join((number << _INDEX_BITS | index).to_bytes(8, "little") for number, index in places)


def unpacked(raw: bytes) -> list[tuple[int, int]]:
    """The places in `packed`."""
    found = (int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8))
    return [(each >> _INDEX_BITS, each & _INDEX_MASK) for each in found]
