"""`sayso apply` on the server's side: a new version of the manifest with all that follows from it, in one cold unit."""

from functools import partial
from typing import Literal

from msgspec import Struct

from audit import AuditEvent
from sayso.kernel import ManifestError, Map, Tx, Work, load
from sayso.server import events, manifest, store
from sayso.server.call import Call
from sayso.server.configuration import Built, build
from sayso.server.manifest import Change, Merged
from sayso.server.wiring import Services


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


class Applied(Struct, frozen=True):
    """What became live (or would), and how it differs from what was. `planned`: nothing was changed."""

    status: Literal["live", "planned"]
    version: int
    hash: str
    changes: tuple[Change, ...]
    warnings: tuple[Warned, ...] = ()


async def apply(call: Call, wanted: Applying) -> Applied:
    """Raises `ManifestError` with every problem, each at its line; then nothing has changed."""
    tree = load((file.name, file.content.encode()) for file in wanted.files)
    unit = partial(_apply, call.services, tree, wanted)
    return await (call.look(unit) if wanted.dry_run else call.alone(unit))


def apply_tree(services: Services, tree: Map, tx: Tx) -> Work[Applied]:
    """The cold unit alone, for a tree that was loaded already."""
    return _apply(services, tree, Applying([]), tx)


def _apply(services: Services, tree: Map, wanted: Applying, tx: Tx) -> Work[Applied]:
    (rows,) = yield (tx.select(store.latest_manifest()),)
    version, held, content, _ = rows[0] if rows else (0, "", b"{}", 0)
    merged = manifest.merge(manifest.decode(content), tree)
    built = yield from _sound(services, merged, tx, prune=wanted.prune)
    warnings = tuple(Warned(each.file, each.line, each.message) for each in built.warnings)
    if merged.hash == held:
        return Applied("planned" if wanted.dry_run else "live", version, held, (), warnings)
    if wanted.dry_run:
        return Applied("planned", version, merged.hash, merged.changes, warnings)
    yield from _store(services, tx, version + 1, merged, built)
    return Applied("live", version + 1, merged.hash, merged.changes, warnings)


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


def _store(services: Services, tx: Tx, version: int, merged: Merged, built: Built) -> Work[None]:
    """Manifest, published versions and entry: one commit. Every node reads them before it decides again."""
    context = tx.context
    yield from services.registry.publish(tx, built.declared)
    tx.insert(store.MANIFEST, version, merged.hash, merged.content, context.actor.id.encode(), context.at)
    res = {"version": str(version), "hash": merged.hash}
    services.audit.append(tx, AuditEvent(events.MANIFEST_APPLIED, "ok", res), None)
    tx.configure()
