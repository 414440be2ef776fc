"""The register: every request of a brand, by when it is due. What officers work through, and what reports count."""

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from rights import store
from rights.model import Kind, Law, State
from rights.view import RequestView, view
from sayso.kernel import Invalid, Tx, Work, add_duration, iso, raw, text

MOST: Final = 200
USUAL: Final = 50

APPEALED: Final = "appealed"
STATUSES: Final = (*dict.fromkeys(state.status for state in State), APPEALED)
_CURSOR: Final = re.compile(r"(\d{4}-\d\d-\d\d)\.([0-9a-f]{32})")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which requests: without a status those on which an answer is awaited; `appealed` are refused ones with an appeal.
    `due_before` is an ISO date that is not included.
    """

    status: str = ""
    kind: Kind | None = None
    law: Law | None = None
    due_before: str = ""
    cursor: str = ""
    limit: int = USUAL


class RequestPage(Struct, frozen=True):
    """Requests, the first due first, without what is sealed. `next` is the cursor of those that are due later."""

    requests: list[RequestView]
    next: str | None = None


def page(tx: Tx, wanted: Wanted) -> Work[RequestPage]:
    """A page of the register. A look. Raises `Invalid` for a status, a date, a cursor or a limit that is none."""
    (rows,) = yield (tx.select(statement(wanted)),)
    more = len(rows) > wanted.limit
    ids = [bytes(row[0]) for row in rows[: wanted.limit]]
    found = yield tuple(store.request_at(tx, text("rrq", each)) for each in ids)
    shown = [view(store.stored(each, row).request) for each, row in zip(ids, found, strict=True) if row is not None]
    last = rows[wanted.limit - 1] if more else None
    return RequestPage(shown, f"{last[1]}.{bytes(last[0]).hex()}" if last is not None else None)


class Awaited(Struct, frozen=True):
    """How many requests wait for an answer; of these, past their day and due within a week (without the late ones)."""

    all: int
    late: int
    soon: int


def awaited(tx: Tx) -> Work[Awaited]:
    """The counts of today, in UTC. A look."""
    today = iso(tx.context.at)[:10]
    (rows,) = yield (tx.select(store.awaited(today, iso(add_duration(tx.context.at, "P7D"))[:10])),)
    every, late, near = (int(each or 0) for each in rows[0])
    return Awaited(every, late, near - late)


def statement(wanted: Wanted) -> Any:
    """The SELECT of a page and one more: ids with their deadlines."""
    if not 1 <= wanted.limit <= MOST:
        raise Invalid("invalid-limit", f"A page has 1 to {MOST} requests.", limit=MOST)
    states = _states(wanted.status)
    return store.listed(
        int(wanted.status == APPEALED or not states[0].closed),
        wanted.limit + 1,
        states=[state.value for state in states] if wanted.status else (),
        kind=wanted.kind,
        law=wanted.law,
        due_before=_day(wanted.due_before) if wanted.due_before else "",
        after=_place(wanted.cursor) if wanted.cursor else None,
    )


def falling_due(tx: Tx, at: int, limit: int) -> Work[list[str]]:
    """The requests of which something is to be told by `at`, the oldest first."""
    (rows,) = yield (tx.select(store.to_be_told(at, limit)),)
    return [text("rrq", bytes(request)) for (request,) in rows]


def versions(tx: Tx, requests: Sequence[str]) -> Work[dict[str, int]]:
    """In which version each of these requests stands: it rises with every step."""
    (rows,) = yield (tx.select(store.versions([raw(each, "rrq") for each in requests])),)
    return {text("rrq", bytes(request)): int(version) for request, version in rows}


def _states(status: str) -> Sequence[State]:
    """The states behind a status; those that are not closed when none is named."""
    if not status:
        return [state for state in State if not state.closed]
    if status == APPEALED:
        return [State.DENIED]
    if status not in STATUSES:
        raise Invalid("unknown-status", "That is no status of a request.", known=list(STATUSES))
    return [state for state in State if state.status == status]


def _day(day: str) -> str:
    if not _DAY.fullmatch(day):
        raise Invalid("invalid-date", "A date is written as in 2026-12-31.")
    return day


def _place(cursor: str) -> tuple[str, bytes]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Invalid("invalid-cursor", "This is no cursor of a list of requests.")
    return match[1], raw(f"rrq_{match[2]}")
