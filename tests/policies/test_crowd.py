"""One question about many people: the short way answers, byte for byte, and logs what the long way does."""

import base64
import json
import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import Choice, Cover, Packed, PersonState, pack, standing
from policies import (
    Access,
    Alike,
    Crowd,
    Question,
    Several,
    answered_alike,
    answered_several,
    asked_alike,
    asked_several,
    read_alike,
    read_evaluations,
    readable,
    rights_question,
)
from policies.lists import Decided, pack_group, pack_list
from policies.people import person, state_at
from policies.ruleset.rules import Rule
from policies.wire.authzen import people as people_named
from sayso.kernel import Actor, new_raw, text
from tests.policies.conftest import MAILER, Brand
from tests.policies.test_authzen import CLIENTS, GATE, a_body, encoded
from tests.policies.test_lists import decisions
from tests.policies.test_properties import (
    CATALOGUE,
    a_policy,
    choices,
    denies,
    people,
    policies_of,
    questions,
    thorough,
)
from tests.policies.worlds import AT, a_question

NODES = ("marketing", *sorted(CATALOGUE.purposes))
covers = st.dictionaries(
    st.sampled_from(NODES), st.builds(Cover, st.integers(1, 50).map(lambda ago: AT - ago), st.just(1)), max_size=2
)
anybody = st.builds(
    lambda known, more, denied, erased: replace(
        known, choices={**known.choices, **more}, denials=denied, erased_at=erased
    ),
    people,
    st.dictionaries(st.sampled_from(NODES), st.builds(lambda choice, c: replace(choice, covers=c), choices, covers)),
    st.dictionaries(st.sampled_from(NODES), choices.map(lambda choice: replace(choice, status="refused")), max_size=2),
    st.sampled_from([0, 0, 0, AT - 3]),
)


# the state, unpacked in part


def test_a_state_unpacked_in_part_has_every_field_of_a_state():
    assert Packed.__struct_fields__ == PersonState.__struct_fields__


@thorough
@given(policies_of, denies, anybody, questions, st.booleans())
def test_choices_elsewhere_change_no_decision(
    written: list[Rule], deny: Rule, state: PersonState, question: Question, denied: bool
):
    inquiry = a_policy([*written, deny] if denied else written).inquiry(question)
    row = (1, 7, AT, pack(state))
    whole = person(row)
    assert inquiry.examine(state_at(row, inquiry.above), AT) == inquiry.examine(whole.state if whole else None, AT)


@thorough
@given(anybody, st.sampled_from(NODES))
def test_the_short_way_to_a_standing_is_the_walk(state: PersonState, purpose: str):
    # A choice above that says nothing sends `standing` the long way, and changes nothing on it.
    above = CATALOGUE.ancestors(purpose)
    silent = {name: Choice("unasked") for name in above if name not in state.choices and name not in state.denials}
    longer = replace(state, choices={**state.choices, **silent})
    assert standing(longer, purpose, CATALOGUE, AT) == standing(state, purpose, CATALOGUE, AT)


# the wire

ids = st.one_of(
    st.binary(min_size=16, max_size=16).map(lambda each: text("sub", each)),
    st.binary(min_size=16, max_size=16).map(lambda each: text("sub", each).upper()),
    st.sampled_from(["", "sub_", "sub", "\n", "key_" + "1f" * 16, "1f" * 16, "sub_" + "1f" * 15 + "\n ", "ü"]),
    st.sampled_from(["sub_" + "1f" * 16 + "\n", "sub_sub_" + "1f" * 16, "1f" * 16 + "\nsub_" + "1f" * 16]),
    st.text(alphabet="sub_0f\n ", max_size=40),
)


@given(st.lists(ids, min_size=1, max_size=4))
def test_people_named_together_are_those_named_one_by_one(named: list[str]):
    assert people_named(named) == [each for name in named for each in people_named([name])]


items = st.one_of(
    ids.map(lambda subject: {"resource": {"type": "contact.email", "id": subject}}),
    ids.map(lambda subject: {"resource": {"type": "contact.email", "id": subject}}),
    st.sampled_from(
        [
            {"resource": {"type": "token", "id": "tok_1"}},
            {"resource": {"type": "contact.phone", "id": "sub_" + "1f" * 16}},
            {"resource": {"type": "contact.email", "id": "x", "properties": {"a": 1}}},
            {"resource": {"type": "contact.email", "id": "x", "properties": []}},
            {"context": {"purpose": "ads"}},
            {"resource": {"type": "contact.email", "id": "x"}, "note": 1},
            {"resource": 7},
            7,
            {},
        ]
    ),
)
bodies = st.builds(
    lambda listed, context, subject, options: a_body(
        evaluations=listed, context=context, subject={"type": "service", "id": subject}, options=options
    ),
    st.one_of(st.lists(ids.map(lambda s: {"resource": {"type": "contact.email", "id": s}})), st.lists(items)),
    st.sampled_from([None, {}, {"purpose": "ads", "at_least_seq": "5", "jurisdiction": "de", "channel": "push"}]),
    st.sampled_from(["mailer", "gate", "stranger"]),
    st.sampled_from(
        [None, {}, {"evaluations_semantic": "execute_all", "x": 1}, {"evaluations_semantic": "deny_on_first_deny"}]
    ),
)


@given(bodies, st.sampled_from([MAILER, GATE]))
def test_whatever_the_short_way_reads_the_long_way_reads_as_the_same(body: dict[str, Any], actor: Actor):
    alike = read_alike(encoded(body))
    if alike is None:
        return
    crowd = asked_alike(alike, actor, CLIENTS)
    found = read_evaluations(encoded(body))
    assert isinstance(found, Several)
    batch = asked_several(found, actor, CLIENTS)
    assert batch.until is None
    assert batch.accesses == [
        Access(crowd.question, subject, None, crowd.client, crowd.at_least_seq) for subject in crowd.subjects
    ]


def test_the_usual_shape_is_read_the_short_way_and_a_wrong_one_is_left_to_the_long():
    usual = {"resource": {"type": "contact.email", "id": "sub_" + "1f" * 16}}
    assert isinstance(read_alike(encoded(a_body(evaluations=[usual] * 3))), Alike)
    for body in (
        b"",
        b"\xff",
        b"[" * 9_000,
        encoded(a_body()),
        encoded(a_body(evaluations=[])),
        encoded(a_body(evaluations=[usual] * 1_001)),
        encoded(a_body(evaluations=[usual], subject=None)),
        encoded(a_body(evaluations=[usual], action=None)),
        encoded(a_body(evaluations=[usual], resource=7)),
        encoded(a_body(evaluations=[usual], options={"evaluations_semantic": "permit_on_first_permit"})),
    ):
        assert read_alike(body) is None


# the log


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), decisions), min_size=1), st.sampled_from(["", "mailer"]))
def test_one_group_is_packed_as_a_list_of_one_question(pairs: list[tuple[int, Any]], client: str):
    question = a_question(channel="push")
    packed = pack_group(client, question, [aid for aid, _ in pairs], [decision for _, decision in pairs])
    assert packed == pack_list([Decided(aid, client, question, decision) for aid, decision in pairs])


# both, on a database


async def test_the_short_way_answers_and_logs_what_the_long_way_does(brand: Brand):
    known = [await brand.person(f"c-{place}", *(["marketing.email"] if place % 3 else [])) for place in range(6)]
    await brand.hot(lambda tx: brand.registry.withdraw(tx, brand.catalogue, known[1], "all", method="api"))
    await brand.hot(lambda tx: brand.registry.restrict(tx, known[2], on=True))
    await brand.hot(lambda tx: brand.registry.place(tx, known[4], "de", "declared"))
    officer = Actor("key_" + "02" * 16, "compliance", "service", frozenset({"officer"}))
    permit = (await brand.evaluate(rights_question(officer, known[5], "erase"), officer)).demand()
    await brand.database.run_alone(
        brand.context(officer),
        lambda tx: brand.registry.forget(tx, known[5], permit, suppress_until=AT, proof_until=AT),
    )
    chance = random.Random(7)
    named = [*(text("sub", subject) for subject in (*known, new_raw())), "alice"]
    for _ in range(30):
        context = {
            "purpose": chance.choice(["marketing.email", "ads", "support", "nonsense"]),
            "jurisdiction": chance.choice([None, None, "de"]),
            "at_least_seq": chance.choice([None, None, "f" * 16]),
        }
        kind = chance.choice(["contact.email", "contact.email", "health", "nothing"])
        picked = [{"resource": {"type": kind, "id": name}} for name in chance.choices(named, k=chance.randint(1, 9))]
        body = encoded(a_body(evaluations=picked, context=context))
        assert await short(brand, body) == await long(brand, body)


async def short(brand: Brand, body: bytes) -> tuple[Any, Any, Any]:
    alike = read_alike(body)
    assert alike is not None
    crowd: Crowd = asked_alike(alike, MAILER, {"mailer": MAILER}.get)
    answer = await brand.hot(lambda tx: brand.engine.evaluate_crowd(tx, brand.policy, crowd))
    return await told(brand, answered_alike(answer), answer.entry)


async def long(brand: Brand, body: bytes) -> tuple[Any, Any, Any]:
    several = read_evaluations(body)
    assert isinstance(several, Several)
    batch = asked_several(several, MAILER, {"mailer": MAILER}.get)
    answers = await brand.hot(lambda tx: brand.engine.evaluate_many(tx, brand.policy, readable(batch)))
    return await told(brand, msgspec.json.encode(answered_several(batch, answers)), answers[0].entry)


async def told(brand: Brand, answer: bytes, entry: str) -> tuple[Any, Any, Any]:
    """The answer without the entry's id, and what the entry says."""
    leaf = json.loads(await brand.leaf(entry))
    opened = json.loads((await brand.openings(entry))["d"])
    said = [leaf[name] for name in ("type", "out", "res", "pol")]
    return answer.replace(entry.encode(), b"-"), said, base64.b64decode(opened["list"])


async def test_casbin_is_asked_again_about_a_crowd(brand: Brand):
    people_known = [await brand.person("c-1", "marketing.email"), await brand.person("c-2")]
    before = brand.engine.compared
    await brand.hot(lambda tx: brand.engine.evaluate_crowd(tx, brand.policy, Crowd(a_question(), people_known)))
    assert brand.engine.compared > before
    assert brand.engine.disagreements == 0
