"""When an answer is due: the arithmetic of dates over the terms of `laws.py`. Pure.

A period of months is reckoned after Regulation 1182/71, Article 3: the same day number in
the later month, or that month's last day; where the law lets it roll, on to the next working day of the controller's
country. All of it on the local date of receipt, whose day never counts.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from rights.laws import Term, appeal_term, row_of
from rights.model import Kind, Law
from sayso.kernel import Conflict, Instant, Invalid, to_datetime

if TYPE_CHECKING:
    from holidays import HolidayBase

_SATURDAY: Final = 5


class Calendar(Struct, frozen=True):
    """Where the controller sits: IANA zone, and country as ISO 3166-1 alpha-2 (empty: unknown, so nothing rolls)."""

    zone: str = "UTC"
    country: str = ""


class Due(Struct, frozen=True):
    """The dates of one request, ISO 8601, each until 24:00 local time.

    `due_on` is the legal one; `target_on` the one to work to: without rolling, and sooner where part of the answer is
    due at once. `extendable_to` and `acknowledge_on` are empty where the law knows none. `granted_by_law` is False when
    the law does not grant this kind and our own row serves.
    """

    due_on: str
    target_on: str
    granted_by_law: bool
    source: str
    extendable_to: str = ""
    acknowledge_on: str = ""


class NoExtension(Conflict):
    """The law gives no longer term for this kind."""

    def __init__(self, law: Law, kind: Kind) -> None:
        super().__init__("no-extension", "This law gives no longer term for this kind of request.", law=law, kind=kind)


def due(received_at: Instant, law: Law, kind: Kind, calendar: Calendar) -> Due:
    """The dates of a request received at `received_at`. Raises `Invalid` for a zone or country that does not exist."""
    row, granted = row_of(law, kind)
    day = local_date(received_at, calendar.zone)
    return Due(
        due_on=_end(day, row.answer, calendar.country).isoformat(),
        target_on=_end(day, row.target or row.answer, calendar.country, roll=False).isoformat(),
        granted_by_law=granted,
        source=row.answer.source,
        extendable_to=_end(day, row.extended, calendar.country).isoformat() if row.extended else "",
        acknowledge_on=_end(day, row.acknowledge, calendar.country).isoformat() if row.acknowledge else "",
    )


def appeal_due(at: Instant, law: Law, calendar: Calendar) -> str:
    """The ISO date by which an appeal that came in at `at` is answered."""
    return _end(local_date(at, calendar.zone), appeal_term(law), calendar.country).isoformat()


def moved(on: str, paused_days: int, law: Law, kind: Kind, calendar: Calendar) -> str:
    """The ISO date `on` after the clock rested for so many local days, rolled again where the law rolls."""
    row, _ = row_of(law, kind)
    day = date.fromisoformat(on) + timedelta(days=paused_days)
    return (_rolled(day, calendar.country) if row.answer.rolls else day).isoformat()


def local_date(at: Instant, zone: str) -> date:
    """The date on the wall at `at`. Raises `Invalid` (`unknown-zone`)."""
    try:
        return to_datetime(at).astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid("unknown-zone", "A time zone is named as in Europe/Berlin.") from None


def _end(day: date, term: Term, country: str, *, roll: bool = True) -> date:
    match term.unit:
        case "now":
            return day
        case "days":
            end = day + timedelta(days=term.amount)
        case "working_days":
            counted = _after_working_days(day, term.amount, works_in(term.country or country))
            end = min(counted, day + timedelta(days=term.at_most)) if term.at_most else counted
        case "months":
            end = _months_later(day, term.amount)
    return _rolled(end, country) if roll and term.rolls else end


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def _after_working_days(day: date, amount: int, works: Callable[[date], bool]) -> date:
    """The last of `amount` working days; the day of receipt does not count."""
    while amount:
        day += timedelta(days=1)
        amount -= works(day)
    return day


def _rolled(day: date, country: str) -> date:
    """The first working day from `day` on. Without a known country the day stays: earlier is never too late."""
    if country:
        works = works_in(country)
        while not works(day):
            day += timedelta(days=1)
    return day


def works_in(country: str) -> Callable[[date], bool]:
    """Whether a date is a working day there, make-up Saturdays included. Raises `Invalid` (`unknown-country`)."""
    if not country:
        return lambda day: day.weekday() < _SATURDAY
    return _holidays(country.upper()).is_working_day


@lru_cache(maxsize=64)
def _holidays(country: str) -> "HolidayBase":
    import holidays  # 60 MB of calendars: loaded with the first deadline that needs one

    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        raise Invalid("unknown-country", "A country is named by its two letters (ISO 3166-1).") from None
