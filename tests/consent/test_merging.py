"""Merging two people: order does not matter, and no no is lost (design 6.1, 6.3)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from consent import NOES, Act, Catalogue, PersonState, standing
from consent.model import AgeBand, Directive, Jurisdiction, Minority, Relation
from consent.people.merging import explain, merge
from consent.preferences.contact import Cap, Contact
from tests.consent.purposes import TREE, Deed, a_catalogue, a_purpose, after

NOW = 1_000
ACTS: Sequence[Act] = ("granted", "refused", "withdrawn", "objected", "reconsidered")


def catalogue_of(rule: str) -> Catalogue:
    plain = a_catalogue(marketing=("a.b",))
    purposes = [a_purpose(name, direct_marketing=name == "a.b", on_merge=rule) for name in TREE]
    return Catalogue(purposes, plain.notices.values(), [])


RULES = {rule: catalogue_of(rule) for rule in ("least_permissive", "newest")}
LEAST = RULES["least_permissive"]


def deeds_of(acts: Sequence[Act]) -> st.SearchStrategy[Deed]:
    """What somebody says once, in these words."""
    return st.builds(
        Deed,
        at=st.integers(1, 60),
        acts=st.dictionaries(st.sampled_from(TREE), st.sampled_from(acts), min_size=1, max_size=3),
        rank=st.integers(0, 3),
        shown=st.sampled_from([(), TREE, ("a.b", "a.b.c"), ("a", "a.e")]),
    )


def lives_of(deeds: st.SearchStrategy[Deed]) -> st.SearchStrategy[list[Deed]]:
    """What somebody said, in order."""
    several = st.lists(deeds, max_size=5, unique_by=lambda deed: deed.at)
    return several.map(lambda found: sorted(found, key=lambda deed: deed.at))


deeds = deeds_of(ACTS)
lives = lives_of(deeds)
unwavering = lives_of(deeds_of([act for act in ACTS if act != "reconsidered"]))
rules = st.sampled_from(sorted(RULES))


def statuses(state: PersonState, catalogue: Catalogue) -> dict[str, tuple[bool, bool]]:
    """Per purpose: whether consent holds, and whether a no stands."""
    found = {name: standing(state, name, catalogue, NOW) for name in TREE}
    return {name: (each.status == "granted", each.no) for name, each in found.items()}


def permitted(state: PersonState, catalogue: Catalogue) -> set[str]:
    return {name for name, (granted, _) in statuses(state, catalogue).items() if granted}


def denied(state: PersonState, catalogue: Catalogue) -> set[str]:
    return {name for name, (_, no) in statuses(state, catalogue).items() if no}


@given(lives, lives, rules)
def test_who_is_merged_into_whom_changes_no_answer(one, other, rule) -> None:
    terms = RULES[rule]
    first, second = after(terms, one), after(terms, other)
    assert statuses(merge(first, second, terms, NOW), terms) == statuses(merge(second, first, terms, NOW), terms)


@given(unwavering, unwavering, unwavering)
def test_three_people_are_one_person_in_any_order(one, other, third) -> None:
    """But for an objection that was taken back: an older yes of the second is hidden behind it until somebody is asked
    anew, and a newer one of the third lifts it only if it came to be theirs first (docs/guides/identity.md).
    """
    people = [after(LEAST, life) for life in (one, other, third)]
    found = []
    for x, y, z in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        found.append(merge(merge(people[x], people[y], LEAST, NOW), people[z], LEAST, NOW))
    assert len({str(statuses(each, LEAST)) for each in found}) == 1


@given(lives, lives)
def test_least_permissive_keeps_every_no_of_both(one, other) -> None:
    first, second = after(LEAST, one), after(LEAST, other)
    merged = merge(first, second, LEAST, NOW)
    assert denied(merged, LEAST) >= denied(first, LEAST) | denied(second, LEAST)


@given(lives, lives, rules)
def test_nothing_is_permitted_that_neither_permitted(one, other, rule) -> None:
    terms = RULES[rule]
    first, second = after(terms, one), after(terms, other)
    allowed = permitted(merge(first, second, terms, NOW), terms)
    assert allowed <= permitted(first, terms) | permitted(second, terms)


@given(lives, lives, rules)
def test_an_objection_of_either_stays(one, other, rule) -> None:
    terms = RULES[rule]
    first, second = after(terms, one), after(terms, other)
    merged = merge(first, second, terms, NOW)
    for name in TREE:
        if any(standing(each, name, terms, NOW).objected for each in (first, second)):
            assert standing(merged, name, terms, NOW).objected


@given(lives, lives, st.integers(0, 2))
def test_a_weaker_yes_never_loosens_a_surer_no_even_where_the_newest_counts(one, other, rank) -> None:
    terms = RULES["newest"]
    sure = after(terms, [replace_rank(deed, 3) for deed in one])
    weak = after(terms, [replace_rank(deed, rank) for deed in other])
    for merged in (merge(sure, weak, terms, NOW), merge(weak, sure, terms, NOW)):
        assert denied(merged, terms) >= denied(sure, terms)


@given(lives, lives, st.lists(deeds, max_size=3))
def test_a_grant_after_the_merge_needs_the_rank_that_both_had_shown(one, other, later) -> None:
    first, second = after(LEAST, one), after(LEAST, other)
    merged = merge(first, second, LEAST, NOW)
    for name, choice in merged.choices.items():
        shown = [state.choices[name].assurance for state in (first, second) if name in state.choices]
        assert choice.assurance >= max(shown, default=0)


@given(lives)
def test_merging_with_a_silent_person_changes_no_answer(life) -> None:
    state = after(LEAST, life)
    assert statuses(merge(state, PersonState(), LEAST, NOW), LEAST) == statuses(state, LEAST)


@pytest.mark.parametrize(
    ("rule", "mine", "theirs", "status", "why"),
    [
        ("least_permissive", Deed(5, {"f": "granted"}), Deed(3, {"f": "refused"}), "refused", "a_no_stands"),
        ("newest", Deed(5, {"f": "granted"}), Deed(3, {"f": "refused"}), "granted", "newer_answer"),
        ("newest", Deed(3, {"f": "granted"}), Deed(5, {"f": "refused"}), "refused", "newer_answer"),
        ("newest", Deed(5, {"f": "granted"}, rank=0), Deed(3, {"f": "refused"}), "refused", "surer_answer"),
        ("least_permissive", Deed(5, {"f": "granted"}), Deed(3, {"a": "refused"}), "granted", "only_answer"),
        ("newest", Deed(5, {"f": "granted"}), Deed(3, {"f": "granted"}), "granted", "same_answer"),
    ],
)
def test_each_purpose_is_told_how_it_was_merged(rule, mine, theirs, status, why) -> None:
    terms = RULES[rule]
    first, second = after(terms, [mine]), after(terms, [theirs])
    told = explain(first, second, merge(first, second, terms, NOW), terms, NOW)["f"]
    assert (told.status, told.rule, told.why) == (status, rule, why)


def test_a_yes_below_does_not_get_past_the_others_no_above() -> None:
    first = after(LEAST, [Deed(3, {"a": "withdrawn"})])
    second = after(LEAST, [Deed(9, {"a.b.c": "granted"})])
    assert permitted(merge(first, second, LEAST, NOW), LEAST) == set()


FULL = PersonState(
    restricted_at=5,
    suppressed_until=900,
    held=1,
    jurisdictions=(Jurisdiction("de", "declared", 1),),
    relations=(Relation("o-1", "contract", ("f",), 1, 50),),
    minority=Minority(AgeBand(10, 13, "declared", 1)),
    directives={"gpc": Directive(5, ("sale",), 5, 1, "header", b"r", (b"o",), {"f": 9})},
    contact=Contact({"email": {"any": 1}}, {"sms": Cap(1, "week")}, (), 70, 1),
)


def test_facts_that_tighten_are_known_of_both() -> None:
    other = PersonState(
        restricted_at=3,
        held=2,
        jurisdictions=(Jurisdiction("cn", "site", 2),),
        relations=(Relation("o-1", "contract", (), 2, 0), Relation("o-2", "case")),
        minority=Minority(AgeBand(18, 0, "declared", 1)),
        directives={"gpc": Directive(6, ("share",), 6)},
        contact=Contact({"email": {"f": 2}}, {"sms": Cap(1, "day")}, (), 60),
    )
    for merged in (merge(FULL, other, LEAST, NOW), merge(other, FULL, LEAST, NOW)):
        assert (merged.restricted_at, merged.suppressed_until, merged.held) == (3, 900, 3)
        assert {each.code for each in merged.jurisdictions} == {"de", "cn"}
        assert merged.relations == (Relation("o-1", "contract", ("f",), 2, 50), Relation("o-2", "case"))
        assert merged.minority is not None
        assert merged.minority.age == AgeBand(10, 13, "declared", 1)
        assert set(merged.directives["gpc"].reach) == {"sale", "share"}
        assert not merged.directives["gpc"].lifted, "only one of them lifted it"
        assert merged.contact == Contact({"email": {"any": 1, "f": 2}}, {"sms": Cap(1, "week")}, (), 70, 1)


def test_two_relations_of_one_name_without_a_common_purpose_permit_nothing() -> None:
    one = PersonState(relations=(Relation("o-1", "contract", ("a",), 1, 0),))
    other = PersonState(relations=(Relation("o-1", "contract", ("f",), 1, 0),))
    (left,) = merge(one, other, LEAST, NOW).relations
    assert not left.live(NOW)


@pytest.mark.parametrize(
    "name", [field.name for field in fields(PersonState) if field.name not in ("choices", "family")]
)
def test_no_fact_is_lost_by_merging_with_a_silent_person(name: str) -> None:
    full = replace(
        FULL, erased_at=4, denials=after(LEAST, [Deed(1, {"f": "refused"}), Deed(2, {"f": "granted"})]).denials
    )
    full = replace(full, choices=after(LEAST, [Deed(1, {"f": "refused"}), Deed(2, {"f": "granted"})]).choices)
    for merged in (merge(full, PersonState(), LEAST, NOW), merge(PersonState(), full, LEAST, NOW)):
        assert getattr(merged, name) == getattr(full, name)


def replace_rank(deed: Deed, rank: int) -> Deed:
    return deed._replace(rank=rank)


def test_the_noes_are_the_ones_that_block() -> None:
    assert frozenset({"refused", "withdrawn", "objected"}) == NOES


@given(lives, lives, rules, st.integers(0, 70), st.integers(0, 70))
def test_doubt_about_either_lies_over_both(one, other, rule, doubt, doubt_too) -> None:
    terms = RULES[rule]
    first = replace(after(terms, one), unsure_at=doubt)
    second = replace(after(terms, other), unsure_at=doubt_too)
    merged = merge(first, second, terms, NOW)
    assert merged.unsure_at == max(doubt, doubt_too)
    assert permitted(merged, terms) <= permitted(first, terms) | permitted(second, terms)
    # Doubt hides no no: what the two said no to before it came, the one person they were says no to.
    sure = merge(replace(first, unsure_at=0), replace(second, unsure_at=0), terms, NOW)
    assert denied(merged, terms) >= denied(sure, terms)
