"""The rules of design 6.1 to 6.3 over random trees and histories, against an oracle that knows no state, only the
history.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from consent import (
    NOES,
    Catalogue,
    PersonState,
    pack,
    path,
    standing,
    unpack,
)
from tests.consent.purposes import TREE, Deed, a_catalogue, after

patient = settings(deadline=None)
"""Machines differ; what is tested here is never how fast."""

DAY = 86_400_000_000
LAST = 100 * DAY


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    marketing = draw(st.sets(st.sampled_from(TREE)))
    terms = draw(st.dictionaries(st.sampled_from(TREE), st.sampled_from(["P3D", "P20D", "P60D"])))
    return a_catalogue(marketing=marketing, terms=terms)


@st.composite
def deeds(draw: st.DrawFn, acts: tuple[str, ...] = ("granted", "granted", "refused", "withdrawn", "objected")) -> Deed:
    at = draw(st.integers(1, 90)) * DAY + draw(st.integers(0, 3))
    chosen = draw(st.dictionaries(st.sampled_from(TREE), st.sampled_from(acts), min_size=1, max_size=3))
    claimed = draw(st.none() | st.integers(1, 90).map(lambda days: days * DAY))
    shown = tuple(draw(st.lists(st.sampled_from(TREE), unique=True)))
    return Deed(at, chosen, draw(st.integers(0, 3)), claimed, shown)


def in_order(history: list[Deed]) -> list[Deed]:
    """As the registry orders them: by arrival, later than the one before by a microsecond at least."""
    ordered: list[Deed] = []
    for deed in sorted(history, key=lambda each: each.at):
        ordered.append(deed._replace(at=max(deed.at, ordered[-1].at + 1 if ordered else 0)))
    return ordered


histories = st.lists(deeds(), max_size=8).map(in_order)
tighter = deeds(acts=("refused", "withdrawn", "objected"))


def permitted(catalogue: Catalogue, state: PersonState, at: int) -> set[str]:
    """Where consent holds."""
    return {name for name in TREE if standing(state, name, catalogue, at).status == "granted"}


def blocked(catalogue: Catalogue, state: PersonState, at: int) -> set[str]:
    """Where legitimate interest is blocked."""
    found = {name: standing(state, name, catalogue, at) for name in TREE}
    return {name for name, each in found.items() if each.no or each.objected}


def oracle(history: list[Deed], catalogue: Catalogue, purpose: str, at: int) -> bool:
    """Whether consent holds, from the bare history: no state, no folding, every question asked of the whole list."""
    noes: list[tuple[str, int, int]] = []  # place, since, rank
    grants: list[tuple[str, str, int, int]] = []  # place, reaches, since, until
    rank: dict[str, int] = {}
    for deed in history:
        claimed = min(deed.claimed or deed.at, deed.at)
        for name in (each for each, act in deed.acts.items() if act in NOES):
            rank[name] = max(rank.get(name, 0), deed.rank)
            noes.append((name, deed.at, rank[name]))
        allowed: list[tuple[str, str]] = []
        for name in (each for each, act in deed.acts.items() if act == "granted"):
            if not _loses(name, noes, rank, claimed, deed.rank):
                below = [each for each in deed.shown if each.startswith(name + ".")]
                allowed += [(name, name)]
                allowed += [(name, each) for each in below if not _loses(each, noes, rank, claimed, deed.rank)]
        for name, reached in allowed:
            ends = [end for each in {name, reached} if (end := catalogue.expiry(each, claimed, PersonState()))]
            grants.append((name, reached, deed.at, min(ends, default=2**62)))
        for name in (each for each, act in deed.acts.items() if act == "granted"):
            rank[name] = max(rank.get(name, 0), deed.rank)
            if (name, name) not in allowed:  # what is shown to be known that surely raises the no that made it lose
                noes = [
                    (p, s, max(k, deed.rank) if p == name and not _replaced(grants, p, s) else k) for p, s, k in noes
                ]
    over = [(place, since) for place, since, _ in noes if place in path(purpose)]
    newest = max((since for _, since in over), default=0)
    reaching = [(place, since, until) for place, reached, since, until in grants if reached == purpose]
    own = any(place == purpose and since > newest for place, since, _ in reaching)
    outdated = all(any(p == place and s > since for p, s, _ in reaching) for place, since in over)
    return (own or outdated) and any(since > newest and until > at for _, since, until in reaching)


def _loses(name: str, noes: list[tuple[str, int, int]], rank: dict[str, int], claimed: int, mine: int) -> bool:
    over = [(since, kept) for place, since, kept in noes if place in path(name)]
    return rank.get(name, 0) > mine or any(since >= claimed or kept > mine for since, kept in over)


def _replaced(grants: list[tuple[str, str, int, int]], place: str, since: int) -> bool:
    return any(name == place == reached and given > since for name, reached, given, _ in grants)


@patient
@given(catalogues(), histories, st.integers(0, 30))
def test_consent_holds_exactly_where_the_bare_history_says_so(
    catalogue: Catalogue, history: list[Deed], days: int
) -> None:
    at = (history[-1].at if history else 0) + days * DAY
    state = after(catalogue, history)
    assert permitted(catalogue, state, at) == {name for name in TREE if oracle(history, catalogue, name, at)}


@patient
@given(catalogues(), histories, tighter)
def test_adding_a_refusal_anywhere_never_turns_a_deny_into_a_permit(
    catalogue: Catalogue, history: list[Deed], refusal: Deed
) -> None:
    # Arrival times of the others stay as they are: the refusal takes a microsecond that nobody has.
    refusal = refusal._replace(
        at=next(at for at in range(refusal.at, refusal.at + 99) if at not in {d.at for d in history})
    )
    without, with_it = after(catalogue, history), after(catalogue, sorted([*history, refusal], key=lambda d: d.at))
    for at in (refusal.at, LAST, *(deed.at + 4 * DAY for deed in history)):
        before = after(catalogue, [deed for deed in history if deed.at <= at])
        then = after(catalogue, [deed for deed in sorted([*history, refusal], key=lambda d: d.at) if deed.at <= at])
        assert permitted(catalogue, then, at) <= permitted(catalogue, before, at)
    assert blocked(catalogue, without, LAST) <= blocked(catalogue, with_it, LAST)


@patient
@given(catalogues(), histories, tighter)
def test_a_no_is_no_at_once_for_the_purpose_and_all_below(
    catalogue: Catalogue, history: list[Deed], refusal: Deed
) -> None:
    at = (history[-1].at if history else 0) + 1
    state = after(catalogue, [*history, refusal._replace(at=at)])
    for named in refusal.acts:
        for purpose in (named, *catalogue.below(named)):
            found = standing(state, purpose, catalogue, at)
            assert found.no
            assert found.objected or purpose not in catalogue.direct_marketing


@patient
@given(catalogues(), histories, deeds(acts=("reconsidered",)))
def test_taking_an_objection_back_gives_nobody_a_yes(
    catalogue: Catalogue, history: list[Deed], reconsidered: Deed
) -> None:
    at = (history[-1].at if history else 0) + 1
    before = after(catalogue, history)
    then = after(catalogue, [reconsidered._replace(at=at, claimed=None)], before)
    assert permitted(catalogue, then, at) <= permitted(catalogue, before, at)
    later = after(catalogue, [Deed(at + 1, {"f": "granted"}, 3)], then)
    assert permitted(catalogue, later, at + 1) - {"f"} <= permitted(catalogue, before, at)


@patient
@given(catalogues(), histories)
def test_choices_of_one_submission_have_no_order(catalogue: Catalogue, history: list[Deed]) -> None:
    turned = [deed._replace(acts=dict(reversed(deed.acts.items()))) for deed in history]
    one, other = after(catalogue, history), after(catalogue, turned)
    assert {name: standing(one, name, catalogue, LAST) for name in TREE} == {
        name: standing(other, name, catalogue, LAST) for name in TREE
    }


@patient
@given(catalogues(), histories)
def test_a_repeated_submission_changes_no_answer_but_its_time(catalogue: Catalogue, history: list[Deed]) -> None:
    if not history:
        return
    last = history[-1]
    once = after(catalogue, history)
    # The same message again, claimed to be from when it was first sent.
    twice = after(catalogue, [last._replace(at=last.at + 1, claimed=last.claimed or last.at)], once)
    assert permitted(catalogue, twice, last.at + 1) == permitted(catalogue, once, last.at + 1)
    assert blocked(catalogue, twice, last.at + 1) == blocked(catalogue, once, last.at + 1)


@patient
@given(catalogues(), st.lists(deeds(), min_size=1, max_size=6), st.randoms())
def test_a_grant_claimed_from_before_a_stored_no_loses_in_whatever_order_they_arrive(
    catalogue: Catalogue, history: list[Deed], chance: object
) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    arrived = [deed._replace(at=(number + 1) * DAY) for number, deed in enumerate(shuffled)]
    state = after(catalogue, arrived)
    for name in permitted(catalogue, state, LAST):
        noes = [d.at for d in arrived for each, act in d.acts.items() if act in NOES and each in path(name)]
        given_at = [
            min(d.claimed or d.at, d.at)
            for d in arrived
            for each, act in d.acts.items()
            if act == "granted" and each in path(name)
        ]
        assert max(given_at) > max(noes, default=0)


@patient
@given(catalogues(), histories)
def test_the_packed_row_is_the_state(catalogue: Catalogue, history: list[Deed]) -> None:
    state = after(catalogue, history)
    assert unpack(pack(state)) == state


@patient
@given(catalogues(), histories, st.integers(0, 3))
def test_a_weaker_assurance_never_loosens(catalogue: Catalogue, history: list[Deed], rank: int) -> None:
    at = (history[-1].at if history else 0) + 1
    before = after(catalogue, history)
    offered = after(catalogue, [Deed(at, dict.fromkeys(TREE, "granted"), rank, None, TREE)], before)
    for name in permitted(catalogue, offered, at) - permitted(catalogue, before, at):
        assert all(deed.rank <= rank for deed in history for act in deed.acts if act == name)
