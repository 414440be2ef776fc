"""For SQLAlchemy: your own tables, narrowed to the people of whom the answer is yes.

    kept = permitted_people(metadata)                          # a table of yours
    plan = say.plan("use", "contact.email", "marketing.email")
    with engine.begin() as connection:
        fill(connection, kept, say, plan, subjects)            # asks, with one entry for each 10,000 people
        shrink(connection, kept, say)                          # later, as often as you like: who has left
    select(customers).where(permitted(plan, customers.c.subject, kept))

The table holds answers, not consent: who of your people was permitted for that question, until when. So the clause
means exactly what single decisions meant at the moment of the answer; there is no second implementation of the rules in
SQL that could differ from the first. An answer ends by itself (`valid_until`, fifteen minutes by default), and `shrink`
takes out earlier whoever has left. A question that was never asked, or whose answers have ended, permits nobody.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    select,
)

from sayso_client.blocking import Sayso
from sayso_client.decisions import UNREACHABLE
from sayso_client.masks import HIDDEN
from sayso_client.obligations import MaskLast4, MaskYear, Redact, Ttl, UnhandledObligation, named
from sayso_client.plans import Plan
from sayso_client.structs import Audience, Revoked

T = TypeVar("T")

MOST_ASKED: Final = 10_000
"""People in one question."""

_AT_ONCE: Final = 500
"""Values in one statement: every engine takes as many."""


def permitted_people(metadata: MetaData, name: str = "sayso_permitted") -> Table:
    """The table of answers, to be created with your own. A row: this person is permitted for that question until then.

    `valid_until` is in microseconds since 1970 (UTC), so that every engine compares it alike.
    """
    table = Table(
        name,
        metadata,
        Column("question", String(512), primary_key=True),
        Column("subject", String(64), primary_key=True),
        Column("aid", String(20), nullable=False),
        Column("audience", String(64), nullable=False),
        Column("entry", String(64), nullable=False),
        Column("valid_until", BigInteger, nullable=False),
    )
    Index(f"{name}_audience", table.c.audience)
    return table


def permitted(plan: Plan, subject: ColumnElement[Any], kept: Table) -> ColumnElement[bool]:
    """True of the rows whose person is permitted for the plan's question when the statement is run."""
    if plan.denied:
        return false()
    now = bindparam("sayso_now", callable_=_now, type_=BigInteger, unique=True)
    found = and_(kept.c.question == plan.question, kept.c.subject == subject, kept.c.valid_until > now)
    return exists(select(literal(1)).select_from(kept).where(found).correlate_except(kept))


def shown(plan: Plan, column: ColumnElement[Any], kind: str = "text") -> ColumnElement[Any]:
    """The column as far as the plan lets it be seen. It holds normalised values, as text (`sayso_client.masks`).

    A plan has the strongest mask that any of its people needs, and all are shown so. Raises `UnhandledObligation` for
    what is not done in SQL: a keyed hash.
    """
    for obligation in plan.obligations:
        if isinstance(obligation, MaskLast4):
            last4 = literal(HIDDEN) + func.substr(column, func.length(column) - 3)
            column = case((func.length(column) >= 8, last4), else_=HIDDEN)
        elif isinstance(obligation, MaskYear):
            column = func.substr(column, 1, 4) if kind in {"date", "year"} else literal(HIDDEN)
        elif isinstance(obligation, Redact):
            column = literal(HIDDEN)
        elif not obligation.ours and not isinstance(obligation, Ttl):
            raise UnhandledObligation(named(obligation), plan.view.entry)
    return column


def fill(connection: Connection, kept: Table, say: Sayso, plan: Plan, subjects: Iterable[str]) -> dict[str, int]:
    """Ask about these people and keep who is permitted; how many for which reason.

    In the transaction that `connection` is in. What was kept about people of whom nobody answered stays until it ends.
    """
    counts: dict[str, int] = {}
    for some in _parts(dict.fromkeys(subjects), MOST_ASKED):
        if plan.denied:
            audience = None
            reasons = {plan.view.reason: len(some)}
        else:
            audience = say.audience(plan.asked(some))
            reasons = audience.counts
        if UNREACHABLE not in reasons:
            write(connection, kept, plan, some, audience)
        for reason, count in reasons.items():
            counts[reason] = counts.get(reason, 0) + count
    return counts


def write(connection: Connection, kept: Table, plan: Plan, subjects: Sequence[str], audience: Audience | None) -> None:
    """Keep an answer about these people: who of them is not permitted goes. For `AsyncSayso`, by `run_sync`.

    Raises `ValueError` for an answer under other rules than the plan's: they may ask for other masks.
    """
    drop(connection, kept, subjects, plan)
    if audience is None:
        return
    if audience.policy_version != plan.view.policy_version:
        raise ValueError("the rules changed since this was planned: plan anew")
    row = {
        "question": plan.question,
        "audience": audience.audience,
        "entry": audience.entry,
        "valid_until": _microseconds(audience.valid_until),
    }
    rows = [row | {"subject": each, "aid": aid} for each, aid in zip(audience.permitted, audience.aids, strict=True)]
    for some in _parts(rows, _AT_ONCE):
        connection.execute(insert(kept), some)


def shrink(connection: Connection, kept: Table, say: Sayso) -> int:
    """Take out whoever has left since the answers were given; how many rows that were. Raises `SaysoError`."""
    gone = 0
    for audience in live(connection, kept):
        gone += remove(connection, kept, say.revoked(audience))
    return gone


def live(connection: Connection, kept: Table) -> list[str]:
    """The answers that have not ended. Rows of those that have are deleted."""
    connection.execute(delete(kept).where(kept.c.valid_until <= _now()))
    return list(connection.execute(select(kept.c.audience).distinct()).scalars())


def remove(connection: Connection, kept: Table, revoked: Revoked) -> int:
    """Take out those who have left one answer. For `AsyncSayso`, by `run_sync`."""
    count = 0
    for column, left in ((kept.c.subject, revoked.revoked), (kept.c.aid, revoked.gone)):
        for some in _parts(left, _AT_ONCE):
            which = and_(kept.c.audience == revoked.audience, column.in_(some))
            count += connection.execute(delete(kept).where(which)).rowcount
    return count


def drop(connection: Connection, kept: Table, subjects: Iterable[str], plan: Plan | None = None) -> int:
    """Forget what was answered about these people, to this question or to all; how many rows that were."""
    gone = 0
    for some in _parts(subjects, _AT_ONCE):
        which: ColumnElement[bool] = kept.c.subject.in_(some)
        if plan is not None:
            which = and_(which, kept.c.question == plan.question)
        gone += connection.execute(delete(kept).where(which)).rowcount
    return gone


def _parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def _now() -> int:
    """Now, in microseconds. Asked for when a statement is run: a clause that was kept does not keep the time."""
    return time.time_ns() // 1_000


def _microseconds(instant: str) -> int:
    """An instant of RFC 3339 in microseconds since 1970; what has no zone is no instant. Raises `ValueError`."""
    read = datetime.fromisoformat(instant.replace("Z", "+00:00"))
    if read.tzinfo is None:
        raise ValueError("an instant has a zone")
    since = read - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
