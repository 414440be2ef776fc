"""Another engine with another language, Cedar in process, answers ten thousand questions as Casbin and the snapshot do.

Cedar knows neither our matcher nor our trees' code: the rules are told to it in its own words. So a mistake that
snapshot, Casbin and our own sets had in common would show here.
"""

import json
import random
from collections.abc import Sequence
from functools import cache

import cedarpy
import pytest

from policies.ruleset.reference import MODEL_TEXT, Reference
from policies.ruleset.rules import Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import Tree
from tests.policies import oracle
from tests.policies.corpus import EVERYWHERE, MUTANTS, TREES, some_rules

SEEDS = range(20)
QUESTIONS = 500
_KINDS = {
    "Role": TREES.roles,
    "Action": TREES.actions,
    "Category": TREES.categories,
    "Purpose": TREES.purposes,
    "Law": TREES.jurisdictions,
}


def entity(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def entities() -> cedarpy.Entities:
    """Every name as an entity below the names that it says itself are its parents: Cedar finds the ancestors."""

    def parents(tree: Tree, name: str) -> set[str]:
        above = tree.up[name] - {name}
        return {each for each in above if not any(each in tree.up[other] for other in above - {each})}

    made = [
        {"uid": entity(kind, name), "attrs": {}, "parents": [entity(kind, up) for up in parents(tree, name)]}
        for kind, tree in _KINDS.items()
        for name in tree
    ]
    return cedarpy.Entities.from_json_str(json.dumps(made))


def told(rule: Rule) -> str:
    """The rule in Cedar's language."""
    category, purpose, law = f'Category::"{rule.category}"', f'Purpose::"{rule.purpose}"', f'Law::"{rule.jurisdiction}"'
    scope = f'principal in Role::"{rule.role}", action in Action::"{rule.action}", resource'
    tenant = "true" if rule.tenant == "any" else f'context.tenant == "{rule.tenant}"'
    if rule.effect == "allow":
        reach = f"resource in {category} && context.purpose in {purpose} && context.law in {law}"
        return f"permit ({scope}) when {{ {tenant} && {reach} }};"
    reach = (
        f"(resource in {category} || {category} in resource) && "
        f"(context.purpose in {purpose} || {purpose} in context.purpose) && "
        f"(context.law in {law} || {law} in context.law)"
    )
    return f'forbid ({scope}) when {{ {tenant} && {reach} && context.purpose != Purpose::"dsar" }};'


def request(tenant: str, asked: oracle.Asked) -> dict[str, object]:
    action, role, category, purpose, law = asked
    return {
        "principal": f'Role::"{role}"',
        "action": f'Action::"{action}"',
        "resource": f'Category::"{category}"',
        "context": {
            "tenant": tenant,
            "purpose": {"__entity": entity("Purpose", purpose)},
            "law": {"__entity": entity("Law", law)},
        },
    }


def questions(rules: Sequence[Rule], seed: int) -> list[oracle.Asked]:
    return oracle.worth_asking(rules, TREES, QUESTIONS, random.Random(seed))


@cache
def answers(seed: int) -> list[bool]:
    """What Cedar says. A request or a policy that it cannot read fails the test: it would be a quiet denial."""
    rules = some_rules(24, seed)
    policies = cedarpy.PolicySet.from_str("\n".join(told(rule) for rule in rules))
    asked = [request("acme", each) for each in questions(rules, seed)]
    found = cedarpy.is_authorized_batch(asked, policies, entities())
    assert not [error for each in found for error in each.diagnostics.errors]
    assert all(each.decision is not cedarpy.Decision.NoDecision for each in found)
    return [each.allowed for each in found]


def test_cedar_the_snapshot_and_casbin_agree_on_ten_thousand_questions():
    permitted = count = 0
    for seed in SEEDS:
        rules = some_rules(24, seed)
        snapshot, reference = Snapshot("acme", rules, TREES, EVERYWHERE), Reference(rules, TREES)
        for asked, want in zip(questions(rules, seed), answers(seed), strict=True):
            action, role, *names = asked
            assert snapshot.cell(frozenset({role}), action, *names).permitted == want, (seed, asked)
            assert reference.permits(("acme", action, role, *names)) == want, (seed, asked)
            permitted += want
            count += 1
    assert count == 10_000
    assert 1_000 < permitted < 9_000


@pytest.mark.parametrize("mutant", MUTANTS)
def test_cedar_sees_through_a_mutant_of_the_matcher(mutant: str):
    text = MODEL_TEXT.replace(*MUTANTS[mutant])

    def told_apart(seed: int) -> bool:
        rules = some_rules(24, seed)
        reference = Reference(rules, TREES, text)
        return any(
            reference.permits(("acme", asked[0], asked[1], *asked[2:])) != want
            for asked, want in zip(questions(rules, seed), answers(seed), strict=True)
        )

    assert any(told_apart(seed) for seed in SEEDS)
