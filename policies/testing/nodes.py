"""Reading the nodes of a test: words, names that must be declared, times. What is wrong is a problem at its line."""

from calendar import monthrange
from collections.abc import Collection, Iterable
from datetime import timedelta

from sayso.kernel import (
    Invalid,
    Map,
    Node,
    Problem,
    Scalar,
    Seq,
    from_datetime,
    nearest,
    parse_duration,
    parse_instant,
    problem,
    to_datetime,
)


def members(node: Map, what: str, allowed: Iterable[str], problems: list[Problem]) -> None:
    """A problem for each member that there is not."""
    allowed = tuple(allowed)
    for member in node:
        if member not in allowed:
            message = f"{what} has no member {member!r}."
            problems.append(Problem(node.file, node.lines[member], message, nearest(member, allowed)))


def named(node: Node, name: str, names: Collection[str], kind: str, problems: list[Problem]) -> bool:
    """Whether `name` is one of `names`; else a problem with the nearest."""
    if name in names:
        return True
    problems.append(problem(node, f"There is no {kind} {name!r}.", nearest=nearest(name, names)))
    return False


def text_of(node: Node | None) -> str:
    """A scalar as it was written; empty for anything else."""
    if not isinstance(node, Scalar):
        return ""
    # A stored manifest has lost how its booleans were written.
    return str(node.value).lower() if isinstance(node.value, bool) else node.text


def word(node: Node | None, what: str, problems: list[Problem]) -> str:
    """One word, empty where there is no node."""
    found = text_of(node)
    if node is not None and not found:
        problems.append(problem(node, f"{what} is one word."))
    return found


def words(node: Node | None, what: str, problems: list[Problem]) -> list[str]:
    """A list of words; one word is a list of one."""
    if node is None:
        return []
    found = [text_of(item) for item in (node if isinstance(node, Seq) else [node])]
    if all(found):
        return found
    problems.append(problem(node, f"{what} is a list of words."))
    return []


def a_number(node: Node | None) -> int | None:
    """A number that is not negative."""
    value = node.value if isinstance(node, Scalar) else None
    return value if type(value) is int and value >= 0 else None


def a_time(node: Node, at: int, direction: int, problems: list[Problem]) -> int:
    """An instant, or a duration from `at`: into the past where `direction` is -1."""
    written = text_of(node)
    try:
        return shifted(at, written, direction) if written.startswith("P") else parse_instant(written)
    except Invalid:
        problems.append(problem(node, "A time is a duration, P60D, or an instant, 2026-03-02T12:00:00Z."))
        return at


def shifted(at: int, duration: str, direction: int) -> int:
    """The instant a calendar duration (ISO 8601) after `at`, or before it. Raises `Invalid` when it is malformed.

    A month that lacks the day gives its last one.
    """
    years, months, weeks, days, hours, minutes, seconds = parse_duration(duration)
    moment = to_datetime(at)
    place = moment.year * 12 + moment.month - 1 + direction * (years * 12 + months)
    year, month = divmod(place, 12)
    try:
        moved = moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
        rest = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return from_datetime(moved + direction * rest)
    except (ValueError, OverflowError):
        raise Invalid("invalid-duration", "The duration leads out of the calendar.") from None
