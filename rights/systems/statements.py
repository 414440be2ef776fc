"""What a SQL system may be told: one statement each, with bound parameters, that changes rows and no tables. Pure.

This is no parser of SQL. It reads words, quotes and marks, and refuses whatever it does not need to understand: a
second statement, a comment, a quote that two engines read differently, a word that does more than touch rows. What the
account of the database may do is the operator's first wall; this is the second.
"""

import re
from itertools import pairwise
from typing import Final

from msgspec import Struct

LONGEST: Final = 4_000

_TOKEN: Final = re.compile(
    r"""\s+|'(?:[^'\\:]|'')*'|"[^"\\:]*"|`[^`\\:]*`|::|:[a-z_][a-z0-9_]*|[A-Za-z_][A-Za-z0-9_$]*|\d+(?:\.\d+)?"""
    r"""|--|/\*|[-+*/%<>=!~|&^(),.\[\]]|.""",
    re.DOTALL,
)
_CHANGES: Final = ("delete", "update", "insert")
_FORBIDDEN: Final = frozenset(
    "alter analyze attach begin call cluster comment commit copy create deallocate declare detach discard do drop"
    " dumpfile exec execute explain grant handler import into kill listen load lock merge notify outfile pragma prepare"
    " reassign refresh reindex release rename replace reset revoke rollback savepoint set_config shutdown start"
    " truncate unlisten use vacuum load_extension pg_read_file pg_read_binary_file pg_ls_dir pg_sleep"
    " pg_terminate_backend pg_cancel_backend lo_import lo_export lo_put lo_get dblink dblink_exec dblink_connect"
    " readfile writefile load_file sleep benchmark xp_cmdshell".split()
)
_LOOKING: Final = frozenset(("insert", "delete", "update", "for"))
"""Words that a statement which only looks has no use for."""


class Statement(Struct, frozen=True):
    """A statement as it is declared. `name` tells what its rows are, in the answer to an access request."""

    name: str
    sql: str


def refusal(sql: str, *, reads: bool, names: frozenset[str]) -> str:
    """Why this statement is not taken, empty when it is. `reads`: it may only look. `names`: what may be bound."""
    if len(sql) > LONGEST:
        return f"A statement has at most {LONGEST} characters."
    tokens = [each for each in _TOKEN.findall(sql) if not each.isspace()]
    words = [each.lower() for each in tokens if each[0].isalpha() or each[0] == "_"]
    bound = {each[1:] for each in tokens if len(each) > 1 and each[0] == ":" and each != "::"}
    for mark, why in (
        (";", "A statement is one statement, without a semicolon."),
        ("--", "A statement has no comments."),
        ("/*", "A statement has no comments."),
        ("#", "A statement has no comments."),
    ):
        if mark in tokens:
            return why
    for each in tokens:
        if len(each) == 1 and not (each.isalnum() or each in "-+*/%<>=!~|&^(),.[]_"):
            return (
                f"{each!r} has no place here: values are bound as in :customer, and no quoted text holds a colon or \\."
            )
    quoted = {one[1:-1].lower() for one, after in pairwise(tokens) if one[0] in '"`' and after == "("}
    if hidden := quoted & _FORBIDDEN:
        return f"The word {min(hidden)!r} has no place in such a statement."
    why = _act(words, tokens, reads=reads)
    if why:
        return why
    if not bound:
        return "A statement binds what the person is known by, as in WHERE customer = :customer."
    unknown = sorted(bound - names)
    if unknown:
        return f"{unknown[0]!r} is not among the names of 'identify'."
    return ""


def words_of(sql: str) -> frozenset[str]:
    """Every word of a statement that may name a table, quoted or not, in lower case."""
    plain = {each.strip('"`').lower() for each in _TOKEN.findall(sql) if each[0].isalpha() or each[0] in '_"`'}
    return frozenset(plain - {""})


def _act(words: list[str], tokens: list[str], *, reads: bool) -> str:
    """What is wrong with what the statement does."""
    first = words[0] if words and tokens[0].lower() == words[0] else ""
    if reads and first != "select":
        return "What is read is read by SELECT."
    if not reads and first not in _CHANGES:
        return "Rows are changed by DELETE, UPDATE or INSERT."
    allowed = {"into"} if first == "insert" else set()
    found = ((_FORBIDDEN | _LOOKING) if reads else _FORBIDDEN).intersection(words) - allowed
    if found:
        return f"The word {min(found)!r} has no place in such a statement."
    if first in ("delete", "update") and "where" not in words:
        return f"{first.upper()} without WHERE would touch everybody."
    return ""
