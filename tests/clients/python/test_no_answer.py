"""No answer is a no: whatever a server does instead of answering, a question about it is denied and never permitted."""

import itertools
import re

import httpx
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sayso_client import Decision, Invalid, Notify, SaysoError, Unauthenticated, UnhandledObligation, Unreachable
from sayso_client.calls import Session, audience, evaluate, evaluations, plan, reveal, withdraw, withdrawal
from sayso_client.structs import AudienceQuestion
from sayso_client.talk import Call, Do, Patience, Pause, Reply, Send, converse

from tests.clients.python.asking import answered, question

PERMIT = answered(True)


USUAL = Patience()


def carry_out(call: Call, *replies: Reply | None, patience: Patience = USUAL) -> tuple:
    """Drive a call with these replies, the last one again and again; its answer and all that was asked for."""
    talk, steps, left = converse(call, patience, lambda _: None), [], list(replies)
    try:
        step = next(talk)
        while True:
            steps.append(step)
            reply = None
            if isinstance(step, Send):
                reply = left.pop(0) if len(left) > 1 else left[0]
            elif isinstance(step, Do):
                step.act()
            step = talk.send(reply)
    except StopIteration as stop:
        return stop.value, steps


def decide(*replies: Reply | None, session: Session | None = None) -> Decision:
    decision, _ = carry_out(evaluate(session or Session("mailer"), question()), *replies)
    return decision


NO_ANSWERS = {
    "nothing": None,
    "not now": Reply(503, {}, b'{"type": "/docs/problems#overloaded", "status": 503, "detail": "Come back."}'),
    "too often": Reply(429, {}, b"{}"),
    "a fault": Reply(500, {}, b'"Something went wrong."'),
    "a gateway": Reply(502, {}, b"<html>Bad gateway</html>"),
    "a redirect": Reply(302, {"location": "https://elsewhere.example"}, b""),
    "a page": Reply(200, {}, b"<html>Welcome</html>"),
    "emptiness": Reply(200, {}, b""),
    "another word for yes": Reply(200, {}, PERMIT.body.replace(b"true", b'"true"')),
    "a number for yes": Reply(200, {}, PERMIT.body.replace(b"true", b"1")),
    "a bare yes": Reply(200, {}, b'{"decision": true}'),
    "a yes that keeps its obligations to itself": Reply(200, {}, b'{"decision": true, "context": {}}'),
    "half an answer": Reply(200, {}, PERMIT.body[:-1]),
    "bottomless nesting": Reply(200, {}, b'{"decision": true, "context": {"x":' + b"[" * 100_000 + b"]" * 100_000),
    "no text": Reply(200, {}, b'{"decision": true, "context": {"reason": "\xff\xfe", "obligations": []}}'),
}


@pytest.mark.parametrize("reply", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_denies(reply: Reply | None) -> None:
    session = Session("mailer")
    decision = decide(reply, session=session)
    assert (decision.allowed, bool(decision), decision.reason) == (False, False, "unreachable")
    several, _ = carry_out(evaluations(session, [question(), question()], "execute_all"), reply)
    assert [each.reason for each in several] == ["unreachable"] * 2
    people = AudienceQuestion(purpose="p", action="use", category="c", subjects=("sub_1", "sub_2", "sub_1"))
    found, _ = carry_out(audience(session, people), reply)
    assert (found.permitted, found.counts) == ((), {"unreachable": 2})
    planned, _ = carry_out(plan(session, "use", "c", "p", None, None), reply)
    assert planned.denied
    with pytest.raises(SaysoError):
        carry_out(reveal(session, ["tok_1"], "p", "r", None, None), reply)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(msgspec.json.encode))
@example(b"true")
@example(b'{"decision":true,"context":null}')
def test_bytes_that_are_no_permit_permit_nothing(body: bytes) -> None:
    assert not decide(Reply(200, {}, body))


@given(cut=st.integers(0, len(PERMIT.body) - 1), noise=st.binary(min_size=1, max_size=4))
def test_a_damaged_permit_is_none_or_says_the_same(cut: int, noise: bytes) -> None:
    damaged = PERMIT.body[:cut] + noise + PERMIT.body[cut + len(noise) :]
    try:
        decision = decide(Reply(200, {}, damaged))
    except UnhandledObligation:
        return
    if decision:
        assert msgspec.json.decode(damaged)["decision"] is True


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("..")
@example("../../keys")
@example("sub_1?x=#")
def test_no_name_leads_to_another_address(name: str) -> None:
    try:
        path = withdraw(name, withdrawal("all", "api", "session", None), None).path
    except ValueError:
        assert name in (".", "..")
        return
    assert httpx.URL("https://say.example").join(path).raw_path.decode() == path
    assert re.fullmatch(r"/v1/subjects/[^/?#]+/withdrawals", path)


@pytest.mark.parametrize("answers", [0, 1, 3])
def test_as_many_answers_as_questions_or_none_counts(answers: int) -> None:
    one = msgspec.json.decode(PERMIT.body)
    reply = Reply(200, {}, msgspec.json.encode({"evaluations": [one] * answers}))
    for semantic in ("execute_all", "deny_on_first_deny"):
        decisions, _ = carry_out(evaluations(Session("mailer"), [question(), question()], semantic), reply)
        assert not any(decisions)


def test_a_list_may_end_behind_the_answer_that_ends_it() -> None:
    one = msgspec.json.decode(PERMIT.body)
    reply = Reply(200, {}, msgspec.json.encode({"evaluations": [one]}))
    decisions, _ = carry_out(evaluations(Session("mailer"), [question(), question()], "permit_on_first_permit"), reply)
    assert [bool(each) for each in decisions] == [True]


def test_an_audience_with_somebody_nobody_asked_about_is_no_answer() -> None:
    told = {"audience": "aud_1", "permitted": ["sub_3"], "counts": {}, "registry_seq": "1", "entry": "ent_1"}
    reply = Reply(200, {}, msgspec.json.encode(told | {"valid_until": "2027-01-01T00:00:00Z"}))
    people = AudienceQuestion(purpose="p", action="use", category="c", subjects=("sub_1",))
    found, _ = carry_out(audience(Session("mailer"), people), reply)
    assert found.permitted == ()


def test_a_wrong_question_or_key_is_a_mistake_to_be_seen() -> None:
    for status, kind in ((400, Invalid), (401, Unauthenticated)):
        with pytest.raises(kind) as seen:
            decide(Reply(status, {}, b'"None of it."'))
        assert (seen.value.status, seen.value.message) == (status, "None of it.")


def test_tries_carry_one_idempotency_key_and_wait_as_they_are_told() -> None:
    busy = Reply(503, {"retry-after": "2"}, b"{}")
    decision, steps = carry_out(
        evaluate(Session("mailer"), question()), None, busy, PERMIT, patience=Patience(decide_within=20)
    )
    sent = [step for step in steps if isinstance(step, Send)]
    pauses = [step.seconds for step in steps if isinstance(step, Pause)]
    assert decision
    assert len(sent) == 3
    assert len({step.headers["idempotency-key"] for step in sent}) == 1
    assert 0 < pauses[0] < 1
    assert pauses[1] == 2
    assert all(earlier.within >= later.within for earlier, later in itertools.pairwise(sent))
    _, others = carry_out(evaluate(Session("mailer"), question()), PERMIT)
    assert others[0].headers["idempotency-key"] != sent[0].headers["idempotency-key"]


def test_nobody_waits_beyond_the_deadline_only_to_be_told_no() -> None:
    for said in ("30", "Fri, 01 Jan 2100 00:00:00 GMT"):
        _, steps = carry_out(evaluate(Session("mailer"), question()), Reply(503, {"retry-after": said}, b"{}"))
        assert [type(step) for step in steps] == [Send]


def test_tries_end_and_what_a_repetition_cannot_mend_is_not_repeated() -> None:
    _, steps = carry_out(evaluate(Session("mailer"), question()), None, patience=Patience(decide_within=60, retries=3))
    assert sum(isinstance(step, Send) for step in steps) == 4
    for reply in (Reply(500, {}, b"{}"), Reply(200, {}, b"?")):
        _, steps = carry_out(evaluate(Session("mailer"), question()), reply, patience=Patience(decide_within=60))
        assert len(steps) == 1


@pytest.mark.parametrize(
    "results",
    [[], [{"entry": "e"}], [{"entry": "e", "value": "v", "code": "unresolvable"}], [{"entry": "e", "value": "v"}] * 2],
)
def test_a_reveal_that_does_not_answer_each_item_raises(results: list) -> None:
    reply = Reply(200, {}, msgspec.json.encode({"results": results}))
    with pytest.raises(Unreachable):
        carry_out(reveal(Session("till"), ["tok_1"], "p", "r", None, None), reply)


def test_what_was_seen_is_asked_for_from_then_on() -> None:
    session = Session("mailer")
    decide(answered(True, registry_seq="00000000000000ff"), session=session)
    decide(answered(True, registry_seq="000000000000000a"), session=session)
    _, steps = carry_out(evaluate(session, question()), PERMIT)
    assert msgspec.json.decode(steps[0].body)["context"]["at_least_seq"] == "00000000000000ff"


def test_a_handler_that_raises_lets_no_permit_out() -> None:
    def tell(_obligation: object, _question: object) -> None:
        raise ConnectionError("nobody was told")

    session = Session("mailer", {Notify: tell})
    with pytest.raises(ConnectionError):
        decide(answered(True, {"id": "R1", "type": "notify", "properties": {}}), session=session)


def test_the_position_in_the_head_of_an_answer_is_told_and_none_of_a_refusal() -> None:
    seen: list[str] = []
    for status, head in ((201, {"sayso-registry-seq": "07"}), (200, {}), (404, {"sayso-registry-seq": "09"})):
        talk = converse(Call("POST", "/v1/consents", lambda body: body, b"{}"), USUAL, seen.append)
        next(talk)
        with pytest.raises((StopIteration, SaysoError)):
            talk.send(Reply(status, head, b"{}"))
    assert seen == ["07", ""]
