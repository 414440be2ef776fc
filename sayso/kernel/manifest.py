"""Manifests: YAML files whose every value remembers its file and line.

The kernel only reads them; each package parses its own section. YAML 1.2's traps are closed here: duplicate keys are
refused, and nothing is turned into a date, a boolean or a number behind the author's back unless a section asks for it.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import yaml
from msgspec import Struct

from sayso.kernel.errors import Invalid


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
            root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
        except UnicodeDecodeError:
            problems.append(Problem(name, 1, "The file is not UTF-8."))
            continue
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problems.append(
                Problem(name, mark.line + 1 if mark else 1, f"Not YAML: {getattr(error, 'problem', error)}.")
            )
            continue
        if root is None:
            continue
        tree = _convert(root, name, problems, set())
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


def _convert(node: yaml.Node, file: str, problems: list[Problem], seen: set[int], depth: int = 0) -> Node:
    line = node.start_mark.line + 1
    # An alias is the same node met again. Aliases are refused: a few lines of them can stand for billions.
    if id(node) in seen or depth > 32:
        problems.append(Problem(file, line, "Aliases and nesting deeper than 32 are not taken."))
        return Scalar(None, "", file, line)
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(Problem(file, key_line, "A name must be plain text."))
                continue
            key = key_node.value
            if key in entries:
                problems.append(
                    Problem(file, key_line, f"{key!r} is given twice; the first stands in line {lines[key]}.")
                )
                continue
            entries[key] = _convert(value_node, file, problems, seen, depth + 1)
            lines[key] = key_line
        return Map(entries, lines, file, line)
    if isinstance(node, yaml.SequenceNode):
        return Seq([_convert(child, file, problems, seen, depth + 1) for child in node.value], file, line)
    return Scalar(_scalar(node), node.value, file, line)


def _scalar(node: yaml.Node) -> object:
    """YAML 1.2's core schema: true and false are booleans, decimal digits numbers; `no` and `2026-01-01` stay text."""
    text: str = node.value
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    digits = text[1:] if text[:1] in "+-" else text
    if digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0") and len(digits) < 16:
        return int(text)
    return text
