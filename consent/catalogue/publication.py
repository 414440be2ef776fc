"""What `sayso apply` publishes: new versions of purposes and notices, and never a change of an old one. Pure.

A purpose gets a new version when something that people agreed to became wider (`materiality.py`), or when a notice
declares that its new version is material for it: their grants are then stale. Any other change is a revision of the
version. A notice is versioned by its author. It may be a draft, then reviewed, then published; a version that began as
a draft is published as it was reviewed; one that is published keeps its every byte, until a newer one supersedes it.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from consent.catalogue.catalogue import Catalogue, Notice, Purpose
from consent.catalogue.declarations import Declarations
from consent.catalogue.materiality import reworded, widened
from sayso.kernel import ManifestError, Problem


class Staged(Struct, frozen=True):
    """Where a notice version stood when it was last applied unpublished, and the hash of its content then."""

    notice: str
    version: int
    stage: Literal["draft", "reviewed"]
    hash: str


class Publication(Struct, frozen=True):
    """The catalogue that a manifest leads to, and what of it is new.

    `purposes` are new versions and revisions, `notices` new versions, `staged` drafts and reviews. `causes` tells, for
    each purpose about which people are asked again, what became wider, or which notice says so. `doubts` are of no
    consequence.
    """

    catalogue: Catalogue
    purposes: tuple[Purpose, ...]
    notices: tuple[Notice, ...]
    staged: tuple[Notice, ...] = ()
    causes: Mapping[str, tuple[str, ...]] = {}
    doubts: tuple[Problem, ...] = ()


def publish(
    declared: Declarations,
    purposes: Iterable[Purpose],
    notices: Iterable[Notice],
    at: int,
    staged: Iterable[Staged] = (),
) -> Publication:
    """`purposes` and `notices` are all versions published so far, `staged` the latest stage of each other version; `at`
    is the instant of what is new.

    Raises `ManifestError` when a published notice is changed under its version or goes back to an older one, and when
    a notice is published that nobody reviewed or that is not what was reviewed.
    """
    history = sorted(purposes, key=lambda each: (each.version, each.revision))
    published = {(each.name, each.version): each for each in notices}
    desk = _Desk(declared, published, {(each.notice, each.version): each for each in staged}, at)
    for notice in declared.notices.values():
        desk.take(notice)
    if desk.problems:
        raise ManifestError(desk.problems)
    newest = {each.name: each for each in history}
    causes: dict[str, tuple[str, ...]] = {}
    current: dict[str, Purpose] = {}
    for name, purpose in declared.purposes.items():
        current[name], why = _versioned(purpose, newest.get(name), desk.reasons(name), at)
        if why:
            causes[name] = why
    fresh = tuple(each for name, each in current.items() if _number(each) != _number(newest.get(name)))
    live = [each for each in published.values() if each.name in declared.notices]
    catalogue = Catalogue(
        current.values(),
        [*live, *desk.published],
        declared.categories,
        [*history, *fresh],
        drafts=desk.drafts,
        recipients=declared.recipients.values(),
        controller=declared.controller,
    )
    return Publication(catalogue, fresh, tuple(desk.published), tuple(desk.staged), causes, tuple(desk.doubts))


class _Desk:
    """Sorts the notices of a manifest into published, staged and refused."""

    def __init__(
        self,
        declared: Declarations,
        before: Mapping[tuple[str, int], Notice],
        staged: Mapping[tuple[str, int], Staged],
        at: int,
    ) -> None:
        self.published: list[Notice] = []
        self.staged: list[Notice] = []
        self.drafts: list[Notice] = []
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []
        self._declared = declared
        self._before = before
        self._staged = staged
        self._at = at
        self._asking: list[tuple[str, str]] = []

    def take(self, notice: Notice) -> None:
        last = max((version for name, version in self._before if name == notice.name), default=0)
        if notice.version < last:
            self._refuse(
                notice, f"Version {last} of notice {notice.name!r} is published; {notice.version} is behind it."
            )
        elif notice.status == "published":
            self._publish(notice, last)
        elif notice.version == last:
            message = f"Version {last} of notice {notice.name!r} is published; a draft has a higher number."
            self._refuse(notice, message)
        else:
            self._stage(notice)

    def reasons(self, purpose: str) -> tuple[str, ...]:
        """The notices whose new version says that people are to be asked about this purpose again."""
        return tuple(notice for notice, above in self._asking if purpose == above or purpose.startswith(above + "."))

    def _publish(self, notice: Notice, last: int) -> None:
        same = self._before.get((notice.name, notice.version))
        if same is not None:
            if same.content() != notice.content():
                message = f"Version {notice.version} of notice {notice.name!r} is published and never changes."
                self._refuse(notice, message)
            return
        staged = self._staged.get((notice.name, notice.version))
        if staged is not None and staged.stage == "draft":
            message = f"Version {notice.version} of notice {notice.name!r} is a draft; apply it as reviewed first."
            self._refuse(notice, message, "status")
        elif staged is not None and staged.hash != notice.hash():
            message = f"Version {notice.version} of notice {notice.name!r} is not what was reviewed."
            self._refuse(notice, message, "status")
        else:
            self.published.append(replace(notice, published_at=self._at))
            self._ask(notice, last)

    def _ask(self, notice: Notice, last: int) -> None:
        if last == 0:
            return
        if notice.material is None:
            message = (
                f"Version {notice.version} of notice {notice.name!r} does not say whether it is 'material': nobody is "
                "asked again."
            )
            self.doubts.append(Problem(*self._place(notice), message))
        self._asking += [(f"{notice.name} {notice.version}", name) for name in notice.asks_again()]

    def _stage(self, notice: Notice) -> None:
        self.drafts.append(notice)
        staged = self._staged.get((notice.name, notice.version))
        if staged is None or (staged.stage, staged.hash) != (notice.status, notice.hash()):
            self.staged.append(notice)

    def _refuse(self, notice: Notice, message: str, member: str = "version") -> None:
        self.problems.append(Problem(*self._place(notice, member), message))

    def _place(self, notice: Notice, member: str = "version") -> tuple[str, int]:
        places = self._declared.places
        path = ("notices", notice.name)
        return places.get((*path, member)) or places.get(path) or ("", 0)


def _versioned(
    purpose: Purpose, last: Purpose | None, notices: tuple[str, ...], at: int
) -> tuple[Purpose, tuple[str, ...]]:
    """The purpose with its numbers, and why people are asked again; nothing where they are not."""
    if last is None:
        return replace(purpose, version=1, published_at=at), ()
    if why := (*widened(last, purpose), *notices):
        return replace(purpose, version=last.version + 1, published_at=at), why
    kept = replace(
        purpose,
        version=last.version,
        revision=last.revision,
        published_at=last.published_at,
        revised_at=last.revised_at,
    )
    if any(reworded(last, purpose)):
        return replace(kept, revision=last.revision + 1, revised_at=at), ()
    return kept, ()


def _number(purpose: Purpose | None) -> tuple[int, int]:
    return (purpose.version, purpose.revision) if purpose is not None else (0, 0)
