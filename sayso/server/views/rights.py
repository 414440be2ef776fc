"""What the console shows of rights requests: the due queue, and one request with what may be done about it.

Of a request everybody is shown what the API tells them (`answering.told_to`); plan and package are officers'.
"""

from datetime import date
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from audit import EntryPruned, decode_leaf
from policies import RIGHTS
from rights import (
    KINDS,
    LAWS,
    REFUSALS,
    STATUSES,
    Correction,
    NothingPlanned,
    Plan,
    RequestView,
    Wanted,
    awaited,
    kind_named,
    law_named,
    may_rest,
    register_page,
    source_of,
)
from sayso.kernel import DAY, NotFound, Tx, Work, add_duration, iso, parse_instant
from sayso.server.answering import told_to
from sayso.server.call import Call
from sayso.server.packages import PACKAGED, NoPackage
from sayso.server.pages import (
    Frame,
    GrantLine,
    KeptLine,
    Operator,
    PlanView,
    RequestFilter,
    RequestLine,
    RequestPage,
    RequestsPage,
    Rest,
    StepLine,
    SystemLine,
)
from sayso.server.pages.plain_words import LAWS as CALLED
from vault import Grant

SOON: Final = 7
_ROWS: Final = 50


class Asked(Struct, frozen=True):
    """The query of the list, as given."""

    filter: RequestFilter
    cursor: str = ""


def requests_page(call: Call, tx: Tx, frame: Frame, operator: Operator, asked: Asked) -> Work[RequestsPage]:
    """The list, in one unit that only looks. Raises `Invalid` for a filter that means nothing."""
    today = iso(tx.context.at)[:10]
    counts = yield from awaited(tx)
    before = {"late": today, "soon": iso(add_duration(tx.context.at, "P8D"))[:10]}
    wanted = Wanted(
        status=asked.filter.status,
        kind=kind_named(asked.filter.kind) if asked.filter.kind else None,
        law=law_named(asked.filter.law) if asked.filter.law else None,
        due_before=before.get(asked.filter.due, ""),
        cursor=asked.cursor,
        limit=_ROWS,
    )
    found = yield from register_page(tx, wanted)
    return RequestsPage(
        frame=frame,
        operator=operator,
        rows=tuple(line_of(each, today) for each in found.requests),
        waiting=counts.all,
        late=counts.late,
        soon=counts.soon,
        kinds=KINDS,
        laws=tuple((code, CALLED[code]) for code in LAWS),
        statuses=STATUSES,
        filter=asked.filter,
        older=found.next,
    )


def request_page(
    call: Call,
    tx: Tx,
    frame: Frame,
    operator: Operator,
    request: str,
    *,
    problem: str = "",
    values: tuple[Correction, ...] = (),
) -> Work[RequestPage]:
    """One request, in one unit that only looks. Raises `RequestNotFound`, `Invalid` (`malformed-id`)."""
    services, live = call.services, call.configuration
    shown = told_to(call, (yield from services.desk.request(tx, request)))
    line = line_of(shown, iso(tx.context.at)[:10])
    plan = (yield from _plan(call, tx, request)) if operator.people else None
    appeal, proposal = shown.appeal, shown.proposal
    person = call.principal.counts_as
    rested = tuple(
        Rest(reason=each.reason, since=parse_instant(each.since), until=_at(each.until)) for each in shown.pauses
    )
    page = RequestPage(
        frame=frame,
        operator=operator,
        line=line,
        subject=shown.subject,
        source=source_of(law_named(shown.law), kind_named(shown.kind)),
        granted_by_law=shown.granted_by_law,
        share=_share(shown, tx.context.at),
        target_on=shown.target_on,
        verified_at=_at(shown.verified_at),
        verified_by=shown.verified_by,
        agent=shown.agent,
        related=shown.related,
        purposes=shown.purposes,
        corrects=shown.corrects,
        values=tuple((f"{each.collection}.{each.field}", each.value) for each in values),
        fields=tuple(f"{name}.{field}" for name, each in live.collections.items() for field in each.fields),
        extension=shown.extension.until if shown.extension is not None else "",
        extendable_to=shown.extendable_to,
        rests=rested,
        may_rest=may_rest(law_named(shown.law), kind_named(shown.kind)),
        appealed_at=_at(appeal.at) if appeal is not None else 0,
        appeal_outcome=appeal.outcome if appeal is not None else "",
        reason=shown.reason,
        statements=tuple((each.step, each.text) for each in shown.statements),
        closed_at=_at(shown.closed_at),
        served=bool(shown.served_at),
        systems=tuple(_system(call, each, frame.locale) for each in shown.systems),
        plan=plan,
        two=shown.kind in live.answering.two_officers,
        proposed_at=_at(proposal.at) if proposal is not None else 0,
        own_proposal=proposal is not None and proposal.by == person,
        grounds=tuple((each.retention, each.ground) for each in proposal.grounds) if proposal is not None else (),
        packaged=shown.kind in PACKAGED and bool(shown.subject) and shown.status not in ("denied", "revoked"),
        certificate=shown.kind == "erasure" and bool(shown.served_at or shown.status == "fulfilled"),
        steps=(yield from _steps(call, tx, shown.entries)),
        refusals=REFUSALS,
        mail=services.outbox.configured,
        problem=problem,
    )
    if not (page.packaged and operator.people):
        return page
    return (yield from _with_package(call, tx, page))


def _with_package(call: Call, tx: Tx, page: RequestPage) -> Work[RequestPage]:
    """With how the package stands, what a second person is to agree to, and who asked for that."""
    request, own = page.line.request, call.principal.actor.name
    fields = [field for each in call.configuration.collections.values() for field in each.fields.values()]
    grants: list[Grant] = []
    if any(each.held_back for each in fields):
        grants = yield from call.services.vault.standing_grants(tx, RIGHTS, [request])
    lines = tuple(
        GrantLine(
            grant=each.grant,
            approved=each.state == "approved",
            own=each.asked_by == own,
            asked_by=each.asked_by,
            reason=each.reason,
            until=parse_instant(each.until),
        )
        for each in grants
    )
    try:
        state = yield from call.services.packages.state(tx, request)
    except NoPackage:
        return replace(page, grants=lines)
    return replace(page, package=state.state, withheld=state.withheld, grants=lines)


def line_of(shown: RequestView, today: str) -> RequestLine:
    """One request in a list."""
    appealed = shown.appeal is not None and not shown.appeal.outcome
    days = (date.fromisoformat(shown.due_on) - date.fromisoformat(today)).days
    due: Literal["late", "soon", "later", "done"] = "late" if days < 0 else "soon" if days <= SOON else "later"
    return RequestLine(
        request=shown.request,
        kind=shown.kind,
        law=CALLED[shown.law],
        status="appealed" if appealed else shown.status,
        received_at=parse_instant(shown.received_at),
        due_on=shown.due_on,
        due="done" if shown.closed_at and not appealed else due,
        days=days,
        verified=bool(shown.verified_at),
        paused=shown.paused,
        agent=shown.by_agent,
        proposed=shown.proposal is not None,
    )


def _plan(call: Call, tx: Tx, request: str) -> Work[PlanView | None]:
    try:
        plan: Plan = yield from call.services.desk.planner.plan(tx, call.configuration.reach, request)
    except NothingPlanned:
        return None
    return PlanView(
        goes=tuple((name, count) for name, count in plan.classes.items()),
        stays=tuple(
            KeptLine(what=each.what, count=each.count, ground=each.ground, until=_at(each.until)) for each in plan.stays
        ),
        identifiers=next((each.count for each in plan.goes if each.what == "identifiers"), 0),
        systems=plan.systems,
        holds=plan.holds,
        known=plan.known,
    )


def _steps(call: Call, tx: Tx, entries: tuple[str, ...]) -> Work[tuple[StepLine, ...]]:
    """What was done, oldest first, as far as the log still has it."""
    found = []
    for each in entries:
        try:
            entry = yield from call.services.audit.entry(tx, each)
        except (NotFound, EntryPruned):
            continue
        leaf = decode_leaf(entry.leaf)
        found.append(StepLine(entry=each, type=leaf.type, at=leaf.ts))
    return tuple(found)


def _system(call: Call, each: Any, locale: str) -> SystemLine:
    declared = call.configuration.systems.get(each.system)
    return SystemLine(
        task=each.task,
        title=declared.called(locale) if declared is not None else each.system,
        status=each.status,
        due_at=parse_instant(each.due_at),
        late=each.overdue,
        settled_at=_at(each.settled_at),
        why=each.reason,
        by_hand=declared is None or declared.connector == "manual",
    )


def _share(shown: RequestView, at: int) -> float:
    """How much of the time from receipt, or from the appeal, to the day has passed."""
    appealed = shown.appeal is not None and not shown.appeal.outcome
    begun = parse_instant(shown.appeal.at if appealed and shown.appeal is not None else shown.received_at)
    ends = (date.fromisoformat(shown.due_on).toordinal() - date(1970, 1, 1).toordinal() + 1) * DAY
    return round(min(max((at - begun) / (ends - begun), 0.0), 1.0), 3) if ends > begun else 1.0


def _at(moment: str) -> int:
    return parse_instant(moment) if moment else 0
