"""What is known of two people besides their choices, once they are one. Pure, and the same in either order.

What tightens is kept from both: restriction, holds, suppression, every law, the younger age, every opt-out, every
channel switched off, the longer pause. What loosens is kept where both agree or only one has anything to say.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from msgspec.structs import replace

from consent.choices.directives import ORIGINS_KEPT
from consent.model import AgeBand, Directive, Minority, PersonState, Relation, Waiting
from consent.preferences.reach import merged

T = TypeVar("T")
V = TypeVar("V")

_YEAR: Final = 31_557_600_000_000
"""Microseconds: enough to tell which of two ages is the younger."""


def joined_facts(one: PersonState, other: PersonState) -> PersonState:
    """The state of the person that both were, without choices, denials and family."""
    places = {*one.jurisdictions, *other.jurisdictions}
    return PersonState(
        restricted_at=_sooner(one.restricted_at, other.restricted_at),
        erased_at=max(one.erased_at, other.erased_at),
        suppressed_until=max(one.suppressed_until, other.suppressed_until),
        held=one.held + other.held,
        jurisdictions=tuple(sorted(places, key=lambda each: (each.at, each.code, each.source))),
        relations=_relations(one.relations, other.relations),
        waiting=_waiting(one.waiting, other.waiting),
        minority=_minority(one.minority, other.minority),
        directives=_directives(one.directives, other.directives),
        contact=merged(one.contact, other.contact),
        unsure_at=max(one.unsure_at, other.unsure_at),
    )


def _relations(one: tuple[Relation, ...], other: tuple[Relation, ...]) -> tuple[Relation, ...]:
    """Every relation of both; two that bear one name become the narrower of them."""
    found = {each.ref: each for each in one}
    for each in other:
        mine = found.get(each.ref)
        found[each.ref] = each if mine is None else _narrower(mine, each)
    return tuple(found[ref] for ref in sorted(found))


def _narrower(one: Relation, other: Relation) -> Relation:
    sooner, later = sorted((one, other), key=lambda each: (each.until or 2**62, each.start, each.kind, each.purposes))
    if one.kind != other.kind or not one.purposes or not other.purposes:
        # No purposes means all; of two kinds under one name, the one that ends first.
        purposes = sooner.purposes if one.kind != other.kind else one.purposes or other.purposes
    else:
        purposes = tuple(sorted({*one.purposes} & {*other.purposes}))
    until = sooner.until
    if not purposes and one.purposes and other.purposes and one.kind == other.kind:
        # They have no purpose in common, and none left would mean all of them: it has ended.
        purposes, until = sooner.purposes, sooner.start + 1
    return replace(sooner, purposes=purposes, start=max(one.start, other.start), until=until, source=later.source)


def _waiting(one: dict[str, Waiting], other: dict[str, Waiting]) -> dict[str, Waiting]:
    return _each(one, other, lambda mine, theirs: max(mine, theirs, key=lambda each: (each.since, each.record)))


def _minority(one: Minority | None, other: Minority | None) -> Minority | None:
    if one is None or other is None:
        return one or other
    ages = [each.age for each in (one, other) if each.age is not None]
    guardians = {*one.guardians, *other.guardians}
    return Minority(
        age=max(ages, key=_birth, default=None),
        guardians=tuple(sorted(guardians, key=lambda each: (each.at, each.subject, each.verified_by, each.source))),
        indicated=_each(one.indicated, other.indicated, max),
        grown_at=max(one.grown_at, other.grown_at),
    )


def _birth(age: AgeBand) -> tuple[int, int, int, str]:
    """The latest birth that the fact allows: the later, the younger."""
    return age.at - age.youngest * _YEAR, age.below, age.at, age.source


def _directives(one: dict[str, Directive], other: dict[str, Directive]) -> dict[str, Directive]:
    return _each(one, other, _both_directed)


def _both_directed(one: Directive, other: Directive) -> Directive:
    """An opt-out of both. It is lifted only where each of them lifted their own."""
    older, newer = sorted((one, other), key=lambda each: (each.at, each.record, each.source))
    lifted = {
        purpose: max(older.lifted[purpose], newer.lifted[purpose])
        for purpose in older.lifted.keys() & newer.lifted.keys()
        if older.lifted[purpose] > older.at and newer.lifted[purpose] > newer.at
    }
    return replace(
        newer,
        reach=tuple(sorted({*one.reach, *other.reach})),
        since=_sooner(one.since, other.since),
        assurance=max(one.assurance, other.assurance),
        origins=tuple(dict.fromkeys((*older.origins, *newer.origins)))[-ORIGINS_KEPT:],
        lifted=lifted,
    )


def _each(one: dict[T, V], other: dict[T, V], both: Callable[[V, V], V]) -> dict[T, V]:
    """Both maps as one, in the order of their keys."""
    found = {**one, **other}
    for name in one.keys() & other.keys():
        found[name] = both(one[name], other[name])
    return {name: found[name] for name in sorted(found)}  # type: ignore[type-var]


def _sooner(one: int, other: int) -> int:
    """The earlier of two instants, where 0 is none."""
    return min(one, other) if one and other else one or other
