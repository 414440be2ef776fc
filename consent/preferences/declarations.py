"""The section `preferences` of a manifest, read with the place of everything that is wrong."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

from consent.catalogue.catalogue import Catalogue
from consent.preferences.preference import BUILT_IN, KINDS, LARGEST, LONGEST_TEXT, Preference, Questionnaire
from sayso.kernel import Map, Node, Problem, Scalar, nearest, problem

T = TypeVar("T")

MOST: Final = 200
"""Preferences of one brand: one question at most a visit is asked, and nobody answers more."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_OPTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ALWAYS: Final = ("type", "title", "description", "gives", "purpose", "sensitive")
_OF_TYPE: Final[dict[str, tuple[str, ...]]] = {
    "boolean": (),
    "choice": ("options",),
    "multi": ("options", "most"),
    "number": ("min", "max", "whole"),
    "date": ("earliest", "latest"),
    "text": ("longest",),
}


def parse_preferences(section: Node | None, catalogue: Catalogue, problems: list[Problem]) -> Questionnaire:
    """What a manifest asks of people. What is wrong is added to `problems`; then the answer is good for nothing."""
    found: list[Preference] = []
    if isinstance(section, Map):
        if len(section) > MOST:
            problems.append(problem(section, f"There are {MOST} preferences at most."))
        for name, node in section.items():
            read = _Reader(problems, catalogue).preference(section, name, node)
            if read is not None:
                found.append(read)
    elif section is not None:
        problems.append(problem(section, "'preferences' is a mapping of names."))
    return Questionnaire(found, catalogue)


class _Reader:
    def __init__(self, problems: list[Problem], catalogue: Catalogue) -> None:
        self._problems = problems
        self._catalogue = catalogue

    def preference(self, section: Map, name: str, node: Node) -> Preference | None:
        """One member; None when it cannot be read at all."""
        place = Problem(section.file, section.lines[name], "")
        if name in BUILT_IN or name == "any":
            self._at(place, f"{name!r} is kept for Sayso itself.")
        elif not _NAME.fullmatch(name):
            self._at(place, f"{name!r} is no preference: a lower-case word of letters, digits and '_'.")
        elif not isinstance(node, Map):
            self._wrong(node, f"{name!r} is a mapping.")
        else:
            return self._read(name, node)
        return None

    def _read(self, name: str, node: Map) -> Preference | None:
        kind = self._word(node, "type", lambda text: text in KINDS, f"A preference has a type: {', '.join(KINDS)}.")
        if kind is None:
            return None
        known = (*_ALWAYS, *_OF_TYPE[kind])
        for member in node:
            if member not in known:
                line = Problem(node.file, node.lines[member], f"A {kind} has no member {member!r}.")
                self._at(line, line.message, nearest(member, known))
        if "title" not in node:
            self._wrong(node, f"{name!r} has no title: nobody can be asked it.")
        if "options" in known and not isinstance(node.get("options"), Map):
            self._wrong(node, f"A {kind} has options: {{green: {{en: Green tea}}}}.")
        bounds = self._bounds(node)
        options = self._options(node.get("options"))
        return Preference(
            name=name,
            type=kind,  # type: ignore[arg-type]
            title=self._texts(node.get("title")),
            description=self._texts(node.get("description")),
            gives=self._texts(node.get("gives")),
            purpose=self._purpose(node),
            sensitive=self._value(node, "sensitive", False, _is_flag, "This is true or false."),
            options=options,
            most=self._value(
                node,
                "most",
                0,
                lambda value: _is_whole(value) and 1 <= value <= len(options),
                "At most so many options.",
            ),
            min=bounds[0],
            max=bounds[1],
            whole=self._value(node, "whole", False, _is_flag, "This is true or false."),
            earliest=self._value(node, "earliest", "", _is_date, "A date is written as 2026-11-22."),
            latest=self._value(node, "latest", "", _is_date, "A date is written as 2026-11-22."),
            longest=self._value(
                node,
                "longest",
                200,
                lambda value: _is_whole(value) and 1 <= value <= LONGEST_TEXT,
                f"A text has 1 to {LONGEST_TEXT} characters.",
            ),
        )

    def _bounds(self, node: Map) -> tuple[float | None, float | None]:
        low = self._bound(node, "min")
        high = self._bound(node, "max")
        first, last = node.get("earliest"), node.get("latest")
        if low is not None and high is not None and low > high:
            self._wrong(node, "No number lies between 'min' and 'max'.")
        if isinstance(first, Scalar) and isinstance(last, Scalar) and str(first.value) > str(last.value):
            self._wrong(node, "No date lies between 'earliest' and 'latest'.")
        return low, high

    def _bound(self, node: Map, member: str) -> float | None:
        nothing: float | None = None
        return self._value(node, member, nothing, _is_number, "This is a number.")

    def _options(self, node: Node | None) -> dict[str, dict[str, str]]:
        if not isinstance(node, Map):
            return {}
        if not 1 <= len(node) <= 100:
            self._wrong(node, "There are 1 to 100 options.")
        for name in node:
            if not _OPTION.fullmatch(name):
                place = Problem(node.file, node.lines[name], "")
                self._at(place, f"{name!r} is no option: lower-case letters, digits, '-' and '_'.")
        return {name: self._texts(child) for name, child in node.items()}

    def _purpose(self, node: Map) -> str:
        named = node.get("purpose")
        if named is None:
            self._wrong(node, "A preference names the purpose that it serves: data are asked for a purpose only.")
            return ""
        declared = self._catalogue.purposes
        name = named.value if isinstance(named, Scalar) else None
        if not isinstance(name, str) or name not in declared:
            hint = nearest(name, declared) if isinstance(name, str) else None
            self._problems.append(problem(named, "There is no such purpose.", nearest=hint))
            return ""
        return name

    def _texts(self, node: Node | None) -> dict[str, str]:
        if node is None:
            return {}
        if not isinstance(node, Map) or not len(node):
            self._wrong(node, "A text is given per locale: {en: …}.")
            return {}
        found: dict[str, str] = {}
        for locale, child in node.items():
            if not _LOCALE.fullmatch(locale):
                self._at(Problem(node.file, node.lines[locale], ""), f"{locale!r} is no locale (BCP 47).")
            elif not isinstance(child, Scalar) or not isinstance(child.value, str) or not child.value.strip():
                self._wrong(child, "A text is not empty.")
            else:
                found[locale] = child.value
        return found

    def _word(self, node: Map, member: str, good: Callable[[str], bool], message: str) -> str | None:
        child = node.get(member)
        word = child.value if isinstance(child, Scalar) else None
        if isinstance(word, str) and good(word):
            return word
        self._problems.append(
            problem(child or node, message, nearest=nearest(word, KINDS) if isinstance(word, str) else None)
        )
        return None

    def _value(self, node: Map, member: str, default: T, good: Callable[[Any], bool], message: str) -> T:
        child = node.get(member)
        if child is None:
            return default
        value: Any = child.value if isinstance(child, Scalar) else None
        if not good(value):
            self._wrong(child, message)
            return default
        return value  # type: ignore[no-any-return]

    def _wrong(self, node: Node, message: str) -> None:
        self._problems.append(problem(node, message))

    def _at(self, place: Problem, message: str, hint: str | None = None) -> None:
        self._problems.append(Problem(place.file, place.line, message, hint))


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
