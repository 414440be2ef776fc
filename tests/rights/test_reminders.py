"""What is told about deadlines, and when: pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rights.deadlines import Calendar, due, local_date
from rights.model import KINDS, LAWS, NEVER, Extend, Halt, Resume, RightsRequest, State, Verify, advance
from rights.reminders import falling, plan, scheduled, told
from sayso.kernel import DAY, Instant, from_datetime

ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati")


def noon(text: str, zone: str = "UTC") -> Instant:
    return from_datetime(datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=ZoneInfo(zone)))


def a_request(received: Instant, law: str = "gdpr", kind: str = "erasure", zone: str = "UTC") -> RightsRequest:
    dates = due(received, law, kind, Calendar(zone))  # type: ignore[arg-type]
    return RightsRequest(
        "rrq_" + "0" * 32,
        b"s" * 16,
        kind,  # type: ignore[arg-type]
        law,  # type: ignore[arg-type]
        State.OPEN,
        received,
        dates.due_on,
        dates.target_on,
        dates.granted_by_law,
        zone,
    )


def walked(request: RightsRequest, days: int) -> list[tuple[str, str]]:
    """What a worker that comes by every noon tells, and on which day."""
    said = []
    for nth in range(days):
        at = Instant(request.received_at + nth * DAY)
        said += [(local_date(at, request.zone).isoformat(), notice) for notice in falling(request, at)]
        request = told(request, at)
    return said


def test_a_month_is_near_a_week_before_and_overdue_a_day_after() -> None:
    request = a_request(noon("2026-05-04"))
    assert walked(request, 60) == [("2026-05-28", "near"), ("2026-06-05", "overdue")]


def test_a_receipt_that_nobody_acknowledged_is_told_the_day_before() -> None:
    request = a_request(noon("2026-01-01"), "ccpa")
    assert walked(request, 30) == [("2026-01-14", "acknowledge")]
    verified = advance(request, Verify("officer"), request.received_at)
    assert walked(verified, 30) == []


def test_a_longer_term_is_told_of_anew() -> None:
    request = a_request(noon("2026-05-04"))
    request = told(request, noon("2026-05-29"))
    longer = advance(request, Extend("2026-08-04", "2026-05-29"), noon("2026-05-29"))
    assert falling(longer, noon("2026-07-01")) == ()
    assert falling(longer, noon("2026-07-28")) == ("near",)


def test_nothing_is_told_while_the_clock_rests_or_after_the_end() -> None:
    request = a_request(noon("2026-05-04"))
    resting = advance(request, Halt("identity"), noon("2026-05-05"))
    assert plan(resting) == {}
    assert scheduled(resting).next_at == NEVER
    back = advance(resting, Resume("2026-06-14", "2026-06-14"), noon("2026-05-15"))
    assert falling(back, noon("2026-06-05")) == ()
    assert falling(back, noon("2026-06-15")) == ("overdue",)
    assert plan(replace(request, state=State.DENIED)) == {}


@given(
    st.sampled_from(LAWS),
    st.sampled_from(KINDS),
    st.sampled_from(ZONES),
    st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    st.integers(1, 200),
)
def test_everything_is_told_once_in_its_time_and_scheduled_before(
    law: str, kind: str, zone: str, day: date, later: int
) -> None:
    request = scheduled(a_request(noon(day.isoformat(), zone), law, kind, zone))
    at = Instant(request.received_at + later * DAY)
    said = falling(request, at)
    assert bool(said) is (request.next_at <= at)
    assert ("overdue" in said) is (local_date(at, zone).isoformat() > request.deadline)
    after = scheduled(told(request, at))
    assert falling(after, at) == ()
    assert after.next_at > at
