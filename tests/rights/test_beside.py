"""What stands beside a request: an appeal with a day of its own, a proposal of one officer, and their order. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rights import Calendar, appeal_due
from rights.approval import OtherOfficer, demand_another
from rights.beside import AppealRefused, ProposalRefused
from rights.model import (
    Decide,
    Fulfil,
    Object,
    Propose,
    Refuse,
    Serve,
    State,
    SystemsPending,
    Verify,
    Withdraw,
    advance,
)
from rights.reminders import falling, plan
from sayso.kernel import DAY, Conflict, Instant, parse_instant
from tests.rights.test_advance import AT, a_request

VERIFIED = advance(a_request(), Verify("officer"), AT)
DENIED = advance(a_request(), Refuse("other"), AT)


def test_an_appeal_brings_a_refusal_back_and_never_changes_it() -> None:
    appealed = advance(DENIED, Object("2027-02-01"), Instant(AT + DAY))
    assert (appealed.state, appealed.waits, appealed.next_due) == (State.DENIED, True, "2027-02-01")
    assert appealed.closed_at == DENIED.closed_at
    assert appealed.deadline == DENIED.deadline
    with pytest.raises(AppealRefused):
        advance(appealed, Object("2027-03-01"), AT)
    for outcome in ("upheld", "overturned"):
        decided = advance(appealed, Decide(outcome), Instant(AT + 2 * DAY))  # type: ignore[arg-type]
        assert (decided.state, decided.waits, decided.closed_at) == (State.DENIED, False, DENIED.closed_at)
        with pytest.raises(AppealRefused):
            advance(decided, Decide("upheld"), AT)


def test_there_is_no_appeal_without_a_refusal_or_a_person() -> None:
    with pytest.raises(AppealRefused):
        advance(DENIED, Decide("upheld"), AT)
    with pytest.raises(AppealRefused):
        advance(replace(DENIED, subject=None), Object("2027-02-01"), AT)
    for other in (a_request(), VERIFIED, advance(VERIFIED, Fulfil(), AT)):
        with pytest.raises(Conflict):
            advance(other, Object("2027-02-01"), AT)


@pytest.mark.parametrize(
    ("law", "expected"), [("us_state", "2026-11-09"), ("uk_gdpr", "2026-10-25"), ("gdpr", "2026-10-25")]
)
def test_an_appeal_is_due_as_its_law_says_or_in_thirty_days(law: str, expected: str) -> None:
    at = parse_instant("2026-09-25T10:00:00Z")
    assert appeal_due(at, law, Calendar()) == expected  # type: ignore[arg-type]


def test_an_appeal_that_comes_near_or_passes_is_told() -> None:
    appealed = advance(replace(DENIED, zone="UTC"), Object("2027-02-20"), AT)
    assert set(plan(appealed)) == {"near", "overdue"}
    assert falling(appealed, parse_instant("2027-02-14T00:00:00Z")) == ("near",)
    assert falling(appealed, parse_instant("2027-02-21T00:00:00Z")) == ("overdue",)
    assert plan(advance(appealed, Decide("upheld"), AT)) == {}


def test_a_proposal_binds_until_it_is_decided() -> None:
    with pytest.raises(Conflict):
        advance(a_request(), Propose("ada"), AT)
    proposed = advance(VERIFIED, Propose("ada"), AT)
    with pytest.raises(ProposalRefused):
        advance(proposed, Propose("bea"), AT)
    assert advance(proposed, Withdraw(), AT) == VERIFIED
    with pytest.raises(ProposalRefused):
        advance(VERIFIED, Withdraw(), AT)
    assert advance(proposed, Fulfil(), AT).proposal is None
    served = advance(proposed, Serve(), AT)
    assert served.proposal is None
    with pytest.raises(SystemsPending):
        advance(served, Propose("ada"), AT)


@given(st.text(max_size=3), st.text(max_size=3))
def test_nobody_approves_what_they_proposed(one: str, other: str) -> None:
    proposed = advance(VERIFIED, Propose(one), AT)
    if not other or one == other:
        with pytest.raises(OtherOfficer):
            demand_another(proposed, other)
    else:
        demand_another(proposed, other)
    with pytest.raises(ProposalRefused):
        demand_another(VERIFIED, other)
