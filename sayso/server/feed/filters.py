"""What a client wants to be told of: types of change, and purposes. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from audit import declared
from consent import UnknownPurpose
from sayso.kernel import Invalid, nearest

PREFIX = "sayso."
"""What a CloudEvents type begins with; the rest is the log's name of the event."""


class UnknownType(Invalid):
    """A filter names no event there is."""


class Filter(Struct, frozen=True):
    """Empty means everything. A type may end in `.*`; a purpose stands for itself and what acts on it from above.

    Changes that are about no purpose (somebody was erased, restricted, linked) pass whatever `purposes` says.
    """

    types: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    def takes(self, kind: str) -> bool:
        """Whether changes of this kind are wanted."""
        return not self.types or any(
            kind == wanted or (wanted.endswith(".*") and kind.startswith(wanted[:-1])) for wanted in self.types
        )

    def covers(self, purposes: Iterable[str]) -> bool:
        """Whether a choice about `purposes` touches what is wanted, from above or below."""
        return not self.purposes or any(related(wanted, each) for wanted in self.purposes for each in purposes)

    def shows(self, purpose: str) -> bool:
        """Whether this purpose is one that the client asked about."""
        return not self.purposes or any(
            purpose == wanted or purpose.startswith(wanted + ".") for wanted in self.purposes
        )


def related(one: str, other: str) -> bool:
    """Whether two purposes are the same or lie on one path of the tree."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def made(types: Iterable[str], purposes: Iterable[str], known: Iterable[str]) -> Filter:
    """A filter whose every name is declared. Raises `UnknownType`, `UnknownPurpose`."""
    kinds = [each.removeprefix(PREFIX) for each in dict.fromkeys(types)]
    for kind in kinds:
        stem = kind[:-1] if kind.endswith(".*") else None
        if not (kind in declared() or (stem is not None and any(name.startswith(stem) for name in declared()))):
            raise UnknownType("unknown-type", "No event has this type.", nearest=nearest(kind, declared()))
    names = frozenset(known)
    wanted = tuple(dict.fromkeys(purposes))
    for purpose in wanted:
        if purpose not in names and not any(name.startswith(purpose + ".") for name in names):
            raise UnknownPurpose(nearest(purpose, names))
    return Filter(tuple(kinds), wanted)
