"""Whatever happens to a person, in any order and at any time: data are not deleted while a purpose is live for them or
a hold covers them, and always after.

The oracle shares nothing with the program but the manifest's facts: it keeps, for each instant of a change, whether the
category had a live purpose or a hold, and knows the grace.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import Choice, PersonState, Relation
from consent import parse as parse_consent
from consent.catalogue.publication import publish as plan
from policies import read_policy
from rights import EndTerms, Rules
from rights.retention.reckoning import (
    End,
    Facts,
    Holding,
    Place,
    first_end,
    over,
    places_of,
    reckon,
)
from sayso.kernel import DAY, load
from tests.rights.retention.world import MANIFEST
from vault import Held
from vault import parse as parse_collections

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
GRACE_DAYS = 30
MAIL, PHONE = ("customers", "email"), ("customers", "phone")


@pytest.fixture(scope="module")
def rules() -> Rules:
    tree = load([("manifest.yaml", MANIFEST)])
    declared = parse_consent(tree)
    catalogue = plan(declared, [], [], START).catalogue
    policy, _ = read_policy(tree, catalogue, "default")
    return Rules(policy, parse_collections(tree.get("collections"), catalogue.categories), EndTerms(), "mark")


class Life:
    """One person as the program sees them, and beside it what the oracle notes."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.state = PersonState()
        self.facts = Facts()
        self.stored: dict[tuple[str, str], int] = {}
        self.first: dict[tuple[str, str], int] = {}
        self.holds: set[str] = set()
        self.dead_since: dict[tuple[str, str], int | None] = {}
        self.changes = 0
        self.given = 0
        self.until = 0

    # what may happen

    def store(self, at: int) -> None:
        for place in (MAIL, PHONE):
            self.stored[place] = at
            self.first.setdefault(place, at)

    def grant(self, at: int) -> None:
        end = at + 60 * DAY
        choice = Choice("granted", at, "web", 1, 1, expires_at=end)
        self.state = replace(self.state, choices={"marketing.email": choice})
        self.given = end

    def refuse(self, at: int) -> None:
        self.state = replace(self.state, choices={"marketing.email": Choice("refused", at, "web", 1, 1)})
        self.given = 0

    def contract(self, at: int) -> None:
        self.until = at + 45 * DAY
        self.state = replace(self.state, relations=(Relation("o", "contract", ("support",), at, self.until),))

    def hold(self, _at: int) -> None:
        self.holds ^= {"contact.email"}

    # the oracle

    def living(self, place: tuple[str, str], at: int) -> bool:
        return at < (self.given if place == MAIL else self.until)

    def note(self, at: int) -> None:
        """Called at every instant at which something may have changed, in order."""
        for place in (MAIL, PHONE):
            if self.living(place, at):
                self.dead_since[place] = None
            elif self.dead_since.get(place) is None:
                end = self.given if place == MAIL else self.until
                known = place in self.dead_since and end and end <= at
                self.dead_since[place] = end if known else at

    def may_go(self, place: tuple[str, str], at: int) -> bool:
        dead = self.dead_since.get(place)
        if dead is None or self.living(place, at) or (place == MAIL and self.holds):
            return False
        return max(dead, self.first[place]) + GRACE_DAYS * DAY <= at

    # the program

    def look(self, at: int) -> list[Place]:
        held = [Held(*place, "data", 1, stored) for place, stored in self.stored.items()]
        holding = tuple(Holding("hld", frozenset({name})) for name in self.holds)
        places = places_of(held, (), self.rules.collections, self.facts.places)
        ends = reckon(self.rules, self.state, places, self.facts.ends, holding, at, anew=False)
        self.facts = Facts(places, ends)
        return over(self.facts, self.rules.terms.grace, at)

    def delete(self, gone: list[Place]) -> None:
        for each in gone:
            place = (each.collection, each.field)
            del self.stored[place], self.first[place]
        kept = tuple(each for each in self.facts.places if each not in gone)
        names = {each.category for each in kept}
        self.facts = Facts(kept, {name: end for name, end in self.facts.ends.items() if name in names})


STEPS = st.lists(
    st.tuples(st.sampled_from(["store", "grant", "refuse", "contract", "hold", "wait"]), st.integers(1, 40)),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(STEPS)
def test_data_are_never_deleted_under_a_live_purpose_or_a_hold_and_always_after(
    rules: Rules, steps: list[tuple[str, int]]
) -> None:
    person, at = Life(rules), START
    person.note(at)
    for what, days in steps:
        target = at + days * DAY
        # Between two happenings the person is visited whenever the calendar says so, as the worker does.
        while True:
            due = first_end(person.facts, rules.terms.grace) if person.facts.places else target
            natural = [end for end in (person.given, person.until) if at < end <= target]
            at = min(target, *natural, max(due, at + 1)) if due < target or natural else target
            person.note(at)
            visit(person, at)
            if at >= target:
                break
        if what != "wait":
            getattr(person, what)(at)
            person.note(at)
            visit(person, at)


def visit(person: Life, at: int) -> None:
    """One visit, judged by the oracle both ways."""
    gone = person.look(at)
    for each in gone:
        assert person.may_go((each.collection, each.field), at), "deleted though it might not"
    for place in person.stored:
        assert not person.may_go(place, at) or any((g.collection, g.field) == place for g in gone), "kept for no reason"
    person.delete(gone)


def test_what_has_ended_on_a_ground_is_told_with_it(rules: Rules) -> None:
    person = Life(rules)
    person.store(START)
    person.hold(START)
    person.look(START + 40 * DAY)
    assert person.facts.ends["contact.email"] == End(False, 0, 0, START + 40 * DAY, "legal hold: hld")
    assert person.look(START + 41 * DAY) == [Place("customers", "phone", "contact.phone", START)]
