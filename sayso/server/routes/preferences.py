"""The preference centre: a person with a one-time link sees where they stand, changes it, and checks the proofs."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from consent import (
    DirectiveState,
    LinkUnusable,
    NothingToUndo,
    Preferences,
    Signal,
    StaleNotice,
    StalePreferences,
    Submission,
    Telling,
    UnfitPreference,
)
from sayso.kernel import SaysoError, Tx, Work, now, parse_instant, raw
from sayso.server import sessions
from sayso.server.call import Call
from sayso.server.limits import client_address, prefix_of
from sayso.server.look import style_of
from sayso.server.opting import GPC, sends_gpc
from sayso.server.pages import (
    DoorPage,
    Flash,
    render_door,
    render_preferences,
)
from sayso.server.person_page import preferences_page
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import brand, cookie, first, form, frame, gone, html, look_of, see
from sayso.server.routes.person_session import COOKIE, HOME, OPEN, AnyRequest, call_of, posted, request_id, session_of
from sayso.server.sessions import NoSession, Session
from sayso.server.tenancy import DEFAULT
from sayso.server.told_page import ReadForm, answers_said, less_said, reach_said


@get("/p/", opt=OPEN, operation_id="person.door", include_in_schema=False)
async def door(request: AnyRequest, left: FromQuery[str | None] = None) -> Response[Any]:
    """The door. The code stands behind # and is sent only when the person presses Continue."""
    try:
        await session_of(request)
    except NoSession:
        flash = Flash("left") if left else None
        return html(
            render_door(DoorPage(frame=frame(request, flash=flash), brand=_door_brand(request), mail=_mails(request)))
        )
    return see(HOME)


@get("/p/look/{file:str}", opt=public("the colours of a brand"), operation_id="person.look", include_in_schema=False)
async def look(request: AnyRequest, file: FromPath[str]) -> Response[str]:
    """The brand's colours over ours. A brand without any, and one that is none, has an empty sheet."""
    configurations = services_of(request).configurations
    tenant = file.removesuffix(".css")
    known = tenant in configurations.tenants()
    content = style_of(look_of(configurations.of(tenant))) if known else ""
    headers = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff"}
    return Response(content, media_type="text/css; charset=utf-8", headers=headers)


@post("/p/session", opt=OPEN, operation_id="person.enter", include_in_schema=False, dto=None, status_code=303)
async def enter(request: AnyRequest) -> Response[Any]:
    """Spend the code of a link. Unknown, used and ended codes get one answer."""
    values = await form(request)
    code = first(values, "code").strip()
    services = services_of(request)
    _demand_rate(request)
    tenant = sessions.tenant_of(code)
    try:
        services.configurations.demand(tenant or "")
        assert tenant is not None
        call = Call(services, sessions.stranger(tenant), request_id(request), "person.enter")
        rest = code.partition(".")[2]
        secret = await call.run(lambda tx: sessions.redeem(tx, services.registry, rest))
    except SaysoError as error:
        if not isinstance(error, LinkUnusable) and tenant in services.configurations.tenants():
            raise
        page = DoorPage(frame=frame(request), brand=_door_brand(request), problem="code", mail=_mails(request))
        return html(render_door(page), status=400)
    kept = cookie(request, COOKIE, secret, path="/p", seconds=sessions.PERSON_TERM // 1_000_000)
    if "withdraw" not in values:
        return see(HOME, cookies=[kept])
    # One press from the mail: the link shows who it is, and the no is said in the same step.
    session = await call.look(lambda tx: sessions.find(tx, secret, sessions.PERSON))
    await _withdraw(call_of(request, session, "person.withdraw"), session)
    return see(f"{HOME}?withdrawn=1", cookies=[kept])


@get(HOME, opt=OPEN, operation_id="person.home", include_in_schema=False)
async def home(request: AnyRequest) -> Response[Any]:
    """Where the person stands, purpose by purpose, with their history."""
    try:
        session = await session_of(request)
    except NoSession:
        return see("/p/")
    if sends_gpc(request):
        await _honour(request, session)
    return html(render_preferences(await _page(request, session, _flash(request))))


@post("/p/you/choices", opt=OPEN, operation_id="person.choose", include_in_schema=False, dto=None, status_code=303)
async def choose(request: AnyRequest) -> Response[Any]:
    """Record what differs from where the person stands."""
    session, values = await posted(request)
    call = call_of(request, session, "person.choose")
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
            if purpose in granted and status not in ("granted", "pending"):
                choices[purpose] = "granted"
            elif purpose not in granted and (
                # A request that still waits for its confirmation stands at yes on the page, and a no cancels it.
                status in ("granted", "pending") or (every and status in ("unasked", "expired", "stale"))
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


@post("/p/you/withdraw", opt=OPEN, operation_id="person.withdraw", include_in_schema=False, dto=None, status_code=303)
async def withdraw(request: AnyRequest) -> Response[Any]:
    """Stop everything that a no can stop."""
    session, _ = await posted(request)
    await _withdraw(call_of(request, session, "person.withdraw"), session)
    return see(f"{HOME}?withdrawn=1")


@post("/p/you/undo", opt=OPEN, operation_id="person.undo", include_in_schema=False, dto=None, status_code=303)
async def undo(request: AnyRequest) -> Response[Any]:
    """Take a withdrawal back, as long as nothing else was chosen since."""
    session, values = await posted(request)
    call = call_of(request, session, "person.undo")

    def unit(tx: Tx) -> Work[None]:
        found = raw(first(values, "record"), "cns")
        assurance: Any = session.assurance
        yield from call.services.registry.undoing.undo(
            tx, call.configuration.catalogue, session.ref, found, method="preference_centre", assurance=assurance
        )

    try:
        await call.run(unit)
    except NothingToUndo:
        return html(render_preferences(await _page(request, session, Flash("undo_late"))), status=409)
    return see(f"{HOME}?undone=1")


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


async def _tell(request: AnyRequest, operation: str, read: ReadForm) -> Response[Any]:
    session, values = await posted(request)
    call = call_of(request, session, operation)
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


@post("/p/you/leave", opt=OPEN, operation_id="person.leave", include_in_schema=False, dto=None, status_code=303)
async def leave(request: AnyRequest) -> Response[Any]:
    """End the session."""
    session, _ = await posted(request)

    def unit(tx: Tx) -> Work[None]:
        yield ()
        sessions.end(tx, session)

    await call_of(request, session, "person.leave").run(unit)
    return see("/p/?left=1", cookies=[gone(request, COOKIE, path="/p")])


def _marks(directives: list[DirectiveState]) -> set[str]:
    """The directives as the page names them to itself: which, and given when."""
    return {f"{each.kind}@{parse_instant(each.given_at)}" for each in directives}


async def _honour(request: AnyRequest, session: Session) -> None:
    """The signal of a browser whose person is known holds for all that is known of them (11 CCR 7025(c)(1))."""
    call = call_of(request, session, "person.signal")
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


async def _withdraw(call: Call, session: Session) -> None:
    def unit(tx: Tx) -> Work[None]:
        assurance: Any = session.assurance
        yield from call.services.registry.withdraw(
            tx,
            call.configuration.catalogue,
            session.ref,
            "all",
            method="preference_centre",
            assurance=assurance,
            undoable=True,
        )

    await call.run(unit)


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


handlers: list[BaseRouteHandler] = [door, look, enter, home, choose, reach, tell, less, withdraw, undo, leave]
