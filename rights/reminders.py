"""What is to be told about a request's deadlines, and when. Pure.

A receipt that was not acknowledged, a deadline that comes near, a deadline that has passed. Each is told once for each
deadline: a longer term, or a clock that rested, has its own.
"""

from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from rights.deadlines import Calendar, due, local_date
from rights.model import NEVER, RightsRequest, State
from sayso.kernel import Instant, from_datetime

Notice = Literal["acknowledge", "near", "overdue"]

NEAR_DAYS: Final = 7
"""How many days before the deadline it is near; of a shorter term the last third is."""


def plan(request: RightsRequest) -> dict[Notice, tuple[str, Instant]]:
    """Each thing to be told, with the ISO date it is about and the instant from which it holds.

    Nothing of a request that is closed or whose clock rests. Days begin at midnight in the controller's zone.
    """
    if not request.waits or request.paused:
        return {}
    if request.appealed:
        return _of_appeal(request)
    zone, found = request.zone, dict[Notice, tuple[str, Instant]]()
    received, deadline = local_date(request.received_at, zone), date.fromisoformat(request.deadline)
    dates = due(request.received_at, request.law, request.kind, Calendar(zone, request.country))
    if dates.acknowledge_on and _silent(request):
        day = max(date.fromisoformat(dates.acknowledge_on) - timedelta(days=1), received)
        found["acknowledge"] = (dates.acknowledge_on, _begins(day, zone))
    ahead = min(NEAR_DAYS, (deadline - received).days // 3)
    if ahead:
        found["near"] = (request.deadline, _begins(deadline - timedelta(days=ahead), zone))
    found["overdue"] = (request.deadline, _begins(deadline + timedelta(days=1), zone))
    return found


def _of_appeal(request: RightsRequest) -> dict[Notice, tuple[str, Instant]]:
    """An appeal has a deadline of its own, from the day on which it came in."""
    assert request.appeal is not None
    zone, day = request.zone, request.appeal.due_on
    came, deadline = local_date(request.appeal.at, zone), date.fromisoformat(day)
    ahead = min(NEAR_DAYS, (deadline - came).days // 3)
    return {
        "near": (day, _begins(deadline - timedelta(days=ahead), zone)),
        "overdue": (day, _begins(deadline + timedelta(days=1), zone)),
    }


def falling(request: RightsRequest, at: Instant) -> tuple[Notice, ...]:
    """What is to be told now. A deadline that has passed is not near any more."""
    begun: list[Notice] = [
        notice
        for notice, (day, begins) in plan(request).items()
        if begins <= at and _mark(notice, day) not in request.told
    ]
    return tuple(notice for notice in begun if not (notice == "near" and "overdue" in begun))


def told(request: RightsRequest, at: Instant) -> RightsRequest:
    """The request after all that holds at `at` was told."""
    marks = [_mark(notice, day) for notice, (day, begins) in plan(request).items() if begins <= at]
    return replace(request, told=tuple(sorted({*request.told, *marks})))


def scheduled(request: RightsRequest) -> RightsRequest:
    """The request with the instant at which something is to be told next."""
    ahead = [begins for notice, (day, begins) in plan(request).items() if _mark(notice, day) not in request.told]
    return replace(request, next_at=min(ahead, default=NEVER))


def _silent(request: RightsRequest) -> bool:
    """Whether the person has heard nothing yet: every step but the opening tells them something."""
    return request.state is State.OPEN and request.extension is None and not request.pauses


def _mark(notice: Notice, day: str) -> str:
    return f"{notice}:{day}"


def _begins(day: date, zone: str) -> Instant:
    return from_datetime(datetime.combine(day, time(), ZoneInfo(zone)))
