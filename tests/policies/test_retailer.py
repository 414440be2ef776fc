"""The shipped rules of a retailer hold what their tests say, and the tests notice every change of a rule."""

from importlib.resources import files

from policies import Policy, coverage, prove, read_files
from policies.testing.suite import Case
from tests.policies.worlds import a_policy, warnings_of

SET = files("policies").joinpath("retailer")
MANIFEST = SET.joinpath("retailer.yaml").read_text(encoding="utf-8")


def the_set() -> tuple[Policy, list[Case]]:
    policy = a_policy(MANIFEST)
    named = ("tests.csv", "tests.yaml")
    return policy, read_files([(name, SET.joinpath(name).read_bytes()) for name in named], policy)


def test_every_test_passes():
    policy, cases = the_set()
    assert len(cases) > 150
    assert [(each.case.name, each.expected, each.got) for each in prove(policy, cases) if not each.passed] == []


def test_every_rule_is_covered_and_every_change_noticed():
    found = coverage(*the_set())
    assert found.percent == 100
    assert [(each.rule, each.survivors) for each in found.rules if each.survivors] == []


def test_lint_has_nothing_to_say_of_the_rules():
    assert warnings_of(MANIFEST) == []


def test_it_is_told_in_both_languages_and_for_the_three_places():
    policy, cases = the_set()
    purposes = [each for each in policy.catalogue.purposes.values() if not each.implied]
    assert all(set(each.title) == {"en", "zh-CN"} for each in purposes)
    notices = policy.catalogue.notices.values()
    assert all(set(each.text) == {"en", "zh-CN"} for each in notices)
    assert {"eea", "us", "cn"} <= {rule.jurisdiction for rule in policy.snapshot.rules}
    told = {case.expected.reason for case in cases}
    assert {"later", "channel", "no_relation", "unsupported_obligation", "guardian", "held"} <= told
