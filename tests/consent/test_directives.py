"""Rule 3 of design 6 on opt-out signals, over random trees and histories: pure, without a store."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import (
    NOES,
    Act,
    Catalogue,
    Moment,
    Notice,
    PersonState,
    Signal,
    decide,
    pack,
    standing,
    unpack,
)
from consent.catalogue.purpose import OPT_OUTS
from consent.catalogue.vocabulary import DPV_PURPOSES
from consent.choices import directives as rules
from tests.consent.purposes import TREE, a_purpose

patient = settings(deadline=None)

DAY = 86_400_000_000
END = 1_000 * DAY


class Deed(NamedTuple):
    """One submission: choices, signals or both."""

    at: int
    acts: Mapping[str, Act] = MappingProxyType({})
    rank: int = 3
    claimed: int | None = None
    shown: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    conflict_shown: bool = False


def after(catalogue: Catalogue, deeds: Iterable[Deed], state: PersonState | None = None) -> PersonState:
    state = state or PersonState()
    for number, deed in enumerate(deeds):
        claimed = deed.at if deed.claimed is None else min(deed.claimed, deed.at)
        record = bytes([number]) * 16
        moment = Moment(deed.at, claimed, deed.rank, record, "web", 1, deed.shown, deed.conflict_shown)
        state = rules.direct(state, rules.given(catalogue, state, deed.signals), moment)
        _, state = decide(state, deed.acts, catalogue, moment)
    return state


def a_catalogue(opt_outs: dict[str, tuple[str, ...]], marketing: Iterable[str] = ()) -> Catalogue:
    flagged = set(marketing)
    purposes = [a_purpose(name, opt_out=opt_outs.get(name, ()), direct_marketing=name in flagged) for name in TREE]
    return Catalogue(purposes, [Notice("web", 1, TREE, {"en": "Say so."})], [])


def a_signal(kind: str = "gpc", origin: bytes = b"one") -> Signal:
    return Signal(kind, "header", origin)


catalogues = st.builds(
    a_catalogue,
    st.dictionaries(st.sampled_from(TREE), st.sets(st.sampled_from(OPT_OUTS), min_size=1, max_size=2).map(tuple)),
    st.sets(st.sampled_from(TREE), max_size=2),
)
signals = st.builds(
    a_signal, st.sampled_from(["gpc", "opt_out", "limit_sensitive"]), st.sampled_from([b"one", b"two", b"three"])
)


@st.composite
def deeds(draw: st.DrawFn) -> Deed:
    acts = ("granted", "granted", "granted", "refused", "withdrawn", "objected")
    return Deed(
        at=draw(st.integers(1, 90)) * DAY,
        acts=draw(st.dictionaries(st.sampled_from(TREE), st.sampled_from(acts), max_size=3)),
        rank=draw(st.integers(0, 3)),
        claimed=draw(st.none() | st.integers(1, 90).map(lambda days: days * DAY)),
        shown=tuple(draw(st.lists(st.sampled_from(TREE), unique=True))),
        signals=tuple(draw(st.lists(signals, max_size=1))),
        conflict_shown=draw(st.booleans()),
    )


def in_order(history: list[Deed]) -> list[Deed]:
    return [deed._replace(at=deed.at + number) for number, deed in enumerate(sorted(history, key=lambda d: d.at))]


histories = st.lists(deeds(), max_size=8).map(in_order)


def touched(catalogue: Catalogue, kind: str) -> set[str]:
    return {name for name in TREE if not catalogue.opt_outs(name).isdisjoint(rules.KINDS[kind])}


def permitted(catalogue: Catalogue, state: PersonState) -> set[str]:
    return {name for name in TREE if standing(state, name, catalogue, END).status == "granted"}


def blocked(catalogue: Catalogue, state: PersonState) -> set[str]:
    found = {name: standing(state, name, catalogue, END) for name in TREE}
    return {name for name, each in found.items() if each.no or each.objected}


def lifted_by(catalogue: Catalogue, history: list[Deed], purpose: str) -> bool:
    """From the bare history: is every signal over the purpose answered by a later grant that names it and was made
    knowing of the conflict, with no no since?
    """
    fresh: set[tuple[str, bytes]] = set()
    given_at: dict[str, tuple[int, int]] = {}
    ok_since: dict[str, int] = {}
    for deed in history:
        for signal in deed.signals:
            if signal.kind != "gpc" or (signal.kind, signal.origin) not in fresh:
                fresh.add((signal.kind, signal.origin))
                given_at[signal.kind] = (deed.at - 1, max(deed.rank, given_at.get(signal.kind, (0, 0))[1]))
        above = [name for name, act in deed.acts.items() if act in NOES and (purpose + ".").startswith(name + ".")]
        if above:
            ok_since.clear()
        elif deed.acts.get(purpose) == "granted" and deed.conflict_shown:
            claimed = min(deed.claimed or deed.at, deed.at)
            over = [
                found
                for kind, found in given_at.items()
                if purpose in touched(catalogue, kind) and ok_since.get(kind, 0) <= found[0]
            ]
            if all(claimed > at and deed.rank >= rank for at, rank in over):
                # Whether it counts for other reasons is for the fold; here it is only what signals ask of it.
                ok_since |= {kind: deed.at for kind, (_, rank) in given_at.items() if rank <= deed.rank}
    return all(ok_since.get(kind, 0) > at for kind, (at, _) in given_at.items() if purpose in touched(catalogue, kind))


@patient
@given(catalogues, histories)
def test_nothing_is_granted_over_a_signal_that_no_later_informed_choice_answers(
    catalogue: Catalogue, history: list[Deed]
) -> None:
    state = after(catalogue, history)
    for name in permitted(catalogue, state):
        assert lifted_by(catalogue, history, name)


@patient
@given(catalogues, histories, signals, st.integers(1, 90))
def test_adding_a_signal_anywhere_never_turns_a_deny_into_a_permit(
    catalogue: Catalogue, history: list[Deed], signal: Signal, day: int
) -> None:
    # From a browser of its own, so that it does not stand for one that came later.
    signal = Signal(signal.kind, signal.source, b"another")
    extra = Deed(day * DAY - 1, signals=(signal,))
    with_it = sorted([*history, extra], key=lambda deed: deed.at)
    without, then = after(catalogue, history), after(catalogue, with_it)
    assert permitted(catalogue, then) <= permitted(catalogue, without)
    assert blocked(catalogue, without) <= blocked(catalogue, then)


@patient
@given(catalogues, histories, signals)
def test_a_signal_is_effective_over_every_earlier_grant_of_what_it_reaches_and_of_nothing_else(
    catalogue: Catalogue, history: list[Deed], signal: Signal
) -> None:
    before = after(catalogue, history)
    fresh = Signal(signal.kind, signal.source, b"never seen")
    then = after(catalogue, [Deed(END - 5, signals=(fresh,))], before)
    reached = touched(catalogue, signal.kind)
    assert not permitted(catalogue, then) & reached
    assert reached <= blocked(catalogue, then)
    for name in set(TREE) - reached:
        assert standing(then, name, catalogue, END) == standing(before, name, catalogue, END)


@patient
@given(catalogues, histories, st.booleans(), st.integers(0, 3))
def test_only_a_choice_made_after_the_conflict_was_shown_and_naming_the_purpose_lifts_it(
    catalogue: Catalogue, history: list[Deed], knowing: bool, rank: int
) -> None:
    state = after(catalogue, [*history, Deed(END - 9, rank=1, signals=(a_signal("opt_out"),))])
    highest = state.directives["opt_out"].assurance
    reached = touched(catalogue, "opt_out")
    for name in reached:
        later = after(catalogue, [Deed(END - 5, {name: "granted"}, rank, shown=TREE, conflict_shown=knowing)], state)
        assert permitted(catalogue, later) & reached <= ({name} if knowing and rank >= highest else set())


@patient
@given(catalogues, st.sampled_from(TREE), signals)
def test_an_informed_choice_reopens_the_purpose_and_a_new_no_closes_it_again(
    catalogue: Catalogue, name: str, signal: Signal
) -> None:
    told = Deed(1 * DAY, {name: "granted"}), Deed(2 * DAY, signals=(signal,))
    informed = Deed(3 * DAY, {name: "granted"}, conflict_shown=True)
    repeated = Deed(4 * DAY, signals=(signal,))
    state = after(catalogue, [*told, informed])
    assert name in permitted(catalogue, state)
    reached = name in touched(catalogue, signal.kind)
    again = after(catalogue, [repeated], state)
    # What the same browser repeats is the signal that was answered; a link pressed again is a new no.
    assert (name in permitted(catalogue, again)) == (signal.kind == "gpc" or not reached)
    refused = after(catalogue, [Deed(5 * DAY, {name: "refused"}), Deed(6 * DAY, {name: "granted"})], state)
    assert (name in permitted(catalogue, refused)) == (not reached)


@patient
@given(catalogues, histories)
def test_the_packed_row_is_the_state(catalogue: Catalogue, history: list[Deed]) -> None:
    state = after(catalogue, history)
    assert unpack(pack(state)) == state


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"dpv": "dpv:TargetedAdvertising"}, {"share", "targeted_ads"}),
        ({"dpv": "SellDataToThirdParties"}, {"sale"}),
        ({"dpv": "dpv:ServiceProvision", "sensitive": True}, {"sensitive"}),
        ({"opt_out": ("sale",), "dpv": "Advertising"}, {"sale"}),
        ({"opt_out": (), "dpv": "Advertising"}, set()),
        ({}, set()),
    ],
)
def test_what_a_purpose_does_is_declared_or_derived(members: dict[str, object], found: set[str]) -> None:
    assert rules.opt_outs_of(a_purpose("shop", **members)) == found


def test_a_purpose_that_nobody_described_is_judged_by_its_name() -> None:
    assert rules.opt_outs_of(a_purpose("ads")) == {"share", "targeted_ads"}
    assert rules.opt_outs_of(a_purpose("partners.sale")) == {"sale"}


def test_what_purposes_do_is_told_in_terms_of_the_vocabulary() -> None:
    assert set(rules.BY_DPV) <= set(DPV_PURPOSES)


def test_no_signal_reaches_what_no_no_can_block() -> None:
    catalogue = Catalogue([a_purpose("ads", legal_basis="contract", opt_out=("sale",))], [], [])
    assert catalogue.opt_outs("ads") == frozenset()
