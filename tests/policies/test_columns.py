"""The columns answer for everybody at once what is answered for each alone. Pure."""

from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consent import PersonState, pack
from policies import Question
from policies.audiences.columns import READ, Columns
from policies.ruleset.rules import Rule
from sayso.kernel import new_raw
from tests.policies.test_properties import LEAVES, a_policy, policies_of, thorough
from tests.policies.test_shapes import HOUR, everybody, reached
from tests.policies.worlds import AT

crowds = st.lists(everybody, min_size=1, max_size=12)


@thorough
@given(policies_of, crowds, st.lists(reached, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_everybody_is_decided_as_alone(written: list[Rule], states: list[PersonState], asked: list[Question], chance):  # type: ignore[no-untyped-def]
    policy = a_policy(written)
    columns = Columns(LEAVES, 1)
    people = [(new_raw(), chance.getrandbits(50) * 16 + place, state) for place, state in enumerate(states, 1)]
    columns.add([(subject, aid, pack(state)) for subject, aid, state in people], AT)
    people.sort(key=lambda each: each[1])
    places = columns.places(np.array([0, *(aid for _, aid, _ in people)], np.uint64))
    assert columns.subjects(places[1:]) == [subject for subject, _, _ in people]
    for question in asked:
        inquiry = policy.inquiry(question)
        found = columns.decide(question, places, partial(inquiry.decide, at=AT))
        told = [found.table[code] for code in found.codes.tolist()]
        assert told[0] == inquiry.decide(None, AT)
        for code, decision, (_, _, state) in zip(found.codes[1:].tolist(), told[1:], people, strict=True):
            mine = inquiry.decide(state, AT)
            assert code == READ or (decision.allowed, decision.reason, decision.rule) == (
                mine.allowed,
                mine.reason,
                mine.rule,
            )


@thorough
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["come", "go", "change"])), max_size=60))
def test_who_comes_and_goes_is_found_while_there(acts: list[tuple[int, str]]) -> None:
    columns = Columns(LEAVES, 1)
    # Ids that differ in the first half alone share the key by which they are sorted.
    people = [(bytes([n]) * 8 + bytes([n // 3]) * 8, n * 1_000 + 1) for n in range(10)]
    there: dict[int, int] = {}
    for position, (who, act) in enumerate(acts, 2):
        subject, aid = people[who]
        row = None if act == "go" else (subject, aid, pack(PersonState(held=position)))
        columns.replace([subject], [row], AT, position)
        if row is None:
            there.pop(who, None)
        else:
            there[who] = position
    assert len(columns) == len(there)
    assert columns.everybody().tolist() == sorted(people[who][1] for who in there)
    found = columns.places_of([subject for subject, _ in people])
    assert [place >= 0 for place in found.tolist()] == [who in there for who in range(10)]
    known = [who for who in range(10) if who in there]
    assert columns.subjects(found[found >= 0]) == [people[who][0] for who in known]
    assert columns.numbers_of([people[who][0] for who in known]).tolist() == [people[who][1] for who in known]
    for position in range(1, len(acts) + 2):
        changed = columns.changed_after(found, position, AT)
        assert changed.tolist() == [there.get(who, position + 1) > position for who in range(10)]


def test_a_shape_that_ended_is_named_until_it_is_looked_at_anew() -> None:
    columns, subject = Columns(LEAVES, 1), new_raw()
    row = (subject, 7, pack(PersonState(suppressed_until=AT + HOUR)))
    columns.add([row], AT)
    places = columns.places(np.array([7], np.uint64))
    assert columns.ended(places, AT + HOUR - 1) == []
    assert columns.ended(places, AT + HOUR) == [subject]
    assert not columns.changed_after(places, 1, AT).any()
    columns.replace([subject], [row], AT + HOUR, 0)
    assert columns.ended(places, AT + HOUR) == []
    assert columns.changed_after(places, 1, AT).all()


def test_more_shapes_than_can_be_told_apart_are_read_one_by_one() -> None:
    columns = Columns(LEAVES, 1)
    columns._frames.states.extend([PersonState()] * 65_535)
    columns.add([(new_raw(), 7, pack(PersonState(held=1)))], AT)
    question = Question(roles=frozenset({"agent"}), action="use", category="contact.email", purpose=LEAVES[0])
    inquiry = a_policy(
        [Rule(id="", role="agent", action="use", category="contact", purpose="any", effect="allow")]
    ).inquiry(question)
    places = columns.places(np.array([7], np.uint64))
    found = columns.decide(question, places, partial(inquiry.decide, at=AT))
    assert found.codes.tolist() == [READ]
