"""The console's page of legal holds. What is decided here goes by the same units as through the API."""

from functools import partial
from typing import Any, Final

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from rights import HoldView, HoldWanted
from sayso.kernel import NotFound, SaysoError, TooLarge, Tx, Unauthenticated, Unit, Work, parse_instant
from sayso.server.call import Call
from sayso.server.callers.auth import admit
from sayso.server.callers.sessions import Session
from sayso.server.pages import render_holds
from sayso.server.routes.console import HOME, OPEN, READERS, AnyRequest, Values, operator_of, signed_in, stepped
from sayso.server.routes.html import first, frame, html, see
from sayso.server.views.holds import LONGEST, Named, holds_page, people_of

HOLDS: Final = "/console/holds"


@get(HOLDS, opt=OPEN, operation_id="console.holds", include_in_schema=False)
async def holds(request: AnyRequest) -> Response[Any]:
    """All holds; for officers also the form that proposes one."""
    try:
        session, call = await signed_in(request, "console.holds")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, READERS, "console.holds")
    return await _page(request, session, call)


@post(HOLDS, opt=OPEN, operation_id="console.hold", include_in_schema=False, dto=None, status_code=303)
async def propose(request: AnyRequest) -> Response[Any]:
    """Propose a hold over the people that were named or found."""

    async def take(call: Call, values: Values) -> Response[Any]:
        people = await call.alone(lambda tx: people_of(call, tx, _named(values)))
        day = first(values, "until")
        wanted = HoldWanted(
            matter=first(values, "matter"),
            people=people,
            categories=tuple(values.get("categories", ())),
            until=parse_instant(f"{day}T23:59:59Z") if day else 0,
            reason=first(values, "reason"),
        )

        def unit(tx: Tx) -> Work[HoldView]:
            declared, person = call.configuration.catalogue.categories, call.principal.counts_as
            return call.services.workers.retention.holds.propose(tx, declared, wanted, person)

        await call.alone(unit)
        return see(HOLDS)

    return await stepped(request, "console.hold", take, partial(_page, request))


@post(
    "/console/holds/{hold:str}/{step:str}",
    opt=OPEN,
    operation_id="console.hold.step",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def take(request: AnyRequest, hold: FromPath[str], step: FromPath[str]) -> Response[Any]:
    """Approve, turn down or take back what was proposed; propose that a hold ends."""

    async def decide(call: Call, values: Values) -> Response[Any]:
        await call.alone(_unit(call, hold, step, first(values, "reason")))
        return see(HOLDS)

    return await stepped(request, "console.hold.step", decide, partial(_page, request))


def _unit(call: Call, hold: str, step: str, reason: str) -> Unit[HoldView]:
    desk, person = call.services.workers.retention.holds, call.principal.counts_as
    if step == "approve":
        return lambda tx: desk.approve(tx, hold, person)
    if step == "decline":
        return lambda tx: desk.decline(tx, hold, reason)
    if step == "release":
        return lambda tx: desk.release(tx, hold, reason, person)
    raise NotFound("not-found", "There is nothing here.")


def _named(values: Values) -> Named:
    listed = first(values, "people")
    if len(listed) > LONGEST:
        raise TooLarge("invalid-hold", "That is longer than a list of people may be.", limit=LONGEST)
    lines = tuple(line.strip() for line in listed.splitlines() if line.strip())
    return Named(first(values, "kind"), lines, first(values, "field"), first(values, "value").strip())


async def _page(request: AnyRequest, session: Session, call: Call, error: SaysoError | None = None) -> Response[Any]:
    shown = frame(request, csrf=session.csrf)
    problem = error.message if error is not None else ""
    page = await call.look(lambda tx: holds_page(call, tx, shown, operator_of(call), problem))
    return html(render_holds(page), status=200 if error is None else 409)


handlers: list[BaseRouteHandler] = [holds, propose, take]
