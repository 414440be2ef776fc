"""Tests of rules are read strictly, and say of a person what the registry would hold."""

from collections.abc import Callable

import pytest

from policies.testing.proving import ask, failures_of, prove
from policies.testing.suite import Case, read_files
from sayso.kernel import ManifestError
from tests.policies.worlds import SMALLEST, a_policy

POLICY = a_policy(SMALLEST)
HEADER = "action,role,category,purpose,jurisdiction,expect,rules\n"
ASK = "{role: marketing_sender, action: use, category: contact.email, purpose: marketing.email, channel: email}"


def table(*rows: str) -> list[Case]:
    return read_files([("t.csv", (HEADER + "\n".join(rows)).encode())], POLICY)


def suite(body: str) -> list[Case]:
    return read_files([("t.yaml", body.encode())], POLICY)


def a_test(person: str, expect: str = "permitted", ask: str = ASK) -> str:
    return f"policy_tests:\n  - id: one\n    ask: {ask}\n    person: {person}\n    expect: {expect}\n"


def refused(read: Callable[[], object]) -> list[str]:
    with pytest.raises(ManifestError) as found:
        read()
    return [str(problem) for problem in found.value.problems]


def passed(cases: list[Case]) -> list[bool]:
    return [outcome.passed for outcome in prove(POLICY, cases)]


def test_a_row_asks_the_rules_alone():
    assert (
        passed(
            table(
                "use,marketing_sender,contact.email,marketing.email,,permit,R010",
                "# a comment",
                "",
                "reveal,support_lead,contact.phone,support,de,permit,R020",
                "use,support_agent|marketing_sender,health,ads,,deny,R030",
                "read,support_agent,contact.email,marketing.email,,deny,-",
            )
        )
        == [True] * 4
    )


@pytest.mark.parametrize(
    ("row", "got"),
    [
        ("use,marketing_sender,contact.email,marketing.email,,deny,", "permit by R010"),
        ("use,marketing_sender,contact.email,marketing.email,,permit,R011", "permit by R010"),
        ("use,support_agent,contact.email,marketing.email,,permit,", "deny by none"),
        ("use,marketing_sender,contact.email,marketing,,permit,", "deny by none"),
    ],
)
def test_a_row_that_fails_tells_what_came_instead_and_why(row: str, got: str):
    (outcome,) = prove(POLICY, table(row))
    assert not outcome.passed
    assert outcome.got == got
    assert outcome.why is not None
    (problem,) = failures_of(POLICY, table(row))
    assert (problem.file, problem.line) == ("t.csv", 2)


def test_why_a_row_failed_is_told_under_its_own_law():
    (outcome,) = prove(POLICY, table("use,marketing_sender,contact.email,marketing.email,de,deny,"))
    assert outcome.why is not None
    assert [law.jurisdiction for law in outcome.why.laws] == ["de"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("use,marketing_sendr,contact.email,marketing.email,,permit,", "'marketing_sender'"),
        ("uses,marketing_sender,contact.email,marketing.email,,permit,", "'use'"),
        ("use,marketing_sender,contact.emial,marketing.email,,permit,", "'contact.email'"),
        ("use,marketing_sender,contact.email,marketing.emial,,permit,", "'marketing.email'"),
        ("use,marketing_sender,contact.email,marketing.email,us-cax,permit,", "'us-ca'"),
        ("use,marketing_sender,contact.email,marketing.email,,permitt,", "'permit'"),
        ("use,marketing_sender,contact.email,marketing.email,,permit,R0200", "'R020'"),
        ("use,marketing_sender,contact.email", "3 values"),
    ],
)
def test_a_row_with_an_unknown_word_is_refused_with_its_line_and_the_nearest(row: str, told: str):
    (problem,) = refused(lambda: table("# first", row))
    assert problem.startswith("t.csv:3: ")
    assert told in problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"act,role\n", "'act'"),
        (b"", "names the columns"),
        (b"action,role,category,purpose\n", "expect"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_table_without_its_columns_is_refused(content: bytes, told: str):
    assert any(told in problem for problem in refused(lambda: read_files([("t.csv", content)], POLICY)))


@pytest.mark.parametrize(
    ("person", "expect"),
    [
        ("{grants: [marketing.email]}", "permitted"),
        ("{}", "no_consent"),
        ("unknown", "no_subject"),
        ("{grants: [marketing.email], withdrawals: [marketing.email]}", "withdrawn"),
        ("{refusals: [marketing]}", "refused"),
        ("{grants: {marketing.email: P25M}}", "expired"),
        ("{grants: {marketing.email: {at: '2026-02-01T00:00:00Z'}}, restricted: P60D}", "permitted"),
        ("{grants: [marketing.email], restricted: true}", "restricted"),
        ("{grants: [marketing.email], suppressed: true}", "suppressed"),
        ("{grants: [marketing.email], channels: {email: false}}", "channel"),
        ("{grants: [marketing.email], channels: {email: {marketing: off}}}", "channel"),
        ("{grants: [marketing.email], channels: {sms: false}}", "permitted"),
        ("{grants: [marketing.email], frequency: {email: {most: 1, per: day, used: 1}}}", "later"),
        ("{grants: [marketing.email], frequency: {email: {most: 1, per: day}}}", "permitted"),
        ("{grants: [marketing.email], pause_until: P3D}", "later"),
        ("{grants: [marketing.email], quiet_hours: {from: '11:00', until: '13:00', zone: UTC}}", "later"),
        (
            "{grants: [marketing.email], quiet_hours: {from: '11:00', until: '13:00', zone: UTC, days: [sun]}}",
            "permitted",
        ),
        ("{grants: [marketing.email], age: {at_least: 8, below: 9}}", "guardian"),
        ("{grants: {marketing.email: {guardian: true}}, age: {at_least: 8, below: 9}}", "permitted"),
    ],
)
def test_a_person_is_taken_as_they_are_told(person: str, expect: str):
    (case,) = suite(a_test(person, expect))
    got = ask(POLICY.snapshot, POLICY.catalogue, case)
    assert got.reason == expect


@pytest.mark.parametrize(
    ("person", "told"),
    [
        ("{grant: [marketing.email]}", "'grants'"),
        ("{grants: [marketing.emial]}", "'marketing.email'"),
        ("{grants: [ads]}", "no published notice asks for it"),
        ("{grants: {marketing.email: {asurance: code}}}", "'assurance'"),
        ("{grants: {marketing.email: {assurance: codes}}}", "'code'"),
        ("{grants: {marketing.email: yesterday}}", "P60D"),
        ("{jurisdictions: [us-cax]}", "'us-ca'"),
        ("{relations: [contrct]}", "'contract'"),
        ("{relations: [{kind: contract, purpose: [support]}]}", "'purposes'"),
        ("{opt_outs: [gcp]}", "'gpc'"),
        ("{channels: {emial: false}}", "'email'"),
        ("{channels: {email: perhaps}}", "true or false"),
        ("{frequency: {email: {most: 0, per: week}}}", "most: 2"),
        ("{quiet_hours: {from: '25:00', until: '08:00', zone: UTC}}", "21:00"),
        ("{quiet_hours: {from: '21:00', until: '08:00', zone: Europe/Dubln}}", "'Europe/Dublin'"),
        ("{age: 12}", "at_least"),
        ("{hold: perhaps}", "true or false"),
        ("somebody", "unknown"),
    ],
)
def test_what_cannot_be_meant_of_a_person_is_refused_at_its_line(person: str, told: str):
    problems = refused(lambda: suite(a_test(person)))
    assert all(problem.startswith("t.yaml:4: ") for problem in problems)
    assert any(told in problem for problem in problems)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (a_test("{}", "witdrawn"), "'withdrawn'"),
        (a_test("{}", "{decision: permit, reason: withdrawn}"), "does not go with"),
        (a_test("{}", "{basis: consent}"), "'decision' or a 'reason'"),
        (a_test("{}", "{decision: permit, obligations: [mask_last]}"), "'mask_last4'"),
        (a_test("{}", ask=ASK.replace("role:", "rol:")), "'role'"),
        (a_test("{}", ask=ASK.replace("channel: email", "channel: fax")), "channel 'fax'"),
        (a_test("{}").replace("  - id: one", "  - id: one\n    extra: 1"), "'extra'"),
        (a_test("{}") + a_test("{}").partition("\n")[2], "given twice"),
        ("rules: []\n" + a_test("{}"), "'policy_tests' alone"),
        (a_test("{}", "no_consent").replace("    person: {}\n", ""), "the rules alone"),
        ("policy_tests: {}", "a list of tests"),
        ("policy_tests: [one]", "A test is a mapping"),
    ],
)
def test_a_test_that_cannot_be_meant_is_refused(body: str, told: str):
    assert any(told in problem for problem in refused(lambda: suite(body)))


def test_without_a_person_the_rules_alone_are_asked():
    (case,) = suite(a_test("{}", "{decision: permit, rules: [R010]}").replace("    person: {}\n", ""))
    assert passed([case]) == [True]


def test_an_answer_is_compared_in_all_that_is_expected_of_it():
    reveal = "{role: support_agent, action: reveal, category: contact.phone, purpose: support}"
    person = "{relations: [contract]}"
    right = "{reason: permitted, basis: contract, rules: [R020], obligations: [mask_last4]}"
    wrong = [right.replace("contract", "consent"), right.replace("R020", "R010"), right.replace("mask_last4", "redact")]
    assert passed([case for each in (right, *wrong) for case in suite(a_test(person, each, reveal))]) == [
        True,
        False,
        False,
        False,
    ]
