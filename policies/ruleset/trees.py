"""The five trees that rules and questions speak of: roles, categories, purposes, jurisdictions, actions.

Every tree has the one root `any`. Ancestors are flattened when a tree is built: Casbin follows a chain of roles for ten
hops only and then loses what is inherited, denies included, without a word (docs/formats/policies.md, "Traps").
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

ROOT: Final = "any"

ACTIONS: Final = ("read", "use", "reveal", "aggregate", "export", "share", "erase")
"""What can be done with data. A closed list."""

OVERDUE: Final = "overdue"
"""The role that a client has besides its own while it was not told of a change for too long."""

BUILT_IN_ROLES: Final = ("admin", "officer", "auditor", "recorder", "vault_writer", "pep", "self", OVERDUE)
"""Roles that Sayso itself gives a meaning. A manifest neither declares nor inherits them."""

MOST_ANCESTORS: Final = 256
"""Names above a name. Flattening costs their square."""

RIGHTS: Final = "dsar"
"""The purpose of answering people's own requests. Shipped; no manifest declares it, no deny reaches it."""


class Cycle(ValueError):
    """A name is its own ancestor. `args[0]` names it."""


class TooDeep(ValueError):
    """A name has more ancestors than `MOST_ANCESTORS`. `args[0]` names it."""


class Tree:
    """Names with their ancestors. Immutable.

    `up[name]` is the name, its ancestors and `any`; `down[name]` is the name and everything below it.
    """

    __slots__ = ("down", "up")

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        """`parents` maps each name to its parents, all of them names of the tree; none means: right below `any`.

        Raises `Cycle`, `TooDeep`, and `KeyError` for a parent that is no name of the tree.
        """
        self.up: dict[str, frozenset[str]] = {ROOT: frozenset((ROOT,))}
        for name in parents:
            self._climb(name, parents)
        below: dict[str, set[str]] = {name: set() for name in self.up}
        for name, ancestors in self.up.items():
            for ancestor in ancestors:
                below[ancestor].add(name)
        self.down = {name: frozenset(names) for name, names in below.items()}

    def _climb(self, start: str, parents: Mapping[str, Iterable[str]]) -> None:
        # A stack of our own: a manifest may be deeper than Python's.
        path: dict[str, Iterator[str]] = {}
        pending = [start]
        while pending:
            name = pending[-1]
            if name in self.up:
                pending.pop()
                continue
            rest = path.setdefault(name, iter(tuple(parents[name])))
            above = next((parent for parent in rest if parent not in self.up), None)
            if above is None:
                found = frozenset((name, ROOT)).union(*(self.up[parent] for parent in parents[name]))
                if len(found) > MOST_ANCESTORS:
                    raise TooDeep(name)
                self.up[name] = found
            elif above in path:
                raise Cycle(above)
            else:
                pending.append(above)

    def __contains__(self, name: object) -> bool:
        return name in self.up

    def __iter__(self) -> Iterator[str]:
        return iter(self.up)

    def __len__(self) -> int:
        return len(self.up)

    def leaf(self, name: str) -> bool:
        """Whether nothing stands below `name`."""
        return len(self.down[name]) == 1

    def links(self) -> list[tuple[str, str]]:
        """(name, ancestor) for every ancestor: the rows of one of Casbin's role definitions. Sorted."""
        return sorted((name, above) for name, ancestors in self.up.items() for above in ancestors if above != name)


class Trees(Struct, frozen=True):
    """All five, as one manifest declares them."""

    roles: Tree
    categories: Tree
    purposes: Tree
    jurisdictions: Tree
    actions: Tree


def dotted(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Parents of dotted paths: `a.b.c` stands below `a.b`, which exists with it. `any` itself is left out."""
    parents: dict[str, tuple[str, ...]] = {}
    for name in names:
        while name and name != ROOT and name not in parents:
            above = name.rpartition(".")[0]
            parents[name] = (above,) if above else ()
            name = above
    return parents


def with_built_in(declared: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The declared roles' parents, and the built-in roles right below `any`."""
    return {**dict.fromkeys(BUILT_IN_ROLES, ()), **{name: tuple(above) for name, above in declared.items()}}


ACTION_TREE: Final = Tree(dict.fromkeys(ACTIONS, ()))
