"""What `sayso apply` publishes: new versions of purposes and notices, and never a change of an old one. Pure.

A purpose gets a new version when something material changed (categories, legal basis, recipients): what people agreed
to is then no longer what is done, and their grants are stale. Titles, descriptions and terms change without one. A
notice is versioned by its author; a version once published keeps its every byte.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from consent.catalogue import Catalogue, Notice, Purpose
from consent.declarations import Declarations
from sayso.kernel import ManifestError, Problem


class Publication(Struct, frozen=True):
    """The catalogue that a manifest leads to, and what of it is new."""

    catalogue: Catalogue
    purposes: tuple[Purpose, ...]
    notices: tuple[Notice, ...]


def publish(declared: Declarations, purposes: Iterable[Purpose], notices: Iterable[Notice], at: int) -> Publication:
    """`purposes` and `notices` are all versions published so far; `at` is the instant of what is new.

    Raises `ManifestError` when a published notice is changed under its version or goes back to an older one.
    """
    history = list(purposes)
    newest = {each.name: each for each in sorted(history, key=lambda each: each.version)}
    current = {name: _versioned(purpose, newest.get(name), at) for name, purpose in declared.purposes.items()}
    new_purposes = tuple(
        each for name, each in current.items() if name not in newest or each.version > newest[name].version
    )
    published = {(each.name, each.version): each for each in notices}
    problems: list[Problem] = []
    new_notices: list[Notice] = []
    for notice in declared.notices.values():
        same = published.get((notice.name, notice.version))
        last = max((version for name, version in published if name == notice.name), default=0)
        place = declared.places.get(notice.name, ("", 0))
        if notice.version < last:
            problems.append(
                Problem(
                    *place, f"Version {last} of notice {notice.name!r} is published; {notice.version} is behind it."
                )
            )
        elif same is None:
            new_notices.append(replace(notice, published_at=at))
        elif same.content() != notice.content():
            message = f"Version {notice.version} of notice {notice.name!r} is published and never changes."
            problems.append(Problem(*place, message))
    if problems:
        raise ManifestError(problems)
    live = [each for each in published.values() if each.name in declared.notices]
    catalogue = Catalogue(current.values(), [*live, *new_notices], declared.categories, [*history, *new_purposes])
    return Publication(catalogue, new_purposes, tuple(new_notices))


def _versioned(purpose: Purpose, last: Purpose | None, at: int) -> Purpose:
    if last is None:
        return replace(purpose, version=1, published_at=at)
    if purpose.material() == last.material():
        return replace(purpose, version=last.version, published_at=last.published_at)
    return replace(purpose, version=last.version + 1, published_at=at)
