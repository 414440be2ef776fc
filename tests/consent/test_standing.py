"""Cases of the fold that the design names, one by one."""

import pytest

from consent import (
    Choice,
    Cover,
    Jurisdiction,
    PersonState,
    Purpose,
    Standing,
    standing,
)
from tests.consent.purposes import Deed, a_catalogue, a_purpose, after

CATALOGUE = a_catalogue(marketing=["a.b"])


def stands(*deeds: Deed, purpose: str, at: int = 1_000) -> Standing:
    return standing(after(CATALOGUE, deeds), purpose, CATALOGUE, at)


def test_nobody_asked_is_unasked() -> None:
    assert standing(PersonState(), "a", CATALOGUE, 1).status == "unasked"


def test_a_refusal_covers_what_lies_below_until_that_is_named() -> None:
    refused = Deed(10, {"a": "refused"})
    assert stands(refused, purpose="a.b.c").status == "refused"
    assert stands(refused, Deed(20, {"a.b": "granted"}), purpose="a.b").status == "granted"
    assert stands(refused, Deed(20, {"a.b": "granted"}, shown=("a.b", "a.b.c")), purpose="a.b.c").status == "refused"
    assert stands(refused, Deed(20, {"a.b.c": "granted"}), purpose="a.b.c").status == "granted"


def test_a_grant_reaches_only_the_children_that_the_notice_had_shown() -> None:
    granted = Deed(10, {"a": "granted"}, shown=("a", "a.e"))
    assert stands(granted, purpose="a.e").status == "granted"
    assert stands(granted, purpose="a.b").status == "unasked"
    # Giving again on a notice that shows less takes nothing away.
    assert stands(granted, Deed(20, {"a": "granted"}, shown=("a",)), purpose="a.e").status == "granted"


def test_a_grant_above_outdates_its_own_no_and_no_other() -> None:
    history = (Deed(10, {"a": "refused"}), Deed(20, {"a": "granted"}, shown=("a", "a.e")))
    assert stands(*history, purpose="a.e").status == "granted"
    assert stands(*history, purpose="a.b").status == "refused"
    own = (Deed(10, {"a.e": "refused"}), Deed(20, {"a": "granted"}, shown=("a", "a.e")))
    assert stands(*own, purpose="a.e").status == "refused"


def test_a_no_of_the_same_instant_wins() -> None:
    assert stands(Deed(10, {"a": "refused", "a.e": "granted"}), purpose="a.e").status == "refused"
    assert stands(Deed(10, {"a.e": "granted", "a": "refused"}), purpose="a.e").status == "refused"


def test_a_no_to_direct_marketing_stays_an_objection_beside_a_later_grant() -> None:
    for no in ("refused", "withdrawn", "objected"):
        for place in ("a", "a.b"):
            found = stands(Deed(10, {place: no}), Deed(20, {"a.b": "granted"}), purpose="a.b")  # type: ignore[dict-item]
            assert (found.status, found.objected) == ("granted", True)
    assert not stands(Deed(10, {"a.e": "refused"}), Deed(20, {"a.e": "granted"}), purpose="a.e").objected


def test_objected_is_said_only_after_an_objection_and_reaches_down() -> None:
    assert stands(Deed(10, {"a.b": "refused"}), purpose="a.b").status == "refused"
    assert stands(Deed(10, {"f": "objected"}), purpose="f").status == "objected"
    below = stands(Deed(10, {"a": "objected"}), Deed(20, {"a.e": "granted"}), purpose="a.e")
    assert (below.status, below.objected) == ("granted", True)


def test_taking_an_objection_back_leaves_the_refusal_said_before() -> None:
    back = Deed(30, {"f": "reconsidered"})
    refused_before = stands(Deed(10, {"f": "refused"}), Deed(20, {"f": "objected"}), back, purpose="f")
    assert (refused_before.status, refused_before.objected) == ("refused", False)
    unasked_before = stands(Deed(20, {"f": "objected"}), back, purpose="f")
    assert (unasked_before.status, unasked_before.objected) == ("unasked", False)
    granted_before = stands(Deed(10, {"f": "granted"}), Deed(20, {"f": "objected"}), back, purpose="f")
    assert granted_before.status == "unasked"


def test_a_weaker_caller_cannot_take_an_objection_back() -> None:
    found = stands(Deed(10, {"f": "objected"}, 3), Deed(20, {"f": "reconsidered"}, 1), purpose="f")
    assert found.status == "objected"


def test_a_late_grant_loses_even_to_a_refusal_that_was_outdated_since() -> None:
    history = (Deed(10, {"f": "refused"}), Deed(20, {"f": "granted"}), Deed(30, {"f": "granted"}, claimed=5))
    assert stands(*history, purpose="f").since == 20


def test_a_newer_version_of_the_purpose_makes_a_grant_stale_and_no_refusal() -> None:
    changed = a_catalogue([])
    changed.purposes.update({name: a_purpose(name, version=2) for name in ("a", "f")})
    state = after(CATALOGUE, [Deed(10, {"f": "granted", "a": "refused"})])
    assert standing(state, "f", changed, 100).status == "stale"
    assert standing(state, "a", changed, 100).status == "refused"


def test_what_a_grant_covers_ends_at_the_sooner_of_both_terms() -> None:
    catalogue = a_catalogue(terms={"a": "P20D", "a.e": "P3D"})
    state = after(catalogue, [Deed(10, {"a": "granted"}, shown=("a", "a.e", "a.b"))])
    day = 86_400_000_000
    assert standing(state, "a.e", catalogue, 4 * day).status == "expired"
    assert standing(state, "a", catalogue, 4 * day).status == "granted"
    assert standing(state, "a.b", catalogue, 21 * day).status == "expired"


def test_a_purpose_that_is_not_declared_is_never_granted() -> None:
    state = PersonState(choices={"gone": Choice("granted", 10, purpose_version=1)})
    assert standing(state, "gone", CATALOGUE, 100).status == "stale"


def test_pending_and_stale_choices_are_no_grants() -> None:
    for stored in ("pending", "stale"):
        state = PersonState(choices={"f": Choice(stored, 10, purpose_version=1)})  # type: ignore[arg-type]
        assert standing(state, "f", CATALOGUE, 100).status == stored
        above = PersonState(choices={"a": Choice(stored, 10, purpose_version=1, covers={"a.e": Cover(10, 1)})})  # type: ignore[arg-type]
        assert standing(above, "a.e", CATALOGUE, 100).status == "unasked"


def test_a_suppressed_person_is_granted_nothing() -> None:
    state = PersonState(choices={"f": Choice("granted", 10, purpose_version=1)}, suppressed_until=100)
    assert standing(state, "f", CATALOGUE, 99).status == "refused"
    assert standing(state, "f", CATALOGUE, 100).status == "granted"


@pytest.mark.parametrize(
    ("codes", "basis"),
    [((), "consent"), (("us",), "notice"), (("de",), "consent"), (("us", "de"), "consent"), (("us-ca",), "notice")],
)
def test_the_basis_told_is_that_of_the_persons_law(codes: tuple[str, ...], basis: str) -> None:
    catalogue = a_catalogue([])
    purpose = Purpose("ads", 1, legal_basis={"eea": "consent", "us": "notice"})
    catalogue.purposes["ads"] = purpose
    state = PersonState(jurisdictions=tuple(Jurisdiction(code, "declared", 1) for code in codes))
    assert standing(state, "ads", catalogue, 1).legal_basis == basis


def test_a_grant_claimed_from_the_very_instant_of_a_no_loses() -> None:
    assert stands(Deed(10, {"f": "refused"}), Deed(20, {"f": "granted"}, claimed=10), purpose="f").status == "refused"
    assert stands(Deed(10, {"f": "refused"}), Deed(20, {"f": "granted"}, claimed=11), purpose="f").status == "granted"


def test_of_a_stored_tie_the_no_wins() -> None:
    choices = {"a": Choice("refused", 10, purpose_version=1), "a.e": Choice("granted", 10, purpose_version=1)}
    assert standing(PersonState(choices=choices), "a.e", CATALOGUE, 100).status == "refused"


def test_what_a_no_ended_does_not_come_back_when_a_later_grant_runs_out() -> None:
    day = 86_400_000_000
    catalogue = a_catalogue(terms={"a.b": "P3D"})
    history = [
        Deed(1, {"a": "granted"}, shown=("a.b.c",)),
        Deed(2, {"a.b": "refused"}),
        Deed(3, {"a.b": "granted"}, shown=("a.b.c",)),
    ]
    state = after(catalogue, history)
    assert standing(state, "a.b.c", catalogue, day).status == "granted"
    assert standing(state, "a.b.c", catalogue, 5 * day).status == "expired"
