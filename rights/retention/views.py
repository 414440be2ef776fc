"""What ends when, as officers see it: counts per category with a few handles, and one person. Never a value."""

from typing import Final

from msgspec import Struct

from consent import Left
from rights.retention import reckoning
from rights.retention.reckoning import KEPT, NEVER, Facts
from sayso.kernel import iso, text

SAMPLE: Final = 5
"""Handles shown of each category."""


class CategoryEnding(Struct, frozen=True):
    """Data of one category that will be deleted: of how many people, how many values, when the first; some handles."""

    people: int
    values: int
    first_at: str
    sample: list[str]


class Kept(Struct, frozen=True):
    """Data of one category that have ended and are kept on a ground."""

    people: int
    ground: str
    sample: list[str]


class DataEnds(Struct, frozen=True):
    """What goes until `before`, by category. `kept` has ended too, and stays while its ground holds.

    `calendar` is the share of what has changed that was looked at; below 1 a count may be short. `more`: there are
    more people than were counted. Of those erased before, `proofs` are the capsules whose keys go until then,
    `proofs_held` those that a legal hold keeps, `suppressions` the identifiers that may come back as anybody else's.
    """

    before: str
    grace: str
    categories: dict[str, CategoryEnding]
    kept: dict[str, list[Kept]]
    people: int
    more: bool
    calendar: float
    proofs: int
    proofs_held: int
    suppressions: int


class CategoryEnd(Struct, frozen=True, omit_defaults=True):
    """How it stands with one category of a person's data.

    `ground` says what keeps it: the legal basis and the purpose, a legal hold, a restriction. `ends_at` is when that
    ends by itself, `ended_at` when the last live purpose did (absent: there never was one), `deleted_at` the day from
    which the data go.
    """

    values: int
    live: bool
    ground: str = ""
    ends_at: str = ""
    ended_at: str = ""
    deleted_at: str = ""


class PersonEnds(Struct, frozen=True):
    """When the data of one person end, by category."""

    subject: str
    categories: dict[str, CategoryEnd]


class Counting:
    """Adds people up."""

    def __init__(self, before: int, grace: str) -> None:
        self._before = before
        self._grace = grace
        self._going: dict[str, _Heap] = {}
        self._kept: dict[tuple[str, str], _Heap] = {}
        self.people = 0

    def add(self, subject: bytes, facts: Facts) -> None:
        """Count what ends of one person."""
        self.people += 1
        for category, values in _ends_of(facts, self._grace).items():
            ends = [at for at in values if at <= self._before]
            if ends:
                self._going.setdefault(category, _Heap()).add(subject, min(ends), len(ends))
            elif KEPT in values:
                ground = facts.ends[category].ground
                self._kept.setdefault((category, ground), _Heap()).add(subject, 0, len(values))

    def told(self, left: Left, *, more: bool, calendar: float) -> DataEnds:
        """What was counted."""
        kept: dict[str, list[Kept]] = {}
        for (category, ground), heap in sorted(self._kept.items()):
            kept.setdefault(category, []).append(Kept(heap.people, ground, heap.sample))
        going = {
            category: CategoryEnding(heap.people, heap.values, iso(heap.first), heap.sample)
            for category, heap in sorted(self._going.items())
        }
        return DataEnds(
            iso(self._before),
            self._grace,
            going,
            kept,
            self.people,
            more,
            calendar,
            left.proofs,
            left.held,
            left.suppressions,
        )


def _ends_of(facts: Facts, grace: str) -> dict[str, list[int]]:
    """For each category, when each of its values goes."""
    found: dict[str, list[int]] = {}
    for place in facts.places:
        end = facts.ends[place.category]
        found.setdefault(place.category, []).append(reckoning.ends_at(place, end, grace))
    return found


class _Heap:
    """People of one kind."""

    def __init__(self) -> None:
        self.people = 0
        self.values = 0
        self.first = NEVER
        self.sample: list[str] = []

    def add(self, subject: bytes, first: int, values: int) -> None:
        self.people += 1
        self.values += values
        self.first = min(self.first, first)
        if len(self.sample) < SAMPLE:
            self.sample.append(text("sub", subject))


def person_ends(subject: bytes, facts: Facts, grace: str) -> PersonEnds:
    """One person's categories in words."""
    found = {}
    for category, dates in sorted(_ends_of(facts, grace).items()):
        end, first = facts.ends[category], min(dates)
        found[category] = CategoryEnd(
            len(dates),
            end.live,
            end.ground,
            iso(end.ends_at) if end.ends_at else "",
            iso(end.ended_at) if end.ended_at else "",
            iso(first) if first < KEPT else "",
        )
    return PersonEnds(text("sub", subject), found)
