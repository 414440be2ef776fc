"""Rules that newer ones have replaced elsewhere permit until an instant, and nothing from then on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import Policy
from policies.plan import plan
from tests.policies.worlds import AT, a_person, a_policy, a_question, granted

HELD = a_policy()
PERSON = a_person(granted("marketing.email"))


@given(st.integers(AT, AT + 1_000), st.integers(AT, AT + 1_000))
def test_a_permit_ends_with_the_rules_it_rests_on(good_until: int, at: int) -> None:
    inquiry = Policy(HELD.snapshot, HELD.catalogue, good_until=good_until).inquiry(a_question())
    decision = inquiry.decide(PERSON, at)
    assert decision.allowed is (at < good_until)
    assert decision.reason == ("permitted" if at < good_until else "stale")
    assert inquiry.examine(PERSON, at)[0] == decision


def test_a_plan_of_lapsed_rules_permits_nobody() -> None:
    inquiry = Policy(HELD.snapshot, HELD.catalogue, good_until=AT).inquiry(a_question())
    assert plan(inquiry, AT - 1) == plan(HELD.inquiry(a_question()), AT)
    assert (plan(inquiry, AT).plan, plan(inquiry, AT).reason) == ("always_denied", "stale")


def test_rules_without_an_end_do_not_lapse() -> None:
    assert HELD.inquiry(a_question()).decide(PERSON, AT).allowed


@pytest.mark.parametrize(
    ("person", "members"), [(a_person(), {}), (None, {}), (PERSON, {"action": "reveal", "purpose": "support"})]
)
def test_a_no_keeps_its_own_reason(person: object, members: dict[str, str]) -> None:
    lapsed = Policy(HELD.snapshot, HELD.catalogue, good_until=1)
    question = a_question(**members)
    assert lapsed.inquiry(question).decide(person, AT) == HELD.inquiry(question).decide(person, AT)  # type: ignore[arg-type]
