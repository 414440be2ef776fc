"""AuthZEN 1.0 on the wire: what is read, what is refused with 400, what is answered."""

import json
from collections.abc import Callable

import msgspec
import pytest

from policies import (
    MOST_EVALUATIONS,
    Access,
    Answer,
    Decision,
    Evaluation,
    Malformed,
    Several,
    answered,
    answered_several,
    asked,
    asked_several,
    read_evaluation,
    read_evaluations,
    readable,
)
from policies.wire.authzen import Fault
from sayso.kernel import Actor, Obligation, TooLarge

SUBJECT = "sub_" + "1f" * 16
MAILER = Actor("key_1", "mailer", "service", frozenset({"marketing_sender"}), default_purpose="marketing.email")
GATE = Actor("key_2", "gate", "service", frozenset({"pep"}))
CLIENTS: Callable[[str], Actor | None] = {"mailer": MAILER, "gate": GATE}.get


def a_body(**changes: object) -> dict[str, object]:
    body = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": SUBJECT},
        "context": {"purpose": "marketing.email"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def encoded(body: object) -> bytes:
    return json.dumps(body).encode()


def access(actor: Actor = MAILER, **changes: object) -> Access:
    return asked(read_evaluation(encoded(a_body(**changes))), actor, CLIENTS)


# one evaluation


def test_an_evaluation_becomes_a_question_about_a_person():
    found = access(
        context={
            "purpose": "ads",
            "channel": "email",
            "jurisdiction": "de",
            "relation": "order-1",
            "case": "case-1",
            "supported_obligations": ["notify"],
            "at_least_seq": "00000000000000ff",
        }
    )
    question = found.question
    assert found.subject == bytes.fromhex("1f" * 16)
    assert (found.at_least_seq, found.client, found.token) == ("00000000000000ff", "", None)
    assert (question.roles, question.action, question.category, question.purpose) == (
        MAILER.roles,
        "use",
        "contact.email",
        "ads",
    )
    assert (question.channel, question.jurisdiction, question.relation, question.case) == (
        "email",
        "de",
        "order-1",
        "case-1",
    )
    assert question.supported == {"notify"}


@pytest.mark.parametrize("context", [None, {}, {"purpose": None}, {"purpose": ""}])
def test_without_a_purpose_the_client_s_own_is_meant(context: dict[str, object] | None):
    assert access(context=context).question.purpose == "marketing.email"


def test_a_client_without_default_names_no_purpose():
    assert access(GATE, subject={"type": "service", "id": "gate"}, context=None).question.purpose is None


def test_unknown_members_are_ignored_everywhere():
    found = access(
        extra=1,
        subject={"type": "service", "id": "mailer", "x": [], "properties": {"roles": ["admin"]}},
        action={"name": "use", "y": {}, "properties": {"deep": {"er": 1}}},
        context={"purpose": "marketing.email", "z": {"time": 1}},
    )
    assert found == access()


def test_roles_come_from_authentication_never_from_properties():
    assert (
        access(subject={"type": "service", "id": "mailer", "properties": {"role": "admin"}}).question.roles
        == MAILER.roles
    )


@pytest.mark.parametrize("subject", ["alice", "", "sub_12", "sub_" + "G" * 32, "key_" + "1f" * 16])
def test_an_id_that_names_nobody_is_nobody_and_no_fault(subject: str):
    assert access(resource={"type": "contact.email", "id": subject}).subject is None


def test_a_token_is_kept_for_the_vault():
    found = access(resource={"type": "token", "id": "tok_x"})
    assert (found.token, found.subject, found.question.category) == ("tok_x", None, "")


# who accesses


@pytest.mark.parametrize(
    ("actor", "subject", "roles", "client"),
    [
        (MAILER, {"type": "service", "id": "mailer"}, MAILER.roles, ""),
        (GATE, {"type": "service", "id": "gate"}, GATE.roles, ""),
        (GATE, {"type": "service", "id": "mailer"}, MAILER.roles, "mailer"),
    ],
)
def test_a_client_asks_for_itself_and_a_pep_for_another_client(actor, subject, roles, client: str):
    found = access(actor, subject=subject)
    assert (found.question.refused, found.question.roles, found.client) == (None, roles, client)


@pytest.mark.parametrize(
    ("actor", "subject"),
    [
        (MAILER, {"type": "service", "id": "gate"}),
        (MAILER, {"type": "service", "id": "stranger"}),
        (MAILER, {"type": "user", "id": "mailer"}),
        (MAILER, {"type": "user", "id": "alice@example.org"}),
        (GATE, {"type": "service", "id": "stranger"}),
        (GATE, {"type": "user", "id": "alice"}),
        (Actor("usr", "mailer", "user", frozenset({"officer"})), {"type": "service", "id": "mailer"}),
    ],
)
def test_anybody_else_is_a_mismatch(actor: Actor, subject: dict[str, str]):
    found = access(actor, subject=subject)
    assert found.question.refused == "actor_mismatch"
    assert not found.question.roles


def test_whom_a_pep_asks_for_brings_the_default_purpose():
    assert access(GATE, context=None).question.purpose == "marketing.email"


# 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"subject": ' * 2_000,
        encoded(a_body(subject=None)),
        encoded(a_body(action=None)),
        encoded(a_body(resource=None)),
        encoded(a_body(subject={"type": "service"})),
        encoded(a_body(subject={"id": "mailer"})),
        encoded(a_body(subject="mailer")),
        encoded(a_body(subject={"type": 1, "id": "mailer"})),
        encoded(a_body(action={})),
        encoded(a_body(action={"name": None})),
        encoded(a_body(action="use")),
        encoded(a_body(resource={"type": "contact.email", "id": 7})),
        encoded(a_body(resource={"type": "contact.email", "id": SUBJECT, "properties": []})),
        encoded(a_body(context=[])),
        encoded({**a_body(), "context": None}),
        encoded(a_body(context={"purpose": 1})),
        encoded(a_body(context={"supported_obligations": "notify"})),
        encoded(a_body(context={"supported_obligations": [1]})),
        encoded(a_body(subject={"type": "service", "id": "m" * 2_000})),
    ],
)
@pytest.mark.parametrize("read", [read_evaluation, read_evaluations])
def test_what_cannot_be_read_is_malformed(read: Callable[[bytes], object], body: bytes):
    with pytest.raises(Malformed) as caught:
        read(body)
    assert "mailer" not in str(caught.value)


def test_a_thousand_levels_of_nesting_are_no_crash():
    deep = b'{"subject":{"type":"service","id":"mailer","properties":{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}}}"
    with pytest.raises(Malformed):
        read_evaluation(deep)


@pytest.mark.parametrize(
    "changes",
    [
        {"options": []},
        {"options": {"evaluations_semantic": 1}},
        {"options": {"evaluations_semantic": "deny_all"}},
        {"evaluations": {}},
        {"evaluations": None, "options": None, "subject": 3},
    ],
)
def test_a_batch_of_the_wrong_shape_is_malformed(changes: dict[str, object]):
    with pytest.raises(Malformed):
        read_evaluations(encoded({**a_body(), "evaluations": [{}], **changes}))


def test_more_questions_than_an_entry_lists_are_too_large():
    with pytest.raises(TooLarge):
        read_evaluations(encoded({**a_body(), "evaluations": [{}] * (MOST_EVALUATIONS + 1)}))


# several


def several(*items: object, semantic: str | None = None, **defaults: object) -> Several:
    body = {**a_body(**defaults), "evaluations": list(items)}
    if semantic is not None:
        body["options"] = {"evaluations_semantic": semantic}
    found = read_evaluations(encoded(body))
    assert isinstance(found, Several)
    return found


@pytest.mark.parametrize("changes", [{}, {"evaluations": []}])
def test_without_questions_a_batch_is_one_evaluation(changes: dict[str, object]):
    found = read_evaluations(encoded({**a_body(), **changes}))
    assert isinstance(found, Evaluation)
    assert asked(found, MAILER, CLIENTS) == access()


def test_an_item_replaces_a_default_whole():
    other = "sub_" + "2e" * 16
    batch = asked_several(
        several(
            {},
            {"resource": {"type": "contact.phone", "id": other}},
            {"context": {"channel": "push"}},
            {"subject": {"type": "service", "id": "gate"}},
            context={"purpose": "ads", "jurisdiction": "de"},
        ),
        MAILER,
        CLIENTS,
    )
    first, second, third, fourth = batch.accesses
    assert isinstance(first, Access)
    assert isinstance(second, Access)
    assert isinstance(third, Access)
    assert isinstance(fourth, Access)
    assert (first.question.purpose, first.question.jurisdiction) == ("ads", "de")
    assert (second.subject, second.question.category) == (bytes.fromhex("2e" * 16), "contact.phone")
    assert second.question.purpose == "ads"
    assert (third.question.purpose, third.question.jurisdiction, third.question.channel) == (
        "marketing.email",
        None,
        "push",
    )
    assert fourth.question.refused == "actor_mismatch"


def test_equal_questions_are_one_value():
    batch = asked_several(
        several(*({"resource": {"type": "contact.email", "id": f"sub_{place:032x}"}} for place in range(9))),
        MAILER,
        CLIENTS,
    )
    questions = {id(one.question) for one in batch.accesses if isinstance(one, Access)}
    assert len(questions) == 1


@pytest.mark.parametrize(
    "item",
    [
        {"resource": "x"},
        {"action": {"name": 1}},
        7,
        None,
        [],
        {"context": {"purpose": []}},
        {"resource": {"type": "x"}},
    ],
)
def test_a_bad_item_is_a_denial_in_its_place(item: object):
    batch = asked_several(several({}, item, {}), MAILER, CLIENTS)
    assert [isinstance(one, Fault) for one in batch.accesses] == [False, True, False]
    assert len(readable(batch)) == 2
    answers = answered_several(batch, [an_answer(True), an_answer(True)]).evaluations
    assert [answer.decision for answer in answers] == [True, False, True]
    error = answers[1].context.error
    assert isinstance(error, Fault)
    assert error.status == 400


def test_an_item_without_a_default_to_lean_on_is_bad():
    body = encoded({"subject": {"type": "service", "id": "mailer"}, "evaluations": [{}, {"action": {"name": "use"}}]})
    found = read_evaluations(body)
    assert isinstance(found, Several)
    assert all(isinstance(one, Fault) for one in asked_several(found, MAILER, CLIENTS).accesses)


@pytest.mark.parametrize(
    ("semantic", "items", "answers", "shown"),
    [
        ("execute_all", "qfq", [False, True], [False, False, True]),
        ("deny_on_first_deny", "qqq", [True, False], [True, False]),
        ("deny_on_first_deny", "qfq", [True], [True, False]),
        ("deny_on_first_deny", "qqq", [True, True, True], [True, True, True]),
        ("permit_on_first_permit", "qqq", [False, True], [False, True]),
        ("permit_on_first_permit", "fqq", [True], [False, True]),
        ("permit_on_first_permit", "qf", [False], [False, False]),
    ],
)
def test_the_three_semantics(semantic: str, items: str, answers: list[bool], shown: list[bool]):
    batch = asked_several(several(*({} if item == "q" else 7 for item in items), semantic=semantic), MAILER, CLIENTS)
    found = answered_several(batch, [an_answer(allowed) for allowed in answers])
    assert [answer.decision for answer in found.evaluations] == shown


def test_what_stands_behind_a_fault_that_ends_the_list_is_not_asked():
    batch = asked_several(several({}, 7, {}, semantic="deny_on_first_deny"), MAILER, CLIENTS)
    assert len(readable(batch)) == 1


# answers


def an_answer(allowed: bool, **changes: object) -> Answer:
    decision = Decision(allowed, "permitted" if allowed else "refused", rule="R1", nearest=changes.pop("nearest", None))  # type: ignore[arg-type]
    return Answer(decision, None, "00000000000000ff", "ab" * 32, entry="ent_1", **changes)  # type: ignore[arg-type]


def test_an_answer_has_the_fixed_members():
    obligation = Obligation("R1.notify", "notify", {})
    decision = Decision(True, "permitted", rule="R1", basis="consent", obligations=(obligation,))
    answer = answered(Answer(decision, None, "00000000000000ff", "ab" * 32, entry="ent_1"))
    assert json.loads(msgspec.json.encode(answer)) == {
        "decision": True,
        "context": {
            "reason": "permitted",
            "policy_version": "ab" * 32,
            "registry_seq": "00000000000000ff",
            "obligations": [{"id": "R1.notify", "type": "notify", "properties": {}}],
            "entry": "ent_1",
        },
    }


def test_the_nearest_name_is_told():
    assert answered(an_answer(False, nearest="ads")).context.nearest == "ads"


def test_of_a_token_only_unresolvable_is_said():
    hidden = answered(an_answer(False, token=True, nearest="ads"))
    assert hidden.context.reason == "unresolvable"
    assert hidden == answered(an_answer(False, token=True))
    assert answered(an_answer(True, token=True)).context.reason == "permitted"
