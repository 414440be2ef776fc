"""Casbin is given only what it cannot misread, and nothing can switch it off."""

import pytest

from policies.ruleset.matcher import ForbiddenMatcher, compile_matcher, parse_matcher
from policies.ruleset.reference import (
    EFFECT,
    MODEL_TEXT,
    ForbiddenModel,
    Reference,
    StaysOn,
    WrongCasbin,
    final_effect,
    read_model,
    refuse_stopped_distribution,
)
from policies.ruleset.rules import SYSTEM_RULES
from tests.policies.test_snapshot import TREES

NAMES = ("r_act", "p_act", "p_eft")


def test_the_shipped_model_is_deny_override_with_default_deny():
    assert read_model()["e"]["e"].value == EFFECT
    assert [final_effect(*case) for case in ((False, False), (True, False), (False, True), (True, True))] == [
        False,
        True,
        False,
        False,
    ]


EFFECT_LINE = "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (EFFECT_LINE, "e = some(where (p.eft == allow))"),
        (EFFECT_LINE, "e = !some(where (p.eft == deny))"),
        (EFFECT_LINE, "e = priority(p.eft) || deny"),
        (EFFECT_LINE, f"{EFFECT_LINE}\ne2 = some(where (p.eft == allow))"),
        (EFFECT_LINE, f"{EFFECT_LINE} # default deny"),
        ("[matchers]", "[matchers]\nm2 = r.act == p.act"),
        ("g5 = _, _", "g6 = _, _"),
        ("g5 = _, _", ""),
        ("[role_definition]", "[constraint_definition]\nc = sod(a, b)\n[role_definition]"),
        ("[request_definition]", "request_definition"),
    ],
)
def test_another_model_is_refused(before: str, after: str):
    with pytest.raises(ForbiddenModel):
        read_model(MODEL_TEXT.replace(before, after))


@pytest.mark.parametrize(
    "text",
    [
        "eval(p_act)",
        "r_act in p_act",
        "keyMatch(r_act, p_act)",
        "regexMatch(r_act, p_act)",
        "r_act.startswith(p_act)",
        "r_act[0] == p_act",
        "(lambda: True)()",
        "g(r_act, 'any')",
        "g(r_act, p_act, p_eft)",
        "g(*p_act)",
        "g(a=r_act, b=p_act)",
        "1 == 1",
        "True",
        "r_sub == p_act",
        "r_act < p_act",
        "r_act == f'{p_act}'",
        "[r_act for r_act in p_act]",
        "r_act == p_act if p_eft else p_act",
        "r_act ==",
        "",
    ],
)
def test_the_matcher_holds_nothing_but_the_whitelist(text: str):
    with pytest.raises(ForbiddenMatcher):
        parse_matcher(text, NAMES, ("g",))


def test_a_compiled_matcher_sees_nothing_but_its_names():
    matcher = compile_matcher(
        "r_act == p_act && g(r_act, p_act) || p_eft == 'deny'", NAMES, {"g": {"a": frozenset("ab")}}
    )
    assert [matcher(*values) for values in (("a", "a", ""), ("a", "b", ""), ("a", "b", "deny"))] == [True, False, True]


def test_casbin_cannot_be_switched_off():
    reference = Reference(SYSTEM_RULES, TREES)
    reference.enable_enforce(True)
    with pytest.raises(StaysOn):
        reference.enable_enforce(False)
    assert not reference.permits(("acme", "erase", "staff", "any", "dsar", "any"))


def test_no_rules_permit_nobody():
    assert not Reference([], TREES).permits(("acme", "read", "any", "any", "any", "any"))


def test_a_distribution_that_overwrites_pycasbin_is_refused():
    refuse_stopped_distribution("casbin")
    with pytest.raises(WrongCasbin):
        refuse_stopped_distribution("pytest")


def test_denied_questions_are_not_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(0):
        assert not Reference(SYSTEM_RULES, TREES).permits(("acme", "erase", "staff", "any", "dsar", "any"))
    assert not caplog.records
