"""Every way in which a manifest's rules are refused, with its line, and everything that is doubtful."""

import pytest

from sayso.kernel import ManifestError
from tests.policies.worlds import SMALLEST, a_policy, a_rule, warnings_of, with_rules


def refused(text: str) -> str:
    """What a refused manifest is told, a line for each problem."""
    with pytest.raises(ManifestError) as caught:
        a_policy(text)
    return str(caught.value)


def test_the_smallest_manifest_of_the_documentation_is_taken():
    assert len(a_policy().snapshot) == 4 + 9


def test_no_rules_at_all_leave_the_shipped_ones():
    assert {rule.role for rule in a_policy("categories: [a]").snapshot.rules} == {"self", "officer", "admin"}


TRAPS = {
    "effect in capitals": (a_rule(effect="Allow"), "effect is exactly one of: allow, deny", "allow"),
    "effect with a comment inside": (a_rule(effect='"deny # gdpr"', basis=None), "effect is exactly one of", None),
    "a word of its own as effect": (a_rule(effect="forbid", basis=None), "effect is exactly one of", None),
    "a basis that is none": (a_rule(basis="consnet"), "basis is exactly one of", "consent"),
    "a need that is none": (a_rule(need="double"), "need is exactly one of", None),
    "a member too many": (a_rule(prupose="ads"), "no member 'prupose'", "purpose"),
    "a member missing": (a_rule(purpose=None), "needs its 'purpose'", None),
    "a list in one field": (a_rule(action="[read, use]"), "not a list", None),
    "a comma in a value": (a_rule(category='"contact.email,health"'), "category is malformed", None),
    "a bracket in a value": (a_rule(category='"contact.email("'), "category is malformed", None),
    "a quote in a value": (a_rule(category='"contact\'email"'), "category is malformed", None),
    "a star in a value": (a_rule(category='"contact.*"'), "category is malformed", None),
    "an expression as value": (a_rule(role="'1==1) or (1==1'"), "role is malformed", None),
    "a space in a value": (a_rule(role="'marketing sender'"), "role is malformed", None),
    "capitals in a name": (a_rule(role="Marketing"), "role is malformed", None),
    "an empty value": (a_rule(role="''"), "role is malformed", None),
    "a name of a thousand letters": (a_rule(role="a" * 1000), "role is malformed", None),
    "a jurisdiction in capitals": (a_rule(jurisdiction="DE"), "jurisdiction is malformed", None),
    "an unknown role": (
        a_rule(role="marketing_sendr"),
        "the role 'marketing_sendr' is not declared",
        "marketing_sender",
    ),
    "an unknown action": (a_rule(action="revel"), "the action 'revel' is not declared", "reveal"),
    "an unknown category": (
        a_rule(category="contact.emial"),
        "the category 'contact.emial' is not declared",
        "contact.email",
    ),
    "an unknown purpose": (
        a_rule(purpose="marketing.emails"),
        "the purpose 'marketing.emails' is not declared",
        "marketing.email",
    ),
    "an unknown jurisdiction": (a_rule(jurisdiction="eaa"), "the jurisdiction 'eaa' is not declared", "eea"),
    "an id of the shipped rules": (a_rule(id="sayso.self.read"), "those of the 9 shipped rules", None),
    "an id that looks like a person's": (a_rule(id="sub_1"), "would look like a person's", None),
    "an allow without basis": (a_rule(basis=None), "names the legal basis", None),
    "a deny with a basis": (a_rule(effect="deny"), "a deny has no basis", None),
    "a deny with obligations": (a_rule(effect="deny", basis=None, obligations="[log]"), "a deny has no basis", None),
    "a deny of dsar": (a_rule(effect="deny", basis=None, purpose="dsar"), "no deny reaches 'dsar'", None),
    "everything for everything": (a_rule(category="any", purpose="any"), "every category for every purpose", None),
    "an obligation that is none": (a_rule(obligations="[mask_last_4]"), "is no obligation", "mask_last4"),
    "an obligation without its number": (a_rule(obligations="[aggregate]"), "aggregate needs its number", None),
    "groups of one": (a_rule(obligations="[{aggregate: {k: 1}}]"), "at least 2", None),
    "a number as text": (a_rule(obligations="[{ttl: {seconds: '9'}}]"), "ttl needs its number", None),
    "true for a number": (a_rule(obligations="[{ttl: {seconds: true}}]"), "ttl needs its number", None),
    "a number that is not wanted": (a_rule(obligations="[{log: {k: 3}}]"), "log takes no number", None),
    "two masks": (a_rule(obligations="[mask_last4, redact]"), "one mask at most", None),
    "obligations that are no list": (a_rule(obligations="log"), "Obligations are a list", None),
    "a need on the wrong basis": (a_rule(need="case"), "goes with legal_obligation", None),
    "a basis that the purpose does not declare": (
        a_rule(basis="legitimate_interest"),
        "'marketing.email' stands on 'consent', so a rule may ask for that or for consent",
        None,
    ),
    "a basis that the law does not know": (
        a_rule(basis="legitimate_interest", jurisdiction="cn"),
        "the law in 'cn' does not know the basis 'legitimate_interest'",
        None,
    ),
    "a basis that one purpose below does not declare": (
        a_rule(basis="contract", purpose="any"),
        "stands on 'consent', so a rule may ask for that or for consent",
        None,
    ),
    "dsar on consent": (a_rule(purpose="dsar"), "'dsar' stands on legal_obligation", None),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_refused_with_its_line_and_the_nearest_name(trap: str):
    rule, told, near = TRAPS[trap]
    text = with_rules(rule)
    line = text.splitlines().index(f"  - {rule}") + 1
    found = refused(text)
    assert f"manifest.yaml:{line}: " in found
    assert told in found
    if near:
        assert f"Did you mean {near!r}?" in found


def test_an_id_is_given_once():
    text = with_rules(a_rule(), a_rule(action="read"))
    assert "R1: the id is taken by the rule in line" in refused(text)


def test_everything_wrong_is_named_at_once():
    found = refused(with_rules(a_rule(effect="Deny"), a_rule(id="R2", role="nobody"), roles="{a: [b]}"))
    assert len(found.splitlines()) == 3


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        ("{a: [b]}", "undeclared parent, 'b'"),
        ("{a: [b], b: [a]}", "its own ancestor"),
        ("{a: [a]}", "its own ancestor"),
        ("{admin: []}", "'admin' is built in"),
        ("{any: []}", "'any' is built in"),
        ("{clerk: [admin]}", "may not inherit the built-in role 'admin'"),
        ("{A: []}", "is no name"),
        ("{a: b}", "parents are a list"),
        ("[a, b]", "roles: a mapping"),
    ],
)
def test_roles_form_a_tree_of_declared_names(roles: str, told: str):
    assert told in refused(with_rules(roles=roles))


@pytest.mark.parametrize("section", ["rules: {a: b}", "rules: [text]", "rules: [[a]]"])
def test_rules_are_a_list_of_mappings(section: str):
    assert "rule" in refused(f"{SMALLEST[: SMALLEST.index('roles:')]}\n{section}")


def test_a_role_inherits_from_so_many_and_no_more():
    chain = ", ".join(f"r{place}: [r{place + 1}]" for place in range(300))
    assert "inherits more than 256 roles" in refused(with_rules(roles=f"{{{chain}, r300: []}}"))


def test_a_parent_is_declared_in_the_same_breath():
    policy = a_policy(with_rules(a_rule(role="lead"), roles="{lead: [agent], agent: [staff], staff: []}"))
    assert policy.snapshot.trees.roles.up["lead"] == {"lead", "agent", "staff", "any"}


SPECIAL = "special_categories: [health]"


@pytest.mark.parametrize("category", ["health", "any"])
@pytest.mark.parametrize("need", [None, "opt_in"])
def test_a_special_category_needs_explicit_consent(category: str, need: str | None):
    text = with_rules(a_rule(category=category, need=need), extra=SPECIAL)
    assert "'health' is a special category" in refused(text)


def test_explicit_consent_is_enough_for_a_special_category():
    a_policy(with_rules(a_rule(category="health", need="explicit"), extra=SPECIAL))


def test_special_categories_are_declared_categories():
    assert "Did you mean 'health'?" in refused(with_rules(extra="special_categories: [heath]"))


def test_a_basis_may_differ_by_jurisdiction():
    text = with_rules(a_rule(basis="notice", jurisdiction="us")).replace(
        "title: {en: News by e-mail, zh-CN: 邮件资讯}\n    legal_basis: consent",
        "title: {en: News by e-mail, zh-CN: 邮件资讯}\n    legal_basis: {eea: consent, us: notice}",
    )
    a_policy(text)
    assert "declares no single basis" in refused(text.replace(", jurisdiction: us", ""))
    assert "does not know the basis 'notice'" in refused(text.replace("jurisdiction: us", "jurisdiction: de"))


DOUBTS = {
    "marketing under every law": (a_rule(), "allows marketing under every law"),
    "every caller": (a_rule(role="any"), "allows every caller"),
    "a category that no purpose tells of": (a_rule(category="behaviour"), "tells people that it uses 'behaviour'"),
    "a category that sounds special": (a_rule(category="health"), "sounds like a special category"),
    "another tenant": (a_rule(tenant="other"), "never matches in 'default'"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubt_is_told_and_taken(doubt: str):
    rule, told = DOUBTS[doubt]
    assert any(told in warning.message for warning in warnings_of(with_rules(rule)))


def test_saying_a_thing_twice_is_doubtful():
    found = warnings_of(with_rules(a_rule(), a_rule(id="R2")))
    assert any("R2: it says what R1 says" in warning.message for warning in found)


def test_an_allow_that_a_deny_covers_whole_is_dead():
    deny = a_rule(id="R2", role="any", action="any", category="contact", purpose="marketing", effect="deny", basis=None)
    found = warnings_of(with_rules(a_rule(), deny))
    assert any("R1: it can never permit: R2 forbids all of it" in warning.message for warning in found)


def test_an_allow_that_a_deny_covers_in_part_lives():
    deny = a_rule(id="R2", role="any", action="any", jurisdiction="cn", effect="deny", basis=None)
    assert not any("never permit" in warning.message for warning in warnings_of(with_rules(a_rule(), deny)))


def test_a_notice_that_nobody_published_is_doubtful():
    text = with_rules(a_rule(basis="notice", jurisdiction="us", purpose="ads", category="behaviour")).replace(
        "zh-CN: 广告}\n    legal_basis: consent", "zh-CN: 广告}\n    legal_basis: {us: notice}"
    )
    assert any("no published notice names" in warning.message for warning in warnings_of(text))


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ((a_rule(obligations="[second_person]"),), "R1: Sayso asks for the second person where it opens values"),
        ((a_rule(action="reveal", obligations="[second_person]"),), None),
        (
            (a_rule(), a_rule(id="R2", obligations="[break_glass]")),
            "R2: it may never ask for anybody: R1 stands before",
        ),
        ((a_rule(obligations="[break_glass]"), a_rule(id="R2")), None),
        (
            (
                a_rule(
                    action="reveal",
                    role="officer",
                    purpose="dsar",
                    basis="legal_obligation",
                    obligations="[second_person]",
                ),
            ),
            "sayso.officer.reveal stands before",
        ),
    ],
)
def test_a_second_person_whom_nobody_asks_is_doubted(rules: tuple[str, ...], told: str | None):
    found = [warning.message for warning in warnings_of(with_rules(*rules))]
    assert any(told in message for message in found) if told else not any("ask for anybody" in each for each in found)


def test_both_guards_of_a_rule_are_one_obligation_that_either_meets():
    (rule,) = [
        each
        for each in a_policy(with_rules(a_rule(obligations="[break_glass, log, second_person]"))).snapshot.rules
        if each.id == "R1"
    ]
    assert [(each.type, each.properties) for each in rule.obligations] == [
        ("second_person", {"or": "break_glass"}),
        ("log", {}),
    ]
    assert rule.row()[-1] == "second_person-break_glass|log"
