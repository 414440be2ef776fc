"""The door of the preference centre: what a person holds is spent here and becomes a session of this page."""

import re
from typing import Any, Final

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from msgspec.structs import replace

from sayso.kernel import SaysoError, now
from sayso.server.brand.installing import app_manifest, icon
from sayso.server.brand.look import style_of
from sayso.server.call import Call
from sayso.server.callers import sessions
from sayso.server.callers.entering import come_in, tenant_named
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.callers.sign_in_tokens import LONGEST, SignInRefused, is_token
from sayso.server.limits import client_address, prefix_of
from sayso.server.pages import DoorPage, Flash, render_door
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import (
    brand,
    cookie,
    door_tenant,
    first,
    form,
    form_from_anywhere,
    frame,
    html,
    look_of,
    portal_of,
    request_id,
    see,
)
from sayso.server.routes.person_session import (
    COOKIE,
    HOME,
    OPEN,
    AnyRequest,
    call_of,
    session_of,
)
from sayso.server.routes.statics import NoSuchFile
from sayso.server.views.person_acts import withdraw

_LOOK: Final = re.compile(r"([a-z0-9-]+)(?:\.([a-z0-9_-]+?))?(?:-(180|192|512)\.png|\.(css|webmanifest))")
"""A brand, perhaps one of its sites, and what of its look is wanted."""

FROM_BRAND = public("the brand's page sends the person here; the token or code in the form says who they are")


@get("/p/", opt=OPEN, operation_id="person.door", include_in_schema=False)
async def door(request: AnyRequest, left: FromQuery[str | None] = None) -> Response[Any]:
    """The door. The code stands behind # and is sent only when the person presses Continue."""
    try:
        await session_of(request)
    except NoSession:
        return html(render_door(_door(request, flash=Flash("left") if left else None)))
    return see(HOME)


@post("/p/session", opt=OPEN, operation_id="person.enter", include_in_schema=False, dto=None, status_code=303)
async def enter(request: AnyRequest) -> Response[Any]:
    """Spend what the person holds. Unknown, used and ended codes get one answer, tokens that do not hold another."""
    values = await form(request)
    return await _enter(request, values, sure=False)


@get("/p/enter", opt=OPEN, operation_id="person.to_door", include_in_schema=False)
async def to_door() -> Response[None]:
    """Somebody came back to where the brand's form had led."""
    return see("/p/")


@post("/p/enter", opt=FROM_BRAND, operation_id="person.hand_over", include_in_schema=False, dto=None, status_code=303)
async def hand_over(request: AnyRequest) -> Response[Any]:
    """A form of the brand's own page: whoever is signed in there is signed in here.

    From a page that is none of the brand's nothing is spent: the person sees the door and presses the button.
    """
    values = await form_from_anywhere(request)
    code = first(values, "code").strip()
    if code and not _from_brand(request, code):
        return html(render_door(_door(request, code=code[:LONGEST])))
    return await _enter(request, values, sure=True)


@get(
    "/p/look/{file:str}",
    opt=public("name, colours and icon of a brand are on its pages"),
    operation_id="person.look",
    include_in_schema=False,
)
async def look(request: AnyRequest, file: FromPath[str]) -> Response[Any]:
    """The brand's look: its colours over ours (`.css`), and what installs its page (`.webmanifest`, `-192.png`).

    A brand without colours, and one that is none, has an empty sheet, and nothing that could be installed.
    """
    configurations = services_of(request).configurations
    found = _LOOK.fullmatch(file)
    tenant, site, size, kind = found.groups() if found is not None else ("", "", "", "")
    headers = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff"}
    if tenant not in configurations.tenants():
        if kind == "css":
            return Response("", media_type="text/css; charset=utf-8", headers=headers)
        raise NoSuchFile("not-found", "There is no such file.")
    theirs = look_of(configurations.of(tenant), site or "")
    if kind == "css":
        return Response(style_of(theirs), media_type="text/css; charset=utf-8", headers=headers)
    named = brand(request, tenant, site or "")
    if kind == "webmanifest":
        stem = f"/p/look/{file.removesuffix('.webmanifest')}"
        content = app_manifest(named.name, theirs, frame(request).locale, stem)
        return Response(content, media_type="application/manifest+json", headers=headers | {"vary": "accept-language"})
    headers["cache-control"] = "public, max-age=86400"
    return Response(await icon(named.name, theirs, int(size)), media_type="image/png", headers=headers)


async def _enter(request: AnyRequest, values: dict[str, list[str]], *, sure: bool) -> Response[Any]:
    code = first(values, "code").strip()
    demand_door_rate(request)
    try:
        secret, tenant = await spend(request, code, sessions.PERSON, sure=sure)
    except SignInRefused:
        problem: Any = "sign_in" if sure or is_token(code) else "code"
        return html(render_door(_door(request, problem=problem)), status=400)
    kept = cookie(request, COOKIE, secret, path="/p", seconds=sessions.PERSON_TERM // 1_000_000)
    if "withdraw" not in values:
        return see(HOME, cookies=[kept])
    # One press from the mail: the link shows who it is, and the no is said in the same step.
    call = Call(services_of(request), sessions.stranger(tenant), request_id(request), "person.enter")
    session: Session = await call.look(lambda tx: sessions.find(tx, secret, sessions.PERSON))
    await withdraw(call_of(request, session, "person.withdraw"), session)
    return see(f"{HOME}?withdrawn=1", cookies=[kept])


async def spend(request: AnyRequest, code: str, kind: str, *, sure: bool, tenant: str = "") -> tuple[str, str]:
    """Spend a code or a token, of that brand if one is named: the secret of the new session, and its brand. Raises
    `SignInRefused`.
    """
    services, here, wanted = services_of(request), portal_of(request), tenant
    try:
        tenant = tenant_named(code)
        elsewhere = tenant != wanted if wanted else here is not None and here.tenant != tenant
        if elsewhere or tenant not in services.configurations.tenants():
            tenant = wanted
            raise SignInRefused(why="audience")
        call = Call(services, sessions.stranger(tenant), request_id(request), "person.enter")
        return await call.run(lambda tx: come_in(services, call.configuration, tx, code, kind, sure=sure)), tenant
    except SignInRefused as error:
        services.log.info("sign-in refused", why=error.why, tenant=tenant or None)
        raise


def demand_door_rate(request: AnyRequest) -> None:
    """Raises `TooFast` for a network that tries too many codes."""
    services = services_of(request)
    peer = request.client.host if request.client else ""
    address = client_address(peer, request.headers.get("x-forwarded-for", ""), services.settings.trusted_proxies)
    services.limiter.take(f"door {prefix_of(address)}", services.settings.prefix_rate, now())


def _door(request: AnyRequest, *, flash: Flash | None = None, problem: Any = None, code: str = "") -> DoorPage:
    return DoorPage(
        frame=replace(frame(request, flash=flash), path="/p/"),
        brand=brand(request, door_tenant(request)),
        problem=problem,
        mail=services_of(request).outbox.configured,
        code=code,
    )


def _from_brand(request: AnyRequest, code: str) -> bool:
    """Whether the form came from a page of the brand that the code names, or from our own."""
    configurations = services_of(request).configurations
    try:
        tenant = tenant_named(code)
        sites = configurations.of(tenant).sites.values()
    except SaysoError:
        return False
    origin = request.headers.get("origin", "").lower()
    return any(origin in (*site.origins, site.portal) for site in sites if origin)


handlers: list[BaseRouteHandler] = [door, enter, to_door, hand_over, look]
