"""The preference centre: a person who has come in sees where they stand, changes it, and goes out again."""

from typing import Any

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler

from sayso.kernel import Tx, Work, now
from sayso.server.brand.opting import sends_gpc
from sayso.server.callers import sessions
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.pages import Flash, render_preferences
from sayso.server.routes.html import brand, frame, gone, html, see
from sayso.server.routes.person_session import COOKIE, HOME, OPEN, AnyRequest, by_pages, call_of, posted, session_of
from sayso.server.views import person_acts
from sayso.server.views.person import preferences_page
from sayso.server.views.person_acts import Outcome
from sayso.server.views.told import ReadForm, answers_said, less_said, reach_said


@get(HOME, opt=OPEN, operation_id="person.home", include_in_schema=False)
async def home(request: AnyRequest) -> Response[Any]:
    """Where the person stands, purpose by purpose, with their history."""
    try:
        session = await session_of(request)
    except NoSession:
        return see("/p/")
    if sends_gpc(request):
        await person_acts.honour(call_of(request, session, "person.signal"), session)
    return html(render_preferences(await _page(request, session, _flash(request))))


@post("/p/you/choices", opt=OPEN, operation_id="person.choose", include_in_schema=False, dto=None, status_code=303)
async def choose(request: AnyRequest) -> Response[Any]:
    """Record what differs from where the person stands."""
    session, values = await posted(request)
    call = call_of(request, session, "person.choose")
    return await _told(request, session, await person_acts.choose(call, session, values, frame(request).locale))


@post("/p/you/withdraw", opt=OPEN, operation_id="person.withdraw", include_in_schema=False, dto=None, status_code=303)
async def withdraw(request: AnyRequest) -> Response[Any]:
    """Stop everything that a no can stop."""
    session, _ = await posted(request)
    call = call_of(request, session, "person.withdraw")
    return await _told(request, session, await person_acts.withdraw(call, session))


@post("/p/you/undo", opt=OPEN, operation_id="person.undo", include_in_schema=False, dto=None, status_code=303)
async def undo(request: AnyRequest) -> Response[Any]:
    """Take a withdrawal back, as long as nothing else was chosen since."""
    session, values = await posted(request)
    call = call_of(request, session, "person.undo")
    return await _told(request, session, await person_acts.undo(call, session, values))


@post("/p/you/less", opt=OPEN, operation_id="person.less", include_in_schema=False, dto=None, status_code=303)
async def less(request: AnyRequest) -> Response[Any]:
    """Less instead of never: one press on a card caps its channel, or has everything wait for a while."""
    return await _tell(request, "person.less", less_said)


@post("/p/you/reach", opt=OPEN, operation_id="person.reach", include_in_schema=False, dto=None, status_code=303)
async def reach(request: AnyRequest) -> Response[Any]:
    """Change how the person may be reached, as far as it differs from what stands."""
    return await _tell(request, "person.reach", reach_said)


@post("/p/you/told", opt=OPEN, operation_id="person.tell", include_in_schema=False, dto=None, status_code=303)
async def tell(request: AnyRequest) -> Response[Any]:
    """Change what the person told about themselves."""
    return await _tell(request, "person.tell", answers_said)


@post("/p/you/leave", opt=OPEN, operation_id="person.leave", include_in_schema=False, dto=None, status_code=303)
async def leave(request: AnyRequest) -> Response[Any]:
    """End the session."""
    session, _ = await posted(request)

    def unit(tx: Tx) -> Work[None]:
        yield ()
        sessions.end(tx, session)

    await call_of(request, session, "person.leave").run(unit)
    return see("/p/?left=1", cookies=[gone(request, COOKIE, path="/p")])


async def _tell(request: AnyRequest, operation: str, read: ReadForm) -> Response[Any]:
    session, values = await posted(request)
    call = call_of(request, session, operation)
    return await _told(request, session, await person_acts.tell(call, session, values, read))


async def _told(request: AnyRequest, session: Session, outcome: Outcome) -> Response[Any]:
    """Back to the page with the outcome of an act; a refused one is answered with the page as it stands now."""
    if not outcome.refused:
        return see(f"{HOME}?{outcome.kind}=1")
    page = await _page(request, session, Flash(outcome.kind), outcome.unfit)
    return html(render_preferences(page), status=outcome.refused)


async def _page(request: AnyRequest, session: Session, flash: Flash | None, unfit: str = "") -> Any:
    call = call_of(request, session, "person.home")
    shown = frame(request, csrf=session.csrf, flash=flash)
    named = brand(request, session.tenant)
    return await call.alone(lambda tx: preferences_page(call, tx, session.ref, shown, named, unfit))


def _flash(request: AnyRequest) -> Flash | None:
    for kind in ("saved", "weaker", "withdrawn", "undone", "unchanged"):
        if kind in request.query_params:
            return Flash(kind, now())
    return None


handlers: list[BaseRouteHandler] = by_pages([home, choose, reach, tell, less, withdraw, undo, leave])
