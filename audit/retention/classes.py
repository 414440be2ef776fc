"""Retention classes: which entries lie in a log of their own, and for how long. The section `logs` of a manifest.

    logs:
      access: {keep: P90D}
      consent: {}
      admin: {types: [server.*, vault.epoch.*], keep: P10Y}

Without it there is one log, `main`. A class that is named gets a log of its name, which takes the types it lists; what
no class lists stays in `main`, which is never cut into shards and never pruned. `access` is short and large, so it gets
a new shard each day, the others each year (`shards.py`). Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from audit.leaf.vocabulary import declared, is_external
from audit.reading.selection import fits
from sayso.kernel import (
    Invalid,
    ManifestError,
    Map,
    Node,
    Problem,
    Scalar,
    Seq,
    nearest,
    parse_duration,
    plain,
    problem,
)

MAIN: Final = "main"
"""The log that every tenant has."""

SHIPPED: Final = {
    "access": (
        "access.*",
        "consent.history.*",
        "vault.index.*",
        "vault.text.*",
        "vault.value.*",
        "vault.values.*",
    ),
    "consent": ("consent.*", "rights.*"),
    "admin": ("server.*", "vault.alarm.*", "vault.canary.*", "vault.epoch.*", "vault.grant.*", "vault.keys.*"),
}
"""The classes there are, with the types that each takes when its own list is absent."""

KEPT: Final = {"access": "P90D"}
"""How long entries of a class stay when nothing else is declared; the others stay until somebody says otherwise."""

_EXTERNAL: Final = "external."
_REMEMBERED: Final = 4_096
_MEMBERS: Final = ("types", "keep")
_OWN: Final = ("audit.log", "audit.shard", "audit.epoch")
"""What a log says of itself and of others lies where nothing is pruned."""


class LogClass(Struct, frozen=True):
    """One class: names or prefixes such as `access.*`, and how long its entries stay (ISO 8601; empty: for ever)."""

    name: str
    types: tuple[str, ...]
    keep: str = ""


class Classes:
    """The classes of one brand. Of several prefixes that fit a type the longest decides."""

    def __init__(self, classes: Mapping[str, LogClass] | None = None) -> None:
        self.classes = dict(classes or {})
        listed = [(pattern, name) for name, each in self.classes.items() for pattern in each.types]
        self._patterns = sorted(listed, key=lambda pair: len(pair[0]), reverse=True)
        self._known: dict[str, str] = {}

    @property
    def external(self) -> frozenset[str]:
        """The classes that take types of other systems."""
        return frozenset(name for pattern, name in self._patterns if pattern.startswith(_EXTERNAL))

    @property
    def names(self) -> tuple[str, ...]:
        """`main` and every class that is declared."""
        return (MAIN, *self.classes)

    def of(self, event_type: str) -> str:
        """The class whose log takes entries of a type."""
        known = self._known.get(event_type)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                # Types of other systems are theirs to make up.
                self._known.clear()
            fitting = (name for pattern, name in self._patterns if fits(pattern, event_type))
            known = self._known[event_type] = next(fitting, MAIN)
        return known


def parse_logs(section: Node | None) -> Classes:
    """The section. Raises `ManifestError` with every problem."""
    if section is None or plain(section) is None:
        return Classes()
    if not isinstance(section, Map):
        raise ManifestError([problem(section, "logs: a mapping of classes, as in {access: {keep: P90D}}.")])
    problems: list[Problem] = []
    found: dict[str, LogClass] = {}
    for name, node in section.items():
        if name not in SHIPPED:
            line = section.lines[name]
            problems.append(Problem(section.file, line, f"logs: no class {name!r}.", nearest(name, SHIPPED)))
            continue
        found[name] = LogClass(name, *_members(name, node, problems))
    problems += _doubled(section, found)
    if problems:
        raise ManifestError(problems)
    return Classes(found)


def _members(name: str, node: Node, problems: list[Problem]) -> tuple[tuple[str, ...], str]:
    types, keep = SHIPPED[name], KEPT.get(name, "")
    if not isinstance(node, Map):
        if plain(node) is not None:
            problems.append(problem(node, f"logs.{name}: a mapping, as in {{keep: P90D}}."))
        return types, keep
    for member, child in node.items():
        if member == "types":
            types = tuple(_types(name, child, problems))
        elif member == "keep":
            keep = _duration(name, child, problems)
        else:
            near = nearest(member, _MEMBERS)
            problems.append(Problem(node.file, node.lines[member], f"logs.{name} has no member {member!r}.", near))
    return types, keep


def _types(name: str, node: Node, problems: list[Problem]) -> Iterator[str]:
    if not isinstance(node, Seq) or not len(node):
        problems.append(problem(node, f"logs.{name}.types: a list of types or prefixes, as in [access.*]."))
        return
    for child in node:
        pattern = child.text if isinstance(child, Scalar) else ""
        known = [each for each in declared() if fits(pattern, each)]
        if any(each.startswith(f"{own}.") for each in known for own in _OWN):
            problems.append(problem(child, f"logs.{name}.types: what logs say of themselves stays in main."))
        elif known or pattern == f"{_EXTERNAL}*" or is_external(pattern.removesuffix(".*")):
            yield pattern
        else:
            near = nearest(pattern.removesuffix(".*"), declared())
            problems.append(problem(child, f"logs.{name}.types: no entry is of type {pattern!r}.", nearest=near))


def _duration(name: str, node: Node, problems: list[Problem]) -> str:
    text = node.text if isinstance(node, Scalar) else ""
    try:
        years, months, weeks, days, *_ = parse_duration(text)
    except Invalid as error:
        problems.append(problem(node, f"logs.{name}.keep: {error.message}"))
        return ""
    if not any((years, months, weeks, days)):
        problems.append(problem(node, f"logs.{name}.keep: a day at least."))
    return text


def _doubled(section: Map, found: Mapping[str, LogClass]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name, each in found.items():
        for pattern in each.types:
            other = taken.setdefault(pattern, name)
            if other != name:
                message = f"logs.{name}.types: {pattern!r} is listed by {other!r} already."
                yield Problem(section.file, section.lines[name], message)
