"""The docs say what the program does: every problem, every setting, every file and link they name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sayso.server.problems import STATUSES
from sayso.server.settings import PREFIX, Settings
from tests.source import PACKAGES, ROOT, called_name, parsed, python_files

KINDS = {kind.__name__ for kind in STATUSES} | {"SaysoError"}
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
DOCS = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def error_classes() -> set[str]:
    """The kinds, and every class of ours that derives from one, however far down."""
    known = set(KINDS)
    classes = [node for path in python_files() for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    while True:
        more = {one.name for one in classes if known & {ast.unparse(base).rpartition(".")[2] for base in one.bases}}
        if more <= known:
            return known
        known |= more


def raised_slugs() -> Iterator[str]:
    """Slugs of errors: literals that reach an error's constructor, and those the framework's own errors are given."""
    classes = error_classes()
    for path in python_files():
        tree = parsed(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in classes:
                yield from _first_literals(call for call in _calls(node) if called_name(call) == "__init__")
            if isinstance(node, ast.ClassDef) and node.name in classes:
                yield from _class_slugs(node)
        yield from _first_literals(call for call in _calls(tree) if called_name(call) in classes)
    yield from re.findall(r"/docs/problems#([a-z-]+)", (ROOT / "sayso/server/problems.py").read_text("utf-8"))
    yield from re.findall(
        r'^    \d{3}: \("([a-z-]+)"', (ROOT / "sayso/server/problems.py").read_text("utf-8"), re.MULTILINE
    )


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _first_literals(calls: Iterator[ast.Call]) -> Iterator[str]:
    for call in calls:
        named = [keyword.value for keyword in call.keywords if keyword.arg == "slug"]
        for value in (*call.args[:1], *named):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and SLUG.fullmatch(value.value):
                yield value.value


def _class_slugs(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if (
            isinstance(item, ast.Assign)
            and ast.unparse(item.targets[0]) == "slug"
            and isinstance(item.value, ast.Constant)
        ):
            yield str(item.value.value)


def test_every_problem_is_documented_and_none_that_cannot_happen() -> None:
    rows = re.findall(
        r"^\| (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*) \|", (ROOT / "docs/problems.md").read_text("utf-8"), re.MULTILINE
    )
    documented = [slug for row in rows for slug in re.findall(r"`([^`]+)`", row)]
    assert len(documented) == len(set(documented))
    raised = set(raised_slugs())
    assert sorted(raised - set(documented)) == [], "undocumented"
    assert sorted(set(documented) - raised) == [], "documented, but nothing raises them"


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs/operations/settings.md").read_text("utf-8")
    documented = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    assert sorted(documented) == sorted(field.name for field in msgspec.structs.fields(Settings))
    assert PREFIX in text


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for page in DOCS:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} -> {target}"


def test_every_file_that_the_docs_name_exists() -> None:
    roots = (*PACKAGES, "tests", "docs", "benchmarks", "clients", "web")
    for page in DOCS:
        for named in re.findall(r"`([A-Za-z_]+/[\w./-]*\.\w+)`", page.read_text("utf-8")):
            if named.partition("/")[0] in roots:
                assert (ROOT / named).exists(), f"{page.relative_to(ROOT)} names {named}"


@pytest.mark.parametrize("page", ["architecture", "one-question"])
def test_every_symbol_that_a_walk_names_exists(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    named = re.findall(r"`([\w/]+\.py): ([\w.]+)`", text)
    assert len(named) > 20
    for file, symbol in named:
        *_, last = symbol.split(".")
        tree = parsed(Path(file))
        defined = {getattr(node, "name", None) for node in ast.walk(tree)} | {
            ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)
        }
        assert last in defined, f"{file} defines no {last}"


@pytest.mark.parametrize("folder", ["decisions", "formats", "guides", "operations"])
def test_every_page_is_listed_in_its_folder(folder: str) -> None:
    listed = (ROOT / "docs" / folder / "README.md").read_text("utf-8")
    for page in (ROOT / "docs" / folder).glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in listed


def test_the_docs_name_no_machine() -> None:
    for page in DOCS:
        assert not re.search(r"/(work|root|home)/", page.read_text("utf-8")), page
