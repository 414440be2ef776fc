"""Instants moved on by ISO 8601 durations, checked against another implementation of the calendar."""

from datetime import UTC, datetime

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from sayso.kernel import Invalid, add_duration
from sayso.kernel.clock import from_datetime, to_datetime

_FIRST, _LAST = (from_datetime(datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 2500))
instants = st.integers(_FIRST, _LAST)
steps = st.integers(0, 500)


@given(instants, steps, steps, steps, steps, steps)
def test_a_duration_is_a_step_in_the_calendar_of_utc(
    instant: int, years: int, months: int, weeks: int, days: int, seconds: int
) -> None:
    moved = add_duration(instant, f"P{years}Y{months}M{weeks}W{days}DT{seconds}S")
    step = relativedelta(years=years, months=months, weeks=weeks, days=days, seconds=seconds)
    assert to_datetime(moved) == to_datetime(instant) + step


def test_a_day_that_the_later_month_does_not_have_becomes_its_last() -> None:
    said = from_datetime(datetime(2024, 1, 31, 23, 59, 59, 999_999, UTC))
    assert to_datetime(add_duration(said, "P1M")) == datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC)
    assert to_datetime(add_duration(said, "P13M")) == datetime(2025, 2, 28, 23, 59, 59, 999_999, UTC)


@pytest.mark.parametrize("text", ["P9000Y", "P99999999999D", "P", "PT", "24M", "P1.5D", ""])
def test_what_is_no_duration_or_leads_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        add_duration(from_datetime(datetime(2026, 11, 22, tzinfo=UTC)), text)
    assert refused.value.slug == "invalid-duration"
