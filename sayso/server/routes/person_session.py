"""What the routes of the preference page share: the session behind the cookie, its forms, the call of the person."""

from typing import Any, Final

from litestar import Request

from sayso.server import sessions
from sayso.server.call import Call
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import demand_csrf, form
from sayso.server.sessions import NoSession, Session

AnyRequest = Request[Any, Any, Any]

COOKIE: Final = "sayso_person"
HOME: Final = "/p/you"

OPEN = public("the person has a one-time link and after that a session cookie of this page, which the handler demands")


async def session_of(request: AnyRequest) -> Session:
    """The person's session. Raises `NoSession`."""
    secret = request.cookies.get(COOKIE, "")
    tenant = sessions.tenant_of(secret)
    services = services_of(request)
    if tenant is None or tenant not in services.configurations.tenants():
        raise NoSession("no-session", "There is no open session.")
    call = Call(services, sessions.stranger(tenant), request_id(request), "person.session")
    return await call.look(lambda tx: sessions.find(tx, secret, sessions.PERSON))


async def posted(request: AnyRequest) -> tuple[Session, dict[str, list[str]]]:
    """Session and form of a POST of our own page."""
    values = await form(request)
    session = await session_of(request)
    demand_csrf(values, session.csrf)
    return session, values


def call_of(request: AnyRequest, session: Session, operation: str) -> Call:
    """The call of the person, about themselves."""
    return Call(services_of(request), sessions.person(session), request_id(request), operation)


def request_id(request: AnyRequest) -> str:
    """The id of this request, as the log has it."""
    scope: Any = request.scope
    found: str = scope["sayso.request"]
    return found
