"""The demo brand's own shop, served only by `sayso demo`. Its server side calls Sayso as any brand's server would."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from consent import Identifier, NoSubject, Submission
from sayso.kernel import Actor, Invalid, NotFound, Tx, Work, raw
from sayso.server.brand.texts import language_of, worded
from sayso.server.call import Call
from sayso.server.callers.auth import Principal
from sayso.server.callers.sessions import LINK_TERM_S
from sayso.server.mailroom import MAILER_PATH, Mailroom
from sayso.server.pages import (
    GalleryPage,
    MailroomPage,
    QueuedLetter,
    ShopPage,
    SignedUp,
    Tag,
    read_choice_cookie,
    render_gallery,
    render_mailroom,
    render_shop,
)
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import brand, first, form, frame, html, see
from sayso.server.tenancy import DEFAULT
from vault import SubjectFacts

AnyRequest = Request[Any, Any, Any]

SITE = "shop"
NEWS = "marketing.email"
SHOP_CLIENT = "shop"
_OPEN = public("a shop is for everyone; it exists only in the demo")


class NoDemo(NotFound):
    """This server is not the demo."""


@get("/demo/", opt=_OPEN, operation_id="demo.shop", include_in_schema=False)
async def shop(request: AnyRequest) -> Response[str]:
    """The shop with the banner on it."""
    return html(render_shop(_page(request)))


@post("/demo/signup", opt=_OPEN, operation_id="demo.signup", include_in_schema=False, dto=None, status_code=200)
async def signup(request: AnyRequest) -> Response[str]:
    """The brand's server at work: find or make the person, store the address, record the choice."""
    values = await form(request)
    email, news = first(values, "email"), first(values, "news") == "on"
    call = _shop(request)

    def unit(tx: Tx) -> Work[SignedUp]:
        services, configuration = call.services, call.configuration
        notice = configuration.catalogue.notice(configuration.sites[SITE].notice)
        submission = Submission(
            choices={NEWS: "granted" if news else "refused"},
            notice=notice.name,
            notice_version=notice.version,
            locale=language_of(notice.text, frame(request).locale),
            method="api",
            identifier=Identifier("email", email),
        )
        made = yield from services.registry.record(tx, configuration.catalogue, submission)
        return SignedUp(token=made.subject or "", entry=made.entry, news=news)

    def keep(made: SignedUp) -> Any:
        def unit(tx: Tx) -> Work[SignedUp]:
            facts = SubjectFacts(raw(made.token, "sub"), known=True, erased=False)
            stored = yield from call.services.vault.store(
                tx, call.configuration.collections, facts, "customers", {"email": email}
            )
            return SignedUp(token=stored.tokens["email"], entry=made.entry, news=news)

        return unit

    try:
        made = await call.run(unit)
        signed_up = await call.run(keep(made))
    except Invalid:
        return html(render_shop(_page(request, problem="email")), status=400)
    if news:
        _mailroom(request).queue(signed_up.token, made.token)
    return html(render_shop(_page(request, signed_up=signed_up)))


@get("/demo/mailer", opt=_OPEN, operation_id="demo.mailer", include_in_schema=False)
async def mailer(request: AnyRequest) -> Response[str]:
    """The mailer's queue."""
    letters = tuple(
        QueuedLetter(token=each.token, queued_at=each.queued_at, dropped_at=each.dropped_at or None)
        for each in _mailroom(request).letters
    )
    return html(render_mailroom(MailroomPage(frame=frame(request), brand=brand(request, DEFAULT), letters=letters)))


@post(
    MAILER_PATH,
    opt=public("messages of the feed are signed; it exists only in the demo"),
    operation_id="demo.changes",
    include_in_schema=False,
    dto=None,
    status_code=204,
)
async def changes(request: AnyRequest) -> None:
    """The mailer's webhook: what Sayso tells it."""
    _mailroom(request).told(request.headers, await request.body())


@post(
    "/demo/mailer/unsubscribe", opt=_OPEN, operation_id="demo.stop", include_in_schema=False, dto=None, status_code=303
)
async def unsubscribe(request: AnyRequest) -> Response[Any]:
    """What the reader of an earlier letter clicks. It goes to the registry; the mailer hears of it from there."""
    token = first(await form(request), "token")
    found = next((each for each in _mailroom(request).letters if each.token == token), None)
    if found is not None:
        call, subject = _shop(request), raw(found.subject, "sub")

        def unit(tx: Tx) -> Work[Any]:
            return call.services.registry.withdraw(tx, call.configuration.catalogue, subject, [NEWS])

        await call.run(unit)
    return see("/demo/mailer")


@post("/demo/choices", opt=_OPEN, operation_id="demo.choices", include_in_schema=False, dto=None, status_code=303)
async def choices(request: AnyRequest) -> Response[Any]:
    """From the shop to the visitor's own preference page, by the device in the banner's cookie."""
    await form(request)
    call = _shop(request)
    held = read_choice_cookie(request.cookies.get(f"sayso_{SITE}", ""))
    if held is None or held.device is None:
        return see("/demo/?unknown=1")
    identifier = Identifier("device", held.device)

    def unit(tx: Tx) -> Work[str]:
        found = yield from call.services.registry.resolve(tx, identifier, create=False)
        link = yield from call.services.registry.create_link(tx, raw(found.subject, "sub"), LINK_TERM_S)
        return f"/p/#{tx.context.tenant}.{link.code}"

    try:
        return see(await call.run(unit))
    except NoSubject:
        return see("/demo/?unknown=1")


@get("/gallery", opt=public("shows components, holds no data"), operation_id="demo.gallery", include_in_schema=False)
async def gallery(request: AnyRequest) -> Response[str]:
    """Every component once."""
    _demand_demo(request)
    return html(render_gallery(GalleryPage(frame=frame(request))))


def _page(request: AnyRequest, signed_up: SignedUp | None = None, problem: Any = None) -> ShopPage:
    _demand_demo(request)
    shown = frame(request)
    purposes = services_of(request).configurations.of(DEFAULT).purposes

    def title(name: str) -> str:
        return worded(purposes[name].title, shown.locale, name) if name in purposes else name

    tags = (
        Tag(purpose="analytics", title=title("analytics"), script="demo-statistics.js"),
        Tag(purpose="ads", title=title("ads"), script="demo-adverts.js"),
    )
    return ShopPage(
        frame=shown,
        brand=brand(request, DEFAULT),
        banner_src=f"/v1/sites/{SITE}/banner.js",
        tags=tags,
        news_title=title(NEWS),
        signed_up=signed_up,
        problem=problem,
    )


def _shop(request: AnyRequest) -> Call:
    """The brand's own server as a client of Sayso."""
    _demand_demo(request)
    services = services_of(request)
    actor = services.configurations.of(DEFAULT).client(SHOP_CLIENT)
    scope: Any = request.scope
    principal = Principal(
        DEFAULT, actor or Actor("shop", SHOP_CLIENT, "service", frozenset({"recorder", "vault_writer"}))
    )
    return Call(services, principal, scope["sayso.request"], "demo")


def _mailroom(request: AnyRequest) -> Mailroom:
    _demand_demo(request)
    room = services_of(request).mailroom
    assert room is not None
    return room


def _demand_demo(request: AnyRequest) -> None:
    if not services_of(request).settings.demo:
        raise NoDemo("not-found", "There is nothing here.")


handlers: list[BaseRouteHandler] = [shop, signup, choices, mailer, changes, unsubscribe, gallery]
