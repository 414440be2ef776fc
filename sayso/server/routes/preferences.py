"""The preference centre: a person with a one-time link sees where they stand, changes it, and checks the proofs."""

import base64
from functools import partial
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from audit import NotIntegrated
from consent import (
    DirectiveState,
    LinkUnusable,
    NoRecord,
    Preferences,
    Signal,
    StaleNotice,
    StalePreferences,
    Submission,
    Telling,
    UnfitPreference,
)
from rights import Opening, RequestView
from sayso.kernel import SaysoError, Tx, Work, now, parse_instant, raw
from sayso.server import sessions
from sayso.server.call import Call
from sayso.server.limits import client_address, prefix_of
from sayso.server.opting import GPC, sends_gpc
from sayso.server.pages import (
    DoorPage,
    Flash,
    ProofBundle,
    confirms_erasure,
    render_door,
    render_preferences,
)
from sayso.server.person_page import preferences_page
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import brand, cookie, demand_csrf, first, form, frame, gone, html, see
from sayso.server.sessions import NoSession, Session
from sayso.server.tenancy import DEFAULT
from sayso.server.told_page import ReadForm, answers_said, reach_said

AnyRequest = Request[Any, Any, Any]

COOKIE = "sayso_person"
HOME = "/p/you"

_OPEN = public("the person has a one-time link and after that a session cookie of this page, which the handler demands")


@get("/p/", opt=_OPEN, operation_id="person.door", include_in_schema=False)
async def door(request: AnyRequest, left: FromQuery[str | None] = None) -> Response[Any]:
    """The door. The code stands behind # and is sent only when the person presses Continue."""
    try:
        await _session(request)
    except NoSession:
        flash = Flash("left") if left else None
        return html(
            render_door(DoorPage(frame=frame(request, flash=flash), brand=_door_brand(request), mail=_mails(request)))
        )
    return see(HOME)


@post("/p/session", opt=_OPEN, operation_id="person.enter", include_in_schema=False, dto=None, status_code=303)
async def enter(request: AnyRequest) -> Response[Any]:
    """Spend the code of a link. Unknown, used and ended codes get one answer."""
    code = first(await form(request), "code").strip()
    services = services_of(request)
    _demand_rate(request)
    tenant = sessions.tenant_of(code)
    try:
        services.configurations.demand(tenant or "")
        assert tenant is not None
        call = Call(services, sessions.stranger(tenant), _request_id(request), "person.enter")
        rest = code.partition(".")[2]
        secret = await call.run(lambda tx: sessions.redeem(tx, services.registry, rest))
    except SaysoError as error:
        if not isinstance(error, LinkUnusable) and tenant in services.configurations.tenants():
            raise
        page = DoorPage(frame=frame(request), brand=_door_brand(request), problem="code", mail=_mails(request))
        return html(render_door(page), status=400)
    return see(HOME, cookies=[cookie(request, COOKIE, secret, path="/p", seconds=sessions.PERSON_TERM // 1_000_000)])


@get(HOME, opt=_OPEN, operation_id="person.home", include_in_schema=False)
async def home(request: AnyRequest) -> Response[Any]:
    """Where the person stands, purpose by purpose, with their history."""
    try:
        session = await _session(request)
    except NoSession:
        return see("/p/")
    if sends_gpc(request):
        await _honour(request, session)
    return html(render_preferences(await _page(request, session, _flash(request))))


@post("/p/you/choices", opt=_OPEN, operation_id="person.choose", include_in_schema=False, dto=None, status_code=303)
async def choose(request: AnyRequest) -> Response[Any]:
    """Record what differs from where the person stands."""
    session, values = await _posted(request)
    call = _call(request, session, "person.choose")
    granted, shown = set(values.get("granted", [])), values.get("shown", [])
    every = first(values, "decide") == "all"
    shown_conflicts = set(first(values, "conflict_shown").split("."))
    version = first(values, "notice_version")

    separate = {name for name in granted if name in call.configuration.catalogue.demands.separate}

    def unit(tx: Tx, alone: str | None = None) -> Work[bool]:
        catalogue = call.configuration.catalogue
        standing = yield from call.services.registry.state(tx, catalogue, session.ref)
        choices = {}
        for purpose in shown if alone is None else [alone]:
            if alone is None and purpose in separate:
                continue
            status = standing.purposes[purpose].status if purpose in standing.purposes else "unasked"
            if purpose in granted and status != "granted":
                choices[purpose] = "granted"
            elif purpose not in granted and (
                status == "granted" or (every and status in ("unasked", "expired", "stale"))
            ):
                choices[purpose] = "refused"
        if not choices:
            return False
        submission = Submission(
            choices=choices,  # type: ignore[arg-type]
            notice=first(values, "notice"),
            notice_version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            locale=frame(request).locale,
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
            subject=session.ref,
            # The page shows what stands against a yes; one that came to stand since then was not shown.
            conflict_shown=_marks(standing.directives or []) <= shown_conflicts,
        )
        yield from call.services.registry.record(tx, catalogue, submission)
        return True

    try:
        changed = await call.run(unit)
        # A switch of its own is a consent of its own, and gets a record of its own (PIPL Art. 23, 29, 39).
        for name in sorted(separate.intersection(shown)):
            changed = await call.run(partial(unit, alone=name)) or changed
    except StaleNotice:
        return html(render_preferences(await _page(request, session, Flash("stale"))), status=409)
    return see(f"{HOME}?saved=1" if changed else f"{HOME}?unchanged=1")


@post("/p/you/withdraw", opt=_OPEN, operation_id="person.withdraw", include_in_schema=False, dto=None, status_code=303)
async def withdraw(request: AnyRequest) -> Response[Any]:
    """Stop everything that a no can stop."""
    session, _ = await _posted(request)
    call = _call(request, session, "person.withdraw")

    def unit(tx: Tx) -> Work[None]:
        catalogue = call.configuration.catalogue
        yield from call.services.registry.withdraw(
            tx,
            catalogue,
            session.ref,
            "all",
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
        )

    await call.run(unit)
    return see(f"{HOME}?withdrawn=1")


@post("/p/you/reach", opt=_OPEN, operation_id="person.reach", include_in_schema=False, dto=None, status_code=303)
async def reach(request: AnyRequest) -> Response[Any]:
    """Change how the person may be reached, as far as it differs from what stands."""
    return await _tell(request, "person.reach", reach_said)


@post("/p/you/told", opt=_OPEN, operation_id="person.tell", include_in_schema=False, dto=None, status_code=303)
async def tell(request: AnyRequest) -> Response[Any]:
    """Change what the person told about themselves."""
    return await _tell(request, "person.tell", answers_said)


async def _tell(request: AnyRequest, operation: str, read: ReadForm) -> Response[Any]:
    session, values = await _posted(request)
    call = _call(request, session, operation)
    version = first(values, "version")

    def unit(tx: Tx) -> Work[Preferences | None]:
        asked, book = call.configuration.questionnaire, call.services.registry.preferences
        told = yield from book.read(tx, call.configuration.catalogue, asked, session.ref)
        said = read(asked, told, values, tx.context.at)
        if not said:
            return None
        telling = Telling(
            values=said,
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
            version=int(version) if version.isdecimal() and len(version) < 16 else -1,
        )
        return (yield from book.change(tx, asked, session.ref, telling))

    try:
        done = await call.run(unit)
    except StalePreferences:
        return html(render_preferences(await _page(request, session, Flash("moved"))), status=409)
    except UnfitPreference as error:
        unfit = str(error.facts["member"])
        return html(render_preferences(await _page(request, session, Flash("unfit"), unfit)), status=400)
    if done is None:
        return see(f"{HOME}?unchanged=1")
    return see(f"{HOME}?weaker=1" if done.ignored else f"{HOME}?saved=1")


@post("/p/you/erasure", opt=_OPEN, operation_id="person.erase", include_in_schema=False, dto=None, status_code=303)
async def erase(request: AnyRequest) -> Response[Any]:
    """Ask to be erased, with the word typed out."""
    session, values = await _posted(request)
    if not confirms_erasure(first(values, "confirm"), frame(request).locale):
        return html(render_preferences(await _page(request, session, Flash("erase_word"))), status=422)
    call = _call(request, session, "person.erase")

    def unit(tx: Tx) -> Work[RequestView]:
        opening = Opening(subject=session.ref, kind="erasure", law="default")
        return call.services.desk.open(tx, call.configuration.policy, opening)

    await call.alone(unit)
    return see(f"{HOME}?erasure=1")


@post("/p/you/leave", opt=_OPEN, operation_id="person.leave", include_in_schema=False, dto=None, status_code=303)
async def leave(request: AnyRequest) -> Response[Any]:
    """End the session."""
    session, _ = await _posted(request)

    def unit(tx: Tx) -> Work[None]:
        yield ()
        sessions.end(tx, session)

    await _call(request, session, "person.leave").run(unit)
    return see("/p/?left=1", cookies=[gone(request, COOKIE, path="/p")])


@get("/p/you/records/{record:str}/proof", opt=_OPEN, operation_id="person.proof", include_in_schema=False)
async def proof(request: AnyRequest, record: FromPath[str]) -> Response[ProofBundle]:
    """What the browser needs to check one of the person's own records by itself."""
    session = await _session(request)
    call = _call(request, session, "person.proof")
    found = raw(record, "cns")

    def unit(tx: Tx) -> Work[ProofBundle]:
        receipt, entry = yield from _own(call, tx, session, found)
        return (yield from proof_bundle(call, tx, entry, receipt))

    return Response(await call.look(unit), headers={"cache-control": "no-store"})


@get("/p/you/records/{record:str}/receipt", opt=_OPEN, operation_id="person.receipt", include_in_schema=False)
async def receipt(request: AnyRequest, record: FromPath[str]) -> Response[bytes]:
    """The receipt of one of the person's own records, to keep."""
    session = await _session(request)
    call = _call(request, session, "person.receipt")
    found = raw(record, "cns")
    jws, _ = await call.look(lambda tx: _own(call, tx, session, found))
    headers = {"content-disposition": f'attachment; filename="receipt-{record}.jws"', "cache-control": "no-store"}
    return Response(jws.encode(), media_type="application/jose", headers=headers)


def proof_bundle(call: Call, tx: Tx, entry_id: str, receipt: str | None) -> Work[ProofBundle]:
    """Leaf, proof and key of one entry; pending until a checkpoint covers it."""
    audit = call.services.audit
    entry = yield from audit.entry(tx, entry_id)
    try:
        text = yield from audit.tlog_proof(tx, entry_id)
    except NotIntegrated:
        return ProofBundle(pending=True, receipt=receipt)
    key = yield from audit.vkey(tx, entry.log)
    leaf = base64.urlsafe_b64encode(entry.leaf).rstrip(b"=").decode()
    return ProofBundle(pending=False, receipt=receipt, leaf=leaf, proof=text.decode(), vkey=key.line)


def _own(call: Call, tx: Tx, session: Session, record: bytes) -> Work[tuple[str, str]]:
    """Receipt and entry of a record of this very person. Any other is as unknown as none."""
    payload, subject = yield from call.services.registry.opened(tx, record)
    if subject != session.ref and subject not in (yield from call.services.registry.ids(tx, session.ref)):
        raise NoRecord
    return (yield from payload.receipt(tx)), payload.entry


def _marks(directives: list[DirectiveState]) -> set[str]:
    """The directives as the page names them to itself: which, and given when."""
    return {f"{each.kind}@{parse_instant(each.given_at)}" for each in directives}


async def _honour(request: AnyRequest, session: Session) -> None:
    """The signal of a browser whose person is known holds for all that is known of them (11 CCR 7025(c)(1))."""
    call = _call(request, session, "person.signal")
    signal = Signal(GPC, "header", b"preference page")

    def unit(tx: Tx) -> Work[None]:
        yield from call.services.registry.signals.give(
            tx,
            call.configuration.catalogue,
            session.ref,
            [signal],
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
        )

    await call.run(unit)


async def _session(request: AnyRequest) -> Session:
    """The person's session. Raises `NoSession`."""
    secret = request.cookies.get(COOKIE, "")
    tenant = sessions.tenant_of(secret)
    services = services_of(request)
    if tenant is None or tenant not in services.configurations.tenants():
        raise NoSession("no-session", "There is no open session.")
    call = Call(services, sessions.stranger(tenant), _request_id(request), "person.session")
    return await call.look(lambda tx: sessions.find(tx, secret, sessions.PERSON))


async def _posted(request: AnyRequest) -> tuple[Session, dict[str, list[str]]]:
    """Session and form of a POST of our own page."""
    values = await form(request)
    session = await _session(request)
    demand_csrf(values, session.csrf)
    return session, values


def _call(request: AnyRequest, session: Session, operation: str) -> Call:
    return Call(services_of(request), sessions.person(session), _request_id(request), operation)


async def _page(request: AnyRequest, session: Session, flash: Flash | None, unfit: str = "") -> Any:
    call = _call(request, session, "person.home")
    shown = frame(request, csrf=session.csrf, flash=flash)
    named = brand(request, session.tenant)
    return await call.alone(lambda tx: preferences_page(call, tx, session.ref, shown, named, unfit))


def _flash(request: AnyRequest) -> Flash | None:
    for kind in ("saved", "weaker", "withdrawn", "erasure", "unchanged"):
        if kind in request.query_params:
            return Flash(kind, now())
    return None


def _door_brand(request: AnyRequest) -> Any:
    tenants = services_of(request).configurations.tenants()
    return brand(request, DEFAULT if DEFAULT in tenants else tenants[0])


def _mails(request: AnyRequest) -> bool:
    return services_of(request).outbox.configured


def _demand_rate(request: AnyRequest) -> None:
    services = services_of(request)
    peer = request.client.host if request.client else ""
    address = client_address(peer, request.headers.get("x-forwarded-for", ""), services.settings.trusted_proxies)
    services.limiter.take(f"door {prefix_of(address)}", services.settings.prefix_rate, now())


def _request_id(request: AnyRequest) -> str:
    scope: Any = request.scope
    found: str = scope["sayso.request"]
    return found


handlers: list[BaseRouteHandler] = [door, enter, home, choose, reach, tell, withdraw, erase, leave, proof, receipt]
