"""Our own source, as the tests of architecture and docs read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("audit", "consent", "policies", "reports", "rights", "sayso", "vault")


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file under the folders (the packages, unless others are named), relative to the root."""
    for folder in folders or PACKAGES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file named relative to the root."""
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


def called_name(call: ast.Call) -> str:
    """The last part of what is called: `Permit` for both `Permit(…)` and `policies.Permit(…)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """The dotted names of all that a file imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
