"""`sayso apply` on the server's side: a new version of the manifest with all that follows from it, in one cold unit."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from consent import AskedAgain, Catalogue, Publication
from policies import Difference, Snapshot, diff, failures_of
from sayso.kernel import Conflict, ManifestError, Map, Tx, Work, load
from sayso.server import store
from sayso.server.call import Call
from sayso.server.callers.auth import Principal
from sayso.server.control.activation import Origin, Version, activate, demand_enough, loss
from sayso.server.control.proposals import Draft, propose
from sayso.server.manifests import manifest
from sayso.server.manifests.building import Built, build
from sayso.server.manifests.counting import count_asked_again
from sayso.server.manifests.manifest import Change, Merged
from sayso.server.wiring import Services

LARGEST_MANIFEST = 16 << 20
"""Bytes that a call may bring: ten thousand rules with their texts in eight languages are a fifth of it."""


class ManifestFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its name as messages shall tell it, and its YAML."""

    name: str
    content: str


class Applying(Struct, frozen=True, forbid_unknown_fields=True):
    """Files to apply. `prune` removes live members that a named section leaves out; `dry_run` changes nothing; `force`
    goes on though no allow, or much fewer rules, would be left.
    """

    files: list[ManifestFile]
    prune: bool = False
    dry_run: bool = False
    force: bool = False


class Warned(Struct, frozen=True):
    """Something lint doubts and does not refuse."""

    file: str
    line: int
    message: str


class PublishedPurpose(Struct, frozen=True):
    """A purpose in a new version, or in new words (`revision`). `because` tells why people are asked again: members
    that became wider, and notices that say so; empty where earlier grants stand.
    """

    purpose: str
    version: int
    revision: int
    because: tuple[str, ...]


class StagedNotice(Struct, frozen=True):
    """A notice version at a new stage. `material`: the purposes that its author declared changed; None: undecided."""

    notice: str
    version: int
    stage: str
    hash: str
    material: tuple[str, ...] | None


class Applied(Struct, frozen=True):
    """What became live (or would), and how it differs from what was. `planned`: nothing was changed. `proposed`: it
    waits, under the id `proposal`, until another person approves it; `version` is the one it was made from.

    `asked_again` counts people whose grant becomes stale; null where the change makes none so. So many `tests` of the
    rules passed. `loss` says that too many rules would go, which needs force. `kept`: what a rollback leaves as it is,
    since published words stay published. `difference` is there when it is proposed: the questions that are answered
    differently.
    """

    status: Literal["live", "planned", "proposed"]
    version: int
    hash: str
    changes: tuple[Change, ...]
    warnings: tuple[Warned, ...] = ()
    purposes: tuple[PublishedPurpose, ...] = ()
    notices: tuple[StagedNotice, ...] = ()
    asked_again: AskedAgain | None = None
    proposal: str | None = None
    loss: str = ""
    restores: int | None = None
    kept: tuple[str, ...] = ()
    tests: int = 0
    difference: Difference | None = None


class Base(NamedTuple):
    """The live version: number, hash, canonical JSON."""

    version: int
    hash: str
    content: bytes


class Next(NamedTuple):
    """What is to follow it, and what of it could not be as wished."""

    merged: Merged
    kept: tuple[str, ...] = ()


class Wish(NamedTuple):
    """How to get from the live version to the next one, and what is allowed on the way.

    `alone`: one person does what takes two; whoever passes it writes down why.
    """

    following: Callable[[Tx, Base], Work[Next]]
    prune: bool = False
    dry_run: bool = False
    force: bool = False
    restores: int = 0
    alone: Callable[[Tx, int, str], None] | None = None


class Plan(NamedTuple):
    """What a manifest would do: the answer without its count, the hash of the live version, the catalogues before and
    after, and the rules before and after of a change that takes two people.
    """

    answer: Applied
    base: str
    before: Catalogue
    publication: Publication
    rules: tuple[Snapshot, Snapshot] | None


class Seen(NamedTuple):
    """What was found out about a change before it is made: about that very change, from that very version."""

    base: str
    hash: str
    counted: AskedAgain | None
    difference: Difference | None


async def apply(call: Call, wanted: Applying) -> Applied:
    """Raises `ManifestError` with every problem, each at its line; then nothing has changed."""
    # Off the loop: ten thousand rules take a third of a second.
    tree = await asyncio.to_thread(load, [(file.name, file.content.encode()) for file in wanted.files])
    return await bring(call, Wish(_from_files(tree), wanted.prune, wanted.dry_run, wanted.force))


async def bring(call: Call, wish: Wish) -> Applied:
    """The next version is planned, counted, and then live or proposed. Raises `ManifestError`, `RulesLost`."""
    # One brand's manifests one after another: side by side they would hold connections only to find the same changes.
    async with call.services.configurations.changing(call.tenant):
        plan = await call.look(partial(_plan, call.services, wish))
        counted = await count_asked_again(call, plan.before, plan.publication)
        if wish.dry_run:
            return replace(plan.answer, asked_again=counted)
        # Comparing large rule sets takes a while, in which others are to be answered.
        difference = await asyncio.to_thread(diff, *plan.rules) if plan.rules is not None else None
        seen = Seen(plan.base, plan.answer.hash, counted, difference)
        return await call.alone(partial(_bring, call.services, call.principal, wish, seen))


def apply_tree(services: Services, tree: Map, tx: Tx) -> Work[Applied]:
    """The cold unit alone, for a tree that was loaded already. It counts nobody: for a brand that has nobody yet."""
    author = Principal(tx.context.tenant, tx.context.actor)
    return _bring(services, author, Wish(_from_files(tree)), None, tx)


def _from_files(tree: Map) -> Callable[[Tx, Base], Work[Next]]:
    def following(tx: Tx, base: Base) -> Work[Next]:
        yield ()
        return Next(manifest.merge(manifest.decode(base.content), tree))

    return following


def _plan(services: Services, wish: Wish, tx: Tx) -> Work[Plan]:
    base, following, built = yield from _read(services, wish, tx)
    live = services.configurations.of(tx.context.tenant)
    answer = _answer(services, tx, "planned", wish, base, following, built)
    rules = (live.policy.snapshot, built.policy.snapshot) if _takes_two(wish, base) and answer.changes else None
    return Plan(answer, base.hash, live.catalogue, built.publication, rules)


def _bring(services: Services, principal: Principal, wish: Wish, seen: Seen | None, tx: Tx) -> Work[Applied]:
    base, following, built = yield from _read(services, wish, tx)
    merged = following.merged
    answer = _answer(services, tx, "live", wish, base, following, built)
    if merged.hash == base.hash:
        return answer
    two = _takes_two(wish, base)
    if seen is not None and _moved(seen, base, merged, built, exactly=two):
        raise Conflict("contended", "The manifest changed while this one was counted; plan and apply it again.")
    live = services.configurations.of(tx.context.tenant).policy
    demand_enough(live, built.policy, forced=wish.force)
    forced = bool(answer.loss)
    counted = seen.counted if seen is not None else None
    answer = replace(answer, asked_again=counted)
    if two:
        answer = replace(answer, status="proposed", difference=seen.difference if seen is not None else None)
        draft = Draft(
            base=base.version,
            hash=merged.hash,
            content=merged.content,
            report=msgspec.json.encode(answer),
            restores=wish.restores,
            forced=forced,
        )
        return replace(answer, proposal=(yield from propose(services, tx, principal, draft)))
    glass = wish.alone is not None and _two(base)
    origin = Origin(
        author=principal.counts_as,
        made=tx.context.at,
        restores=wish.restores,
        forced=forced,
        glass=glass,
        asked_again=counted.people if counted is not None else None,
    )
    yield from activate(services, tx, Version(base.version + 1, merged.content, merged.hash, built), origin)
    if glass and wish.alone is not None:
        wish.alone(tx, base.version + 1, merged.hash)
    return replace(answer, version=base.version + 1)


def _takes_two(wish: Wish, base: Base) -> bool:
    return wish.alone is None and _two(base)


def _two(base: Base) -> bool:
    return manifest.approval_of(manifest.decode(base.content)) == "two"


def _moved(seen: Seen, base: Base, merged: Merged, built: Built, *, exactly: bool) -> bool:
    """Whether what was counted is not what would be done; `exactly`: or what was compared, which somebody will read."""
    if seen.counted is not None and seen.counted.purposes.keys() != built.publication.causes.keys():
        return True
    return exactly and (seen.base, seen.hash) != (base.hash, merged.hash)


def _read(services: Services, wish: Wish, tx: Tx) -> Work[tuple[Base, Next, Built]]:
    (rows,) = yield (tx.select(store.latest_manifest()),)
    base = Base(*rows[0][:3]) if rows else Base(0, "", b"{}")
    following = yield from wish.following(tx, base)
    built = yield from _sound(services, following.merged, tx, prune=wish.prune)
    return base, following, built


def _answer(
    services: Services,
    tx: Tx,
    status: Literal["live", "planned"],
    wish: Wish,
    base: Base,
    following: Next,
    built: Built,
) -> Applied:
    warnings = tuple(Warned(each.file, each.line, each.message) for each in built.warnings)
    merged = following.merged
    told = Applied(status, base.version, base.hash, (), warnings, restores=wish.restores or None, kept=following.kept)
    told = replace(told, tests=len(built.suite))
    if merged.hash == base.hash:
        return told
    found = built.publication
    purposes = tuple(
        PublishedPurpose(each.name, each.version, each.revision, found.causes.get(each.name, ()))
        for each in found.purposes
    )
    notices = tuple(
        StagedNotice(
            each.name, each.version, each.status, each.hash(), None if each.material is None else each.asks_again()
        )
        for each in (*found.staged, *found.notices)
    )
    lost = loss(services.configurations.of(tx.context.tenant).policy, built.policy)
    return replace(told, hash=merged.hash, changes=merged.changes, purposes=purposes, notices=notices, loss=lost)


def _sound(services: Services, merged: Merged, tx: Tx, *, prune: bool) -> Work[Built]:
    """What the merged manifest comes to. Raises `ManifestError` with everything wrong in it, omissions included."""
    omitted = () if prune else merged.omitted
    try:
        built = yield from build(services.registry, merged.tree, tx)
    except ManifestError as error:
        raise ManifestError([*omitted, *error.problems]) from None
    if problems := [*omitted, *failures_of(built.policy, built.suite)]:
        raise ManifestError(problems)
    return built
