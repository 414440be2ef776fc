"""What the console shows of everything that works on its own. Counts, names of clients and of matters: no person."""

from typing import Final
from urllib.parse import urlsplit

from rights import DataEnds
from sayso.kernel import JobState, Tx, Work, add_duration, parse_instant
from sayso.server.call import Call
from sayso.server.feed import Overdue
from sayso.server.mail import DeadLetter, TriedLetter
from sayso.server.pages import (
    BehindClient,
    EndingLine,
    Endings,
    Frame,
    HoldLine,
    JobLine,
    LateLetter,
    Operator,
    SystemsPage,
    TaskLine,
)

AHEAD: Final = "P30D"
"""How far ahead the page looks for data that end."""

_COUNTED: Final = 2_000
"""People counted at most: the page is to be there at once. `sayso data-ends preview` counts them all."""

_LETTERS: Final = 50
_TASKS: Final = 50
_ANSWERS: Final = "answers:"


def systems_page(call: Call, tx: Tx, frame: Frame, operator: Operator) -> Work[SystemsPage]:
    """The page, in one unit that only looks."""
    services, at = call.services, tx.context.at
    behind = yield from services.feed.deliveries.overdue(tx)
    dead = yield from services.outbox.dead_letters(tx, _LETTERS)
    tried = yield from services.outbox.tried_letters(tx, _LETTERS)
    jobs = yield from services.workers.jobs.states(tx)
    holds = yield from services.workers.retention.holds.holds(tx)
    until = add_duration(at, AHEAD)
    ends = yield from services.workers.retention.preview(tx, until, _COUNTED)
    tasks = yield from _tasks(call, tx)
    names = {each.id: each.name for each in call.configuration.registered.values()}
    return SystemsPage(
        frame=frame,
        operator=operator,
        clients=tuple(_client(each) for each in behind),
        letters=(*(_letter(each) for each in tried), *(_letter(each) for each in dead)),
        jobs=tuple(_job(each, at) for each in jobs),
        holds=tuple(
            HoldLine(
                hold=each.hold,
                step=each.state,
                matter=each.matter,
                people=len(each.people),
                actor=names.get(each.steps[-1].actor, each.steps[-1].actor),
                at=parse_instant(each.steps[-1].at),
            )
            for each in holds
            if each.state in ("proposed", "releasing")
        ),
        endings=_endings(ends, until),
        tasks=tasks,
        mail=services.outbox.configured,
    )


def _tasks(call: Call, tx: Tx) -> Work[tuple[TaskLine, ...]]:
    """What failed, and what is late, once each."""
    systems, desk = call.configuration.systems, call.services.desk.tasks
    failed = yield from desk.listed(tx, systems, state="failed", limit=_TASKS)
    late = yield from desk.listed(tx, systems, state="open", overdue=True, limit=_TASKS)
    return tuple(
        TaskLine(
            system=each.system,
            request=each.request,
            kind=each.kind,
            failed=each.status == "failed",
            due_at=parse_instant(each.due_at),
            why=each.reason,
        )
        for each in (*failed.tasks, *late.tasks)
    )


def _client(each: Overdue) -> BehindClient:
    return BehindClient(
        client=each.client,
        host=urlsplit(each.url).netloc or each.url,
        active=each.status == "active",
        since=parse_instant(each.oldest_change_at),
        waiting=each.waiting,
        dead=each.dead,
    )


def _letter(each: DeadLetter | TriedLetter) -> LateLetter:
    again = each.next_at if isinstance(each, TriedLetter) else None
    return LateLetter(kind=each.kind, why=each.why, at=parse_instant(each.at), tries=each.tries, next_at=again)


def _job(each: JobState, at: int) -> JobLine:
    return JobLine(
        name=each.name,
        word="working" if each.working else "failing" if each.failures else "waiting",
        share=each.share,
        done=each.done,
        error=each.error,
        tried_again_at=each.due_at if each.failures and each.due_at > at else None,
        finished_at=each.finished_at or None,
    )


def _endings(ends: DataEnds, until: int) -> Endings:
    lines = [
        EndingLine(
            category=category,
            serves=category.removeprefix(_ANSWERS) if category.startswith(_ANSWERS) else "",
            people=each.people,
            values=each.values,
            first_at=parse_instant(each.first_at),
        )
        for category, each in ends.categories.items()
    ]
    return Endings(
        until=until,
        lines=tuple(sorted(lines, key=lambda line: line.first_at)),
        people=sum(each.people for each in ends.categories.values()),
        kept=sum(each.people for grounds in ends.kept.values() for each in grounds),
        proofs=ends.proofs,
        suppressions=ends.suppressions,
        more=ends.more,
        looked=ends.calendar,
    )
