"""Quiet hours against the clock on the wall, in zones that turn it back and forth."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from consent.preferences.quiet import MINUTES, Quiet, covers, quiet_until, span, zones
from sayso.kernel import from_datetime, to_datetime

MINUTE = 60_000_000
# Zones that turn by an hour, by half an hour, at midnight, the other way round, by a whole day, and not at all.
PLACES = (
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Havana",
    "America/Asuncion",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Shanghai",
    "UTC",
)

times = st.integers(0, MINUTES - 1)
windows = (st.builds(Quiet, start=times, end=times, zone=st.sampled_from(PLACES), days=st.integers(1, 127))).filter(
    lambda window: window.start != window.end
)
instants = st.datetimes(datetime(2009, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(from_datetime)  # noqa: DTZ001


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


def on_the_wall(window: Quiet, instant: int) -> bool:
    """What somebody says who looks at the clock there, and knows nothing of instants."""
    wall = to_datetime(instant).astimezone(ZoneInfo(window.zone))
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.weekday(), (wall.weekday() - 1) % 7
    if window.start < window.end:
        return bool(window.days >> today & 1) and window.start <= minute < window.end
    late = bool(window.days >> today & 1) and minute >= window.start
    early = bool(window.days >> yesterday & 1) and minute < window.end
    return late or early


def turns_near(window: Quiet, instant: int) -> bool:
    place = ZoneInfo(window.zone)
    offsets = {
        (to_datetime(instant) + timedelta(hours=12 * step)).astimezone(place).utcoffset() for step in range(-6, 7)
    }
    return len(offsets) > 1


@given(windows, instants)
@example(Quiet(21 * 60, 8 * 60, "Europe/Berlin"), at("2026-03-29T01:30:00Z"))
@example(Quiet(2 * 60 + 30, 4 * 60, "Europe/Berlin"), at("2026-10-25T00:45:00Z"))
@example(Quiet(0, 60, "America/Havana"), at("2026-03-08T05:30:00Z"))
def test_where_no_clock_is_turned_quiet_is_what_the_wall_says(window: Quiet, instant: int) -> None:
    if not turns_near(window, instant):
        assert bool(quiet_until((window,), instant)) == on_the_wall(window, instant)


@given(windows, instants)
@example(Quiet(150, 60, "Europe/Berlin"), at("2026-10-25T00:45:00Z"))
def test_where_a_clock_is_turned_nobody_is_disturbed_who_reads_quiet_on_it(window: Quiet, instant: int) -> None:
    if on_the_wall(window, instant) and "Apia" not in window.zone:
        assert quiet_until((window,), instant)


@given(st.lists(windows, max_size=3), instants)
def test_the_end_is_the_first_instant_that_is_not_quiet(several: list[Quiet], instant: int) -> None:
    until = quiet_until(several, instant)
    if until:
        assert until > instant
        # Windows that together leave no gap at all: somebody who is never to be disturbed.
        assume(until - instant < 20 * 1440 * MINUTE)
        assert quiet_until(several, until) == 0
        assert quiet_until(several, until - 1) == until
        middle = (instant + until) // 2
        assert quiet_until(several, middle) == until


def test_who_is_never_to_be_disturbed_is_quiet_for_weeks_and_then_again() -> None:
    never = [Quiet(1, 0, "Europe/Berlin"), Quiet(1, 0, "Australia/Lord_Howe")]
    until = quiet_until(never, at("2026-11-22T12:00:00Z"))
    assert until > at("2026-12-22T12:00:00Z")
    assert quiet_until(never, until) > until


@given(windows, st.dates(date(2009, 1, 1), date(2030, 1, 1)))
def test_a_quiet_time_never_ends_before_it_begins_nor_lasts_two_days(window: Quiet, day: date) -> None:
    begin, end = span(window, day)
    assert begin <= end <= begin + 50 * 60 * MINUTE


@pytest.mark.parametrize(
    ("zone", "start", "end", "day", "begins", "ends"),
    [
        # Forward at 02:00 to 03:00: the hour that is skipped is not there to be quiet in.
        ("Europe/Berlin", "02:15", "02:45", "2026-03-29", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "21:00", "02:30", "2026-03-28", "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "02:30", "08:00", "2026-03-29", "2026-03-29T01:00:00Z", "2026-03-29T06:00:00Z"),
        # Back at 03:00 to 02:00: from the first stroke of the hour until the second.
        ("Europe/Berlin", "02:15", "02:45", "2026-10-25", "2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z"),
        ("Europe/Berlin", "21:00", "08:00", "2026-10-24", "2026-10-24T19:00:00Z", "2026-10-25T07:00:00Z"),
        # By half an hour.
        ("Australia/Lord_Howe", "02:10", "06:00", "2026-10-04", "2026-10-03T15:30:00Z", "2026-10-03T19:00:00Z"),
        # At midnight, which then does not exist.
        ("America/Havana", "00:00", "07:00", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-08T11:00:00Z"),
        # Apia went to bed on the 29th and woke on the 31st.
        ("Pacific/Apia", "22:00", "06:00", "2011-12-29", "2011-12-30T08:00:00Z", "2011-12-30T10:00:00Z"),
    ],
)
def test_turned_clocks(zone: str, start: str, end: str, day: str, begins: str, ends: str) -> None:
    minutes = [int(each[:2]) * 60 + int(each[3:]) for each in (start, end)]
    window = Quiet(minutes[0], minutes[1], zone)
    assert span(window, date.fromisoformat(day)) == (at(begins), at(ends))


def test_days_are_those_on_which_the_quiet_begins() -> None:
    weekend = Quiet(22 * 60, 9 * 60, "UTC", days=0b0110000)
    assert quiet_until((weekend,), at("2026-11-20T23:00:00Z")) == at("2026-11-21T09:00:00Z"), "Friday night"
    assert quiet_until((weekend,), at("2026-11-22T08:59:00Z")) == at("2026-11-22T09:00:00Z"), "Sunday morning"
    assert quiet_until((weekend,), at("2026-11-22T23:00:00Z")) == 0, "Sunday night"


def test_quiet_times_that_touch_are_one() -> None:
    night, morning = Quiet(22 * 60, 6 * 60, "UTC"), Quiet(6 * 60, 9 * 60, "UTC")
    assert quiet_until((night, morning), at("2026-11-20T23:00:00Z")) == at("2026-11-21T09:00:00Z")


@given(windows, windows, instants)
def test_who_covers_another_is_quiet_whenever_that_is(one: Quiet, other: Quiet, instant: int) -> None:
    if covers(one, other) and not turns_near(one, instant) and quiet_until((other,), instant):
        assert quiet_until((one,), instant)


@given(windows)
def test_everybody_covers_themselves(window: Quiet) -> None:
    assert covers(window, window)


def test_zones_are_places_of_the_database() -> None:
    assert {"Europe/Dublin", "America/Argentina/Ushuaia", "Asia/Shanghai", "UTC"} <= zones()
    assert not {"EST", "Etc/GMT+5", "localtime", "posixrules", "Factory"} & zones()
