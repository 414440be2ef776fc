"""Manifest files looked at without any store: what `sayso policy lint`, `test` and `diff` stand on."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from consent import parse as parse_consent
from consent import publish
from policies import Case, Policy, read_policy, read_suite
from sayso.kernel import ManifestError, Map, Problem, load_paths, now
from sayso.server.tenancy import DEFAULT


class Draft(Struct, frozen=True):
    """Rules that are not live, with the tests that stand beside them."""

    policy: Policy
    warnings: tuple[Problem, ...]
    suite: tuple[Case, ...]


def draft(paths: Iterable[Path]) -> Draft:
    """The files as one manifest of a brand that has nothing yet. Raises `ManifestError`."""
    return draft_tree(load_paths(paths), DEFAULT)


def draft_tree(tree: Map, tenant: str) -> Draft:
    """The same for a manifest that was read already. Raises `ManifestError`."""
    declared = parse_consent(tree)
    policy, warnings = read_policy(tree, publish(declared, [], [], now()).catalogue, tenant)
    problems: list[Problem] = []
    suite = read_suite(tree.get("policy_tests"), policy, problems)
    if problems:
        raise ManifestError(problems)
    return Draft(policy, (*declared.doubts, *warnings), tuple(suite))


def manifests_in(path: Path) -> list[Path]:
    """The file itself, or the manifest files of a folder, in the order of their names."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml"))
