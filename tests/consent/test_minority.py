"""Age, guardians, and what a child's yes is worth. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import (
    RANK,
    AgeBand,
    Catalogue,
    Guardian,
    GuardianNeeded,
    Jurisdiction,
    Minority,
    Moment,
    NoAdvertising,
    NotAGuardian,
    PersonState,
    Submission,
    decide,
    standing,
)
from consent.laws.minority import aged, demand_guardian, grown_at, is_child, threshold
from sayso.kernel import DAY, add_duration
from tests.consent.purposes import a_purpose

AT = 1_795_219_200_000_000
MOTHER = b"m" * 16
CATALOGUE = Catalogue(
    [
        a_purpose("club"),
        a_purpose("letter", direct_marketing=True, legal_basis={"eea": "legitimate_interest", "any": "consent"}),
        a_purpose("ads", dpv="dpv:TargetedAdvertising"),
    ],
    [],
    [],
)


def somebody(*laws: str, age: AgeBand | None = None, guardian: bool = False) -> PersonState:
    guardians = (Guardian(MOTHER, "document", "shop", AT),) if guardian else ()
    known = tuple(Jurisdiction(law, "declared", AT) for law in laws)
    return PersonState(jurisdictions=known, minority=Minority(age, guardians) if age or guardian else None)


def granted(state: PersonState, purpose: str, at: int, guardian: bytes = b"") -> PersonState:
    moment = Moment(at, at, RANK["session"], b"r" * 16, guardian=guardian)
    return decide(state, {purpose: "granted"}, CATALOGUE, moment)[1]


def status(state: PersonState, purpose: str, at: int) -> str:
    return standing(state, purpose, CATALOGUE, at).status


def test_the_highest_threshold_of_the_laws_known_counts_and_the_strictest_where_none_is() -> None:
    assert threshold(somebody("fr"), CATALOGUE) == 15
    assert threshold(somebody("fr", "de"), CATALOGUE) == 16
    assert threshold(somebody(), CATALOGUE) == 18


@given(st.integers(0, 30), st.sampled_from(["fr", "de", "br", "cn", "us", "gb"]), st.integers(0, 30 * 366))
def test_a_person_is_a_child_until_the_youngest_they_may_be_is_of_age(youngest: int, law: str, days: int) -> None:
    state, at = somebody(law, age=AgeBand(youngest, 0, "declared", AT)), AT + days * DAY
    years = threshold(state, CATALOGUE) - youngest
    of_age = add_duration(AT, f"P{years}Y") if years > 0 else AT
    assert is_child(state, at, CATALOGUE) == (at < of_age)


@given(st.integers(0, 17), st.lists(st.sampled_from(["fr", "de", "us", "in"]), unique=True), st.integers(0, 20 * 366))
def test_a_childs_own_yes_never_holds_as_long_as_they_may_be_one(youngest: int, laws: list[str], days: int) -> None:
    age = AgeBand(youngest, 18, "declared", AT)
    state = granted(somebody(*laws, age=age), "club", AT)
    at = AT + days * DAY
    if threshold(state, CATALOGUE) > youngest:
        # Nor after they grew up: they are asked themselves.
        assert status(state, "club", at) == "stale"


def test_a_guardians_yes_holds_until_the_child_is_of_age() -> None:
    age = AgeBand(13, 15, "declared", AT)
    state = granted(somebody("fr", age=age, guardian=True), "club", AT + 1, MOTHER)
    assert state.minority is not None
    assert state.minority.indicated == {AT + 1: MOTHER}
    of_age = add_duration(AT, "P2Y")
    assert grown_at(state, CATALOGUE) == of_age
    assert status(state, "club", of_age - 1) == "granted"
    assert status(state, "club", of_age) == "stale"
    assert status(granted(state, "club", of_age + 1), "club", of_age + 1) == "granted"


def test_a_newer_fact_that_ends_a_childhood_has_all_asked_again_from_then_on() -> None:
    state = granted(somebody("fr", age=AgeBand(13, 15, "declared", AT), guardian=True), "club", AT + 1, MOTHER)
    proven = AT + 30 * DAY
    minority = aged(state, AgeBand(18, 0, "document", proven), CATALOGUE)
    state = PersonState(state.choices, jurisdictions=state.jurisdictions, minority=minority)
    assert not is_child(state, proven, CATALOGUE)
    assert status(state, "club", proven) == "stale"
    later = aged(state, AgeBand(19, 0, "document", proven + 400 * DAY), CATALOGUE)
    assert later.grown_at == proven


def test_an_adult_whose_age_is_recorded_loses_nothing() -> None:
    state = granted(somebody("fr"), "club", AT - 900 * DAY)
    minority = aged(state, AgeBand(18, 0, "declared", AT), CATALOGUE)
    assert status(PersonState(state.choices, minority=minority), "club", AT + 1) == "granted"


def test_a_grant_is_refused_without_a_guardian_and_a_no_never_is() -> None:
    child = somebody("fr", age=AgeBand(13, 15, "declared", AT), guardian=True)
    yes, no = Submission(choices={"club": "granted"}), Submission(choices={"club": "refused"})
    with pytest.raises(GuardianNeeded) as needed:
        demand_guardian(child, yes, AT, CATALOGUE)
    assert needed.value.facts == {"below": 15}
    demand_guardian(child, no, AT, CATALOGUE)
    demand_guardian(child, Submission(choices={"club": "granted"}, indicated_by=MOTHER), AT, CATALOGUE)
    with pytest.raises(NotAGuardian):
        demand_guardian(child, Submission(choices={"club": "granted"}, indicated_by=b"x" * 16), AT, CATALOGUE)
    with pytest.raises(NotAGuardian):
        demand_guardian(somebody("fr"), Submission(choices={"club": "granted"}, indicated_by=MOTHER), AT, CATALOGUE)


def test_no_yes_of_anybody_opens_advertising_to_the_young() -> None:
    young = somebody("fr", age=AgeBand(16, 18, "declared", AT), guardian=True)
    with pytest.raises(NoAdvertising):
        demand_guardian(young, Submission(choices={"ads": "granted"}, indicated_by=MOTHER), AT, CATALOGUE)
    demand_guardian(young, Submission(choices={"club": "granted"}), AT, CATALOGUE)
    assert status(granted(young, "ads", AT + 1, MOTHER), "ads", AT + 2) == "stale"


def test_what_persuades_the_young_rests_on_no_interest() -> None:
    child = somebody("fr", age=AgeBand(13, 15, "declared", AT))
    assert standing(child, "letter", CATALOGUE, AT).no
    assert not standing(somebody("fr"), "letter", CATALOGUE, AT).no
    assert not standing(child, "club", CATALOGUE, AT).no
