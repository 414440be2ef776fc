"""Instants as text: what is written is read back, and what no calendar has is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.kernel import Invalid, iso, parse_instant
from sayso.kernel.clock import from_datetime

FIRST, LAST = from_datetime(datetime(1, 1, 1, tzinfo=UTC)), from_datetime(datetime.max.replace(tzinfo=UTC))


@given(st.integers(FIRST, LAST))
def test_what_is_written_is_read_back(instant: int) -> None:
    assert parse_instant(iso(instant)) == instant


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_a_time_that_lies_in_no_year_of_utc_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_instant(text)
