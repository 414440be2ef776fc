"""Manifests: YAML files whose every value remembers its file and line.

The kernel only reads them; each package parses its own section. YAML 1.2's traps are closed here: duplicate keys are
refused, and nothing is turned into a date, a boolean or a number behind the author's back unless a section asks for it.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import yaml
from msgspec import Struct

from sayso.kernel.errors import Invalid

_DEEPEST: Final = 32


class Problem(Struct, frozen=True):
    """One thing wrong in a manifest: where, what, and the nearest declared name if a name was unknown."""

    file: str
    line: int
    message: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{self.file}:{self.line}: {self.message}{hint}"


class ManifestError(Invalid):
    """A manifest that is refused whole. `problems` lists everything found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line))
        super().__init__(
            "manifest-refused",
            "\n".join(str(problem) for problem in self.problems) or "The manifest is refused.",
            problems=[
                {"file": problem.file, "line": problem.line, "message": problem.message, "nearest": problem.nearest}
                for problem in self.problems
            ],
        )


class Scalar:
    """A plain value. `value` is str, int, float, bool or None as YAML's core schema reads it; `text` is as written."""

    __slots__ = ("file", "line", "text", "value")

    def __init__(self, value: object, text: str, file: str, line: int) -> None:
        self.value = value
        self.text = text
        self.file = file
        self.line = line


class Seq:
    """A list of nodes."""

    __slots__ = ("file", "items", "line")

    def __init__(self, items: "list[Node]", file: str, line: int) -> None:
        self.items = items
        self.file = file
        self.line = line

    def __iter__(self) -> "Iterator[Node]":
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Map:
    """Names to nodes, in the order written. `lines` tells where each name stands."""

    __slots__ = ("entries", "file", "line", "lines")

    def __init__(self, entries: "dict[str, Node]", lines: dict[str, int], file: str, line: int) -> None:
        self.entries = entries
        self.lines = lines
        self.file = file
        self.line = line

    def get(self, name: str) -> "Node | None":
        return self.entries.get(name)

    def items(self) -> "Iterable[tuple[str, Node]]":
        return self.entries.items()

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


Node = Scalar | Seq | Map


def problem(node: Node, message: str, *, nearest: str | None = None) -> Problem:
    """A problem at the place of `node`."""
    return Problem(node.file, node.line, message, nearest)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The declared name most like `name`, if one is near enough to be meant."""
    found = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def plain(node: Node) -> object:
    """The node as dicts, lists and values, without places."""
    match node:
        case Map():
            return {name: plain(child) for name, child in node.items()}
        case Seq():
            return [plain(child) for child in node]
        case Scalar():
            return node.value


def load(files: Iterable[tuple[str, bytes]]) -> Map:
    """All files as one tree. `files` are (name, content). A section may stand in one file only.

    Raises `ManifestError` for YAML that cannot be read, a document that is no mapping, an alias, a name given twice.
    """
    whole = Map({}, {}, "", 0)
    problems: list[Problem] = []
    for name, content in files:
        try:
            tree = _Reading(name, content.decode("utf-8"), problems).document()
        except UnicodeDecodeError:
            problems.append(Problem(name, 1, "The file is not UTF-8."))
            continue
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            # A file that ends too early is wrong in its last line, not in the one after.
            line = min(mark.line, content.count(b"\n")) + 1 if mark else 1
            problems.append(Problem(name, line, f"Not YAML: {getattr(error, 'problem', error)}."))
            continue
        except _Unreadable as stop:
            problems.append(stop.problem)
            continue
        if tree is None:
            continue
        if not isinstance(tree, Map):
            problems.append(problem(tree, "A manifest is a mapping of sections."))
            continue
        for section, node in tree.items():
            if section in whole:
                problems.append(
                    Problem(
                        name, tree.lines[section], f"Section {section!r} stands in {whole.entries[section].file} too."
                    )
                )
            else:
                whole.entries[section] = node
                whole.lines[section] = tree.lines[section]
    if problems:
        raise ManifestError(problems)
    return whole


def load_paths(paths: Iterable[Path]) -> Map:
    """`load` over files on disk."""
    return load((str(path), path.read_bytes()) for path in paths)


class _Unreadable(Exception):
    """Reading ends here: what follows cannot be told apart from an attack."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Reading:
    """One file, event by event: libyaml's parser keeps its depth on the heap, its composer on the stack of C."""

    def __init__(self, file: str, text: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    def document(self) -> Node | None:
        """The one document of the file; None of an empty file. Raises `yaml.YAMLError`, `_Unreadable`."""
        tree: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._stop(event, "A file holds one document.")
                tree = self._node(next(self._events), 0)
        empty = isinstance(tree, Scalar) and tree.text == ""
        return None if empty else tree

    def _node(self, event: yaml.Event, depth: int) -> Node:
        # A few lines of aliases can stand for billions.
        if isinstance(event, yaml.AliasEvent) or depth > _DEEPEST:
            raise self._stop(event, f"Aliases and nesting deeper than {_DEEPEST} are not taken.")
        line = _line(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(line, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(each := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(each, depth + 1))
            return Seq(items, self._file, line)
        assert isinstance(event, yaml.ScalarEvent), event
        return Scalar(_scalar(event), event.value, self._file, line)

    def _mapping(self, line: int, depth: int) -> Map:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_line = _line(event)
            named = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(named, Scalar):
                self._problems.append(Problem(self._file, key_line, "A name must be plain text."))
            elif named.text in entries:
                first = lines[named.text]
                told = f"{named.text!r} is given twice; the first stands in line {first}."
                self._problems.append(Problem(self._file, key_line, told))
            else:
                entries[named.text] = value
                lines[named.text] = key_line
        return Map(entries, lines, self._file, line)

    def _stop(self, event: yaml.Event, message: str) -> _Unreadable:
        return _Unreadable(Problem(self._file, _line(event), message))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(node: yaml.ScalarEvent) -> object:
    """YAML 1.2's core schema: true and false are booleans, decimal digits numbers; `no` and `2026-01-01` stay text."""
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    digits = text[1:] if text[:1] in "+-" else text
    if digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0") and len(digits) < 16:
        return int(text)
    return text
