"""The fold under every arrival: late, repeated, reordered, at one instant. And requests that wait, which are no yes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consent import (
    NOES,
    Catalogue,
    Change,
    Choice,
    Moment,
    PersonState,
    Purpose,
    advance,
    decide,
    path,
    standing,
)
from consent.choices.fold import CONFIRM_WITHIN
from tests.consent.purposes import TREE, Deed, a_purpose, after
from tests.consent.test_fold_properties import DAY, LAST, blocked, catalogues, deeds, histories, permitted

patient = settings(deadline=None)

FLAGGED = ("a.b", "f")
DOUBLED = ("a.b", "a.b.c", "a.b.d", "f")
CATALOGUE = Catalogue([a_purpose(name, double_opt_in=name in FLAGGED or None) for name in TREE], [], [])
PLAIN = Catalogue([a_purpose(name) for name in TREE], [], [])


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Deed], list[Deed]]:
    """Messages that carry the time at which each was said, in two orders of arrival, some of them twice."""
    said = draw(st.lists(deeds(), min_size=1, max_size=6))
    said = [deed._replace(rank=3, claimed=deed.at, acts=dict(list(deed.acts.items())[:1])) for deed in said]
    one = draw(st.permutations([*said, *draw(st.lists(st.sampled_from(said), max_size=3))]))
    other = draw(st.permutations([*said, *draw(st.lists(st.sampled_from(said), max_size=3))]))
    return _arrived(one), _arrived(other)


def _arrived(deeds: list[Deed]) -> list[Deed]:
    """All arrive after all was said, a day apart."""
    return [deed._replace(at=(100 + number) * DAY) for number, deed in enumerate(deeds)]


@patient
@given(arrivals())
def test_late_repeated_and_reordered_messages_never_permit_what_any_no_is_newer_than(
    orders: tuple[list[Deed], list[Deed]],
) -> None:
    for order in orders:
        at = order[-1].at + 1
        granted = permitted(PLAIN, after(PLAIN, order), at)
        for name in granted:
            noes = [d.claimed for d in order for each, act in d.acts.items() if act in NOES and each in path(name)]
            given_at = [
                d.claimed for d in order for each, act in d.acts.items() if act == "granted" and each in path(name)
            ]
            assert max(given_at) > max(noes, default=0)


@patient
@given(arrivals())
def test_whatever_the_order_one_no_that_nobody_outdates_ends_in_the_same_place(
    orders: tuple[list[Deed], list[Deed]],
) -> None:
    """Where the newest thing said about a purpose, or what is above it, is a no, every order ends in a no."""
    one, other = orders
    newest: dict[str, tuple[int, bool]] = {}
    for deed in one:
        for place, act in deed.acts.items():
            for name in TREE:
                if place in path(name):
                    # Of a tie the restrictive half wins.
                    newest[name] = max(newest.get(name, (0, False)), (deed.claimed or 0, act in NOES))
    noes = {name for name, (_, no) in newest.items() if no}
    for order in (one, other):
        at = order[-1].at + 1
        state = after(PLAIN, order)
        assert not noes & permitted(PLAIN, state, at)


@patient
@given(arrivals())
def test_refusals_alone_converge_in_every_order(orders: tuple[list[Deed], list[Deed]]) -> None:
    def only(order: list[Deed]) -> dict[str, tuple[bool, bool]]:
        noes = [d for d in order if set(d.acts.values()) <= NOES]
        state = after(PLAIN, noes)
        found = {name: standing(state, name, PLAIN, LAST * 9) for name in TREE}
        return {name: (each.no, each.status == "granted") for name, each in found.items()}

    assert only(orders[0]) == only(orders[1])


@patient
@given(catalogues(), histories)
def test_a_message_that_arrives_many_times_is_as_one(catalogue: Catalogue, history: list[Deed]) -> None:
    if not history:
        return
    last = history[-1]
    claimed = last.claimed or last.at
    again = [last._replace(at=last.at + number, claimed=claimed) for number in range(1, 5)]
    once, often = after(catalogue, history), after(catalogue, again, after(catalogue, history))
    at = last.at + 9
    assert permitted(catalogue, often, at) == permitted(catalogue, once, at)
    assert blocked(catalogue, often, at) == blocked(catalogue, once, at)


@patient
@given(catalogues(), histories)
def test_records_replayed_without_the_catalogue_make_the_state_that_was(
    catalogue: Catalogue, history: list[Deed]
) -> None:
    live, replayed = PersonState(), PersonState()
    for deed in history:
        moment = Moment(deed.at, min(deed.claimed or deed.at, deed.at), deed.rank, b"r" * 16, "web", 1, deed.shown)
        changes, live = decide(live, deed.acts, catalogue, moment)
        replayed = advance(replayed, changes, moment)
    assert replayed == live


@patient
@given(histories, st.integers(0, 9))
def test_a_request_that_waits_permits_nothing_and_blocks_nothing_less(history: list[Deed], days: int) -> None:
    """Against a world in which the same requests were never made."""
    silent = [
        deed._replace(acts={name: act for name, act in deed.acts.items() if act in NOES or name not in DOUBLED})
        for deed in history
    ]
    at = (history[-1].at if history else 0) + days * DAY
    state, without = after(CATALOGUE, history), after(CATALOGUE, [deed for deed in silent if deed.acts])
    for name in TREE:
        found, bare = standing(state, name, CATALOGUE, at), standing(without, name, CATALOGUE, at)
        assert (found.status == "granted") == (bare.status == "granted")
        assert found.no == bare.no
        assert found.objected == bare.objected
        if found.status == "pending":
            assert name in DOUBLED
            assert at < found.since + CONFIRM_WITHIN


@patient
@given(histories)
def test_a_confirmed_request_permits_no_more_than_the_plain_grant_would(history: list[Deed]) -> None:
    at = (history[-1].at if history else 0) + 1
    state = after(CATALOGUE, history)
    waiting = {name: each for name, each in state.waiting.items() if each.until > at}
    if not waiting:
        return
    moment = Moment(at, at, 3, b"r" * 16, confirmed=True)
    _, then = decide(state, dict.fromkeys(waiting, "granted"), CATALOGUE, moment)
    plain = after(PLAIN, history)
    _, straight = decide(plain, dict.fromkeys(waiting, "granted"), PLAIN, Moment(at, at, 3, b"r" * 16))
    assert permitted(CATALOGUE, then, at) <= permitted(PLAIN, straight, at)
    assert not then.waiting.keys() & waiting.keys()


def test_a_tie_goes_to_the_no() -> None:
    moment = Moment(DAY, DAY, 3)
    granted = advance(PersonState(), [Change("f", "granted", 1)], moment)
    state = advance(granted, [Change("f", "refused", 1)], moment)
    assert standing(state, "f", PLAIN, DAY).status == "refused"
    _, state = decide(PersonState(), {"a.b": "granted", "a": "refused"}, PLAIN, moment)
    assert standing(state, "a.b", PLAIN, DAY).status == "refused"


def test_an_expired_record_changes_nothing() -> None:
    state = PersonState(choices={"f": Choice("granted", 5, purpose_version=1, expires_at=9)})
    assert advance(state, [Change("f", "expired", 1, 9)], Moment(10, 10, 0)) == state


def test_what_must_stand_alone_is_reached_by_no_grant_above() -> None:
    purposes = [a_purpose("a"), a_purpose("a.b", separate_consent="sensitive"), a_purpose("a.e", sensitive=True)]
    catalogue = Catalogue([*purposes, a_purpose("a.f")], [], [])
    state = after(catalogue, [Deed(DAY, {"a": "granted"}, shown=("a", "a.b", "a.e", "a.f"))])
    assert permitted_in(catalogue, state) == {"a", "a.f"}


def permitted_in(catalogue: Catalogue, state: PersonState) -> set[str]:
    return {name for name in catalogue.purposes if standing(state, name, catalogue, LAST).status == "granted"}


def test_purposes_are_what_the_builders_say() -> None:
    assert isinstance(CATALOGUE.purposes["f"], Purpose)
    assert CATALOGUE.demands.waits("a.b.c", PersonState())
    assert not PLAIN.demands.any
