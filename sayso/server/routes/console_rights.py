"""The console's pages about rights requests. What is done here goes by the same units as through the API.

Auditors read what the API tells them of a request, and act on nothing: every form and every package is officers'.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from consent import Wrong
from policies import RIGHTS as FOR_RIGHTS
from policies import AccessDenied, Answer
from rights import Answered, Correction, LegalGround, refusal_named
from sayso.kernel import Invalid, NotFound, SaysoError, Tx, Unauthenticated, Work
from sayso.server.answering import demand_fields, fulfilled
from sayso.server.call import Call
from sayso.server.callers.auth import admit
from sayso.server.callers.rights_codes import send_code
from sayso.server.callers.sessions import Session
from sayso.server.logkeeping.evidence import evidence
from sayso.server.pages import RequestFilter, RequestPage, render_request, render_requests
from sayso.server.routes.console import (
    HOME,
    OFFICERS,
    OPEN,
    READERS,
    AnyRequest,
    Values,
    operator_of,
    posted,
    signed_in,
    stepped,
)
from sayso.server.routes.html import first, frame, html, see
from sayso.server.routes.identifiers import CodeWrong
from sayso.server.routes.rights_packages import delivered, wanted
from sayso.server.routes.rights_tasks import settled
from sayso.server.views.rights import Asked, request_page, requests_page
from vault import GrantDecided, NoGrant

RIGHTS: Final = "/console/rights"
LONGEST_REASON: Final = 200
_AT: Final = "/console/rights/{request_id:str}"


@get(RIGHTS, opt=OPEN, operation_id="console.rights", include_in_schema=False)
async def requests(request: AnyRequest) -> Response[Any]:
    """What waits for an answer, the first due first."""
    try:
        session, call = await signed_in(request, "console.rights")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, READERS, "console.rights")
    query, shown = request.query_params, frame(request, csrf=session.csrf)
    names = {name: query.get(name, "") for name in ("kind", "law", "status", "due")}
    asked = Asked(RequestFilter(**names), query.get("cursor", ""))
    return html(render_requests(await call.look(lambda tx: requests_page(call, tx, shown, operator_of(call), asked))))


@get(_AT, opt=OPEN, operation_id="console.right", include_in_schema=False)
async def one(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """One request."""
    try:
        session, call = await signed_in(request, "console.right")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, READERS, "console.right")
    return await _one(request, session, call, request_id)


@get(f"{_AT}/package", opt=OPEN, operation_id="console.right.package", include_in_schema=False)
async def package(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The access package. That it was fetched is an entry in the log."""
    _, call = await signed_in(request, "console.right.package")
    admit(call.principal, OFFICERS, "console.right.package")
    return delivered(await call.alone(lambda tx: call.services.packages.fetch(tx, request_id)))


@get(f"{_AT}/certificate", opt=OPEN, operation_id="console.right.certificate", include_in_schema=False)
async def certificate(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The signed certificate of an erasure."""
    _, call = await signed_in(request, "console.right.certificate")
    admit(call.principal, READERS, "console.right.certificate")
    jws = await call.look(lambda tx: call.services.desk.certificate(tx, request_id))
    headers = {"content-disposition": 'attachment; filename="certificate.jws"', "cache-control": "no-store"}
    return Response(jws.encode(), media_type="application/jose", headers=headers)


@post(
    f"{_AT}/evidence",
    opt=OPEN,
    operation_id="console.right.evidence",
    include_in_schema=False,
    dto=None,
    status_code=200,
)
async def proof(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The evidence pack. Taking it is an entry in the log."""

    async def step(call: Call, _: Values) -> Response[Any]:
        return await evidence(call, request_id)

    return await stepped(request, "console.right.evidence", step, _refused(request, request_id))


@post(
    f"{_AT}/values", opt=OPEN, operation_id="console.right.values", include_in_schema=False, dto=None, status_code=200
)
async def values(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The request with what its values should be laid open, after a permit and with an entry."""
    session, call, _ = await posted(request, "console.right.values")
    admit(call.principal, OFFICERS, "console.right.values")
    acts, live = call.services.desk.acts, call.configuration
    found = await call.alone(lambda tx: acts.corrections(tx, live.policy, live.collections, request_id))
    if isinstance(found, Answer):
        raise AccessDenied(found.reason)
    return await _one(request, session, call, request_id, values=found)


@post(
    f"{_AT}/{{step:str}}",
    opt=OPEN,
    operation_id="console.right.step",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def take(request: AnyRequest, request_id: FromPath[str], step: FromPath[str]) -> Response[Any]:
    """One step: verify, extend, rest, refuse, fulfil, and so on."""
    return await _stepped(request, request_id, step)


@post(
    f"{_AT}/package",
    opt=OPEN,
    operation_id="console.right.package.make",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def make_package(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The step whose name is also an address to fetch from: the router finds no other step under it."""
    return await _stepped(request, request_id, "package")


async def _stepped(request: AnyRequest, request_id: str, step: str) -> Response[Any]:
    async def taken(call: Call, given: Values) -> Response[Any]:
        act = STEPS.get(step)
        if act is None:
            raise NotFound("not-found", "There is nothing here.")
        later = await act(call, request_id, given, frame(request).locale)
        response = see(f"{RIGHTS}/{request_id}")
        response.background = later
        return response

    return await stepped(request, "console.right.step", taken, _refused(request, request_id))


def _refused(request: AnyRequest, request_id: str) -> Callable[[Session, Call, SaysoError], Awaitable[Response[Any]]]:
    return lambda session, call, error: _one(request, session, call, request_id, error)


async def _one(
    request: AnyRequest,
    session: Session,
    call: Call,
    request_id: str,
    error: SaysoError | None = None,
    values: tuple[Correction, ...] = (),
) -> Response[Any]:
    shown, problem = frame(request, csrf=session.csrf), error.message if error is not None else ""

    def unit(tx: Tx) -> Work[RequestPage]:
        return request_page(call, tx, shown, operator_of(call), request_id, problem=problem, values=values)

    return html(render_request(await call.look(unit)), status=200 if error is None else 409)


# the steps

Act = Callable[[Call, str, Values, str], Awaitable[BackgroundTask | None]]


async def _verify(call: Call, request: str, given: Values, _locale: str) -> None:
    await call.alone(lambda tx: call.services.desk.verify(tx, request, "officer"))


async def _document(call: Call, request: str, given: Values, _locale: str) -> None:
    await call.alone(lambda tx: call.services.desk.verify(tx, request, "document", first(given, "document")))


async def _code(call: Call, request: str, given: Values, locale: str) -> BackgroundTask:
    call.services.outbox.demand(call.tenant)
    view, sent = await call.alone(lambda tx: call.services.desk.identity.challenge(tx, request))
    return BackgroundTask(send_code, call, view, sent, locale)


async def _confirm(call: Call, request: str, given: Values, _locale: str) -> None:
    done = await call.alone(lambda tx: call.services.desk.identity.confirm(tx, request, first(given, "code")[:40]))
    if isinstance(done, Wrong):
        raise CodeWrong(done.left)


async def _extend(call: Call, request: str, given: Values, _locale: str) -> None:
    await call.alone(lambda tx: call.services.desk.clock.extend(tx, request, first(given, "reason")))


async def _pause(call: Call, request: str, given: Values, _locale: str) -> None:
    why: Any = first(given, "reason")
    await call.alone(lambda tx: call.services.desk.clock.pause(tx, request, why))


async def _resume(call: Call, request: str, given: Values, _locale: str) -> None:
    await call.alone(lambda tx: call.services.desk.clock.resume(tx, request))


async def _refuse(call: Call, request: str, given: Values, _locale: str) -> None:
    reason = refusal_named(first(given, "reason"))
    await call.alone(lambda tx: call.services.desk.refuse(tx, request, reason, first(given, "statement")))


async def _appeal(call: Call, request: str, given: Values, _locale: str) -> None:
    await call.alone(lambda tx: call.services.desk.clock.appeal(tx, request, first(given, "statement")))


async def _decide(call: Call, request: str, given: Values, _locale: str) -> None:
    outcome: Any = first(given, "outcome")
    if outcome not in ("upheld", "overturned"):
        raise Invalid("unknown-outcome", "An appeal is upheld or overturned.")
    await call.alone(lambda tx: call.services.desk.clock.decide(tx, request, outcome, first(given, "statement")))


async def _fulfil(call: Call, request: str, given: Values, _locale: str) -> None:
    grounds: tuple[LegalGround, ...] = ()
    if kept := first(given, "class"):
        day = first(given, "until")
        grounds = (LegalGround(kept, first(given, "ground"), f"{day}T00:00:00Z" if day else ""),)
    said = first(given, "statement")
    shown = await call.look(lambda tx: call.services.desk.request(tx, request))
    if shown.kind in call.configuration.answering.two_officers:
        person, approval = call.principal.counts_as, call.services.desk.approval
        await call.alone(lambda tx: approval.propose(tx, request, person, grounds, said))
    else:
        await fulfilled(call, request, grounds, said)


async def _approve(call: Call, request: str, given: Values, _locale: str) -> None:
    await fulfilled(call, request)


async def _decline(call: Call, request: str, given: Values, _locale: str) -> None:
    await call.alone(lambda tx: call.services.desk.approval.decline(tx, request, first(given, "reason")))


async def _correct(call: Call, request: str, given: Values, _locale: str) -> None:
    collection, _, field = first(given, "field").partition(".")
    said = (Correction(collection, field, first(given, "value").strip()),)
    live = call.configuration
    demand_fields(live, said)
    await call.alone(lambda tx: call.services.desk.acts.correct(tx, live.collections, request, said))


async def _package(call: Call, request: str, given: Values, locale: str) -> None:
    grant = first(given, "grant") or None
    try:
        await call.alone(lambda tx: wanted(call, tx, request, locale, grant))
    except NoGrant:
        # It stood on the page a moment ago: used by another form, or its quarter of an hour is over.
        raise GrantDecided from None


async def _ask(call: Call, request: str, given: Values, _locale: str) -> None:
    reason, person = first(given, "reason").strip(), call.principal.opens_as
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Invalid("reason-missing", f"Say why in up to {LONGEST_REASON} characters.")
    await call.alone(lambda tx: call.services.vault.ask_grant(tx, person, FOR_RIGHTS, [request], reason, ""))


async def _agree(call: Call, request: str, given: Values, _locale: str) -> None:
    vault, grant, said = call.services.vault, first(given, "grant"), first(given, "agree")
    if said not in ("yes", "no"):
        raise Invalid("unknown-outcome", "Say yes or no to it.")

    def unit(tx: Tx) -> Work[None]:
        # What stands on this request's page is decided on, and nothing else.
        standing = yield from vault.standing_grants(tx, FOR_RIGHTS, [request])
        if grant not in {each.grant for each in standing}:
            raise GrantDecided
        yield from vault.decide_grant(tx, call.principal.opens_as, grant, approve=said == "yes")

    await call.alone(unit)


async def _again(call: Call, request: str, given: Values, _locale: str) -> None:
    task, live = first(given, "task"), call.configuration.systems
    await call.alone(lambda tx: call.services.desk.tasks.answers.again(tx, live, task))


async def _waive(call: Call, request: str, given: Values, _locale: str) -> None:
    task, live = first(given, "task"), call.configuration.systems
    why = first(given, f"reason-{task}")
    await settled(call, await call.alone(lambda tx: call.services.desk.tasks.answers.waive(tx, live, task, why)))


async def _done(call: Call, request: str, given: Values, _locale: str) -> None:
    task, live = first(given, "task"), call.configuration.systems
    said = Answered(request=request, reason=first(given, f"reason-{task}"))
    await settled(call, await call.alone(lambda tx: call.services.desk.tasks.answers.done(tx, live, task, said)))


STEPS: Final[dict[str, Act]] = {
    "verify": _verify,
    "document": _document,
    "code": _code,
    "confirm": _confirm,
    "extend": _extend,
    "pause": _pause,
    "resume": _resume,
    "refuse": _refuse,
    "appeal": _appeal,
    "decide": _decide,
    "fulfil": _fulfil,
    "approve": _approve,
    "decline": _decline,
    "correct": _correct,
    "package": _package,
    "ask": _ask,
    "agree": _agree,
    "again": _again,
    "waive": _waive,
    "done": _done,
}

handlers: list[BaseRouteHandler] = [requests, one, package, certificate, proof, values, take, make_package]
