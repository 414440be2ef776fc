"""A person's data: who used them, what there is, a copy to take home, and the requests to correct or erase them."""

from typing import Any, get_args

import msgspec
from litestar import Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from policies import AccessDenied, Answer
from rights import Correction, TooManyCodes
from sayso.kernel import Invalid, now
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.mail import MailNotConfigured
from sayso.server.pages import ASKED, Flash, confirms_erasure, render_data, render_uses
from sayso.server.pages.person_data import Asked
from sayso.server.routes.html import brand, first, frame, html, see
from sayso.server.routes.person_session import HOME, OPEN, AnyRequest, by_pages, call_of, posted, session_of
from sayso.server.routes.rights_packages import delivered
from sayso.server.views.own_entries import bundle, own_entries, tag_key
from sayso.server.views.person_data import data_page, package
from sayso.server.views.person_requests import LONGEST_CODE, confirm_own, open_own, own_code, package_of_own
from sayso.server.views.person_uses import uses_page
from vault import InvalidValue

DATA = f"{HOME}/data"


@get(f"{HOME}/uses", opt=OPEN, operation_id="person.uses", include_in_schema=False)
async def uses(request: AnyRequest, of: FromQuery[str] = "", before: FromQuery[str] = "") -> Response[Any]:
    """Who used the person's data and for what; `of` one kind of data alone."""
    try:
        session = await session_of(request)
    except NoSession:
        return see("/p/")
    call = call_of(request, session, "person.uses")
    shown, named = frame(request, csrf=session.csrf), brand(request, session.tenant)
    page = await call.look(lambda tx: uses_page(call, tx, session.ref, shown, named, of, before or None))
    return html(render_uses(page))


@get(DATA, opt=OPEN, operation_id="person.data", include_in_schema=False)
async def data(request: AnyRequest) -> Response[Any]:
    """What is kept of the person, and how their requests stand."""
    try:
        session = await session_of(request)
    except NoSession:
        return see("/p/")
    kind: Any = next((each for each in ("asked", "erasure", "confirmed") if each in request.query_params), None)
    return html(render_data(await _page(request, session, Flash(kind, now()) if kind else None)))


@get(f"{DATA}/copy", opt=OPEN, operation_id="person.copy", include_in_schema=False)
async def copy(request: AnyRequest) -> Response[bytes]:
    """The person's copy, as JSON. Making it is an entry in the log."""
    session = await session_of(request)
    call = call_of(request, session, "person.copy")
    locale = frame(request).locale
    made = await call.alone(lambda tx: package(call, tx, session.ref, locale))
    if isinstance(made, Answer):
        made.demand()
    content = msgspec.json.format(msgspec.json.encode(made), indent=2)
    headers = {"content-disposition": 'attachment; filename="my-data.json"', "cache-control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


@post(f"{HOME}/requests", opt=OPEN, operation_id="person.request", include_in_schema=False, dto=None, status_code=303)
async def ask(request: AnyRequest) -> Response[Any]:
    """Open a request: a copy of everything, a correction with what it should be, a restriction. Asked again while one
    is open, it stands.
    """
    session, values = await posted(request)
    wanted = first(values, "kind")
    kind: Asked | None = next((each for each in ASKED if each == wanted), None)
    if kind is None:
        raise Invalid("unknown-request", "There is no such request here.", known=list(get_args(Asked)))
    value = first(values, "value").strip()
    collection, _, field = first(values, "field").partition(".")
    said = (Correction(collection, field, value),) if kind == "rectification" and value and field else ()
    try:
        return await _open(request, session, kind, f"{DATA}?asked=1", said)
    except InvalidValue:
        return html(render_data(await _page(request, session, Flash("unfit"))), status=422)


@post(f"{HOME}/erasure", opt=OPEN, operation_id="person.erase", include_in_schema=False, dto=None, status_code=303)
async def erase(request: AnyRequest) -> Response[Any]:
    """Ask to be erased, with the word typed out."""
    session, values = await posted(request)
    if not confirms_erasure(first(values, "confirm"), frame(request).locale):
        return html(render_data(await _page(request, session, Flash("erase_word"))), status=422)
    return await _open(request, session, "erasure", f"{DATA}?erasure=1")


@get(f"{HOME}/uses/evidence", opt=OPEN, operation_id="person.evidence", include_in_schema=False)
async def evidence(request: AnyRequest) -> Stream:
    """All entries about the person with their proofs, as an evidence bundle. Making it is an entry in the log."""
    session = await session_of(request)
    call = call_of(request, session, "person.evidence")
    own = await call.alone(lambda tx: own_entries(call, tx, session.ref))
    if isinstance(own, Answer):
        raise AccessDenied(own.reason)
    headers = {"content-disposition": 'attachment; filename="my-entries.zip"', "cache-control": "no-store"}
    return Stream(await bundle(call, own), media_type="application/zip", headers=headers)


@post(f"{HOME}/uses/key", opt=OPEN, operation_id="person.tag_key", include_in_schema=False, dto=None, status_code=200)
async def own_key(request: AnyRequest) -> Response[bytes]:
    """The person's tag key, to hand to whoever checks that no entry was left out. An entry says that it was taken."""
    session, _ = await posted(request)
    call = call_of(request, session, "person.tag_key")
    found = await call.alone(lambda tx: tag_key(call, tx, session.ref))
    if isinstance(found, Answer):
        raise AccessDenied(found.reason)
    content = msgspec.json.format(msgspec.json.encode(found), indent=2)
    headers = {"content-disposition": 'attachment; filename="my-log-key.json"', "cache-control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


@post(
    f"{HOME}/requests/{{request_id:str}}/code",
    opt=OPEN,
    operation_id="person.code",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def new_code(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """Have a code sent for a request of one's own."""
    session, _ = await posted(request)
    call = call_of(request, session, "person.code")
    try:
        task = await own_code(call, session, request_id, frame(request).locale)
    except (TooManyCodes, MailNotConfigured):
        return html(render_data(await _page(request, session, Flash("confirm_ended"))), status=429)
    return _sending(see(DATA), task)


@post(
    f"{HOME}/requests/{{request_id:str}}/confirm",
    opt=OPEN,
    operation_id="person.confirm_request",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def confirm(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """Type the code that was sent."""
    session, values = await posted(request)
    call = call_of(request, session, "person.confirm_request")
    kind = await confirm_own(call, session, request_id, first(values, "code")[:LONGEST_CODE], frame(request).locale)
    if kind == "confirmed":
        return see(f"{DATA}?confirmed=1")
    return html(render_data(await _page(request, session, Flash(kind))), status=400)


@get(f"{HOME}/requests/{{request_id:str}}/package", opt=OPEN, operation_id="person.package", include_in_schema=False)
async def own_package(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The package that answers a request of one's own. Fetching it is an entry in the log."""
    session = await session_of(request)
    call = call_of(request, session, "person.package")
    return delivered(await package_of_own(call, session, request_id))


async def _open(
    request: AnyRequest, session: Session, kind: Any, back: str, corrections: tuple[Correction, ...] = ()
) -> Response[Any]:
    call = call_of(request, session, f"person.{kind}")
    return _sending(see(back), await open_own(call, session, kind, frame(request).locale, corrections))


def _sending(response: Response[Any], task: BackgroundTask | None) -> Response[Any]:
    response.background = task
    return response


async def _page(request: AnyRequest, session: Session, flash: Flash | None) -> Any:
    call = call_of(request, session, "person.data")
    shown = frame(request, csrf=session.csrf, flash=flash)
    named = brand(request, session.tenant)
    return await call.look(lambda tx: data_page(call, tx, session.ref, shown, named))


handlers: list[BaseRouteHandler] = by_pages(
    [uses, evidence, own_key, data, copy, ask, erase, new_code, confirm, own_package]
)
