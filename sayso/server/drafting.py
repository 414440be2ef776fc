"""Manifest files looked at without any store: what `sayso policy lint` and `test` stand on."""

import csv
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from consent import parse as parse_consent
from consent import publish
from policies import Policy, read_policy
from sayso.kernel import Invalid, Problem, load_paths, now

COLUMNS = ("act", "rol", "cat", "pur", "jur", "expect")


class Draft(Struct, frozen=True):
    """Rules that are not live."""

    policy: Policy
    warnings: tuple[Problem, ...]


class Result(Struct, frozen=True):
    """One case: what was expected, what the rules say."""

    line: int
    expected: str
    got: str
    passed: bool


def draft(paths: Iterable[Path], tenant: str = "default") -> Draft:
    """The files as one manifest of a brand that has nothing yet. Raises `ManifestError`."""
    tree = load_paths(paths)
    declared = parse_consent(tree)
    policy, warnings = read_policy(tree, publish(declared, [], [], now()).catalogue, tenant)
    return Draft(policy, (*declared.doubts, *warnings))


def ask_cases(drafted: Draft, path: Path) -> list[Result]:
    """Ask the rules about each row of a CSV. Raises `Invalid` for a file without the columns."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise Invalid("invalid-cases", f"The first line names the columns: {', '.join(COLUMNS)}.")
        return [_asked(drafted, row, number) for number, row in enumerate(reader, 2)]


def _asked(drafted: Draft, row: dict[str, str], line: int) -> Result:
    cell = drafted.policy.snapshot.cell(
        frozenset(row["rol"].split("|")), row["act"], row["cat"], row["pur"], row["jur"] or "any"
    )
    got = "permit" if cell.permitted else "deny"
    rules = row.get("rules") or ""
    named = {*cell.allowed, *cell.denied}
    passed = got == row["expect"] and (not rules or set(rules.split("|")) <= named)
    return Result(line, row["expect"], got if not rules else f"{got} by {'|'.join(sorted(named))}", passed)
