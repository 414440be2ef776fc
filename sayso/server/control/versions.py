"""What was live: every version with who made it, who approved it, and what became of it."""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from sayso.kernel import Invalid, NotFound, Tx, Values, Work, iso
from sayso.server import store
from sayso.server.control.proposals import Person, named
from sayso.server.wiring import Services

MOST: Final = 200
_END: Final = 1 << 62


class UnknownVersion(NotFound):
    """There was no version of that number."""


class VersionView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version without its content. `created_at` is when it was proposed or applied, `activated_at` when it became
    live. `approver` is absent where one person was enough, and where `break_glass` says that one did what takes two.
    """

    version: int
    hash: str
    state: Literal["live", "retired"]
    author: Person
    created_at: str
    activated_at: str
    approver: Person | None = None
    parent: int | None = None
    restores: int | None = None
    break_glass: bool = False


class WholeVersion(Struct, frozen=True):
    """One version with all its sections."""

    version: VersionView
    manifest: msgspec.Raw


class VersionList(Struct, frozen=True):
    """Versions, newest first; `next` is the `before` of the next page."""

    versions: list[VersionView]
    next: int | None


def list_versions(services: Services, tx: Tx, before: int | None, limit: int) -> Work[VersionList]:
    """A page of versions. Cold. Raises `Invalid` (`invalid-version`)."""
    if before is not None and not 0 < before <= _END:
        raise Invalid("invalid-version", "Versions begin with 1.")
    (rows, latest) = yield (
        tx.select(store.versions_before(before or _END, limit + 1)),
        tx.select(store.latest_manifest()),
    )
    live = latest[0][0] if latest else 0
    views = [_view(services, tx, live, row) for row in rows[:limit]]
    return VersionList(views, rows[limit - 1][0] if len(rows) > limit else None)


def one_version(services: Services, tx: Tx, version: int) -> Work[WholeVersion]:
    """One version, whole. Raises `UnknownVersion`."""
    hashed, content, author, at, approver, made, restores, glass, _, _ = yield from stored_version(tx, version)
    (latest,) = yield (tx.select(store.latest_manifest()),)
    view = _view(services, tx, latest[0][0], (version, hashed, author, at, approver, made, restores, glass))
    return WholeVersion(view, msgspec.Raw(bytes(content)))


def stored_version(tx: Tx, version: int) -> Work[Values]:
    """The row of one version. Raises `UnknownVersion`."""
    row: Values | None = None
    if 0 < version <= _END:
        (row,) = yield (tx.get(store.MANIFEST, version),)
    if row is None:
        raise UnknownVersion("not-found", "There was no version of that number.")
    return row


def _view(services: Services, tx: Tx, live: int, row: tuple[Any, ...]) -> VersionView:
    version, hashed, author, at, approver, made, restores, glass = row
    tenant, second = tx.context.tenant, bytes(approver).decode()
    return VersionView(
        version=version,
        hash=hashed,
        state="live" if version == live else "retired",
        author=named(services, tenant, bytes(author).decode()),
        created_at=iso(made),
        activated_at=iso(at),
        approver=named(services, tenant, second) if second else None,
        parent=version - 1 or None,
        restores=restores or None,
        break_glass=bool(glass),
    )
