"""Coverage: a rule that could as well say something else is found, and a rule that is tested is not."""

import pytest

from policies import Policy, coverage
from policies.ruleset.rules import SYSTEM_RULES
from policies.ruleset.snapshot import Snapshot
from policies.testing.mutants import Covered
from policies.testing.proving import passes
from policies.testing.suite import Case, read_files
from tests.policies.worlds import SMALLEST, a_policy, a_rule, with_rules

HEADER = "action,role,category,purpose,jurisdiction,expect,rules\n"


def table(policy: Policy, *rows: str) -> list[Case]:
    return read_files([("t.csv", (HEADER + "\n".join(rows)).encode())], policy)


def covered(policy: Policy, *rows: str) -> dict[str, Covered]:
    return {each.rule: each for each in coverage(policy, table(policy, *rows)).rules}


def test_a_rule_that_no_test_asks_about_is_not_covered():
    found = covered(a_policy(), "use,marketing_sender,contact.email,marketing.email,,permit,")
    assert {name for name, each in found.items() if each.covered} == {"R010"}
    assert found["R030"].survivors[:2] == ("dropped", "turned into an allow")
    assert (found["R030"].file, found["R030"].line > 0) == ("manifest.yaml", True)


def test_near_misses_notice_what_a_permit_alone_does_not():
    policy = a_policy()
    permit = "use,marketing_sender,contact.email,marketing.email,,permit,R010"
    alone = covered(policy, permit)["R010"].survivors
    assert "role marketing_sender lifted to any" in alone
    near = covered(policy, permit, "use,support_agent,contact.email,marketing.email,,deny,-")["R010"].survivors
    assert set(alone) - set(near) == {"role marketing_sender lifted to any"}


@pytest.mark.parametrize(
    ("rule", "expect", "change"),
    [
        (a_rule(obligations="[log]"), "{reason: permitted, obligations: [log]}", "obligation log dropped"),
        (a_rule(need="explicit"), "no_consent", "need explicit dropped"),
        (
            a_rule(
                action="reveal", role="support_agent", category="contact.phone", purpose="support", basis="contract"
            ),
            "no_relation",
            "basis contract made consent",
        ),
    ],
)
def test_what_a_rule_asks_for_is_noticed_by_a_test_of_a_person(rule: str, expect: str, change: str):
    policy = a_policy(with_rules(rule))
    (only,) = [each for each in policy.snapshot.rules if each not in SYSTEM_RULES]
    person = "{}" if expect == "no_relation" else "{grants: {marketing.email: {assurance: device}}}"
    ask = f"role: {only.role}, action: {only.action}, category: {only.category}, purpose: {only.purpose}"

    def left(written: str) -> tuple[str, ...]:
        body = f"policy_tests:\n  - {{id: one, ask: {{{ask}}}, person: {person}, expect: {written}}}\n"
        (rest,) = coverage(policy, read_files([("t.yaml", body.encode())], policy)).rules
        return rest.survivors

    assert change not in left(expect)
    assert change in left("permit" if "permitted" in expect else "deny") or change.startswith("need")


def test_a_test_that_fails_anyway_covers_nothing():
    assert not any(
        each.covered
        for each in covered(a_policy(), "use,marketing_sender,contact.email,marketing.email,,deny,").values()
    )


def test_the_shipped_rules_are_not_counted():
    assert set(covered(a_policy(), "read,self,any,dsar,,permit,")) == {"R010", "R011", "R020", "R030"}


def test_a_lift_that_changes_no_answer_is_no_mutant():
    # Above `support` stands only what does not rest on a contract.
    (rule,) = [each for each in coverage(a_policy(), []).rules if each.rule == "R020"]
    assert not any(change.startswith("purpose") for change in rule.survivors)


def test_what_a_mutant_is_judged_by_is_what_a_whole_rebuild_would_say():
    """Dropping each rule for real gives the outcome that the shortcut gives."""
    policy = a_policy()
    cases = table(
        policy,
        "use,marketing_sender,contact.email,marketing.email,,permit,R010",
        "reveal,support_lead,contact.phone,support,,permit,R020",
        "use,support_agent,health,ads,,deny,R030",
    )
    noticed = {each.rule: "dropped" not in each.survivors for each in coverage(policy, cases).rules}
    for rule in policy.snapshot.rules:
        if rule in SYSTEM_RULES:
            continue
        left = [each for each in policy.snapshot.rules if each is not rule]
        rebuilt = Snapshot("default", left, policy.snapshot.trees, policy.snapshot.grounds)
        assert noticed[rule.id] == any(not passes(rebuilt, policy.catalogue, case) for case in cases)


def test_no_rules_are_covered_whole():
    assert coverage(a_policy(SMALLEST[: SMALLEST.index("rules:")]), []).percent == 100
