"""The compliance console: signed in by an API key, then by a cookie of this part of the site alone."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec.structs import replace

from audit import AuditEvent
from consent import HistoryPage, Identifier, NoSubject
from policies import AccessDenied
from sayso.kernel import Invalid, NotFound, SaysoError, Tx, Unauthenticated, Work, now, raw
from sayso.server import events
from sayso.server.call import Call
from sayso.server.callers import sessions
from sayso.server.callers.auth import Principal, admit
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.limits import client_address, prefix_of
from sayso.server.pages import (
    ConsoleLogin,
    EntryFilter,
    Operator,
    PeoplePage,
    PersonPage,
    ProofBundle,
    render_console_login,
    render_entries,
    render_people,
    render_person,
    render_systems,
)
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import cookie, demand_csrf, first, form, frame, gone, html, see
from sayso.server.routes.person_records import proof_bundle
from sayso.server.routes.subjects import history_of
from sayso.server.views.console import Wanted, entries_page
from sayso.server.views.person import purpose_cards, record_lines
from sayso.server.views.systems import systems_page

AnyRequest = Request[Any, Any, Any]

COOKIE = "sayso_console"
HOME = "/console/"
KINDS = ("email", "phone", "customer_id", "device")

OPEN = public("an API key or the console's session cookie is demanded by the handler")
READERS = ("admin", "officer", "auditor")
OFFICERS = ("admin", "officer")
Values = dict[str, list[str]]


@get(HOME, opt=OPEN, operation_id="console.entries", include_in_schema=False)
async def home(request: AnyRequest) -> Response[Any]:
    """The newest entries under a filter; without a session the sign-in."""
    try:
        session, call = await signed_in(request, "console.entries")
    except Unauthenticated:
        problem: Any = "ended" if COOKIE in request.cookies else None
        return html(render_console_login(ConsoleLogin(frame=frame(request), problem=problem)))
    query = request.query_params
    asked = EntryFilter(
        type=query.get("type", ""),
        outcome=query.get("outcome", ""),
        from_=query.get("from", ""),
        to=query.get("to", ""),
    )
    wanted = Wanted(asked, query.get("cursor") or None, query.get("entry") or None)
    shown = frame(request, csrf=session.csrf)
    page = await call.look(lambda tx: entries_page(call, tx, wanted, shown, operator_of(call)))
    return html(render_entries(page))


@post("/console/session", opt=OPEN, operation_id="console.enter", include_in_schema=False, dto=None, status_code=303)
async def enter(request: AnyRequest) -> Response[Any]:
    """Sign in with an API key that admits an administrator, officer or auditor."""
    key = first(await form(request), "key").strip()
    services = services_of(request)
    peer = request.client.host if request.client else ""
    address = client_address(peer, request.headers.get("x-forwarded-for", ""), services.settings.trusted_proxies)
    services.limiter.take(f"console {prefix_of(address)}", services.settings.prefix_rate, now())
    try:
        principal = services.principals.find(b"Bearer " + key.encode())
        admit(principal, READERS, "console.enter")
    except SaysoError:
        return html(render_console_login(ConsoleLogin(frame=frame(request), problem="key")), status=401)
    call = Call(services, principal, _request_id(request), "console.enter")

    def unit(tx: Tx) -> Work[str]:
        yield ()
        services.audit.append(tx, AuditEvent(events.CONSOLE_OPENED, "ok"), None)
        return sessions.issue(tx, sessions.CONSOLE, principal.fingerprint[:16], "session", sessions.CONSOLE_TERM)

    secret = await call.run(unit)
    seconds = sessions.CONSOLE_TERM // 1_000_000
    return see(HOME, cookies=[cookie(request, COOKIE, secret, path="/console", seconds=seconds, strict=True)])


@post("/console/leave", opt=OPEN, operation_id="console.leave", include_in_schema=False, dto=None, status_code=303)
async def leave(request: AnyRequest) -> Response[Any]:
    """End the session."""
    session, call, _ = await posted(request, "console.leave")

    def unit(tx: Tx) -> Work[None]:
        yield ()
        sessions.end(tx, session)

    await call.run(unit)
    return see(HOME, cookies=[gone(request, COOKIE, path="/console")])


@get("/console/entries/{entry:str}/proof", opt=OPEN, operation_id="console.proof", include_in_schema=False)
async def proof(request: AnyRequest, entry: FromPath[str]) -> Response[ProofBundle]:
    """What the browser needs to check an entry by itself."""
    _, call = await signed_in(request, "console.proof")
    bundle = await call.look(lambda tx: proof_bundle(call, tx, entry, None))
    return Response(bundle, headers={"cache-control": "no-store"})


@get("/console/people", opt=OPEN, operation_id="console.people", include_in_schema=False)
async def people(request: AnyRequest) -> Response[Any]:
    """The look-up of a person."""
    try:
        session, call = await signed_in(request, "console.people")
    except Unauthenticated:
        return see(HOME)
    page = PeoplePage(frame=frame(request, csrf=session.csrf), operator=operator_of(call), kinds=KINDS)
    return html(render_people(page))


@post("/console/people", opt=OPEN, operation_id="console.find", include_in_schema=False, dto=None, status_code=303)
async def find(request: AnyRequest) -> Response[Any]:
    """Find a person by an identifier, which travels in the body: identifiers do not stand in addresses."""
    session, call, values = await posted(request, "console.find")
    kind = first(values, "kind")
    page = PeoplePage(
        frame=frame(request, csrf=session.csrf), operator=operator_of(call), kinds=KINDS, kind=kind or "email"
    )
    if not call.principal.actor.roles & set(OFFICERS):
        return html(render_people(replace(page, problem="denied")), status=403)
    try:
        identifier = Identifier(kind, first(values, "value"))
        resolved = await call.run(lambda tx: call.services.registry.resolve(tx, identifier, create=False))
    except NoSubject:
        return html(render_people(replace(page, problem="unknown")), status=404)
    except Invalid:
        return html(render_people(replace(page, problem="value")), status=400)
    return see(f"/console/people/{resolved.subject}")


@get("/console/people/{subject:str}", opt=OPEN, operation_id="console.person", include_in_schema=False)
async def person(request: AnyRequest, subject: FromPath[str]) -> Response[Any]:
    """One person's consents, after a permit to read them and with an entry that says so."""
    try:
        session, call = await signed_in(request, "console.person")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, OFFICERS, "console.person")
    found = raw(subject, "sub")
    history = await history_of(call, found)
    shown = frame(request, csrf=session.csrf)
    if not isinstance(history, HistoryPage):
        if history.reason == "no_subject":
            return html(
                render_people(PeoplePage(frame=shown, operator=operator_of(call), kinds=KINDS, problem="unknown")),
                status=404,
            )
        raise AccessDenied(history.reason)

    def unit(tx: Tx) -> Work[PersonPage]:
        registry, configuration = call.services.registry, call.configuration
        state = yield from registry.state(tx, configuration.catalogue, found)
        facts = yield from registry.person(tx, found)
        lines = yield from record_lines(call, tx, history, shown.locale)
        return PersonPage(
            frame=shown,
            operator=operator_of(call),
            subject=subject,
            purposes=purpose_cards(configuration, state, None, shown.locale),
            records=lines,
            restricted=facts is not None and facts.restricted_at > 0,
            erased=facts is not None and facts.erased_at > 0,
        )

    return html(render_person(await call.look(unit)))


@get("/console/systems", opt=OPEN, operation_id="console.systems", include_in_schema=False)
async def systems(request: AnyRequest) -> Response[Any]:
    """What works on its own, and what of it needs somebody."""
    try:
        session, call = await signed_in(request, "console.systems")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, OFFICERS, "console.systems")
    shown = frame(request, csrf=session.csrf)
    return html(render_systems(await call.look(lambda tx: systems_page(call, tx, shown, operator_of(call)))))


async def signed_in(request: AnyRequest, operation: str) -> tuple[Session, Call]:
    """Session and call of a signed-in operator. Raises `NoSession` when the cookie or the key behind it has ended."""
    secret = request.cookies.get(COOKIE, "")
    tenant = sessions.tenant_of(secret)
    services = services_of(request)
    if tenant is None or tenant not in services.configurations.tenants():
        raise NoSession("no-session", "There is no open session.")
    looking = Call(services, sessions.stranger(tenant), _request_id(request), operation)
    session = await looking.look(lambda tx: sessions.find(tx, secret, sessions.CONSOLE))
    principal = services.principals.marked(tenant, session.ref)
    if principal is None:
        raise NoSession("no-session", "There is no open session.")
    admit(principal, READERS, "console.enter")
    return session, Call(services, _as_user(principal), _request_id(request), operation)


async def posted(request: AnyRequest, operation: str) -> tuple[Session, Call, Values]:
    values = await form(request)
    session, call = await signed_in(request, operation)
    demand_csrf(values, session.csrf)
    return session, call, values


async def stepped(
    request: AnyRequest,
    operation: str,
    step: Callable[[Call, Values], Awaitable[Response[Any]]],
    refused: Callable[[Session, Call, SaysoError], Awaitable[Response[Any]]],
) -> Response[Any]:
    """What an officer's form asks for; where that is refused, the page that says why. What is not there is 404."""
    session, call, values = await posted(request, operation)
    admit(call.principal, OFFICERS, operation)
    try:
        return await step(call, values)
    except NotFound:
        raise
    except SaysoError as error:
        return await refused(session, call, error)


def _as_user(principal: Principal) -> Principal:
    """The same client, with a human in front of the console."""
    return replace(principal, actor=replace(principal.actor, kind="user"))


def operator_of(call: Call) -> Operator:
    actor = call.principal.actor
    roles = tuple(sorted(actor.roles & set(READERS)))
    return Operator(name=actor.name, roles=roles, tenant=call.tenant, people=bool(actor.roles & set(OFFICERS)))


def _request_id(request: AnyRequest) -> str:
    scope: Any = request.scope
    found: str = scope["sayso.request"]
    return found


handlers: list[BaseRouteHandler] = [home, enter, leave, proof, people, find, person, systems]
