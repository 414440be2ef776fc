"""Quiet hours: when a wall clock somewhere says that a person wants to be left alone. Pure.

A quiet time is told in the words of a clock on the wall of a place (IANA time zone), so it moves with daylight saving
time. Where the clock skips the wall time that is named, the moment of the skip counts; where it strikes it twice, the
quiet begins with the first and ends with the second (RFC 5545, section 3.3.5, reads skipped times by the offset before
them; here that would end a night late or begin it early by an hour that nobody named).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from sayso.kernel import SECOND, from_datetime, to_datetime

MINUTES: Final = 1_440
"""Minutes of a day."""

EVERY_DAY: Final = 0b1111111
"""All days of the week as bits, Monday the lowest."""

_UNENDING: Final = 64
"""Windows that are looked through while each begins before the one before has ended."""


class Quiet(Struct, frozen=True, array_like=True, gc=False):
    """Quiet from minute `start` of each of `days` until minute `end`, that day or the next. `assurance` is a rank."""

    start: int
    end: int
    zone: str
    days: int = EVERY_DAY
    assurance: int = 0


class Span(NamedTuple):
    """One quiet time: from `begin` until before `end` (instants)."""

    begin: int
    end: int


def quiet_until(windows: Iterable[Quiet], at: int) -> int:
    """When the quiet in which `at` lies ends, 0 when it lies in none. Quiet times that touch are one.

    Windows of several zones may leave no gap between them: then an instant weeks ahead, at which it is quiet still and
    whoever asks hears of the next.
    """
    windows = tuple(windows)
    until = at
    for _ in range(_UNENDING):
        found = max((end for window in windows if (end := _end_at(window, until))), default=0)
        if not found:
            break
        until = found
    return until if until > at else 0


def quiet_edges(windows: Iterable[Quiet], at: int, until: int) -> list[int]:
    """When quiet begins or ends after `at` and before `until`, instants that lie a day or less apart; in no order."""
    found: list[int] = []
    for window in windows:
        today = to_datetime(at).astimezone(_zone(window.zone)).date()
        # As `_end_at`: two days back, and one ahead.
        for ahead in range(-2, 3):
            day = today + timedelta(days=ahead)
            if window.days >> day.weekday() & 1:
                found += [edge for edge in span(window, day) if at < edge < until]
    return found


def covers(one: Quiet, other: Quiet) -> bool:
    """Whether `one` is quiet whenever `other` is. In two zones nobody can say so."""
    return one.zone == other.zone and _week(other) & ~_week(one) == 0


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Every time zone of the database (IANA) that names a place, and UTC."""
    return frozenset(
        name
        for name in available_timezones()
        if name == "UTC" or ("/" in name and name.partition("/")[0] not in ("Etc", "SystemV", "posix", "right"))
    )


def span(window: Quiet, day: date) -> Span:
    """The quiet time of the window that begins on this day of the place; empty where the clock skips it whole."""
    ends = day if window.end > window.start else day + timedelta(days=1)
    begin = _instant(window.zone, day, window.start, fold=0)
    return Span(begin, max(begin, _instant(window.zone, ends, window.end, fold=1)))


def _end_at(window: Quiet, at: int) -> int:
    """The end of the window's time around `at`, 0 if none is."""
    today = to_datetime(at).astimezone(_zone(window.zone)).date()
    # Two days back: the day before may be one that the place skipped (Apia, 30 December 2011).
    for back in (0, 1, 2):
        day = today - timedelta(days=back)
        if window.days >> day.weekday() & 1:
            begin, end = span(window, day)
            if begin <= at < end:
                return end
    return 0


@lru_cache(maxsize=4_096)
def _instant(zone: str, day: date, minute: int, *, fold: int) -> int:
    """When the wall clock there says so: the first or second time, and when it skips, the moment of the skip."""
    place = _zone(zone)
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001 - a wall has no offset
    told = wall.replace(tzinfo=place, fold=fold).astimezone(UTC)
    if told.astimezone(place).replace(tzinfo=None) == wall:
        return from_datetime(told)
    # Skipped: the offsets before and after the skip stand around it (PEP 495, "the missing hour").
    return _skip(
        place, *sorted(from_datetime(wall.replace(tzinfo=place, fold=each).astimezone(UTC)) for each in (0, 1))
    )


def _skip(place: ZoneInfo, low: int, high: int) -> int:
    """The instant between two at which the offset changes, to the second."""
    before = to_datetime(low).astimezone(place).utcoffset()
    low, high = low // SECOND, high // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if to_datetime(middle * SECOND).astimezone(place).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high * SECOND


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1_024)
def _week(window: Quiet) -> int:
    """The quiet minutes of a week, as bits."""
    length = (window.end - window.start) % MINUTES
    bits = 0
    for day in range(7):
        if window.days >> day & 1:
            bits |= ((1 << length) - 1) << (day * MINUTES + window.start)
    whole = 7 * MINUTES
    return bits & ((1 << whole) - 1) | bits >> whole
