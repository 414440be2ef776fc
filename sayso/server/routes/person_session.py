"""What the routes of the preference page share: the session behind the cookie, its forms, the call of the person."""

from typing import Any, Final

from litestar import Request, Response
from litestar.handlers import BaseRouteHandler
from msgspec.structs import replace

from sayso.server.call import Call
from sayso.server.callers import sessions
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.pages import Flash, LatePage, render_late
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import (
    StaleForm,
    brand,
    demand_csrf,
    door_tenant,
    form,
    frame,
    html,
    portal_of,
    request_id,
)
from sayso.server.routes.refusals import answer

AnyRequest = Request[Any, Any, Any]

COOKIE: Final = "sayso_person"
HOME: Final = "/p/you"

OPEN = public("the person has a one-time link and after that a session cookie of this page, which the handler demands")


async def session_of(request: AnyRequest) -> Session:
    """The person's session. Raises `NoSession`."""
    secret = request.cookies.get(COOKIE, "")
    return await live_session(request, secret, sessions.PERSON, sessions.tenant_of(secret))


async def live_session(request: AnyRequest, secret: str, kind: str, tenant: str | None) -> Session:
    """The session of this kind and brand behind a secret. Raises `NoSession`."""
    services = services_of(request)
    here = portal_of(request)
    foreign = here is not None and here.tenant != tenant
    if (
        tenant is None
        or foreign
        or tenant != sessions.tenant_of(secret)
        or tenant not in services.configurations.tenants()
    ):
        raise NoSession("no-session", "There is no open session.")
    call = Call(services, sessions.stranger(tenant), request_id(request), "person.session")
    return await call.look(lambda tx: sessions.find(tx, secret, kind))


async def posted(request: AnyRequest) -> tuple[Session, dict[str, list[str]]]:
    """Session and form of a POST of our own page."""
    values = await form(request)
    session = await session_of(request)
    demand_csrf(values, session.csrf)
    return session, values


def by_pages(handlers: list[BaseRouteHandler]) -> list[BaseRouteHandler]:
    """The same routes. Where a form came too late, they answer with a page: nothing was saved, and what to do."""
    for handler in handlers:
        handler.exception_handlers = {NoSession: _too_late, StaleForm: _too_late}
    return handlers


def _too_late(request: AnyRequest, error: Exception) -> Response[Any]:
    if request.method != "POST":
        return answer(request, error)
    ended = isinstance(error, NoSession)
    shown = replace(frame(request, flash=Flash("ended" if ended else "csrf")), path="/p/")
    page = LatePage(frame=shown, brand=brand(request, door_tenant(request)), next="/p/" if ended else HOME)
    return html(render_late(page), status=401 if ended else 403)


def call_of(request: AnyRequest, session: Session, operation: str) -> Call:
    """The call of the person, about themselves."""
    return Call(services_of(request), sessions.person(session), request_id(request), operation)
