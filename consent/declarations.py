"""The sections `categories`, `purposes`, `notices` of a manifest, read with the place of everything that is wrong."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from consent.catalogue import Notice, Purpose, Texts, with_parents
from consent.jurisdictions import BASES, REGIMES
from sayso.kernel import Invalid, ManifestError, Map, Node, Problem, Scalar, Seq, nearest, parse_duration, problem

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_NOTICE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_RESERVED: Final = ("any", "dsar")
_PURPOSE_MEMBERS: Final = (
    "title",
    "description",
    "legal_basis",
    "categories",
    "recipients",
    "expires_after",
    "direct_marketing",
)
_NOTICE_MEMBERS: Final = ("version", "purposes", "text", "title")
_LONGEST_NAME: Final = 128
_DEEPEST: Final = 12


class Declarations(Struct, frozen=True):
    """What a manifest declares of consent, before it has versions. `places` tells where each notice stands."""

    categories: tuple[str, ...] = ()
    purposes: dict[str, Purpose] = {}
    notices: dict[str, Notice] = {}
    places: dict[str, tuple[str, int]] = {}


def parse(manifest: Map) -> Declarations:
    """The three sections of a whole manifest. Raises `ManifestError` with everything that is wrong in them."""
    reader = _Reader()
    categories = reader.categories(manifest.get("categories"))
    purposes = reader.purposes(manifest.get("purposes"), _with_prefixes(categories))
    notices = reader.notices(manifest.get("notices"), with_parents(purposes.values()))
    if reader.problems:
        raise ManifestError(reader.problems)
    return Declarations(categories, purposes, notices, reader.places)


class _Reader:
    """Reads sections and collects problems, so that one run names them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.places: dict[str, tuple[str, int]] = {}

    def categories(self, section: Node | None) -> tuple[str, ...]:
        match section:
            case None:
                return ()
            case Seq():
                return tuple(name for node in section if (name := self._name(node, "category")))
            case _:
                self._wrong(section, "'categories' is a list of names.")
                return ()

    def purposes(self, section: Node | None, categories: set[str]) -> dict[str, Purpose]:
        found: dict[str, Purpose] = {}
        for name, line, node in self._members(section, "purposes"):
            if self._good_name(name, "purpose", section, line) and isinstance(node, Map):
                self._known_members(node, _PURPOSE_MEMBERS)
                found[name] = Purpose(
                    name,
                    title=self._texts(node.get("title")),
                    description=self._texts(node.get("description")),
                    legal_basis=self._legal_basis(node.get("legal_basis")),
                    categories=self._names(node.get("categories"), "category", categories),
                    recipients=self._names(node.get("recipients"), "recipient", None),
                    expires_after=self._duration(node.get("expires_after")),
                    direct_marketing=self._flag(node.get("direct_marketing")),
                )
        return found

    def notices(self, section: Node | None, purposes: dict[str, Purpose]) -> dict[str, Notice]:
        found: dict[str, Notice] = {}
        for name, line, node in self._members(section, "notices"):
            if not _NOTICE.fullmatch(name):
                self.problems.append(Problem(node.file, line, f"{name!r} is no name for a notice."))
            elif isinstance(node, Map):
                self._known_members(node, _NOTICE_MEMBERS)
                asked = self._names(node.get("purposes"), "purpose", set(purposes))
                text = self._texts(node.get("text"))
                if not asked and not self.problems:
                    self._wrong(node, f"Notice {name!r} names no purposes.")
                if not text and not self.problems:
                    self._wrong(node, f"Notice {name!r} has no text.")
                title = self._texts(node.get("title"))
                found[name] = Notice(name, self._version(node), asked, text, title)
                self.places[name] = (node.file, line)
        return found

    def _members(self, section: Node | None, what: str) -> Iterable[tuple[str, int, Node]]:
        if section is None:
            return
        if not isinstance(section, Map):
            self._wrong(section, f"{what!r} is a mapping of names.")
            return
        for name, node in section.items():
            if not isinstance(node, Map):
                self._wrong(node, f"{name!r} is a mapping.")
            yield name, section.lines[name], node

    def _known_members(self, node: Map, members: Sequence[str]) -> None:
        for name in node:
            if name not in members:
                place = Problem(
                    node.file, node.lines[name], f"There is no member {name!r} here.", nearest(name, members)
                )
                self.problems.append(place)

    def _good_name(self, name: str, what: str, section: Node | None, line: int) -> bool:
        file = section.file if section else ""
        if name in _RESERVED or name.split(".", maxsplit=1)[0] in _RESERVED:
            self.problems.append(Problem(file, line, f"{name!r} is kept for Sayso itself."))
        elif not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME or name.count(".") >= _DEEPEST:
            message = f"{name!r} is no {what}: lower-case words joined by dots, at most {_DEEPEST} deep."
            self.problems.append(Problem(file, line, message))
        else:
            return True
        return False

    def _name(self, node: Node, what: str) -> str | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._wrong(node, f"A {what} is named by a word.")
            return None
        return node.value if self._good_name(node.value, what, node, node.line) else None

    def _names(self, node: Node | None, what: str, known: set[str] | None) -> tuple[str, ...]:
        if node is None:
            return ()
        if not isinstance(node, Seq):
            self._wrong(node, f"This is a list: one {what} or more.")
            return ()
        found: list[str] = []
        for child in node:
            if not isinstance(child, Scalar) or not isinstance(child.value, str) or not child.value:
                self._wrong(child, f"A {what} is named by a word.")
            elif known is not None and child.value not in known:
                hint = nearest(child.value, known)
                self.problems.append(problem(child, f"There is no {what} {child.value!r}.", nearest=hint))
            elif child.value in found:
                self._wrong(child, f"{child.value!r} is named twice.")
            else:
                found.append(child.value)
        return tuple(found)

    def _texts(self, node: Node | None) -> Texts:
        if node is None:
            return {}
        if not isinstance(node, Map):
            self._wrong(node, "A text is given per locale: {en: …}.")
            return {}
        found: Texts = {}
        for locale, child in node.items():
            if not _LOCALE.fullmatch(locale):
                self.problems.append(Problem(node.file, node.lines[locale], f"{locale!r} is no locale (BCP 47)."))
            elif not isinstance(child, Scalar) or not isinstance(child.value, str) or not child.value.strip():
                self._wrong(child, "A text is not empty.")
            else:
                found[locale] = child.value
        return found

    def _legal_basis(self, node: Node | None) -> str | dict[str, str]:
        match node:
            case None:
                return "consent"
            case Scalar():
                return self._basis(node) or "consent"
            case Map():
                return {
                    code: basis
                    for code, child in node.items()
                    if self._jurisdiction(node, code) and (basis := self._basis(child, code))
                }
            case Seq():
                self._wrong(node, "A legal basis is one name, or one per jurisdiction.")
                return "consent"

    def _jurisdiction(self, node: Map, code: str) -> bool:
        if code in REGIMES:
            return True
        place = Problem(node.file, node.lines[code], f"There is no jurisdiction {code!r}.", nearest(code, REGIMES))
        self.problems.append(place)
        return False

    def _basis(self, node: Node, code: str | None = None) -> str | None:
        basis = node.value if isinstance(node, Scalar) else None
        if not isinstance(basis, str) or basis not in BASES:
            hint = nearest(basis, BASES) if isinstance(basis, str) else None
            self.problems.append(problem(node, "This is no legal basis.", nearest=hint))
        elif code is not None and basis not in REGIMES[code].bases:
            self._wrong(node, f"The law of {code!r} knows no basis {basis!r}.")
        else:
            return basis
        return None

    def _duration(self, node: Node | None) -> str | None:
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, str):
            try:
                if any(parse_duration(node.value)):
                    return node.value
            except Invalid:
                pass
        self._wrong(node, "A term is an ISO 8601 duration, such as P24M.")
        return None

    def _flag(self, node: Node | None) -> bool:
        if node is None:
            return False
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            self._wrong(node, "This is true or false.")
            return False
        return node.value

    def _version(self, node: Map) -> int:
        version = node.get("version")
        value = version.value if isinstance(version, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
            self._wrong(version or node, "A notice has a version: 1, 2, 3 …")
            return 1
        return value

    def _wrong(self, node: Node, message: str) -> None:
        self.problems.append(problem(node, message))


def _with_prefixes(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        parts = name.split(".")
        found.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return found
