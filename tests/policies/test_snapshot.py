"""The snapshot says what Casbin says and what sets say, for every question; and it stays small."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.ruleset.grounds import Grounds
from policies.ruleset.reference import MODEL_TEXT, Reference
from policies.ruleset.rules import SYSTEM_RULES, Rule
from policies.ruleset.snapshot import MEMO_LIMIT, Snapshot
from policies.ruleset.trees import ACTION_TREE, Tree, Trees, dotted, with_built_in
from tests.policies import oracle
from tests.policies.corpus import EVERYWHERE, MUTANTS, TREES, some_rules
from tests.policies.worlds import a_policy

DATA = Path(__file__).parent / "data"
RETAILER = (DATA / "retailer.yaml").read_text(encoding="utf-8")


def the_cases() -> list[list[str]]:
    lines = (DATA / "cases.csv").read_text(encoding="utf-8").splitlines()
    return [[part.strip() for part in line.split(",")] for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("case", the_cases(), ids=lambda case: " ".join(case))
def test_the_cases_of_the_proposal(case: list[str]):
    tenant, action, role, category, purpose, jurisdiction, expect, rules = case
    snapshot = a_policy(RETAILER, tenant).snapshot
    cell = snapshot.cell(frozenset({role}), action, category, purpose, jurisdiction)
    assert cell.permitted == (expect == "allow")
    assert "+".join(cell.denied or cell.allowed) == rules.strip("-")
    assert snapshot.agrees(frozenset({role}), action, category, purpose, jurisdiction)


# rules over random trees

paths = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join), min_size=1, max_size=8)


@st.composite
def any_trees(draw: st.DrawFn) -> Trees:
    """Categories and purposes of any shape, and roles that inherit from any number of earlier ones."""
    roles: dict[str, tuple[str, ...]] = {}
    for place in range(draw(st.integers(1, 6))):
        roles[f"r{place}"] = (
            tuple(draw(st.lists(st.sampled_from(sorted(roles)), unique=True, max_size=2))) if roles else ()
        )
    return Trees(
        Tree(with_built_in(roles)),
        Tree(dotted(draw(paths))),
        Tree({**dotted(draw(paths)), "dsar": ()}),
        TREES.jurisdictions,
        ACTION_TREE,
    )


def any_rule(trees: Trees) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        id=st.uuids().map(lambda number: f"R{number.hex}"),
        tenant=st.sampled_from(["any", "any", "acme", "globex"]),
        action=st.sampled_from(sorted(trees.actions)),
        role=st.sampled_from(sorted(trees.roles)),
        category=st.sampled_from(sorted(trees.categories)),
        purpose=st.sampled_from(sorted(trees.purposes)),
        jurisdiction=st.sampled_from(sorted(trees.jurisdictions)),
        effect=st.sampled_from(["allow", "allow", "deny"]),
        basis=st.just("consent"),
    )


@st.composite
def any_policy(draw: st.DrawFn) -> tuple[Trees, list[Rule]]:
    trees = draw(any_trees())
    return trees, draw(st.lists(any_rule(trees), max_size=8))


@settings(max_examples=60, deadline=None)
@given(any_policy(), st.randoms(use_true_random=False))
def test_snapshot_and_casbin_answer_as_the_sets_do(policy: tuple[Trees, list[Rule]], chance: random.Random):
    trees, rules = policy
    grounds = Grounds({}, lambda purpose, jurisdiction: None, EVERYWHERE.laws)
    snapshot = Snapshot("acme", rules, trees, grounds)
    for asked in oracle.worth_asking(rules, trees, 40, chance):
        action, role, *names = asked
        want = oracle.permitted(rules, "acme", asked, trees)
        cell = snapshot.cell(frozenset({role}), action, *names)
        assert cell.permitted == want
        assert snapshot.reference.permits(("acme", action, role, *names)) == want
        assert {*cell.denied, *cell.allowed} == {
            rule.id for rule in rules if oracle.matches(rule, "acme", asked, trees)
        }


def differences(text: str) -> Iterator[oracle.Asked]:
    """Where Casbin under this model answers otherwise than the sets do, over rules and questions that are worth it."""
    for seed in range(12):
        rules = some_rules(24, seed)
        reference = Reference(rules, TREES, text)
        for asked in oracle.worth_asking(rules, TREES, 150, random.Random(seed)):
            action, role, *names = asked
            if reference.permits(("acme", action, role, *names)) != oracle.permitted(rules, "acme", asked, TREES):
                yield asked


def test_the_shipped_matcher_survives_the_corpus():
    assert not list(differences(MODEL_TEXT))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_the_matcher_dies(mutant: str):
    before, after = MUTANTS[mutant]
    assert before in MODEL_TEXT
    assert next(differences(MODEL_TEXT.replace(before, after)), None) is not None


def test_the_second_opinion_notices_a_snapshot_that_matches_otherwise():
    rules = some_rules(40, seed=5)
    snapshot = Snapshot("acme", rules, TREES, EVERYWHERE)
    asked = oracle.worth_asking(rules, TREES, 300, random.Random(7))
    before, after = MUTANTS["the role does not count"]
    snapshot.reference = Reference(rules, TREES, MODEL_TEXT.replace(before, after))
    assert not all(snapshot.agrees(frozenset({role}), action, *names) for action, role, *names in asked)


# roles, admissibility, memory


def test_any_deny_of_any_role_counts_and_allows_are_united():
    rules = [
        Rule(
            id="A", role="staff", action="use", category="contact", purpose="support", effect="allow", basis="consent"
        ),
        Rule(
            id="B", role="mailer", action="use", category="contact", purpose="support", effect="allow", basis="contract"
        ),
        Rule(id="C", role="mailer", action="use", category="contact.email", purpose="support", effect="deny"),
    ]
    snapshot = Snapshot("acme", rules, TREES, EVERYWHERE)
    both = frozenset({"staff", "mailer"})
    united = snapshot.cell(both, "use", "contact.phone", "support", "de")
    assert united.allowed == ("A", "B")
    assert [alternative.rule for alternative in united.alternatives] == ["A"]
    assert not snapshot.cell(both, "use", "contact.email", "support", "de").permitted
    assert snapshot.cell(frozenset({"staff"}), "use", "contact.email", "support", "de").permitted
    assert snapshot.agrees(both, "use", "contact.email", "support", "de")


def test_asked_at_any_every_deny_applies_and_only_rules_for_every_law_permit():
    snapshot = a_policy(RETAILER, "acme").snapshot
    mailer = frozenset({"marketing_sender"})
    assert not snapshot.cell(mailer, "use", "contact.email", "marketing.email.newsletter", "any").allowed
    deny = Rule(id="D", role="any", action="any", category="any", purpose="any", jurisdiction="cn", effect="deny")
    allow = Rule(id="A", role="any", action="any", category="any", purpose="any", effect="allow", basis="consent")
    both = Snapshot("acme", [allow, deny], TREES, EVERYWHERE)
    permitted = [
        both.cell(frozenset({"mailer"}), "use", "contact", "support", code).permitted for code in ("any", "cn", "de")
    ]
    assert permitted == [False, False, True]


def test_the_shipped_rules_answer_requests_and_no_deny_reaches_them():
    deny = Rule(id="D", role="any", action="any", category="any", purpose="any", effect="deny")
    snapshot = Snapshot("acme", [*SYSTEM_RULES, deny], TREES, EVERYWHERE)
    for role in ("officer", "admin"):
        for action in ("read", "reveal", "export", "erase"):
            assert snapshot.cell(frozenset({role}), action, "health.dna", "dsar", "cn").permitted
    assert not snapshot.cell(frozenset({"auditor"}), "read", "health.dna", "dsar", "cn").permitted
    assert not snapshot.cell(frozenset({"officer"}), "read", "health.dna", "support", "cn").permitted
    assert snapshot.agrees(frozenset({"officer"}), "read", "any", "dsar", "any")


def test_a_role_that_is_none_matches_nothing_and_never_reaches_casbin():
    snapshot = a_policy(RETAILER, "acme").snapshot
    before = sorted(snapshot.reference.rm_map["g"].all_roles)
    assert not snapshot.cell(frozenset({"stranger"}), "use", "any", "dsar", "any").allowed
    assert snapshot.agrees(frozenset({"stranger"}), "use", "any", "dsar", "any")
    assert sorted(snapshot.reference.rm_map["g"].all_roles) == before


def test_the_memo_is_bounded():
    snapshot = Snapshot("acme", [], TREES, EVERYWHERE)
    for place in range(MEMO_LIMIT + 9):
        snapshot.cell(frozenset({f"r{place}"}), "use", "any", "support", "any")
    assert snapshot.remembered == MEMO_LIMIT


def test_a_version_names_all_that_answers():
    text = RETAILER
    version = a_policy(text, "acme").version
    assert version == a_policy(text, "acme").version
    assert len(bytes.fromhex(version)) == 32
    for changed in (
        text.replace("id: R060", "id: R069"),
        text.replace("[support_agent]", "[crm]"),
        text.replace(
            "legal_basis: contract, categories: [contact.phone]", "legal_basis: contract, categories: [contact]"
        ),
        text.replace("{aggregate: {k: 20}}", "{aggregate: {k: 21}}", 1),
    ):
        assert changed != text
        assert a_policy(changed, "acme").version != version
    assert a_policy(text, "globex").version != version
