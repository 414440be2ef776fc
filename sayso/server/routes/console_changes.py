"""The console's pages about changes of the rules. What is decided here goes by the same units as through the API."""

from functools import partial
from typing import Any, get_args

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from sayso.kernel import NotFound, SaysoError, Unauthenticated, Unit
from sayso.server.call import Call
from sayso.server.callers.auth import admit
from sayso.server.callers.sessions import Session
from sayso.server.control import proposals
from sayso.server.control.proposals import ProposalView
from sayso.server.control.rollback import RollingBack, roll_back
from sayso.server.pages import ChangeProblem, render_change, render_changes
from sayso.server.routes.console import HOME, OFFICERS, OPEN, AnyRequest, Values, operator_of, signed_in, stepped
from sayso.server.routes.html import first, frame, html, see
from sayso.server.views.changes import change_page, changes_page

CHANGES = "/console/changes"


@get(CHANGES, opt=OPEN, operation_id="console.changes", include_in_schema=False)
async def changes(request: AnyRequest) -> Response[Any]:
    """What waits for a second person, and every version."""
    try:
        session, call = await signed_in(request, "console.changes")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, OFFICERS, "console.changes")
    return await _list(request, session, call)


@get("/console/changes/{proposal:str}", opt=OPEN, operation_id="console.change", include_in_schema=False)
async def change(request: AnyRequest, proposal: FromPath[str]) -> Response[Any]:
    """One proposal: what it changes, and whom it makes answer differently."""
    try:
        session, call = await signed_in(request, "console.change")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, OFFICERS, "console.change")
    return await _one(request, session, call, proposal)


@post(
    "/console/changes/{proposal:str}/{step:str}",
    opt=OPEN,
    operation_id="console.decide",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def decide(request: AnyRequest, proposal: FromPath[str], step: FromPath[str]) -> Response[Any]:
    """Approve, reject with a reason, or withdraw."""

    async def take(call: Call, values: Values) -> Response[Any]:
        await call.alone(_unit(call, proposal, step, first(values, "reason")))
        return see(f"{CHANGES}/{proposal}")

    async def refused(session: Session, call: Call, error: SaysoError) -> Response[Any]:
        return await _one(request, session, call, proposal, error)

    return await stepped(request, "console.decide", take, refused)


@post(
    "/console/rollbacks", opt=OPEN, operation_id="console.rollback", include_in_schema=False, dto=None, status_code=303
)
async def rollback(request: AnyRequest) -> Response[Any]:
    """Go back to an earlier version: at once, or as a proposal where a change takes two people."""

    async def take(call: Call, values: Values) -> Response[Any]:
        given = first(values, "version")
        wanted = RollingBack(int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0)
        done = await roll_back(call, wanted)
        return see(f"{CHANGES}/{done.proposal}" if done.proposal is not None else CHANGES)

    return await stepped(request, "console.rollback", take, partial(_list, request))


def _unit(call: Call, proposal: str, step: str, reason: str) -> Unit[ProposalView]:
    services, principal = call.services, call.principal
    if step == "approve":
        return lambda tx: proposals.approve(services, tx, proposal, principal)
    if step == "reject":
        return lambda tx: proposals.reject(services, tx, proposal, principal, reason)
    if step == "withdraw":
        return lambda tx: proposals.withdraw(services, tx, proposal, principal)
    raise NotFound("not-found", "There is nothing here.")


async def _list(request: AnyRequest, session: Session, call: Call, error: SaysoError | None = None) -> Response[Any]:
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 10 and int(asked) else None
    shown = frame(request, csrf=session.csrf)
    page = await call.look(lambda tx: changes_page(call, tx, shown, operator_of(call), before, _problem(error)))
    return html(render_changes(page), status=200 if error is None else 409)


async def _one(
    request: AnyRequest, session: Session, call: Call, proposal: str, error: SaysoError | None = None
) -> Response[Any]:
    shown = frame(request, csrf=session.csrf)
    page = await call.look(lambda tx: change_page(call, tx, shown, operator_of(call), proposal, _problem(error)))
    return html(render_change(page), status=200 if error is None else 409)


def _problem(error: SaysoError | None) -> ChangeProblem | None:
    if error is None:
        return None
    known: tuple[ChangeProblem, ...] = get_args(ChangeProblem)
    return next((each for each in known if each == error.slug), "refused")


handlers: list[BaseRouteHandler] = [changes, change, decide, rollback]
