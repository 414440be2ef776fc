"""Time: one way to take it, one way to write it.

An `Instant` is an integer of microseconds since the Unix epoch, UTC. Integers sort, compare and store alike on every
database, and freezegun freezes `time.time_ns` without leaving a fake type behind.
"""

import re
import time
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

from sayso.kernel.errors import Invalid

Instant = NewType("Instant", int)

SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def now() -> Instant:
    """This moment. Called once per request, at the door; everything below is given its instant."""
    return Instant(time.time_ns() // 1000)


def iso(instant: int) -> str:
    """`instant` as RFC 3339 in UTC with microseconds: `2026-11-21T23:05:30.123456Z`."""
    second, rest = divmod(instant, SECOND)
    return f"{_to_the_second(second)}.{rest:06}Z"


@lru_cache(maxsize=4096)
def _to_the_second(second: int) -> str:
    # Not by `strftime`: it leaves out the zeros of an early year.
    return to_datetime(second * SECOND).replace(tzinfo=None).isoformat()


def to_datetime(instant: int) -> datetime:
    """`instant` as an aware datetime in UTC. Exact: no float stands in between."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    """An aware datetime as an instant. Raises `Invalid` on a naive one: a time without its zone is a guess. And on one
    that in UTC lies before the year 1 or behind 9999, which could not be written again.
    """
    if moment.tzinfo is None:
        raise Invalid("invalid-time", "A time needs its zone, as in 2026-11-21T23:05:30Z.")
    try:
        return Instant((moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1))
    except OverflowError:
        raise Invalid("invalid-time", "A time lies in the years 1 to 9999 of UTC.") from None


def parse_instant(text: str) -> Instant:
    """RFC 3339 text as an instant. Raises `Invalid` when it is malformed or names no zone."""
    try:
        return from_datetime(datetime.fromisoformat(text))
    except ValueError:
        raise Invalid("invalid-time", "A time is written as in 2026-11-21T23:05:30Z (RFC 3339).") from None


def add_duration(instant: int, duration: str) -> Instant:
    """`instant` moved on by an ISO 8601 duration such as `P24M`, `P30D` or `PT15M`.

    Years and months are calendar steps in UTC; a day that the later month does not have becomes its last day.
    Raises `Invalid` when the text is no duration.
    """
    return Instant(instant + _ahead(instant // DAY, duration))


@lru_cache(maxsize=4096)
def _ahead(day: int, duration: str) -> int:
    """Microseconds from any instant of this UTC day to the one moved on: a calendar step keeps the time of the day."""
    years, months, weeks, days, hours, minutes, seconds = parse_duration(duration)
    try:
        # Its last instant: what this one can be moved to, all can.
        start = to_datetime(day * DAY + DAY - 1)
        year, month = divmod(start.year * 12 + start.month - 1 + years * 12 + months, 12)
        moved = start.replace(year=year, month=month + 1, day=min(start.day, _days_in(year, month + 1)))
        moved += timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        raise Invalid("invalid-duration", "This duration leads beyond the calendar.") from None
    return (moved - start) // timedelta(microseconds=1)


@lru_cache(maxsize=256)
def parse_duration(text: str) -> tuple[int, int, int, int, int, int, int]:
    """Years, months, weeks, days, hours, minutes, seconds of an ISO 8601 duration. Raises `Invalid`."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise Invalid("invalid-duration", "A duration is written as in P24M, P30D or PT15M (ISO 8601).")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return years, months, weeks, days, hours, minutes, seconds


def _days_in(year: int, month: int) -> int:
    return monthrange(year, month)[1]
