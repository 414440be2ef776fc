"""How sections of a manifest are read: word by word, each with its place, every problem collected.

One run names everything that is wrong, with file, line and the nearest name that would have been right.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from consent.catalogue.parties import ContactPoint
from consent.catalogue.purpose import Texts
from consent.catalogue.vocabulary import COUNTRIES
from consent.laws.jurisdictions import BASES, REGIMES
from sayso.kernel import Invalid, Map, Node, Problem, Scalar, Seq, nearest, parse_duration, problem

Place = tuple[str, int]
"""File and line."""

Places = dict[tuple[str, ...], Place]
"""Where members stand, by their path: section, name, member."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_RESERVED: Final = ("any", "dsar")
_LONGEST_NAME: Final = 128
_DEEPEST: Final = 12
_LONGEST_WORD: Final = 500
_CONTACT: Final = ("name", "email", "phone", "url", "address")


class Reader:
    """Reads nodes and collects problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.places: Places = {}

    # structure

    def members(self, section: Node | None, what: str) -> Iterator[tuple[str, int, Map]]:
        """The mappings of a section by name, with the line of each name."""
        if section is None:
            return
        if not isinstance(section, Map):
            self.wrong(section, f"{what!r} is a mapping of names.")
            return
        for name, node in section.items():
            if not isinstance(node, Map):
                self.wrong(node, f"{name!r} is a mapping.")
                continue
            place = (node.file, section.lines[name])
            self.places[what, name] = place
            self.places |= {(what, name, member): (node.file, line) for member, line in node.lines.items()}
            yield name, section.lines[name], node

    def known(self, node: Map, members: Collection[str]) -> None:
        """Refuse members that do not exist."""
        for name in node:
            if name not in members:
                message = f"There is no member {name!r} here."
                self.problems.append(Problem(node.file, node.lines[name], message, nearest(name, members)))

    def good_name(self, name: str, what: str, file: str, line: int) -> bool:
        """Whether a dotted path can be declared."""
        if name in _RESERVED or name.split(".", maxsplit=1)[0] in _RESERVED:
            self.problems.append(Problem(file, line, f"{name!r} is kept for Sayso itself."))
        elif not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME or name.count(".") >= _DEEPEST:
            message = f"{name!r} is no {what}: lower-case words joined by dots, at most {_DEEPEST} deep."
            self.problems.append(Problem(file, line, message))
        else:
            return True
        return False

    # words

    def word(self, node: Node | None, what: str) -> str:
        """One line of text; empty where nothing stands."""
        if node is None:
            return ""
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_WORD:
            self.wrong(node, f"{what} is text of at most {_LONGEST_WORD} characters; quote what looks like a number.")
            return ""
        return value

    def one_of(self, node: Node | None, what: str, names: Collection[str]) -> str:
        """One of a closed list of names; empty where nothing stands."""
        if node is None:
            return ""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in names:
            return value
        hint = nearest(value, names) if isinstance(value, str) else None
        named = f" {value!r}" if isinstance(value, str) else ""
        self.problems.append(problem(node, f"There is no {what}{named}.", nearest=hint))
        return ""

    def names(self, node: Node | None, what: str, known: Collection[str] | None) -> tuple[str, ...]:
        """A list of names, each once; of `known`, if given."""
        if node is None:
            return ()
        if not isinstance(node, Seq):
            self.wrong(node, f"This is a list: one {what} or more.")
            return ()
        found: list[str] = []
        for child in node:
            if not isinstance(child, Scalar) or not isinstance(child.value, str) or not child.value:
                self.wrong(child, f"A {what} is named by a word.")
            elif known is not None and child.value not in known:
                self.one_of(child, what, known)
            elif child.value in found:
                self.wrong(child, f"{child.value!r} is named twice.")
            else:
                found.append(child.value)
        return tuple(found)

    def locale(self, text: object) -> bool:
        """Whether this is a language tag (BCP 47)."""
        return isinstance(text, str) and _LOCALE.fullmatch(text) is not None

    def texts(self, node: Node | None) -> Texts:
        """A text per locale."""
        if node is None:
            return {}
        if not isinstance(node, Map):
            self.wrong(node, "A text is given per locale: {en: …}.")
            return {}
        found: Texts = {}
        for locale, child in node.items():
            if not self.locale(locale):
                self.problems.append(Problem(node.file, node.lines[locale], f"{locale!r} is no locale (BCP 47)."))
            elif not isinstance(child, Scalar) or not isinstance(child.value, str) or not child.value.strip():
                self.wrong(child, "A text is not empty.")
            else:
                found[locale] = child.value
        return found

    # values

    def flag(self, node: Node | None) -> bool:
        """True or false; false where nothing stands."""
        if node is None:
            return False
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            self.wrong(node, "This is true or false.")
            return False
        return node.value

    def number(self, node: Node, least: int, most: int, message: str) -> int:
        """A whole number between two others."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(node, message)
            return least
        return value

    def duration(self, node: Node | None) -> str | None:
        """An ISO 8601 duration longer than nothing."""
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, str):
            try:
                if any(parse_duration(node.value)):
                    return node.value
            except Invalid:
                pass
        self.wrong(node, "A term is an ISO 8601 duration, such as P24M.")
        return None

    def country(self, node: Node | None) -> str:
        """A country of ISO 3166-1, lower case; empty where nothing stands."""
        return self.one_of(node, "country (ISO 3166-1)", COUNTRIES)

    def jurisdiction(self, node: Map, code: str) -> bool:
        """Whether this name of a mapping is a shipped jurisdiction."""
        if code in REGIMES:
            return True
        message = f"There is no jurisdiction {code!r}."
        self.problems.append(Problem(node.file, node.lines[code], message, nearest(code, REGIMES)))
        return False

    def legal_basis(self, node: Node | None) -> str | dict[str, str]:
        """One basis, or one per jurisdiction whose law knows it."""
        match node:
            case None:
                return "consent"
            case Scalar():
                return self._basis(node) or "consent"
            case Map():
                return {
                    code: basis
                    for code, child in node.items()
                    if self.jurisdiction(node, code) and (basis := self._basis(child, code))
                }
            case Seq():
                self.wrong(node, "A legal basis is one name, or one per jurisdiction.")
                return "consent"

    def contact(self, node: Node | None) -> ContactPoint:
        """How somebody is reached: at least one way."""
        if node is None:
            return ContactPoint()
        if not isinstance(node, Map):
            self.wrong(node, "A contact is a mapping: {email: …}.")
            return ContactPoint()
        self.known(node, _CONTACT)
        found = ContactPoint(**{member: self.word(node.get(member), "This") for member in _CONTACT})
        if not any((found.email, found.phone, found.url, found.address)):
            self.wrong(node, "A contact has an e-mail, telephone, web or postal address.")
        if found.email and "@" not in found.email[1:-1]:
            self.wrong(node.get("email") or node, "This is no e-mail address.")
        if found.url and not found.url.startswith(("https://", "http://")):
            self.wrong(node.get("url") or node, "A web address begins with https://.")
        return found

    def wrong(self, node: Node, message: str) -> None:
        """Note a problem at the place of a node."""
        self.problems.append(problem(node, message))

    def _basis(self, node: Node, code: str | None = None) -> str | None:
        basis = node.value if isinstance(node, Scalar) else None
        if not isinstance(basis, str) or basis not in BASES:
            hint = nearest(basis, BASES) if isinstance(basis, str) else None
            self.problems.append(problem(node, "This is no legal basis.", nearest=hint))
        elif code is not None and basis not in REGIMES[code].bases:
            self.wrong(node, f"The law of {code!r} knows no basis {basis!r}.")
        else:
            return basis
        return None
