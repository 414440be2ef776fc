"""One question, decided: the order of the steps, and each legal basis over a person's state."""

import pytest

from consent import Choice, Relation
from policies import Decision, Question
from tests.policies.worlds import (
    AT,
    SMALLEST,
    a_choice,
    a_person,
    a_policy,
    a_question,
    a_rule,
    decided,
    granted,
    reason,
    with_rules,
)

CONTRACT = Relation("order-1", "contract", (), AT - 10, 0)
READER = granted("marketing.email")


def test_a_granted_purpose_permits_what_a_rule_allows():
    decision = decided(a_person(READER))
    assert decision == Decision(True, "permitted", rule="R010", basis="consent")


# names


@pytest.mark.parametrize(
    ("member", "wrong", "near"),
    [
        ("purpose", "marketing.emial", "marketing.email"),
        ("category", "contact.mail", "contact.email"),
        ("action", "revel", "reveal"),
        ("jurisdiction", "us-cal", "us-ca"),
        ("category", "x" * 9_000, None),
    ],
)
def test_an_undeclared_name_is_refused_with_the_nearest(member: str, wrong: str, near: str | None):
    decision = decided(a_person(READER), **{member: wrong})
    assert (decision.reason, decision.nearest) == ("unknown_name", near)


@pytest.mark.parametrize("member", ["category", "action", "jurisdiction"])
def test_an_empty_name_is_no_name(member: str):
    assert reason(a_person(READER), **{member: ""}) == "unknown_name"


@pytest.mark.parametrize("purpose", [None, ""])
def test_a_purpose_is_needed(purpose: str | None):
    assert reason(a_person(READER), purpose=purpose) == "purpose_missing"


@pytest.mark.parametrize("purpose", ["marketing", "any"])
def test_an_inner_purpose_is_no_purpose_to_act_for(purpose: str):
    assert reason(a_person(READER), purpose=purpose) == "purpose_not_leaf"


def test_unknown_names_do_not_pile_up():
    policy = a_policy()
    for place in range(3_000):
        policy.inquiry(a_question(category=f"category{place}")).decide(None, AT)
    assert len(policy.snapshot._guesses) <= 1_024
    assert policy.snapshot.remembered == 0
    assert not any(name.startswith("category") for name in policy.snapshot.reference.rm_map["g2"].all_roles)


def test_prepared_questions_do_not_pile_up():
    policy = a_policy()
    for place in range(5_000):
        policy.inquiry(a_question(relation=f"contract-{place}"))
    assert len(policy._inquiries) == 4_096


# rules before people


def test_who_has_no_rule_learns_nothing_about_people():
    answers = {
        reason(person, roles=frozenset({"support_agent"}))
        for person in (None, a_person(READER), a_person(erased_at=AT))
    }
    assert answers == {"no_rule"}


def test_a_deny_is_named():
    decision = decided(None, roles=frozenset({"marketing_sender"}), category="health", purpose="ads")
    assert (decision.reason, decision.rule) == ("rule_denied", "R030")


def test_a_deny_reaches_the_categories_above():
    assert reason(a_person(granted("ads")), category="any", purpose="ads") == "rule_denied"


@pytest.mark.parametrize("person", [None, a_person(READER, erased_at=AT)])
def test_nobody_and_the_erased_are_one(person):
    assert decided(person) == Decision(False, "no_subject")


def test_an_unknown_person_is_no_subject_though_every_rule_names_a_law():
    policy = a_policy(with_rules(a_rule(jurisdiction="eea")))
    assert reason(None, policy) == "no_subject"
    assert reason(None, policy, jurisdiction="cn") == "no_rule"


# consent


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (None, "no_consent"),
        (a_choice("unasked"), "no_consent"),
        (a_choice("pending"), "no_consent"),
        (a_choice("refused"), "refused"),
        (a_choice("withdrawn"), "withdrawn"),
        (a_choice("objected", objected_at=AT - 1000), "objected"),
        (a_choice("stale"), "stale_notice"),
        (a_choice("granted", version=0), "stale_notice"),
        (a_choice("granted", expires_at=AT), "expired"),
        (a_choice("granted", expires_at=AT + 1), "permitted"),
    ],
)
def test_consent_is_what_stands_now(choice: Choice | None, why: str):
    assert reason(a_person({"marketing.email": choice} if choice else {})) == why


@pytest.mark.parametrize("status", ["refused", "withdrawn", "objected"])
def test_a_no_above_blocks_what_is_below(status: str):
    person = a_person({**granted("marketing.email", since=AT - 2000), "marketing": a_choice(status, since=AT - 500)})
    assert reason(person) == status


@pytest.mark.parametrize(("restricted_at", "why"), [(AT - 500, "restricted"), (AT - 5000, "permitted")])
def test_restriction_yields_to_newer_consent_only(restricted_at: int, why: str):
    assert reason(a_person(READER, restricted_at=restricted_at)) == why


@pytest.mark.parametrize(("until", "why"), [(AT + 1, "suppressed"), (AT, "permitted")])
def test_suppression_blocks_until_its_term(until: int, why: str):
    assert reason(a_person(READER, suppressed_until=until)) == why


def test_explicit_consent_names_the_purpose_itself_and_is_known_well():
    policy = a_policy(with_rules(a_rule(need="explicit")))
    assert reason(a_person(granted("marketing.email", assurance=2)), policy) == "permitted"
    assert reason(a_person(granted("marketing.email", assurance=1)), policy) == "no_consent"


# legitimate interest and notice

OPT_OUT = SMALLEST[: SMALLEST.index("roles:")].replace(
    "zh-CN: 邮件资讯}\n    legal_basis: consent",
    "zh-CN: 邮件资讯}\n    legal_basis: {eea: legitimate_interest, us: notice}",
)
BY_INTEREST = a_policy(
    f"{OPT_OUT}\nroles: {{marketing_sender: []}}\nrules:\n"
    f"  - {a_rule(basis='legitimate_interest', jurisdiction='eea')}\n"
    f"  - {a_rule(id='R2', basis='notice', jurisdiction='us')}\n"
)


@pytest.mark.parametrize("law", ["de", "us-ca"])
@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (None, "permitted"),
        (a_choice("granted", expires_at=AT), "permitted"),
        (a_choice("granted", objected_at=AT - 5000), "objected"),
        (a_choice("refused"), "refused"),
        (a_choice("withdrawn"), "withdrawn"),
        (a_choice("objected", objected_at=AT - 1000), "objected"),
    ],
)
def test_interest_and_notice_hold_until_a_no(law: str, choice: Choice | None, why: str):
    person = a_person({"marketing.email": choice} if choice else {}, under=[law])
    assert reason(person, BY_INTEREST) == why


@pytest.mark.parametrize("law", ["de", "us-ca"])
def test_interest_and_notice_yield_to_restriction_and_suppression(law: str):
    assert reason(a_person(under=[law], restricted_at=1), BY_INTEREST) == "restricted"
    assert reason(a_person(under=[law], suppressed_until=AT + 1), BY_INTEREST) == "suppressed"


def test_a_notice_that_names_no_such_purpose_is_no_basis():
    text = with_rules(a_rule(basis="notice", jurisdiction="us", purpose="ads", category="behaviour")).replace(
        "zh-CN: 广告}\n    legal_basis: consent", "zh-CN: 广告}\n    legal_basis: {us: notice}"
    )
    assert reason(a_person(under=["us"]), a_policy(text), purpose="ads", category="behaviour") == "no_consent"


# jurisdictions


@pytest.mark.parametrize(
    ("known", "claimed", "why"),
    [
        (["de"], None, "permitted"),
        (["us-ca"], None, "permitted"),
        (["de", "us-ca"], None, "permitted"),
        ([], None, "no_rule"),
        ([], "de", "no_rule"),
        (["cn"], None, "no_rule"),
        (["de", "cn"], None, "no_rule"),
        (["de"], "cn", "no_rule"),
        (["cn"], "de", "no_rule"),
        (["atlantis"], None, "no_rule"),
    ],
)
def test_the_answer_holds_under_every_known_law_and_the_claimed_one(known: list[str], claimed: str | None, why: str):
    assert reason(a_person(under=known), BY_INTEREST, jurisdiction=claimed) == why


def test_under_two_laws_both_rules_are_named_and_their_obligations_merged():
    policy = a_policy(
        f"{OPT_OUT}\nroles: {{marketing_sender: []}}\nrules:\n"
        f"  - {a_rule(basis='legitimate_interest', jurisdiction='eea', obligations='[mask_last4, log]')}\n"
        f"  - {a_rule(id='R2', basis='notice', jurisdiction='us', obligations='[mask_hash, log_full]')}\n"
    )
    decision = decided(a_person(under=["de", "us"]), policy, supported=frozenset({"mask_last4", "mask_hash"}))
    assert (decision.rule, decision.basis) == ("R1+R2", "legitimate_interest+notice")
    assert [obligation.type for obligation in decision.obligations] == ["mask_hash", "log_full"]


def test_a_deny_of_a_known_law_counts_though_another_allows():
    policy = a_policy(with_rules(a_rule(), a_rule(id="R2", effect="deny", basis=None, jurisdiction="fr")))
    assert reason(a_person(READER, under=["de"]), policy) == "permitted"
    for known in (["fr"], ["de", "fr"], ["eea"], []):
        assert reason(a_person(READER, under=known), policy) == "rule_denied"
    assert reason(a_person(READER, under=["de"]), policy, jurisdiction="fr") == "rule_denied"


# requests of people themselves


def test_people_read_their_own_and_nobody_elses():
    asked = {"roles": frozenset({"self"}), "action": "read", "category": "any", "purpose": "dsar"}
    assert reason(a_person(), own=True, **asked) == "permitted"
    assert reason(a_person(), own=False, **asked) == "no_rule"
    assert reason(a_person(), own=True, **{**asked, "action": "erase"}) == "no_rule"


@pytest.mark.parametrize("role", ["officer", "admin"])
def test_officers_answer_requests_whatever_people_said(role: str):
    person = a_person({"marketing": a_choice("withdrawn")}, under=["cn", "de"], restricted_at=1)
    for action in ("read", "reveal", "export", "erase"):
        asked = {"roles": frozenset({role}), "action": action, "category": "any", "purpose": "dsar"}
        decision = decided(person, **asked)
        assert (decision.reason, decision.basis) == ("permitted", "legal_obligation")
        assert [obligation.type for obligation in decision.obligations] == ["log_full"]
        assert reason(None, **asked) == "no_subject"


def test_a_legal_hold_stops_an_erasure_and_nothing_else():
    asked = {"roles": frozenset({"officer"}), "category": "any", "purpose": "dsar"}
    assert reason(a_person(held=1), **asked, action="erase") == "held"
    assert reason(a_person(held=1), **asked, action="export") == "permitted"


# alternatives, obligations, freshness


def test_the_person_s_no_is_named_before_a_mere_absence():
    text = with_rules(
        a_rule(id="A", basis="contract", purpose="support", category="contact.phone"),
        a_rule(id="B", purpose="support", category="contact.phone"),
    )
    asked = {"purpose": "support", "category": "contact.phone"}
    decision = decided(a_person({"support": a_choice("withdrawn")}), a_policy(text), **asked)
    assert (decision.reason, decision.rule) == ("withdrawn", "B")


def test_the_first_alternative_that_holds_wins():
    text = with_rules(
        a_rule(id="A", basis="contract", purpose="support", category="contact.phone"),
        a_rule(id="B", purpose="support", category="contact.phone"),
    )
    asked = {"purpose": "support", "category": "contact.phone"}
    both = a_person(granted("support"), relations=[CONTRACT])
    assert decided(both, a_policy(text), **asked).rule == "A"
    assert decided(a_person(granted("support")), a_policy(text), **asked).rule == "B"


def test_an_obligation_that_the_caller_does_not_declare_denies():
    policy = a_policy(with_rules(a_rule(obligations="[notify, log]")))
    assert reason(a_person(READER), policy) == "unsupported_obligation"
    assert reason(a_person(READER), policy, supported=frozenset({"notify"})) == "permitted"


def test_another_alternative_without_that_obligation_serves():
    policy = a_policy(with_rules(a_rule(id="A", obligations="[notify]"), a_rule(id="B")))
    assert decided(a_person(READER), policy).rule == "B"


def test_what_was_read_too_early_is_stale_and_never_a_permit():
    assert reason(a_person(READER), behind=True) == "stale"
    assert reason(a_person(), behind=True) == "no_consent"


def test_a_channel_alone_decides_nothing():
    assert reason(a_person(READER), channel="email") == "permitted"


def test_a_refusal_found_before_stands_first():
    assert reason(a_person(READER), refused="actor_mismatch", category="nonsense") == "actor_mismatch"


def test_facts_name_what_was_read():
    person = a_person(granted("marketing.email", objected_at=5), under=["de"], relations=[CONTRACT], restricted_at=7)
    facts = a_policy().inquiry(a_question()).examine(person, AT)[1]
    assert facts == {
        "status": "granted",
        "since": AT - 1000,
        "record": "cns_" + "00" * 16,
        "objected": True,
        "jurisdictions": ["de"],
        "restricted_at": 7,
        "relations": ["order-1"],
    }
    assert a_policy().inquiry(a_question()).examine(None, AT)[1] == {}


def test_a_question_is_a_value():
    assert a_question() == a_question()
    assert isinstance(a_question(), Question)
