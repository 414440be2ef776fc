"""Bases that stand on recorded facts: contracts, cases, public tasks, duties."""

import pytest

from consent import Relation
from policies import Policy
from tests.policies.worlds import AT, a_choice, a_person, a_policy, a_rule, reason, with_rules

SUPPORT = {
    "roles": frozenset({"support_lead"}),
    "action": "reveal",
    "category": "contact.phone",
    "purpose": "support",
}
CONTRACT = Relation("order-1", "contract", (), AT - 10, 0)
CASE = Relation("case-1", "case", ("support",), AT - 10, AT + 10)


@pytest.mark.parametrize(
    ("relations", "named", "why"),
    [
        ([], {}, "no_relation"),
        ([CONTRACT], {}, "permitted"),
        ([CASE], {}, "permitted"),
        ([CONTRACT], {"relation": "order-1"}, "permitted"),
        ([CONTRACT], {"relation": "order-2"}, "no_relation"),
        ([CONTRACT], {"case": "order-1"}, "no_relation"),
        ([CASE], {"case": "case-1"}, "permitted"),
        ([CONTRACT, CASE], {"relation": "order-1", "case": "case-1"}, "permitted"),
        ([CONTRACT, CASE], {"relation": "order-1", "case": "case-2"}, "no_relation"),
        ([Relation("o", "contract", (), AT + 1, 0)], {}, "no_relation"),
        ([Relation("o", "contract", (), AT - 9, AT)], {}, "no_relation"),
        ([Relation("o", "contract", ("ads",), 0, 0)], {}, "no_relation"),
        ([Relation("o", "contract", ("support",), 0, 0)], {}, "permitted"),
        ([Relation("o", "public_task", (), 0, 0)], {}, "no_relation"),
    ],
)
def test_a_contract_is_a_recorded_live_relation(relations: list[Relation], named: dict[str, str], why: str):
    assert reason(a_person(relations=relations), **SUPPORT, **named) == why


def test_a_no_does_not_end_a_contract_but_restriction_pauses_it():
    noes = {"support": a_choice("refused"), "marketing": a_choice("withdrawn")}
    assert reason(a_person(noes, relations=[CONTRACT]), **SUPPORT) == "permitted"
    assert reason(a_person(relations=[CONTRACT], suppressed_until=AT + 1), **SUPPORT) == "permitted"
    assert reason(a_person(relations=[CONTRACT], restricted_at=1), **SUPPORT) == "restricted"


def duty(**members: str) -> Policy:
    text = with_rules(a_rule(purpose="support", category="contact.phone", **members))
    return a_policy(text.replace("legal_basis: contract", f"legal_basis: {members['basis']}"))


def test_a_public_task_is_a_recorded_one():
    policy, asked = duty(basis="public_task"), {"purpose": "support", "category": "contact.phone"}
    assert reason(a_person(relations=[CONTRACT]), policy, **asked) == "no_relation"
    assert reason(a_person(relations=[Relation("t", "public_task")]), policy, **asked) == "permitted"


@pytest.mark.parametrize("basis", ["legal_obligation", "vital_interest"])
def test_a_duty_is_stopped_by_nothing_but_a_missing_case(basis: str):
    asked = {"purpose": "support", "category": "contact.phone"}
    person = a_person({"support": a_choice("refused")}, restricted_at=1, suppressed_until=AT + 1)
    assert reason(person, duty(basis=basis), **asked) == "permitted"
    with_case = duty(basis=basis, need="case")
    assert reason(person, with_case, **asked) == "no_relation"
    assert reason(a_person(relations=[CASE]), with_case, **asked) == "permitted"
    assert reason(a_person(relations=[CONTRACT]), with_case, **asked) == "no_relation"
