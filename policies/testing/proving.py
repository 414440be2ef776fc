"""Tests of rules, run: what each expected, what it got, and why. Pure, and without any store."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from consent import Catalogue, Jurisdiction, PersonState
from policies.decide import Inquiry
from policies.explain import Explanation, explain
from policies.policy import Policy
from policies.questions import Decision
from policies.ruleset.snapshot import Snapshot
from policies.testing.suite import Case, Expected
from sayso.kernel import Obligation, Problem


class Got(Struct, frozen=True):
    """An answer as far as a test can expect anything of it. `rules` are those that decide."""

    allowed: bool
    reason: str
    basis: str
    rules: frozenset[str]
    obligations: frozenset[str]


class Outcome(Struct, frozen=True):
    """One test. `expected` and `got` say in words what the test cares about; `why` explains an answer that differs."""

    case: Case
    passed: bool
    expected: str
    got: str
    why: Explanation | None = None


def prove(policy: Policy, cases: Iterable[Case]) -> list[Outcome]:
    """Every test, in order."""
    return [_outcome(policy, case) for case in cases]


def failures_of(policy: Policy, cases: Iterable[Case]) -> list[Problem]:
    """The tests that fail, each as a problem at its line: for whoever is about to put these rules in force."""
    return [
        Problem(
            each.case.file,
            each.case.line,
            f"The test {each.case.name!r} fails: expected {each.expected}, got {each.got}.",
        )
        for each in prove(policy, cases)
        if not each.passed
    ]


def passes(snapshot: Snapshot, catalogue: Catalogue, case: Case) -> bool:
    """Whether one test passes under these rules."""
    return _meets(case.expected, ask(snapshot, catalogue, case))


def ask(snapshot: Snapshot, catalogue: Catalogue, case: Case) -> Got:
    """The answer to one test."""
    inquiry = Inquiry(snapshot, catalogue, case.question)
    if not case.alone:
        return _decided(inquiry.decide(case.person, case.at))
    if inquiry.refusal is not None:
        return _decided(inquiry.refusal)
    cell = snapshot.cell(*inquiry.name(case.jurisdiction))
    if cell.denied:
        return Got(False, "rule_denied", "", frozenset(cell.denied), frozenset())
    rules = frozenset(each.rule for each in cell.alternatives)
    obligations = frozenset(_written(each) for way in cell.alternatives for each in way.obligations)
    return Got(bool(rules), "permitted" if rules else "no_rule", "", rules, obligations)


def _outcome(policy: Policy, case: Case) -> Outcome:
    got = ask(policy.snapshot, policy.catalogue, case)
    expected, passed = case.expected, _meets(case.expected, got)
    why = None if passed else explain(_inquiry(policy, case), _whom(case), case.at)
    told = Expected(
        got.allowed,
        None if case.alone and expected.reason is None else got.reason,
        got.basis if expected.basis is not None else None,
        got.rules if expected.rules is not None or not passed else None,
        got.obligations if expected.obligations is not None else None,
    )
    return Outcome(case, passed, _in_words(expected), _in_words(told), why)


def _inquiry(policy: Policy, case: Case) -> Inquiry:
    return Inquiry(policy.snapshot, policy.catalogue, case.question)


def _whom(case: Case) -> PersonState | None:
    """Somebody of whom only that law is known stands in for a test that asks the rules alone."""
    if not case.alone:
        return case.person
    return PersonState(jurisdictions=(Jurisdiction(case.jurisdiction, "declared", case.at),))


def _meets(expected: Expected, got: Got) -> bool:
    return (
        got.allowed == expected.allowed
        and expected.reason in (None, got.reason)
        and expected.basis in (None, got.basis)
        and expected.rules in (None, got.rules)
        and expected.obligations in (None, got.obligations)
    )


def _decided(decision: Decision) -> Got:
    return Got(
        decision.allowed,
        decision.reason,
        decision.basis,
        frozenset(decision.rule.split("+") if decision.rule else ()),
        frozenset(_written(each) for each in decision.obligations),
    )


def _written(obligation: Obligation) -> str:
    return "-".join((obligation.type, *(str(value) for value in obligation.properties.values())))


def _in_words(answer: Expected) -> str:
    parts = ["permit" if answer.allowed else "deny"]
    if answer.reason not in (None, "permitted"):
        parts.append(f"({answer.reason})")
    if answer.basis is not None:
        parts.append(f"on {answer.basis or 'no basis'}")
    if answer.rules is not None:
        parts.append(f"by {_listed(answer.rules)}")
    if answer.obligations is not None:
        parts.append(f"with {_listed(answer.obligations)}")
    return " ".join(parts)


def _listed(names: Iterable[str]) -> str:
    found: Sequence[str] = sorted(names)
    return ", ".join(found) or "none"
