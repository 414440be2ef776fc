"""Rules looked at by the server before they decide: their tests run, and two versions of them compared.

A draft is what `sayso apply` of the same files would make live; nothing is stored, and nobody's state is read.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from policies import Case, Difference, Explanation, Outcome, Policy, coverage, diff, prove, read_files
from sayso.kernel import Invalid, Map, Tx, Work, load
from sayso.server.call import Call
from sayso.server.control.versions import stored_version
from sayso.server.manifests import manifest
from sayso.server.manifests.applying import ManifestFile
from sayso.server.manifests.building import Built, build
from sayso.server.manifests.drafting import draft_tree


class Proving(Struct, frozen=True, forbid_unknown_fields=True):
    """Tests to run besides the live ones, against the live rules or those that `draft` would make. `coverage`: say
    which rules the tests cover.
    """

    files: tuple[ManifestFile, ...] = ()
    draft: tuple[ManifestFile, ...] = ()
    coverage: bool = False


class Tested(Struct, frozen=True):
    """One test that failed: where it stands, what it expected and got, and why it got that."""

    file: str
    line: int
    test: str
    expected: str
    got: str
    why: Explanation


class RuleCoverage(Struct, frozen=True):
    """One rule: whether a test notices any of its `mutants`, and those that none notices."""

    rule: str
    file: str
    line: int
    covered: bool
    mutants: int
    survivors: tuple[str, ...]


class Proven(Struct, frozen=True):
    """What came of the tests under the rules of this version. `percent` of the brand's own rules are covered."""

    policy_version: str
    tests: int
    failed: tuple[Tested, ...]
    rules: tuple[RuleCoverage, ...] | None = None
    percent: float | None = None


class Side(Struct, frozen=True, forbid_unknown_fields=True):
    """One set of rules to compare: a stored `version` of the manifest, or what `files` would make of the live one;
    neither: what is live.
    """

    version: int | None = None
    files: tuple[ManifestFile, ...] = ()


class Comparing(Struct, frozen=True, forbid_unknown_fields=True):
    """Which rules to compare."""

    old: Side = Side()
    new: Side = Side()


async def test(call: Call, wanted: Proving) -> Proven:
    """Run tests. Raises `ManifestError` for a test or a draft that cannot be read, each problem at its line."""
    built = await drafted(call, wanted.draft)
    return await asyncio.to_thread(_tested, built.policy, built.suite, wanted)


async def compare(call: Call, wanted: Comparing) -> Difference:
    """What changes from one set of rules to the other. Raises `ManifestError`, `UnknownVersion`."""
    old, new = await _policy(call, wanted.old), await _policy(call, wanted.new)
    return await asyncio.to_thread(diff, old.snapshot, new.snapshot)


async def drafted(call: Call, files: Sequence[ManifestFile]) -> Built:
    """What the files would make of the live manifest; without files what is live. Raises `ManifestError`."""
    tree = load((file.name, file.content.encode()) for file in files)
    return await call.look(partial(_built, call, tree))


def tested(policy: Policy, cases: list[Case], *, cover: bool) -> Proven:
    """The tests run under these rules."""
    outcomes = prove(policy, cases)
    failed = tuple(_failed(each) for each in outcomes if not each.passed)
    version = policy.version
    if not cover:
        return Proven(version, len(cases), failed)
    found = coverage(policy, cases)
    rules = tuple(
        RuleCoverage(each.rule, each.file, each.line, each.covered, each.mutants, each.survivors)
        for each in found.rules
    )
    return Proven(version, len(cases), failed, rules, round(found.percent, 1))


def _tested(policy: Policy, suite: tuple[Case, ...], wanted: Proving) -> Proven:
    cases = [*suite, *read_files(((file.name, file.content.encode()) for file in wanted.files), policy)]
    if not cases:
        raise Invalid("no-tests", "There is no test to run, neither in the files nor beside the rules.")
    return tested(policy, cases, cover=wanted.coverage)


def _failed(outcome: Outcome) -> Tested:
    assert outcome.why is not None
    case = outcome.case
    return Tested(case.file, case.line, case.name, outcome.expected, outcome.got, outcome.why)


def _built(call: Call, tree: Map, tx: Tx) -> Work[Built]:
    live = manifest.decode(call.configuration.manifest)
    return (yield from build(call.services.registry, manifest.merge(live, tree).tree, tx))


async def _policy(call: Call, side: Side) -> Policy:
    if side.version is not None and side.files:
        raise Invalid("one-side", "A side is a version or files, not both.")
    if side.version is not None:
        content = await call.look(partial(_stored, side.version))
        tree = manifest.node_of(manifest.decode(content))
        assert isinstance(tree, Map)
        return draft_tree(tree, call.tenant).policy
    return (await drafted(call, side.files)).policy if side.files else call.configuration.policy


def _stored(version: int, tx: Tx) -> Work[bytes]:
    return bytes((yield from stored_version(tx, version))[1])
