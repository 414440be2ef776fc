"""Deadlines: the examples that two libraries agree on, and an independent reckoning on random days."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from rights import deadlines
from rights.deadlines import Calendar, due, local_date
from rights.laws import TABLE, row_of
from rights.model import KINDS, LAWS, Kind, Law
from sayso.kernel import Instant, Invalid, from_datetime

days = st.dates(date(2024, 1, 1), date(2028, 6, 30))
UTC_ONLY = Calendar()


def noon(text: str, zone: str = "UTC") -> Instant:
    return from_datetime(datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=ZoneInfo(zone)))


def at(day: date) -> Instant:
    return noon(day.isoformat())


@pytest.mark.parametrize(
    ("received", "country", "expected"),
    [
        ("2026-01-31", "DE", "2026-03-02"),
        ("2026-03-05", "FR", "2026-04-07"),
        ("2026-08-31", "IE", "2026-09-30"),
        ("2026-03-03", "DE", "2026-04-07"),
        ("2026-11-25", "DE", "2026-12-28"),
    ],
)
def test_a_month_ends_on_the_same_day_or_the_next_working_one(received: str, country: str, expected: str) -> None:
    assert due(noon(received), "gdpr", "access", Calendar("UTC", country)).due_on == expected


def test_an_extension_counts_three_months_afresh_from_receipt() -> None:
    dates = due(noon("2026-11-30"), "gdpr", "erasure", Calendar("Europe/Paris", "FR"))
    assert dates.extendable_to == "2027-03-01"
    assert dates.target_on == "2026-12-30"


def test_china_counts_make_up_saturdays_as_working_days() -> None:
    dates = due(noon("2026-09-25"), "pipl", "erasure", Calendar("Asia/Shanghai", "CN"))
    assert dates.due_on == "2026-10-22"
    assert dates.extendable_to == ""


def test_china_never_takes_longer_than_thirty_days() -> None:
    for nth in range(0, 366, 5):
        received = date(2026, 1, 1) + timedelta(days=nth)
        ends = date.fromisoformat(due(at(received), "pipl", "access", UTC_ONLY).due_on)
        assert ends - received <= timedelta(days=30)


def test_the_clock_of_california_does_not_roll_off_a_sunday() -> None:
    dates = due(noon("2026-01-01"), "ccpa", "erasure", Calendar("America/Los_Angeles", "US"))
    assert (dates.due_on, dates.extendable_to) == ("2026-02-15", "2026-04-01")
    assert date.fromisoformat(dates.due_on).isoweekday() == 7
    assert dates.acknowledge_on == "2026-01-15"


def test_an_opt_out_has_no_extension() -> None:
    assert due(noon("2026-01-01"), "ccpa", "opt_out_sale", UTC_ONLY).extendable_to == ""


def test_a_marketing_objection_is_worked_at_once_and_answered_within_the_month() -> None:
    dates = due(noon("2026-05-04"), "gdpr", "objection", UTC_ONLY)
    assert (dates.target_on, dates.due_on) == ("2026-05-04", "2026-06-04")


def test_the_day_of_receipt_is_the_local_one() -> None:
    late = from_datetime(datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    assert due(late, "law25", "access", Calendar("America/Montreal", "CA")).due_on == "2026-04-30"
    assert due(late, "law25", "access", Calendar("Asia/Shanghai", "CN")).due_on == "2026-05-01"


def test_a_kind_that_a_law_does_not_know_opens_under_our_own_row() -> None:
    dates = due(noon("2026-05-01"), "ccpa", "restriction", UTC_ONLY)
    assert not dates.granted_by_law
    assert dates.due_on == due(noon("2026-05-01"), "default", "restriction", UTC_ONLY).due_on == "2026-05-16"


def test_every_law_and_kind_has_a_row_with_its_source() -> None:
    assert set(TABLE) == set(get_args(Law)) == set(LAWS)
    for law in LAWS:
        for kind in KINDS:
            row, granted = row_of(law, kind)
            assert row.answer.source
            assert granted is (law != "default" and kind in TABLE[law])
            if row.extended:
                assert row.extended.source


def test_an_unknown_place_is_refused() -> None:
    with pytest.raises(Invalid):
        due(noon("2026-05-01"), "gdpr", "access", Calendar("Europe/Nowhere", "DE"))
    with pytest.raises(Invalid):
        due(noon("2026-05-01"), "gdpr", "access", Calendar("UTC", "XX"))


# A second reckoning: dateutil for months, a generator of days for the rest.


def reckoned(day: date, law: Law, kind: Kind, country: str) -> date:
    term = row_of(law, kind)[0].answer
    if term.unit == "now":
        return day
    if term.unit == "days":
        end = day + relativedelta(days=term.amount)
    elif term.unit == "months":
        end = day + relativedelta(months=term.amount)
    else:
        following = (day + relativedelta(days=n) for n in count(1))
        works = deadlines.works_in(term.country or country)
        end = next(islice(filter(works, following), term.amount - 1, None))
        end = min(end, day + relativedelta(days=term.at_most or 10_000))
    if term.rolls and country:
        end = next(filter(deadlines.works_in(country), (end + relativedelta(days=n) for n in count(0))))
    return end


@given(days, st.sampled_from(LAWS), st.sampled_from(KINDS), st.sampled_from(["", "DE", "FR", "GB", "CN", "US", "BR"]))
def test_due_agrees_with_a_second_reckoning(day: date, law: Law, kind: Kind, country: str) -> None:
    dates = due(at(day), law, kind, Calendar("UTC", country))
    assert dates.due_on == reckoned(day, law, kind, country).isoformat()


@given(days, st.sampled_from(LAWS), st.sampled_from(KINDS), st.sampled_from(["", "DE", "CN"]))
def test_dates_stand_in_their_order(day: date, law: Law, kind: Kind, country: str) -> None:
    dates = due(at(day), law, kind, Calendar("UTC", country))
    assert day.isoformat() <= dates.target_on <= dates.due_on
    assert not dates.extendable_to or dates.due_on < dates.extendable_to


@given(days, days, st.sampled_from(LAWS), st.sampled_from(KINDS))
def test_who_asks_later_is_never_due_sooner(one: date, other: date, law: Law, kind: Kind) -> None:
    first, second = sorted((one, other))
    calendar = Calendar("UTC", "DE")
    assert due(at(first), law, kind, calendar).due_on <= due(at(second), law, kind, calendar).due_on


@given(days, st.times(), st.sampled_from(["Asia/Shanghai", "America/New_York"]))
def test_the_local_date_is_the_one_on_the_wall(day: date, moment: time, zone: str) -> None:
    aware = datetime.combine(day, moment, UTC)
    assert local_date(from_datetime(aware), zone).isoformat() == aware.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d")
