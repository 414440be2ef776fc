"""What is told of a recorded answer under other rules is what these rules say; the rest is undetermined."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import PersonState
from policies import Policy, Question
from policies.comparing.replaying import Answered, Judged, replayed
from policies.decide import Inquiry
from policies.questions import Decision
from policies.ruleset.rules import Rule
from sayso.kernel import Obligation
from tests.policies.test_properties import a_policy, people, policies_of, questions
from tests.policies.worlds import AT, SMALLEST, a_choice, a_person, a_question, granted
from tests.policies.worlds import a_policy as declared


def recorded(question: Question, decision: Decision, *, known: bool = True) -> Answered:
    return Answered(
        question.roles,
        question.action,
        question.category,
        question.purpose or "-",
        decision.allowed,
        decision.reason,
        decision.rule or "-",
        known,
    )


near = st.builds(
    Rule,
    id=st.just(""),
    action=st.sampled_from(["use", "any"]),
    role=st.sampled_from(["agent", "any"]),
    category=st.sampled_from(["any", "contact", "contact.email"]),
    purpose=st.sampled_from(["any", "marketing", "marketing.similar"]),
    jurisdiction=st.sampled_from(["any", "any", "eea", "de", "us", "cn"]),
    effect=st.just("allow"),
    basis=st.sampled_from(["consent", "consent", "legitimate_interest", "notice"]),
    need=st.sampled_from(["-", "-", "-", "explicit"]),
    obligations=st.sampled_from([(), (), (Obligation("o.notify", "notify", {}),), (Obligation("o.log", "log", {}),)]),
)
"""Rules that mostly match the one question of `asked`."""

far = st.builds(lambda rule: replace(rule, effect="deny", basis="-", need="-", obligations=()), near)
asked = st.builds(
    Question,
    roles=st.just(frozenset({"agent"})),
    action=st.just("use"),
    category=st.just("contact.email"),
    purpose=st.just("marketing.similar"),
    jurisdiction=st.sampled_from([None, None, "us", "de"]),
    supported=st.sampled_from([frozenset[str](), frozenset({"notify"})]),
)
somebody = st.builds(
    lambda person, since: replace(
        person,
        choices={"marketing.similar": replace(a_choice("granted", since=since), record=bytes(16))},
        restricted_at=0,
        suppressed_until=0,
    ),
    people,
    st.integers(1, 50).map(lambda ago: AT - ago),
)


@st.composite
def two_policies(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """Rules, and the same with a few changes."""
    old: list[Rule] = draw(st.lists(near, min_size=1, max_size=4))
    new = list(old)
    for _ in range(draw(st.integers(1, 3))):
        if len(new) > 1 and draw(st.booleans()):
            new.pop(draw(st.integers(0, len(new) - 1)))
        else:
            new.insert(draw(st.integers(0, len(new))), draw(st.one_of(near, near, far)))
    return a_policy(old), a_policy(new)


@settings(max_examples=200, deadline=None)
@given(two_policies(), st.one_of(somebody, somebody, people, st.none()), asked)
def test_a_verdict_is_what_the_new_rules_decide(
    two: tuple[Policy, Policy], person: PersonState | None, question: Question
):
    old, new = two
    before, after = (Inquiry(each.snapshot, each.catalogue, question).decide(person, AT) for each in (old, new))
    answer = recorded(question, before, known=person is not None)
    verdict = replayed(answer, old.snapshot, new.snapshot).verdict
    if verdict != "undetermined":
        changed = {(False, True): "permitted", (True, False): "denied"}.get((before.allowed, after.allowed), "same")
        assert verdict == changed


@settings(max_examples=30, deadline=None)
@given(policies_of, people, questions.filter(lambda question: question.roles))
def test_the_same_rules_say_the_same(written: list[Rule], person: PersonState, question: Question):
    policy = a_policy(written)
    decision = Inquiry(policy.snapshot, policy.catalogue, question).decide(person, AT)
    assert replayed(recorded(question, decision), policy.snapshot, policy.snapshot).verdict == "same"


def judged(change: tuple[str, str], person: PersonState | None, **asked: object) -> Judged:
    """What a change of the documentation's rules makes of one decision."""
    old, new = declared(), declared(SMALLEST.replace(*change))
    question = a_question(**asked)
    decision = old.inquiry(question).decide(person, AT)
    return replayed(recorded(question, decision), old.snapshot, new.snapshot)


FOR_ANOTHER = ("R010, role: marketing_sender", "R010, role: support_agent")


def test_a_rule_that_is_taken_away_surely_denies():
    assert judged(FOR_ANOTHER, a_person(granted("marketing.email"))) == Judged("denied")


def test_who_withdrew_is_denied_whatever_else_rests_on_consent():
    person = a_person({}, under=())
    assert judged(("action: use", "action: any"), person).verdict == "same"


def test_a_new_rule_turns_on_what_the_person_said():
    found = judged(FOR_ANOTHER, a_person(), roles=frozenset({"support_agent"}))
    assert found == Judged("undetermined", "consent")


def test_a_law_that_the_entry_does_not_tell_is_named():
    only_there = (
        "purpose: marketing.email, effect: allow, basis: consent}\n  - {id: R011",
        ("purpose: marketing.email, effect: allow, basis: consent, jurisdiction: cn}\n  - {id: R011"),
    )
    assert only_there[0].split("}")[0] in SMALLEST.replace("\n     ", " ")
    old = declared(SMALLEST.replace("\n     ", " "))
    new = declared(SMALLEST.replace("\n     ", " ").replace(*only_there))
    question = a_question()
    decision = old.inquiry(question).decide(a_person(granted("marketing.email"), under=["cn"]), AT)
    assert replayed(recorded(question, decision), old.snapshot, new.snapshot) == Judged("undetermined", "law")


@pytest.mark.parametrize("reason", ["channel", "later", "held", "actor_mismatch", "no_subject"])
def test_what_no_rule_lifts_stays(reason: str):
    snapshot = declared().snapshot
    answer = Answered(frozenset({"x"}), "use", "contact.email", "marketing.email", False, reason, "-")
    assert replayed(answer, None, snapshot) == Judged("same")


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (Answered(frozenset(), "use", "contact.email", "marketing.email", True, "permitted", "R010"), "caller"),
        (Answered(frozenset({"x"}), "use", "contact.email", "marketing.email", True, "permitted", "R010"), "rules"),
        (Answered(frozenset({"x"}), "-", "-", "-", False, "unlisted", "-"), "list"),
        (Answered(frozenset({"x"}), "-", "-", "-", False, "unknown_name", "-"), "names"),
    ],
)
def test_what_the_entry_does_not_hold_is_not_guessed(answer: Answered, missing: str):
    assert replayed(answer, None, declared().snapshot) == Judged("undetermined", missing)  # type: ignore[arg-type]


def test_a_purpose_that_is_no_more_is_denied():
    answer = Answered(frozenset({"x"}), "use", "contact.email", "news", True, "permitted", "R1")
    assert replayed(answer, None, declared().snapshot) == Judged("denied")


DUTY = SMALLEST.replace("legal_basis: contract", "legal_basis: legal_obligation").replace(
    "basis: contract, obligations: [mask_last4]", "basis: legal_obligation"
)


@pytest.mark.parametrize(
    ("known", "expected"), [(True, Judged("permitted")), (False, Judged("undetermined", "person"))]
)
def test_a_legal_duty_permits_whoever_exists(known: bool, expected: Judged):
    new = declared(DUTY).snapshot
    old = declared(DUTY.replace("action: reveal, category: contact.phone", "action: read, category: contact.phone"))
    answer = Answered(frozenset({"support_agent"}), "reveal", "contact.phone", "support", False, "no_rule", "-", known)
    assert replayed(answer, old.snapshot, new) == expected
