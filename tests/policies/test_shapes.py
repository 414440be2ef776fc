"""People of one shape get one answer: the one that each of them gets alone, until the shape ends."""

import random
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import (
    AgeBand,
    Cap,
    Choice,
    Contact,
    Cover,
    Directive,
    Jurisdiction,
    Minority,
    PersonState,
    Quiet,
    Relation,
    Waiting,
    path,
)
from policies import Question
from policies.audiences.shapes import FAR, framed, joined, shape, stood
from policies.audiences.turning import first_turn
from policies.ruleset.rules import Rule
from tests.policies.test_crowd import NODES, anybody
from tests.policies.test_properties import CATALOGUE, LEAVES, a_policy, denies, policies_of, questions, thorough
from tests.policies.worlds import AT

PATHS = tuple(path(purpose) for purpose in LEAVES)
HOUR = 3_600_000_000
soon = st.sampled_from([0, 0, AT - 5, AT, AT + 1, AT + HOUR])
quiets = st.builds(
    Quiet, st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Dublin"])
)
contacts = st.builds(
    Contact,
    off=st.dictionaries(
        st.sampled_from(["email", "sms"]), st.dictionaries(st.sampled_from(["any", *NODES]), st.just(1), max_size=1)
    ),
    caps=st.sampled_from([{}, {}, {"sms": Cap(1, "day")}]),
    quiet=st.lists(quiets, max_size=1).map(tuple),
    pause_until=soon,
)
requests = st.builds(
    Waiting,
    record=st.just(b""),
    since=st.integers(1, 50).map(lambda ago: AT - ago),
    claimed=st.just(0),
    notice=st.just("web"),
    notice_version=st.just(1),
    purpose_version=st.just(1),
    until=soon,
)
directives = st.builds(
    Directive,
    at=st.integers(1, 50).map(lambda ago: AT - ago),
    reach=st.sampled_from([("sale",), ("share", "targeted_ads")]),
    lifted=st.dictionaries(st.sampled_from(LEAVES), st.integers(1, 50).map(lambda ago: AT - ago), max_size=2),
)
relations = st.builds(
    Relation,
    ref=st.sampled_from(["a", "b"]),
    kind=st.sampled_from(["contract", "case"]),
    purposes=st.sampled_from([(), ("marketing",), ("support",)]),
    start=soon,
    until=soon,
)
minorities = st.builds(
    Minority,
    st.builds(AgeBand, st.sampled_from([10, 15, 18, 30]), st.just(0), st.just("declared"), st.just(AT - 9)),
    grown_at=st.sampled_from([0, 0, AT - 4]),
)
everybody = st.builds(
    lambda state, more, waiting, given, minority, contact, over, unsure: replace(
        state,
        relations=tuple(more),
        waiting=waiting,
        directives=given,
        minority=minority,
        contact=contact,
        erased_at=0,
        suppressed_until=over,
        unsure_at=unsure,
    ),
    anybody,
    st.lists(relations, max_size=3),
    st.dictionaries(st.sampled_from(LEAVES), requests, max_size=1),
    st.dictionaries(st.sampled_from(["gpc", "opt_out"]), directives, max_size=2),
    st.one_of(st.none(), st.none(), minorities),
    st.one_of(st.none(), contacts),
    soon,
    st.sampled_from([0, 0, AT - 25, AT - 4]),
)
reached = st.builds(
    lambda question, channel: replace(question, channel=channel),
    questions,
    st.sampled_from([None, "email", "sms"]),
)


def like(state: PersonState, purpose: str, at: int) -> tuple[PersonState, int] | None:
    """Somebody of the same shape, and until when that holds."""
    found = shape(state, PATHS, at)
    if found is None:
        return None
    place = LEAVES.index(purpose)
    return joined(framed(found.frame), stood(found.stands[place], PATHS[place])), found.until


@thorough
@given(policies_of, denies, everybody, reached, st.booleans(), st.integers(0, 2))
def test_a_shape_is_decided_as_the_person(
    written: list[Rule], deny: Rule, state: PersonState, question: Question, denied: bool, later: int
) -> None:
    other = like(state, question.purpose or "", AT)
    if other is None:
        assert state.minority is not None or state.directives
        return
    twin, until = other
    if twin.contact is not None and question.channel in twin.contact.caps:
        return
    inquiry = a_policy([*written, deny] if denied else written).inquiry(question)
    for at in {AT, min(until - 1, AT + later * HOUR)}:
        # Whoever waits for a moment waits for one of their own, which no list tells.
        mine, theirs = inquiry.decide(state, at), inquiry.decide(twin, at)
        assert replace(mine, until=0) == replace(theirs, until=0)


OF_EACH_BASIS = [
    a_policy(
        [Rule(id="", role="agent", action="use", category="any", purpose="any", effect="allow", basis=basis, need=need)]
    )
    for basis, need in (
        ("consent", "-"),
        ("consent", "explicit"),
        ("legitimate_interest", "-"),
        ("notice", "-"),
        ("contract", "-"),
    )
]
GROWN = Minority(AgeBand(30, 0, "declared", AT - 9))


def somebody(chance: random.Random) -> PersonState:
    """Somebody with few instants, so that they often tie or follow each other closely."""

    def since() -> int:
        return AT - chance.randrange(1, 7)

    def term() -> int:
        return chance.choice([0, 0, AT - 1, AT + 1])

    def choice(name: str, statuses: list[Any]) -> Choice:
        below = [leaf for leaf in LEAVES if leaf.startswith(f"{name}.") and chance.random() < 0.6]
        covers = {leaf: Cover(since(), chance.choice([0, 1]), term()) for leaf in below}
        return Choice(
            chance.choice(statuses),
            since(),
            purpose_version=chance.choice([0, 1, 1]),
            covers=covers,
            assurance=chance.randrange(4),
            expires_at=term(),
            objected_at=chance.choice([0, 0, 0, 1]),
        )

    said = ["granted", "granted", "granted", "refused", "withdrawn", "objected", "pending", "stale", "unasked"]
    codes = chance.choice([(), ("de",), ("us",), ("us", "de")])
    signal = Directive(since(), ("share", "targeted_ads", "sale"), lifted={chance.choice(LEAVES): since()})
    return PersonState(
        choices={name: choice(name, said) for name in NODES if chance.random() < 0.6},
        restricted_at=chance.choice([0, 0, 0, 0, since()]),
        suppressed_until=chance.choice([0, 0, 0, AT + 1]),
        jurisdictions=tuple(Jurisdiction(code, "site", AT) for code in codes),
        relations=(Relation("o", "contract", (), since(), term()),) if chance.random() < 0.3 else (),
        denials={name: choice(name, ["refused", "withdrawn"]) for name in NODES if chance.random() < 0.2},
        waiting={chance.choice(LEAVES): Waiting(b"", since(), 0, "web", 1, 1, until=term())}
        if chance.random() < 0.1
        else {},
        minority=chance.choice([None, None, GROWN, replace(GROWN, grown_at=since())]),
        directives={"gpc": signal} if chance.random() < 0.1 else {},
        unsure_at=chance.choice([0, 0, 0, since()]),
    )


def test_a_shape_stands_on_every_basis_as_the_person() -> None:
    chance, told = random.Random(7), Counter[str]()
    for _ in range(3_000):
        state = somebody(chance)
        for purpose in LEAVES:
            other = like(state, purpose, AT)
            for policy in OF_EACH_BASIS if other is not None else ():
                asked = Question(roles=frozenset({"agent"}), action="use", category="contact.email", purpose=purpose)
                decision = policy.inquiry(asked).decide(state, AT)
                assert other is not None
                assert decision == policy.inquiry(asked).decide(other[0], AT), state
                told[decision.reason] += 1
    assert {"permitted", "refused", "withdrawn", "objected", "expired", "stale_notice", "restricted"} <= told.keys()
    assert {"suppressed", "no_consent", "no_relation", "no_rule"} <= told.keys()


@thorough
@given(policies_of, everybody, reached)
def test_time_alone_changes_no_answer_before_the_first_turn(
    written: list[Rule], state: PersonState, question: Question
) -> None:
    inquiry = a_policy(written).inquiry(question)

    def allowed(person: PersonState, at: int) -> bool:
        return inquiry.decide(person, at).allowed

    last = AT + HOUR // 4
    turn = first_turn(allowed, state, question.channel, CATALOGUE, AT, last)
    step = (turn - AT) // 16
    assert {allowed(state, AT + step * part) for part in range(16)} == {allowed(state, AT)}
    assert allowed(state, turn - 1) == allowed(state, AT)
    assert turn == last or allowed(state, turn) != allowed(state, AT)


def test_a_shape_ends_with_the_first_term_that_lies_ahead() -> None:
    state = PersonState(suppressed_until=AT + 9, relations=(Relation("a", "contract", (), AT + 5),))
    found = shape(state, PATHS, AT)
    assert found is not None
    assert found.until == AT + 5
    free = shape(PersonState(), PATHS, AT)
    assert free is not None
    assert free.until == FAR
