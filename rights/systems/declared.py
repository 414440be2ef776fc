"""The section `systems` of a manifest: who else holds data of the same people, and how they are told.

systems:
  crm:
    title: {en: Customer database}
    holds: [contact, behaviour]
    connector: webhook                  # webhook | pull | manual | sql | opendsr
    client: crm                         # whose key answers: webhook and pull
    kinds: [erasure, access]            # default: every kind that is about stored data
    acknowledge_within: P7D
    identify: {customer: subject, mail: customers.email}
"""

import re
from collections.abc import Collection, Iterable
from typing import Final, Literal, get_args

from msgspec import Struct

from rights.model import KINDS, Kind
from rights.systems.opendsr import FORMATS, IDENTITIES, TYPES, Format, certificate_refusal
from rights.systems.statements import Statement, refusal
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
    problem,
)
from vault import Collections

Connector = Literal["webhook", "pull", "manual", "sql", "opendsr"]
CONNECTORS: Final[tuple[Connector, ...]] = get_args(Connector)

OURS: Final = frozenset(("sql", "opendsr"))
"""Connectors whose tasks we work on ourselves: statements in a database, calls of a processor."""

SUBJECT: Final = "subject"
"""What `identify` says for the name by which the system's client knows the person."""

NEW: Final = "new_"
"""Before a name of `identify`: the value that takes its place, in a rectification."""

USUAL_KINDS: Final[tuple[Kind, ...]] = ("access", "portability", "rectification", "erasure", "restriction")
READING: Final = frozenset(("access", "portability"))
"""Kinds whose statements only look."""

MOST_ROWS: Final = 1_000
_MOST: Final = 100_000
_MOST_STATEMENTS: Final = 50
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_KEY: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_MEMBERS: Final = (
    "title",
    "holds",
    "connector",
    "client",
    "kinds",
    "acknowledge_within",
    "identify",
    "statements",
    "most_rows",
    "certificate",
    "identity_format",
)


class System(Struct, frozen=True):
    """One system. `acknowledge_within` is an ISO 8601 duration. `identify` maps names that the system is told to where
    they come from: `subject`, or `collection.field` of the vault. `most_rows` is how many rows one statement may touch.
    `certificate` (PEM) is what a processor of OpenDSR signs with, `identity_format` how it is told who it is.
    """

    name: str
    connector: Connector
    holds: tuple[str, ...]
    kinds: tuple[Kind, ...] = USUAL_KINDS
    client: str = ""
    acknowledge_within: str = "P7D"
    identify: dict[str, str] = {}
    title: dict[str, str] = {}
    statements: dict[str, tuple[Statement, ...]] = {}
    most_rows: int = MOST_ROWS
    certificate: str = ""
    identity_format: Format = "raw"

    def called(self, language: str) -> str:
        """Its title in a language, as near as there is."""
        return self.title.get(language) or self.title.get("en") or next(iter(self.title.values()), self.name)


Systems = dict[str, System]


def concerned(systems: Systems, kind: Kind, categories: Iterable[str] | None) -> list[System]:
    """The systems that take such a request and hold any of these categories; None: whichever they hold."""
    wanted = None if categories is None else tuple(categories)
    return [
        each
        for each in systems.values()
        if kind in each.kinds
        and (wanted is None or any(_touch(held, other) for held in each.holds for other in wanted))
    ]


def _touch(one: str, other: str) -> bool:
    return "any" in (one, other) or one == other or one.startswith(other + ".") or other.startswith(one + ".")


def parse_systems(section: Node | None, categories: Collection[str], collections: Collections) -> Systems:
    """The section, each name in it declared. Raises `ManifestError` with every problem."""
    if section is None:
        return {}
    reading = _Reading(categories, collections)
    found = reading.systems(section)
    if reading.problems:
        raise ManifestError(reading.problems)
    return found


class _Reading:
    """One pass over the section that collects problems."""

    def __init__(self, categories: Collection[str], collections: Collections) -> None:
        self._categories = categories
        self._fields = frozenset(f"{name}.{field}" for name, each in collections.items() for field in each.fields)
        self._closed = frozenset(
            f"{name}.{field.name}"
            for name, each in collections.items()
            for field in each.fields.values()
            if field.held_back
        )
        self.problems: list[Problem] = []

    def systems(self, section: Node) -> Systems:
        if not isinstance(section, Map):
            self._wrong(section, "'systems' is a mapping of names.")
            return {}
        found: Systems = {}
        for name, node in section.items():
            if not _NAME.fullmatch(name):
                self._at(section, name, f"{name!r} is no name of a system: lower-case letters, digits, '-' and '_'.")
            elif not isinstance(node, Map):
                self._wrong(node, f"System {name!r} is a mapping.")
            else:
                found[name] = self._system(name, node)
        return found

    def _system(self, name: str, node: Map) -> System:
        for member in node:
            if member not in _MEMBERS:
                self._at(node, member, f"System {name!r} has no member {member!r}.", nearest(member, _MEMBERS))
        connector = self._one_of(node, "connector", CONNECTORS, "connector") or "manual"
        identify = self._identify(node)
        system = System(
            name=name,
            connector=connector,  # type: ignore[arg-type]
            holds=self._several(node, "holds", (*self._categories, "any"), "Category"),
            kinds=self._several(node, "kinds", KINDS, "Kind") or USUAL_KINDS,  # type: ignore[arg-type]
            client=self._word(node, "client"),
            acknowledge_within=self._term(node),
            identify=identify,
            title=self._title(node),
            statements=self._statements(node, frozenset(identify)),
            most_rows=self._rows(node),
            certificate=self._word(node, "certificate"),
            identity_format=self._format(node),
        )
        self._whole(node, system)
        return system

    def _whole(self, node: Map, system: System) -> None:
        if not system.holds:
            self._wrong(node, f"System {system.name!r} holds some category: name it under 'holds'.")
        if system.connector in ("webhook", "pull") and not system.client:
            self._wrong(node, f"System {system.name!r} answers by a key of its own: name its 'client'.")
        if system.connector != "sql" and system.statements:
            self._wrong(node, f"Only a system with connector 'sql' has statements; {system.name!r} is another.")
        if system.connector == "opendsr":
            self._processor(node, system)
        elif system.certificate or node.get("identity_format") is not None:
            self._wrong(node, f"Only a system with connector 'opendsr' has a certificate; {system.name!r} is another.")
        if system.connector == "sql":
            for kind in system.kinds:
                if not system.statements.get(kind):
                    self._wrong(
                        node, f"System {system.name!r} has no statements for {kind!r}; leave it out of 'kinds'."
                    )

    def _processor(self, node: Map, system: System) -> None:
        """OpenDSR's own words: what it can be asked, and by which identities."""
        why = certificate_refusal(system.certificate)
        if why:
            self._wrong(node.get("certificate") or node, why)
        for kind in system.kinds:
            if kind not in TYPES:
                self._wrong(node, f"OpenDSR knows {', '.join(TYPES)}: name the 'kinds' of {system.name!r} among them.")
        for name in system.identify:
            if name not in IDENTITIES:
                near = nearest(name, IDENTITIES)
                self._wrong(node.get("identify") or node, f"{name!r} is no identity of OpenDSR.", near)

    def _format(self, node: Map) -> Format:
        if node.get("identity_format") is None:
            return "raw"
        return "sha256" if self._one_of(node, "identity_format", FORMATS, "identity_format") == "sha256" else "raw"

    def _identify(self, node: Map) -> dict[str, str]:
        child = node.get("identify")
        if child is None:
            return {SUBJECT: SUBJECT}
        if not isinstance(child, Map) or not len(child):
            self._wrong(child, "'identify' is a mapping, as in {customer: subject, mail: customers.email}.")
            return {}
        found: dict[str, str] = {}
        for key, value in child.items():
            source = value.value if isinstance(value, Scalar) else None
            if not _KEY.fullmatch(key):
                self._at(child, key, f"{key!r} is no name to bind: lower-case letters, digits and '_'.")
            elif not isinstance(source, str) or (source != SUBJECT and source not in self._fields):
                near = nearest(str(source), (SUBJECT, *self._fields))
                self._wrong(value, f"{source!r} is neither 'subject' nor a field of a collection.", near)
            elif source in self._closed:
                self._wrong(value, f"{source!r} has a guard or limited tokens: nobody is handed it on the way.")
            else:
                found[key] = source
        return found

    def _statements(self, node: Map, names: frozenset[str]) -> dict[str, tuple[Statement, ...]]:
        child = node.get("statements")
        if child is None:
            return {}
        if not isinstance(child, Map):
            self._wrong(child, "'statements' is a mapping of kinds, each with named statements.")
            return {}
        found: dict[str, tuple[Statement, ...]] = {}
        for kind, listed in child.items():
            if kind not in KINDS:
                self._at(child, kind, f"There is no kind {kind!r}.", nearest(kind, KINDS))
            elif not isinstance(listed, Map) or not 0 < len(listed) <= _MOST_STATEMENTS:
                self._wrong(listed, f"{kind!r} has 1 to {_MOST_STATEMENTS} named statements.")
            else:
                found[kind] = tuple(self._statement(kind, name, each, names) for name, each in listed.items())
        return found

    def _statement(self, kind: str, name: str, node: Node, names: frozenset[str]) -> Statement:
        sql = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
        if kind == "rectification":
            # `identify` finds the person by what was wrong; the same name with `new_` is what it should be.
            names |= {f"{NEW}{each}" for each in names}
        why = refusal(sql, reads=kind in READING, names=names) if sql else "A statement is text."
        if why:
            self._wrong(node, why)
        return Statement(name, sql)

    def _title(self, node: Map) -> dict[str, str]:
        child = node.get("title")
        if child is None:
            return {}
        if isinstance(child, Map):
            texts = {name: each.value for name, each in child.items() if isinstance(each, Scalar)}
            if texts and all(isinstance(each, str) and 0 < len(each) <= 100 for each in texts.values()):
                return {name: str(each) for name, each in texts.items()}
        self._wrong(child, "'title' is a mapping of languages, as in {en: Customer database}.")
        return {}

    def _term(self, node: Map) -> str:
        term = self._word(node, "acknowledge_within") or "P7D"
        try:
            if any(parse_duration(term)):
                return term
            message = "A system has some time to answer."
        except Invalid as error:
            message = error.message
        self._wrong(node.get("acknowledge_within") or node, f"acknowledge_within: {message}")
        return "P7D"

    def _rows(self, node: Map) -> int:
        child = node.get("most_rows")
        if child is None:
            return MOST_ROWS
        value = child.value if isinstance(child, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST:
            return value
        self._wrong(child, f"'most_rows' is a number from 1 to {_MOST}.")
        return MOST_ROWS

    def _one_of(self, node: Map, member: str, names: Collection[str], what: str) -> str:
        child = node.get(member)
        found = child.value if isinstance(child, Scalar) else None
        if isinstance(found, str) and found in names:
            return found
        near = nearest(str(found), names) if found else None
        self._wrong(child or node, f"A system's {what} is one of {', '.join(names)}.", near)
        return ""

    def _several(self, node: Map, member: str, names: Collection[str], what: str) -> tuple[str, ...]:
        child = node.get(member)
        if child is None:
            return ()
        if not isinstance(child, Seq):
            self._wrong(child, f"{member!r} is a list.")
            return ()
        found: list[str] = []
        for item in child:
            value = item.value if isinstance(item, Scalar) else None
            if not isinstance(value, str) or value not in names:
                self._wrong(item, f"{what} {value!r} is not declared.", nearest(str(value), names))
            elif value not in found:
                found.append(value)
        return tuple(found)

    def _word(self, node: Map, member: str) -> str:
        child = node.get(member)
        if child is None:
            return ""
        if isinstance(child, Scalar) and isinstance(child.value, str):
            return child.value
        self._wrong(child, f"{member!r} is text.")
        return ""

    def _wrong(self, node: Node, message: str, near: str | None = None) -> None:
        self.problems.append(problem(node, message, nearest=near))

    def _at(self, node: Map, member: str, message: str, near: str | None = None) -> None:
        self.problems.append(Problem(node.file, node.lines[member], message, near))
