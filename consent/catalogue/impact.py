"""How many people a change asks again: counted from their states, never guessed from how many were asked. Pure.

People are read bucket by bucket. Buckets are filled by a hash, so what part of them says, the whole says in proportion;
that is how the cost of a plan stays bounded however many people there are.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from consent.catalogue.catalogue import Catalogue
from consent.choices.fold import path
from consent.choices.standing import standing
from consent.model import PersonState
from consent.packing import unpack

BUCKETS: Final = 1_024
"""How many there are (design 4)."""

MOST_READ: Final = 100_000
"""After so many people the rest is told in proportion."""

_PAGE: Final = 2_000


class Tally(Struct, frozen=True):
    """A count: people read, people asked again, and those per purpose."""

    read: int = 0
    people: int = 0
    purposes: dict[str, int] = {}

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        summed = Counter(self.purposes) + Counter(other.purposes)
        return Tally(self.read + other.read, self.people + other.people, dict(summed))


class AskedAgain(Struct, frozen=True):
    """People whose grant a change makes stale. Not `exact`: counted in a part of all people and told in proportion;
    `read` is how many were looked at.
    """

    people: int
    exact: bool
    read: int
    purposes: dict[str, int]


def tally(states: Iterable[bytes], names: frozenset[str], before: Catalogue, after: Catalogue, at: int) -> Tally:
    """Of these packed states, those that stand on `granted` before the change and on `stale` after it."""
    places = frozenset(place for name in names for place in path(name))
    read = people = 0
    purposes: Counter[str] = Counter()
    for packed in states:
        read += 1
        state = unpack(packed)
        if state.choices.keys().isdisjoint(places):
            continue
        stale = [name for name in names if _ends(state, name, before, after, at)]
        people += bool(stale)
        purposes.update(stale)
    return Tally(read, people, dict(purposes))


def asked_again(counted: Tally, buckets: int, names: Iterable[str]) -> AskedAgain:
    """What a count over the first `buckets` says of all."""
    factor = BUCKETS / buckets
    purposes = {name: round(counted.purposes.get(name, 0) * factor) for name in sorted(names)}
    return AskedAgain(round(counted.people * factor), buckets == BUCKETS, counted.read, purposes)


def next_width(width: int, found: int) -> int:
    """How many buckets to read next, when the last `width` held so many people."""
    return max(1, width * _PAGE // found) if found * 4 > _PAGE else width * 4


def _ends(state: PersonState, name: str, before: Catalogue, after: Catalogue, at: int) -> bool:
    return standing(state, name, before, at).status == "granted" and standing(state, name, after, at).status == "stale"
