"""`sayso apply` on the server's side: a new version of the manifest with all that follows from it, in one cold unit."""

from functools import partial
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent
from consent import AskedAgain, Catalogue, Publication
from sayso.kernel import Conflict, ManifestError, Map, Tx, Work, load
from sayso.server import events, manifest, store
from sayso.server.call import Call
from sayso.server.configuration import Built, build
from sayso.server.counting import count_asked_again
from sayso.server.manifest import Change, Merged
from sayso.server.wiring import Services

LARGEST_MANIFEST = 16 << 20
"""Bytes that a call may bring: ten thousand rules with their texts in eight languages are a fifth of it."""


class ManifestFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its name as messages shall tell it, and its YAML."""

    name: str
    content: str


class Applying(Struct, frozen=True, forbid_unknown_fields=True):
    """Files to apply. `prune` removes live members that a named section leaves out; `dry_run` changes nothing."""

    files: list[ManifestFile]
    prune: bool = False
    dry_run: bool = False


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
    """What became live (or would), and how it differs from what was. `planned`: nothing was changed.

    `asked_again` counts people whose grant becomes stale; null where the change makes none so.
    """

    status: Literal["live", "planned"]
    version: int
    hash: str
    changes: tuple[Change, ...]
    warnings: tuple[Warned, ...] = ()
    purposes: tuple[PublishedPurpose, ...] = ()
    notices: tuple[StagedNotice, ...] = ()
    asked_again: AskedAgain | None = None


class Plan(NamedTuple):
    """What a manifest would do: the answer without its count, and the catalogues before and after."""

    answer: Applied
    before: Catalogue
    publication: Publication


async def apply(call: Call, wanted: Applying) -> Applied:
    """Raises `ManifestError` with every problem, each at its line; then nothing has changed."""
    tree = load((file.name, file.content.encode()) for file in wanted.files)
    # One brand's manifests one after another: side by side they would hold connections only to find the same changes.
    async with call.services.configurations.changing(call.tenant):
        plan = await call.look(partial(_plan, call.services, tree, wanted))
        counted = await count_asked_again(call, plan.before, plan.publication)
        if wanted.dry_run:
            return replace(plan.answer, asked_again=counted)
        return await call.alone(partial(_apply, call.services, tree, wanted, counted))


def apply_tree(services: Services, tree: Map, tx: Tx) -> Work[Applied]:
    """The cold unit alone, for a tree that was loaded already. It counts nobody: for a brand that has nobody yet."""
    return _apply(services, tree, Applying([]), None, tx)


def _plan(services: Services, tree: Map, wanted: Applying, tx: Tx) -> Work[Plan]:
    version, held, merged, built = yield from _read(services, tree, wanted, tx)
    before = services.configurations.of(tx.context.tenant).catalogue
    return Plan(_answer("planned", version, held, merged, built), before, built.publication)


def _apply(services: Services, tree: Map, wanted: Applying, counted: AskedAgain | None, tx: Tx) -> Work[Applied]:
    version, held, merged, built = yield from _read(services, tree, wanted, tx)
    if merged.hash == held:
        return _answer("live", version, held, merged, built)
    if counted is not None and counted.purposes.keys() != built.publication.causes.keys():
        raise Conflict("contended", "The manifest changed while this one was counted; plan and apply it again.")
    yield from _store(services, tx, version + 1, merged, built, counted)
    return replace(_answer("live", version + 1, held, merged, built), asked_again=counted)


def _read(services: Services, tree: Map, wanted: Applying, tx: Tx) -> Work[tuple[int, str, Merged, Built]]:
    (rows,) = yield (tx.select(store.latest_manifest()),)
    version, held, content, _ = rows[0] if rows else (0, "", b"{}", 0)
    merged = manifest.merge(manifest.decode(content), tree)
    built = yield from _sound(services, merged, tx, prune=wanted.prune)
    return version, held, merged, built


def _answer(status: Literal["live", "planned"], version: int, held: str, merged: Merged, built: Built) -> Applied:
    warnings = tuple(Warned(each.file, each.line, each.message) for each in built.warnings)
    if merged.hash == held:
        return Applied(status, version, held, (), warnings)
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
    return Applied(status, version, merged.hash, merged.changes, warnings, purposes, notices)


def _sound(services: Services, merged: Merged, tx: Tx, *, prune: bool) -> Work[Built]:
    """What the merged manifest comes to. Raises `ManifestError` with everything wrong in it, omissions included."""
    omitted = () if prune else merged.omitted
    try:
        built = yield from build(services.registry, merged.tree, tx)
    except ManifestError as error:
        raise ManifestError([*omitted, *error.problems]) from None
    if omitted:
        raise ManifestError(omitted)
    return built


def _store(
    services: Services, tx: Tx, version: int, merged: Merged, built: Built, counted: AskedAgain | None
) -> Work[None]:
    """Manifest, published versions and entry: one commit. Every node reads them before it decides again."""
    context = tx.context
    yield from services.registry.publish(tx, built.declared)
    tx.insert(store.MANIFEST, version, merged.hash, merged.content, context.actor.id.encode(), context.at)
    res = {"version": str(version), "hash": merged.hash}
    if counted is not None:
        res["asked_again"] = str(counted.people)
    services.audit.append(tx, AuditEvent(events.MANIFEST_APPLIED, "ok", res), None)
    tx.configure()
