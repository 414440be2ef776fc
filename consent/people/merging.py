"""Two people who turn out to be one: what stands for them from then on. Pure, and the same in either order.

Least permissive, unless a purpose says `on_merge: newest`: where either said no, the no stands, whichever came later.
Silence is no answer, so what only one of them was asked stays as it is. Under `newest` the later answer counts, but in
neither case does a yes that is less sure than the other's word loosen it, and nobody's word becomes surer by merging.
Whatever else is known of either (restriction, holds, jurisdictions, age, opt-outs, pauses) is then known of both.
"""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from consent.catalogue.purpose import OnMerge
from consent.choices.fold import path
from consent.choices.standing import Versions, standing
from consent.model import NOES, Choice, Cover, PersonState, Standing
from consent.people.joined_facts import joined_facts

Why = Literal["same_answer", "only_answer", "a_no_stands", "newer_answer", "surer_answer"]


class Merging(Versions, Protocol):
    """What merging must know of the purposes."""

    direct_marketing: frozenset[str]

    @property
    def purposes(self) -> Mapping[str, object]: ...

    def on_merge(self, purpose: str) -> OnMerge: ...


class Ruled(Struct, frozen=True):
    """How one purpose was merged: where the one that stays and the one that joins stood, the rule, and what came out.

    `why`: `same_answer`, `only_answer` (the other was silent), `a_no_stands`, `newer_answer`, `surer_answer`.
    """

    status: str
    survivor: str
    joined: str
    rule: OnMerge
    why: Why


def merge(one: PersonState, other: PersonState, terms: Merging, at: int) -> PersonState:
    """The state of the person that both were. `merge(a, b)` decides as `merge(b, a)` does."""
    unsure_at = max(one.unsure_at, other.unsure_at)
    if unsure_at:
        # Doubt hides what a no is weighed against: the noes are joined without it, and it lies over the whole.
        sure = merge(replace(one, unsure_at=0), replace(other, unsure_at=0), terms, at)
        return replace(sure, unsure_at=unsure_at)
    names = sorted(one.choices.keys() | other.choices.keys())
    choices: dict[str, Choice] = {}
    denials: dict[str, Choice] = {}
    for name in names:
        newest = terms.on_merge(name) == "newest"
        chosen, denial = _joined(
            _said(one, name), _said(other, name), newest=newest, marketing=name in terms.direct_marketing
        )
        choices[name] = chosen
        if denial is not None:
            denials[name] = denial
    merged = replace(joined_facts(one, other), choices=choices, denials=denials)
    return _held_to(merged, one, other, terms, at)


def explain(one: PersonState, other: PersonState, merged: PersonState, terms: Merging, at: int) -> dict[str, Ruled]:
    """Per purpose that either had an answer about: how it was merged. `one` is the person that stays."""
    told: dict[str, Ruled] = {}
    for purpose in terms.purposes:
        mine, theirs, after = (standing(state, purpose, terms, at) for state in (one, other, merged))
        if mine.status == theirs.status == "unasked" and after.status == "unasked":
            continue
        rule = terms.on_merge(purpose)
        told[purpose] = Ruled(after.status, mine.status, theirs.status, rule, _why(mine, theirs, after, rule))
    return told


def _why(mine: Standing, theirs: Standing, after: Standing, rule: OnMerge) -> Why:
    if mine.status == theirs.status:
        return "same_answer"
    if "unasked" in (mine.status, theirs.status):
        return "only_answer"
    if mine.no != theirs.no:
        if rule == "least_permissive":
            return "a_no_stands"
        newer = mine if mine.since > theirs.since else theirs
        return "newer_answer" if newer.no == after.no else "surer_answer"
    return "newer_answer" if after.since == max(mine.since, theirs.since) else "surer_answer"


class _Said(Struct, frozen=True):
    """What one of the two says at one place: the choice there, and the no that it replaced."""

    choice: Choice
    denial: Choice | None


_SILENT: Final = Choice("unasked")


def _said(state: PersonState, place: str) -> _Said:
    return _Said(state.choices.get(place, _SILENT), state.denials.get(place))


def _joined(one: _Said, other: _Said, *, newest: bool, marketing: bool) -> tuple[Choice, Choice | None]:
    """What stands at one place, and the no beside it."""
    pair = (one.choice, other.choice)
    assurance = max(each.assurance for each in pair)
    objected_at = max(each.objected_at for each in pair)
    noes = [each for each in pair if each.status in NOES]
    grants = [each for each in pair if each.status == "granted"]
    denials = [each for each in (one.denial, other.denial) if each is not None]
    if grants and noes and newest and _outdates(grants[0], noes[0]):
        denials += noes
        # As with any later yes: where direct marketing is concerned, the no stays as an objection.
        objected_at = max(objected_at, noes[0].since if marketing else 0)
        noes = []
    if noes:
        chosen = max(noes, key=lambda each: (each.status == "objected", *_order(each)))
        # Behind an objection, the plain no that taking it back leads to.
        denials += [each for each in noes if each is not chosen]
        covers: dict[str, Cover] = {}
    elif grants:
        chosen = max(grants, key=lambda each: (each.assurance, *_order(each)))
        covers = _covered(chosen, grants)
    else:
        chosen = max(pair, key=_order)
        covers = chosen.covers
    chosen = replace(chosen, covers=covers, assurance=assurance, objected_at=objected_at)
    return chosen, max(denials, key=_order, default=None)


def _outdates(grant: Choice, no: Choice) -> bool:
    return grant.since > no.since and grant.assurance >= no.assurance


def _order(choice: Choice) -> tuple[int, bytes, str]:
    return choice.since, choice.record, choice.status


def _covered(chosen: Choice, grants: list[Choice]) -> dict[str, Cover]:
    """What the grants reach below their place: each purpose as the surer of them says."""
    covers: dict[str, Cover] = {}
    for grant in sorted(grants, key=lambda each: each is chosen):
        covers.update(grant.covers)
    return covers


def _held_to(merged: PersonState, one: PersonState, other: PersonState, terms: Merging, at: int) -> PersonState:
    """`merged`, with every no that a grant of the other one would have got past by its place in the tree.

    Joined place by place, a yes to a lower purpose would outdate the other's no to a higher one.
    """
    choices = dict(merged.choices)
    # From the top down: a no that is put back above is then seen below.
    for purpose in sorted({*terms.purposes, *choices}, key=lambda name: (name.count("."), name)):
        no = _forgotten_no(replace(merged, choices=choices), one, other, purpose, terms, at)
        if no is None:
            continue
        place = choices.get(purpose, _SILENT)
        assurance, objected_at = max(place.assurance, no.assurance), max(place.objected_at, no.objected_at)
        choices[purpose] = replace(no, covers={}, assurance=assurance, objected_at=objected_at)
    return replace(merged, choices=choices)


def _forgotten_no(
    merged: PersonState, one: PersonState, other: PersonState, purpose: str, terms: Merging, at: int
) -> Choice | None:
    """The newest no that holds for one of the two at this purpose, and that the merged state does not know."""
    after = standing(merged, purpose, terms, at)
    if after.no:
        return None
    noes = [no for state in (one, other) if (no := _no_at(state, purpose, terms, at)) is not None]
    if not noes:
        return None
    no = max(noes, key=_order)
    if terms.on_merge(purpose) == "least_permissive":
        return no
    rank = max((_rank(state, purpose, terms, at) for state in (one, other)), default=-1)
    return no if rank < max(each.assurance for each in noes) else None


def _no_at(state: PersonState, purpose: str, terms: Versions, at: int) -> Choice | None:
    """The choice by which a no stands at this purpose, from the nearest place above that has one."""
    if not standing(state, purpose, terms, at).no:
        return None
    noes = [
        choice
        for node in path(purpose)
        for choice in (state.choices.get(node), state.denials.get(node))
        if choice is not None and choice.status in NOES
    ]
    return max(noes, key=_order, default=None)


def _rank(state: PersonState, purpose: str, terms: Versions, at: int) -> int:
    """How sure a yes at this purpose is; -1 without one."""
    if standing(state, purpose, terms, at).status != "granted":
        return -1
    grants = (state.choices.get(node) for node in path(purpose))
    return max((each.assurance for each in grants if each is not None and each.status == "granted"), default=-1)
