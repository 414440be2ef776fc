"""What the register of requests comes to: counts, days to the answer, in time or late. And California's yearly figures.

Names nobody: it is counted over `rights_register`, which holds no person.
"""

import csv
import io
from statistics import mean, median
from typing import Any, Final

from msgspec import Struct

from rights import store
from rights.model import State
from sayso.kernel import DAY, Tx, Work, iso

_CPRA: Final = {
    "erasure": "requests_to_delete",
    "rectification": "requests_to_correct",
    "access": "requests_to_know",
    "portability": "requests_to_know",
    "explanation": "requests_to_know",
    "opt_out_sale": "requests_to_opt_out",
    "limit_sensitive": "requests_to_limit",
}
"""The five rows of 11 CCR 7102(a)(1)."""


class Line(Struct, frozen=True):
    """Requests of one kind, law and outcome. Days are from receipt to the end, None while nothing has ended.

    `late` are those answered after their deadline, and open ones whose deadline has passed.
    """

    kind: str
    law: str
    outcome: str
    count: int
    in_time: int
    late: int
    median_days: float | None
    longest_days: float | None


class Metrics(Struct, frozen=True):
    """One row of 11 CCR 7102(a): received, complied with (whole or in part), denied, and the days to the answer."""

    received: int
    complied: int
    denied: int
    mean_days: float | None
    median_days: float | None


class Figures(Struct, frozen=True):
    """Requests received in [since, until). `cpra` counts those under Californian law alone."""

    since: str
    until: str
    received: int
    open: int
    lines: list[Line]
    cpra: dict[str, Metrics]


class _Row(Struct, frozen=True):
    kind: str
    law: str
    state: str
    days: float | None
    late: bool


def figures(tx: Tx, since: int, until: int) -> Work[Figures]:
    """The figures of the requests received in [since, until). A look."""
    (rows,) = yield (tx.select(store.received_in(since, until)),)
    today = iso(tx.context.at)[:10]
    found = [_row(each, today) for each in rows]
    groups: dict[tuple[str, str, str], list[_Row]] = {}
    for row in found:
        groups.setdefault((row.kind, row.law, row.state), []).append(row)
    californian: dict[str, list[_Row]] = {name: [] for name in dict.fromkeys(_CPRA.values())}
    for row in found:
        if row.law == "ccpa" and row.kind in _CPRA:
            californian[_CPRA[row.kind]].append(row)
    return Figures(
        since=iso(since),
        until=iso(until),
        received=len(found),
        open=sum(row.days is None for row in found),
        lines=[_line(key, group) for key, group in sorted(groups.items())],
        cpra={name: _metrics(group) for name, group in californian.items()},
    )


def as_csv(found: Figures) -> str:
    """The lines as RFC 4180."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(Line.__struct_fields__)
    for line in found.lines:
        values = [getattr(line, name) for name in Line.__struct_fields__]
        writer.writerow(["" if value is None else value for value in values])
    return out.getvalue()


def _row(row: Any, today: str) -> _Row:
    kind, law, state, received_at, closed_at, late, due_on = row
    days = round((closed_at - received_at) / DAY, 2) if closed_at else None
    return _Row(kind, law, State(state).status, days, bool(late) if closed_at else due_on < today)


def _line(key: tuple[str, str, str], group: list[_Row]) -> Line:
    days = [row.days for row in group if row.days is not None]
    late = sum(row.late for row in group)
    return Line(
        *key,
        count=len(group),
        in_time=len(group) - late,
        late=late,
        median_days=round(median(days), 2) if days else None,
        longest_days=max(days) if days else None,
    )


def _metrics(group: list[_Row]) -> Metrics:
    days = [row.days for row in group if row.days is not None and row.state in ("fulfilled", "denied")]
    return Metrics(
        received=len(group),
        complied=sum(row.state == "fulfilled" for row in group),
        denied=sum(row.state == "denied" for row in group),
        mean_days=round(mean(days), 2) if days else None,
        median_days=round(median(days), 2) if days else None,
    )
