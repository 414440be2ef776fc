"""Questions asked in units of work, on each database: every answer has its entry, and a denial has no permit."""

import base64
import json
from typing import Any

import pytest
from msgspec import Struct

from policies import Access, AccessDenied, Answer, Decision, PolicyEngine, mint, rights_question, unpack_list
from policies.ruleset.reference import MODEL_TEXT, Reference
from sayso.kernel import DAY, Actor, Reads, Tx, Work, new_raw, now, text
from tests.policies.conftest import MAILER, Brand
from tests.policies.worlds import AT, a_person, a_policy, a_question, granted

OFFICER = Actor("key_" + "02" * 16, "compliance", "service", frozenset({"officer"}))


async def leaf_of(brand: Brand, answer: Answer) -> dict[str, Any]:
    leaf: dict[str, Any] = json.loads(await brand.leaf(answer.entry))
    return leaf


async def test_a_permit_and_its_entry_come_together(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    answer = await brand.evaluate(Access(a_question(), subject))
    assert (answer.reason, answer.policy) == ("permitted", brand.policy.version)
    permit = answer.demand()
    assert (permit.tenant, permit.subject, permit.category, permit.action) == (
        "default",
        subject,
        "contact.email",
        "use",
    )
    assert (permit.purpose, permit.rule, permit.basis) == ("marketing.email", "R010", "consent")
    leaf = await leaf_of(brand, answer)
    assert (leaf["type"], leaf["out"], leaf["pol"]) == ("access.permitted", "permit", brand.policy.version)
    assert leaf["res"] == {
        "action": "use",
        "category": "contact.email",
        "purpose": "marketing.email",
        "reason": "permitted",
        "rule": "R010",
    }
    detail = json.loads((await brand.openings(answer.entry, subject))["d"])
    assert detail["basis"] == "consent"
    assert detail["facts"]["status"] == "granted"
    assert detail["facts"]["record"].startswith("cns_")


async def test_a_denial_is_written_though_nothing_is_handed_out(brand: Brand):
    subject = await brand.person("c-1")
    answer = await brand.evaluate(Access(a_question(), subject))
    assert (answer.reason, answer.permit) == ("no_consent", None)
    with pytest.raises(AccessDenied) as caught:
        answer.demand()
    assert caught.value.facts == {"reason": "no_consent"}
    leaf = await leaf_of(brand, answer)
    assert (leaf["type"], leaf["out"], leaf["res"]["reason"]) == ("access.denied", "deny", "no_consent")


async def test_after_a_withdrawal_the_next_question_is_denied(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    await brand.hot(lambda tx: brand.registry.withdraw(tx, brand.catalogue, subject, "all", method="api"))
    assert (await brand.evaluate(Access(a_question(), subject))).reason == "withdrawn"


@pytest.mark.parametrize("subject", [None, bytes(range(16))])
async def test_nobody_gets_an_entry_too(brand: Brand, subject: bytes | None):
    answer = await brand.evaluate(Access(a_question(), subject))
    assert answer.reason == "no_subject"
    assert (await leaf_of(brand, answer))["res"]["reason"] == "no_subject"


async def test_the_entry_of_somebody_unknown_looks_like_any_other(brand: Brand):
    known = await leaf_of(brand, await brand.evaluate(Access(a_question(), await brand.person("c-1"))))
    unknown = await leaf_of(brand, await brand.evaluate(Access(a_question(), new_raw())))
    assert known["t"].keys() == unknown["t"].keys()
    assert known["c"].keys() - {"d"} == unknown["c"].keys() - {"d"}


async def test_text_in_place_of_a_name_never_stands_in_the_leaf(brand: Brand):
    subject = await brand.person("c-1")
    question = a_question(category="jane@example.org", purpose="sub_" + "1f" * 16, action="ü")
    answer = await brand.evaluate(Access(question, subject, client="ann@example.org"))
    assert answer.reason == "unknown_name"
    leaf = await leaf_of(brand, answer)
    assert (leaf["res"]["category"], leaf["res"]["purpose"], leaf["res"]["action"]) == ("-", "-", "-")
    assert b"jane" not in await brand.leaf(answer.entry)
    detail = json.loads((await brand.openings(answer.entry, subject))["d"])
    assert detail["claims"]["category"] == "jane@example.org"
    assert detail["client"] == "ann@example.org"


async def test_the_human_behind_a_request_reads_their_own(brand: Brand):
    subject = await brand.person("c-1")
    person = Actor(text("sub", subject), "", "person", frozenset({"self"}))
    assert (await brand.evaluate(rights_question(person, subject, "read"), person)).demand().category == "any"
    other = await brand.person("c-2")
    assert (await brand.evaluate(rights_question(person, other, "read"), person)).reason == "no_rule"


async def test_an_officer_may_erase_until_a_hold_stops_it(brand: Brand):
    subject = await brand.person("c-1")
    permit = (await brand.evaluate(rights_question(OFFICER, subject, "erase"), OFFICER)).demand()
    permit.demand(tenant="default", subject=subject, action="erase")
    await brand.hot(lambda tx: brand.registry.hold(tx, subject, on=True), OFFICER)
    assert (await brand.evaluate(rights_question(OFFICER, subject, "erase"), OFFICER)).reason == "held"
    assert (await brand.evaluate(rights_question(MAILER, subject, "erase"))).reason == "no_rule"


async def test_what_a_caller_has_seen_must_have_been_read(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    seen = (await brand.evaluate(Access(a_question(), subject))).seq
    assert (await brand.evaluate(Access(a_question(), subject, at_least_seq=seen))).reason == "permitted"
    for ahead in (f"{int(seen, 16) + 1:016x}", "f" * 16, "zzz", "9"):
        assert (await brand.evaluate(Access(a_question(), subject, at_least_seq=ahead))).reason == "stale"


# lists


async def test_a_list_is_one_entry_that_an_officer_can_read(brand: Brand):
    yes, no = await brand.person("c-1", "marketing.email"), await brand.person("c-2")
    asked = [
        Access(a_question(), yes),
        Access(a_question(), no),
        Access(a_question(), new_raw()),
        Access(a_question(purpose="ads"), yes),
    ]
    answers = await brand.hot(lambda tx: brand.engine.evaluate_many(tx, brand.policy, asked))
    assert [answer.reason for answer in answers] == ["permitted", "no_consent", "no_subject", "no_rule"]
    assert len({answer.entry for answer in answers}) == 1
    assert not any(answer.permit for answer in answers)
    leaf = await leaf_of(brand, answers[0])
    assert (leaf["type"], leaf["out"], leaf["res"]) == (
        "access.list.decided",
        "permit",
        {"count": "4", "permitted": "1"},
    )
    assert "s" not in leaf["c"]
    opened = json.loads((await brand.openings(answers[0].entry))["d"])
    first, second = unpack_list(base64.b64decode(opened["list"]))
    aids = [await brand.aid("c-1"), await brand.aid("c-2")]
    assert dict(first.rows()) == {
        0: ("no_subject", "", ""),
        aids[0]: ("permitted", "R010", "consent"),
        aids[1]: ("no_consent", "R010", ""),
    }
    assert dict(second.rows()) == {aids[0]: ("no_rule", "", "")}


async def test_a_list_ends_where_the_semantic_says(brand: Brand):
    yes, no = await brand.person("c-1", "marketing.email"), await brand.person("c-2")
    asked = [Access(a_question(), subject) for subject in (no, yes, no)]
    for until, wanted in ((None, [False, True, False]), (True, [False, True]), (False, [False])):
        answers = await brand.hot(
            lambda tx, until=until: brand.engine.evaluate_many(tx, brand.policy, asked, until=until)
        )
        assert [answer.decision.allowed for answer in answers] == wanted


async def test_an_empty_list_is_no_entry(brand: Brand):
    assert await brand.hot(lambda tx: brand.engine.evaluate_many(tx, brand.policy, [])) == []


async def test_alone_and_in_a_list_the_answer_is_one(brand: Brand):
    people = [await brand.person("c-1", "marketing.email"), await brand.person("c-2"), new_raw()]
    asked = [
        Access(a_question(**more), subject)
        for subject in people
        for more in ({}, {"purpose": "ads"}, {"category": "health", "purpose": "ads"})
    ]
    alone = [await brand.evaluate(access) for access in asked]
    listed = await brand.hot(lambda tx: brand.engine.evaluate_many(tx, brand.policy, asked))
    assert [answer.decision for answer in alone] == [answer.decision for answer in listed]


# tokens


class Spot(Struct, frozen=True):
    subject: bytes
    category: str
    found: bool


def locating(spots: dict[str, Spot]):
    def locate(tx: Tx, token: str) -> Work[Spot]:
        found: Reads = ()
        yield found
        return spots.get(token, Spot(new_raw(), "contact.email", False))

    return locate


async def test_a_token_leads_to_its_person_and_category(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    locate = locating({"tok_1": Spot(subject, "contact.email", True), "tok_2": Spot(subject, "contact.phone", True)})
    question = a_question(category="")
    permitted = await brand.evaluate(Access(question, token="tok_1"), locate=locate)
    assert permitted.demand().subject == subject
    assert permitted.demand().category == "contact.email"
    reasons = []
    for token in ("tok_2", "tok_3"):
        answer = await brand.evaluate(Access(question, token=token), locate=locate)
        with pytest.raises(AccessDenied, match="permit"):
            answer.demand()
        reasons.append((answer.reason, (await leaf_of(brand, answer))["res"]["reason"]))
    assert reasons == [("unresolvable", "no_rule"), ("unresolvable", "no_subject")]
    asked = [Access(question, token=token) for token in ("tok_1", "tok_2", "tok_3")]
    answers = await brand.hot(lambda tx: brand.engine.evaluate_many(tx, brand.policy, asked, locate))
    assert [answer.reason for answer in answers] == ["permitted", "unresolvable", "unresolvable"]


async def test_a_judgement_has_no_entry_of_its_own(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    answer = await brand.hot(lambda tx: brand.engine.judge(tx, brand.policy, Access(a_question(), subject)))
    assert answer.entry == ""
    assert answer.demand().rule == "R010"


# the second opinion


async def test_casbin_is_asked_again_and_agrees(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    await brand.evaluate(Access(a_question(), subject))
    assert brand.engine.compared > 0
    assert brand.engine.disagreements == 0


async def test_where_casbin_disagrees_the_answer_is_no(brand: Brand, caplog: pytest.LogCaptureFixture):
    subject = await brand.person("c-1", "marketing.email")
    snapshot = brand.policy.snapshot
    other = MODEL_TEXT.replace("g5(r.act, p.act)", "g5(r.act, p.rol)")
    snapshot.reference = Reference(snapshot.rules, snapshot.trees, other)
    answer = await brand.evaluate(Access(a_question(), subject))
    assert (answer.reason, answer.permit) == ("no_rule", None)
    assert brand.engine.disagreements == 1
    assert "disagree" in caplog.text


def test_the_second_opinion_takes_little_of_the_time():
    engine = PolicyEngine(None, None, shadow=1.0)  # type: ignore[arg-type]
    policy, person = a_policy(), a_person(granted("marketing.email"))
    for _ in range(200):
        engine.decide(policy, person, a_question(), AT)
    assert 1 <= engine.compared < 200


def test_no_permit_is_minted_for_a_denial():
    with pytest.raises(AccessDenied):
        mint("default", bytes(16), a_question(), Decision(False, "no_rule"))


async def test_the_erased_are_nobody_in_a_list(brand: Brand):
    subject = await brand.person("c-1", "marketing.email")
    permit = (await brand.evaluate(rights_question(OFFICER, subject, "erase"), OFFICER)).demand()
    later = now() + DAY
    await brand.database.run_alone(
        brand.context(OFFICER),
        lambda tx: brand.registry.forget(tx, subject, permit, suppress_until=later, proof_until=later),
    )
    asked = [Access(a_question(), subject)]
    (answer,) = await brand.hot(lambda tx: brand.engine.evaluate_many(tx, brand.policy, asked))
    assert answer.reason == "no_subject"
    opened = json.loads((await brand.openings(answer.entry))["d"])
    (group,) = unpack_list(base64.b64decode(opened["list"]))
    assert list(group.rows()) == [(0, ("no_subject", "", ""))]
    assert (await brand.evaluate(Access(a_question(), subject))).reason == "no_subject"
