"""The matcher of model.conf, checked against a whitelist and compiled once.

Stock Casbin parses the matcher on every question and walks every rule. Here the same text becomes one function of a
question and a rule. Only what the whitelist names can stand in it: no attribute, no call but to the five trees, no
`in` (a substring test on text), no `eval` (a stored rule spliced into the program).
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, Final

Matcher = Callable[..., bool]
"""Called with a question's values and then a rule's, in the order of their definitions in the model."""

_ALLOWED: Final = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.Compare,
    ast.Eq,
    ast.NotEq,
    ast.Name,
    ast.Load,
    ast.Call,
    ast.Constant,
)


class ForbiddenMatcher(ValueError):
    """The matcher holds something that the whitelist does not name."""


def parse_matcher(text: str, names: Sequence[str], functions: Sequence[str]) -> ast.Expression:
    """The matcher as a tree. Raises `ForbiddenMatcher` unless every part of it is on the whitelist."""
    try:
        tree = ast.parse(text.replace("&&", " and ").replace("||", " or ").strip(), mode="eval")
    except SyntaxError as error:
        raise ForbiddenMatcher(f"not an expression: {error.msg}") from None
    for node in ast.walk(tree):
        _check(node, names, functions)
    return tree


def _check(node: ast.AST, names: Sequence[str], functions: Sequence[str]) -> None:
    if not isinstance(node, _ALLOWED):
        raise ForbiddenMatcher(type(node).__name__)
    if isinstance(node, ast.Name) and node.id not in names and node.id not in functions:
        raise ForbiddenMatcher(f"unknown name {node.id}")
    if isinstance(node, ast.Constant) and not isinstance(node.value, str):
        raise ForbiddenMatcher(f"constant {node.value!r}")
    if isinstance(node, ast.Call):
        plain = not node.keywords and len(node.args) == 2 and all(isinstance(part, ast.Name) for part in node.args)
        if not plain or not isinstance(node.func, ast.Name) or node.func.id not in functions:
            raise ForbiddenMatcher("a call to something other than a tree, with two names")


def compile_matcher(text: str, names: Sequence[str], trees: Mapping[str, Mapping[str, frozenset[str]]]) -> Matcher:
    """`text` as a function of `names`, in that order. `trees` maps g, g2, … to the ancestors of each name.

    Raises `ForbiddenMatcher`.
    """
    scope: dict[str, Any] = {name: _below(ancestors) for name, ancestors in trees.items()}
    scope["__builtins__"] = {}
    matcher: Matcher = eval(_code(text, tuple(names), tuple(trees)), scope)  # noqa: S307 - every node was whitelisted
    return matcher


@lru_cache(maxsize=8)
def _code(text: str, names: tuple[str, ...], functions: tuple[str, ...]) -> CodeType:
    body = parse_matcher(text, names, functions).body
    arguments = [ast.arg(name) for name in names]
    parameters = ast.arguments(posonlyargs=arguments, args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return compile(ast.fix_missing_locations(ast.Expression(ast.Lambda(parameters, body))), "<matcher>", "eval")


def _below(ancestors: Mapping[str, frozenset[str]]) -> Callable[[str, str], bool]:
    return lambda name, above: above in ancestors[name]
