"""Tests of rules, as their authors write them: rows of a table, and the section `policy_tests` of a manifest.

A row asks the rules alone: may anybody in this role do this under that law, and which rules say so? A test with a
`person:` asks about one person in a given state, and expects a decision with its reason, basis and obligations.
Whatever a test names must be declared: a test of a misspelt purpose would pass for ever.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final, get_args

from msgspec import Struct

from consent import CHANNELS, PersonState
from policies.obligations import BREAK_GLASS, GUARDS, SECOND_PERSON, TYPES
from policies.policy import Policy
from policies.questions import Question, Reason
from policies.ruleset.rules import is_name
from policies.ruleset.trees import ROOT, Tree
from policies.testing.nodes import members, named, word, words
from policies.testing.portraits import TIME, read_person
from sayso.kernel import Invalid, ManifestError, Map, Node, Problem, Scalar, Seq, load, nearest, parse_instant, problem

SECTION: Final = "policy_tests"

MOST_CASES: Final = 10_000
"""Tests that are taken at once."""

REASONS: Final = get_args(Reason)

_REQUIRED: Final = ("action", "role", "category", "purpose", "expect")
COLUMNS: Final = ("action", "role", "category", "purpose", "jurisdiction", "expect", "rules")
"""Columns of a table, in any order; `jurisdiction` and `rules` may be left out."""

_TEST: Final = ("id", "ask", "person", "time", "expect")
_ASK: Final = (
    "role",
    "roles",
    "action",
    "category",
    "purpose",
    "jurisdiction",
    "channel",
    "relation",
    "case",
    "supports",
    "own",
)
_EXPECT: Final = ("decision", "reason", "basis", "rules", "obligations")
_DECISIONS: Final = ("permit", "deny")


class Expected(Struct, frozen=True):
    """What an answer must be; None where the test does not care. `rules` are exactly those that decide."""

    allowed: bool
    reason: str | None = None
    basis: str | None = None
    rules: frozenset[str] | None = None
    obligations: frozenset[str] | None = None


class Case(Struct, frozen=True):
    """One test. `alone`: the rules are asked, under `jurisdiction`, and nobody's state; else the person (None: unknown)
    at the instant `at`.
    """

    name: str
    file: str
    line: int
    question: Question
    expected: Expected
    alone: bool = False
    jurisdiction: str = ROOT
    person: PersonState | None = None
    at: int = TIME


def read_files(files: Iterable[tuple[str, bytes]], policy: Policy) -> list[Case]:
    """Tests in files (name, content): tables where the name ends in `.csv`, else the section of a manifest.

    Raises `ManifestError` with everything wrong in them, each at its line.
    """
    files = list(files)
    problems: list[Problem] = []
    cases: list[Case] = []
    for name, content in files:
        if name.lower().endswith(".csv"):
            cases += read_table(name, content, policy, problems)
        else:
            cases += _manifest(name, content, policy, problems)
    if len(cases) > MOST_CASES:
        problems.append(Problem(files[0][0], 1, f"More than {MOST_CASES:,} tests at once are not taken."))
    if problems:
        raise ManifestError(problems)
    return cases


def read_suite(section: Node | None, policy: Policy, problems: list[Problem]) -> list[Case]:
    """The tests of a manifest's section `policy_tests`. What cannot be read is a problem."""
    if section is None:
        return []
    if not isinstance(section, Seq):
        problems.append(problem(section, f"{SECTION}: a list of tests, each a mapping with an 'id'."))
        return []
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for node in section:
        before = len(problems)
        case = _test(node, policy, problems)
        if case is None or len(problems) > before:
            continue
        if case.name in seen:
            problems.append(problem(node, f"The test {case.name!r} is given twice, first in line {seen[case.name]}."))
        seen.setdefault(case.name, case.line)
        cases.append(case)
    return cases


def read_table(file: str, content: bytes, policy: Policy, problems: list[Problem]) -> list[Case]:
    """The rows of a CSV. Blank lines and lines that begin with `#` are passed over."""
    try:
        rows = list(_rows(content.decode("utf-8-sig")))
    except (UnicodeDecodeError, csv.Error):
        problems.append(Problem(file, 1, "The file is no CSV in UTF-8."))
        return []
    header = rows[0][1] if rows else []
    for column in header:
        if column not in COLUMNS:
            problems.append(Problem(file, 1, f"There is no column {column!r}.", nearest(column, COLUMNS)))
    if missing := [column for column in _REQUIRED if column not in header]:
        problems.append(Problem(file, 1, f"The first row names the columns; there is no {', '.join(missing)}."))
    if missing or len(set(header)) < len(header) or not set(header) <= set(COLUMNS):
        return []
    cases = []
    for line, values in rows[1:]:
        before = len(problems)
        if len(values) != len(header):
            problems.append(Problem(file, line, f"{len(values)} values where the first row has {len(header)}."))
            continue
        case = _row(file, line, dict(zip(header, values, strict=True)), policy, problems)
        if len(problems) == before:
            cases.append(case)
    return cases


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    for values in reader:
        cells = [value.strip() for value in values]
        if any(cells) and not cells[0].startswith("#"):
            yield reader.line_num, cells


def _row(file: str, line: int, row: dict[str, str], policy: Policy, problems: list[Problem]) -> Case:
    trees = policy.snapshot.trees
    here = Scalar(None, "", file, line)
    roles = tuple(each.strip() for each in row["role"].split("|"))
    for role in roles:
        named(here, role, trees.roles, "role", problems)
    jurisdiction = row.get("jurisdiction") or ROOT
    _places(here, policy, row["action"], row["category"], row["purpose"], jurisdiction, problems)
    if row["expect"] not in _DECISIONS:
        hint = nearest(row["expect"], _DECISIONS)
        problems.append(problem(here, f"A row expects 'permit' or 'deny', not {row['expect']!r}.", nearest=hint))
    rules: frozenset[str] | None = None
    if written := row.get("rules"):
        rules = frozenset() if written == "-" else frozenset(each.strip() for each in written.split("|"))
        _rules(here, rules, policy, problems)
    return Case(
        f"line {line}",
        file,
        line,
        Question(roles=frozenset(roles), action=row["action"], category=row["category"], purpose=row["purpose"]),
        Expected(row["expect"] == "permit", rules=rules),
        alone=True,
        jurisdiction=jurisdiction,
    )


def _manifest(name: str, content: bytes, policy: Policy, problems: list[Problem]) -> list[Case]:
    try:
        tree = load([(name, content)])
    except ManifestError as error:
        problems += error.problems
        return []
    problems += [
        Problem(
            name,
            tree.lines[section],
            f"A file of tests has the section {SECTION!r} alone.",
            nearest(section, [SECTION]),
        )
        for section in tree
        if section != SECTION
    ]
    return read_suite(tree.get(SECTION), policy, problems)


def _test(node: Node, policy: Policy, problems: list[Problem]) -> Case | None:
    if not isinstance(node, Map):
        problems.append(problem(node, "A test is a mapping: {id: …, ask: {…}, person: {…}, expect: …}."))
        return None
    members(node, "A test", _TEST, problems)
    name, ask, expect = node.get("id"), node.get("ask"), node.get("expect")
    if not isinstance(name, Scalar) or not is_name(name.text):
        problems.append(problem(name or node, "A test needs its 'id': lower-case letters, digits, '_', '-' and '.'."))
    if not isinstance(ask, Map):
        problems.append(problem(ask or node, "A test needs its 'ask': {role: …, action: …, category: …, purpose: …}."))
    if expect is None:
        problems.append(problem(node, "A test needs its 'expect': permit, a reason, or a mapping."))
    if not isinstance(name, Scalar) or not isinstance(ask, Map) or expect is None:
        return None
    at = _time(node.get("time"), problems)
    told = node.get("person")
    question = _question(ask, policy, problems)
    expected = _expected(expect, policy, problems)
    if told is not None:
        person = read_person(told, policy, at, problems)
        return (
            None
            if expected is None
            else Case(name.text, node.file, node.line, question, expected, False, ROOT, person, at)
        )
    if expected is None:
        return None
    if (expected.reason, expected.basis) != (None, None):
        problems.append(problem(expect, "Without a 'person' the rules alone are asked: expect permit or deny."))
    return Case(name.text, node.file, node.line, question, expected, True, question.jurisdiction or ROOT)


def _time(node: Node | None, problems: list[Problem]) -> int:
    if node is None:
        return TIME
    try:
        return parse_instant(node.text if isinstance(node, Scalar) else "")
    except Invalid as error:
        problems.append(problem(node, error.message))
        return TIME


def _question(ask: Map, policy: Policy, problems: list[Problem]) -> Question:
    members(ask, "A question", _ASK, problems)
    given = {name: word(ask.get(name), f"'{name}'", problems) for name in _ASK if name not in ("roles", "supports")}
    for name in ("action", "category", "purpose"):
        if name not in ask:
            problems.append(problem(ask, f"A question needs its {name!r}."))
    if ("role" in ask) == ("roles" in ask):
        problems.append(problem(ask, "Either 'role' or 'roles' says who asks."))
    roles = [given["role"]] if given["role"] else words(ask.get("roles"), "'roles'", problems)
    for role in roles:
        named(ask.get("role") or ask.get("roles") or ask, role, policy.snapshot.trees.roles, "role", problems)
    _places(ask, policy, given["action"], given["category"], given["purpose"], given["jurisdiction"] or ROOT, problems)
    if given["channel"]:
        named(ask.get("channel") or ask, given["channel"], CHANNELS, "channel", problems)
    supports = words(ask.get("supports"), "'supports'", problems)
    for each in supports:
        named(ask.get("supports") or ask, each, TYPES, "obligation", problems)
    return Question(
        roles=frozenset(roles),
        action=given["action"],
        category=given["category"],
        purpose=given["purpose"] or None,
        jurisdiction=given["jurisdiction"] or None,
        channel=given["channel"] or None,
        relation=given["relation"] or None,
        case=given["case"] or None,
        supported=frozenset(supports),
        own=given["own"] == "true",
    )


def _places(
    node: Node, policy: Policy, action: str, category: str, purpose: str, jurisdiction: str, problems: list[Problem]
) -> None:
    trees = policy.snapshot.trees
    places: tuple[tuple[str, str, Tree], ...] = (
        ("action", action, trees.actions),
        ("category", category, trees.categories),
        ("purpose", purpose, trees.purposes),
        ("jurisdiction", jurisdiction, trees.jurisdictions),
    )
    for kind, name, tree in places:
        if name or isinstance(node, Scalar):
            named(node, name, tree, kind, problems)


def _expected(node: Node, policy: Policy, problems: list[Problem]) -> Expected | None:
    if isinstance(node, Scalar):
        if node.text in _DECISIONS:
            return Expected(node.text == "permit")
        named(node, node.text, (*_DECISIONS, *REASONS), "reason", problems)
        return Expected(node.text == "permitted", node.text)
    if not isinstance(node, Map):
        problems.append(problem(node, "Expect permit, deny, a reason, or a mapping."))
        return None
    members(node, "What is expected", _EXPECT, problems)
    decision = word(node.get("decision"), "'decision'", problems)
    reason = word(node.get("reason"), "'reason'", problems)
    if decision:
        named(node.get("decision") or node, decision, _DECISIONS, "decision", problems)
    if reason:
        named(node.get("reason") or node, reason, REASONS, "reason", problems)
    if not decision and not reason:
        problems.append(problem(node, "What is expected has a 'decision' or a 'reason'."))
    if decision and reason and (decision == "permit") != (reason == "permitted"):
        problems.append(problem(node, f"{decision!r} does not go with the reason {reason!r}."))
    rules: frozenset[str] | None = None
    if (deciding := node.get("rules")) is not None:
        rules = frozenset(words(deciding, "'rules'", problems))
        _rules(deciding, rules, policy, problems)
    obligations: frozenset[str] | None = None
    if (wanted := node.get("obligations")) is not None:
        obligations = frozenset(_obligations(wanted, problems))
        if obligations.issuperset(GUARDS):
            obligations = obligations.difference(GUARDS) | {f"{SECOND_PERSON}-{BREAK_GLASS}"}
    basis = word(node.get("basis"), "'basis'", problems)
    return Expected(decision == "permit" or reason == "permitted", reason or None, basis or None, rules, obligations)


def _rules(node: Node, rules: Iterable[str], policy: Policy, problems: list[Problem]) -> None:
    declared = [rule.id for rule in policy.snapshot.rules]
    for rule in sorted(rules):
        named(node, rule, declared, "rule", problems)


def _obligations(node: Node, problems: list[Problem]) -> Iterator[str]:
    """As rules hold them: `mask_last4`, `aggregate-20`."""
    for item in node if isinstance(node, Seq) else [node]:
        name, number = (item.text, "") if isinstance(item, Scalar) else ("", "")
        if isinstance(item, Map) and len(item) == 1:
            ((name, body),) = item.items()
            number = (
                "-".join(each.text for _, each in body.items() if isinstance(each, Scalar))
                if isinstance(body, Map)
                else ""
            )
        named(item, name, TYPES, "obligation", problems)
        yield f"{name}-{number}" if number else name
