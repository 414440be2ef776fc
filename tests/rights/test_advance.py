"""The states of a request: what may follow what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from rights.beside import ClockRefused
from rights.model import (
    REFUSALS,
    TABLE,
    Challenge,
    Expire,
    Extend,
    Fulfil,
    Halt,
    ImpossibleStep,
    Refuse,
    Resume,
    Revoke,
    RightsRequest,
    Serve,
    State,
    Step,
    SystemsPending,
    Verify,
    advance,
    kind_named,
    law_named,
    refusal_named,
)
from sayso.kernel import Conflict, Instant, Invalid

AT = Instant(1_800_000_000_000_000)
STEPS: list[Step] = [
    Challenge(),
    Verify("officer"),
    Extend("2027-03-01", "2026-12-24"),
    Halt("identity"),
    Resume("2026-12-30", "2026-12-30"),
    Serve(),
    Fulfil(),
    Refuse("other"),
    Revoke(),
    Expire(),
]
steps = st.lists(st.sampled_from(STEPS), max_size=12)


def a_request(state: State = State.OPEN) -> RightsRequest:
    return RightsRequest(
        "rrq_" + "0" * 32, b"s" * 16, "erasure", "gdpr", state, AT, "2026-12-28", "2026-12-25", granted_by_law=True
    )


def walked(wanted: list[Step]) -> tuple[RightsRequest, list[Step]]:
    request, taken = a_request(), []
    for nth, step in enumerate(wanted):
        try:
            request = advance(request, step, Instant(AT + nth))
            taken.append(step)
        except Conflict:
            pass
    return request, taken


@given(steps)
def test_only_what_was_verified_is_fulfilled(wanted: list[Step]) -> None:
    request, taken = walked(wanted)
    if request.state is State.FULFILLED:
        assert any(isinstance(step, Verify) for step in taken)
        assert request.verified_at


@given(steps, st.sampled_from(STEPS))
def test_a_closed_request_stays_closed(wanted: list[Step], more: Step) -> None:
    request, _ = walked(wanted)
    if request.state.closed:
        with pytest.raises(ImpossibleStep) as refused:
            advance(request, more, AT)
        assert refused.value.slug == "request-closed"
        assert request.closed_at
        assert not request.paused


@given(steps)
def test_there_is_at_most_one_extension_and_one_pause_at_a_time(wanted: list[Step]) -> None:
    request, taken = walked(wanted)
    assert sum(isinstance(step, Extend) for step in taken) <= 1
    assert all(pause.until for pause in request.pauses[:-1])
    assert len(request.pauses) == sum(isinstance(step, Halt) for step in taken)


@given(steps)
def test_a_request_survives_its_storage(wanted: list[Step]) -> None:
    request, _ = walked(wanted)
    assert msgpack.decode(msgpack.encode(request), type=RightsRequest) == request


@given(st.sampled_from(State), st.sampled_from(STEPS))
def test_the_table_says_all(state: State, step: Step) -> None:
    before = a_request(state)
    if (state, type(step)) in TABLE:
        try:
            assert advance(before, step, AT).state is TABLE[state, type(step)]
        except ClockRefused:
            assert isinstance(step, Resume)
    else:
        with pytest.raises(ImpossibleStep):
            advance(before, step, AT)
    assert before == a_request(state)


def test_fulfilling_before_verification_says_why_not() -> None:
    with pytest.raises(ImpossibleStep) as refused:
        advance(a_request(), Fulfil(), AT)
    assert refused.value.slug == "not-verified"


def test_an_extension_is_announced_before_the_first_deadline() -> None:
    with pytest.raises(ClockRefused) as refused:
        advance(a_request(), Extend("2027-03-01", "2026-12-29"), AT)
    assert refused.value.slug == "deadline-passed"
    extended = advance(a_request(), Extend("2027-03-01", "2026-12-28"), AT)
    assert (extended.deadline, extended.due_on) == ("2027-03-01", "2026-12-28")


def test_the_wire_shows_the_protocols_status_with_its_reason_apart() -> None:
    assert advance(a_request(), Challenge(), AT).state.status == "in_progress"
    assert {state.status for state in State} == {"open", "in_progress", "fulfilled", "denied", "revoked", "expired"}


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid) as refused:
        kind_named("erase")
    assert refused.value.facts["nearest"] == "erasure"
    for wrong in (law_named, refusal_named):
        with pytest.raises(Invalid):
            wrong("nonesuch")
    assert refusal_named(REFUSALS[0]) == REFUSALS[0]


def test_what_is_ours_is_done_once_and_then_only_the_systems_end_the_request() -> None:
    verified = advance(a_request(), Verify("officer"), AT)
    served = advance(verified, Serve(), Instant(AT + 1))
    assert (served.state, served.served_at) == (State.IN_PROGRESS, AT + 1)
    for step in (Serve(), Refuse("other"), Revoke()):
        with pytest.raises(SystemsPending):
            advance(served, step, AT)
    assert advance(served, Fulfil(), Instant(AT + 2)).state is State.FULFILLED
