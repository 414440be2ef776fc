"""Parts of the preference centre on the brand's own pages: a script for the page, and what its frames show.

A frame on another site gets no cookie, and asks for none. The brand's page hands it a sign-in token or a link's code
(`entering.py`); what that becomes is carried by the forms of the frame itself and ends with it, or after an hour.
"""

from typing import Any, Final

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from sayso.kernel import NotFound, now
from sayso.server.brand.opting import sends_gpc
from sayso.server.callers import sessions
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.callers.sign_in_tokens import SignInRefused
from sayso.server.calls.sites import site_of
from sayso.server.manifests.sites import Site
from sayso.server.pages import BANNER_HEADERS, LOCALES, Flash, Frame, Way, assets, theme_of
from sayso.server.pages.embed import PARTS, EmbedPage, Part, embed_headers, render_embed
from sayso.server.pages.environment import static_text
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import brand, first, form, frame
from sayso.server.routes.person_door import demand_door_rate, spend
from sayso.server.routes.person_session import AnyRequest, call_of, live_session
from sayso.server.views import person_acts
from sayso.server.views.person import preferences_page
from sayso.server.views.person_acts import Outcome
from sayso.server.views.person_uses import uses_page
from sayso.server.views.told import less_said, reach_said

_FRAMED = public("a frame on the brand's page; what it shows is opened by the brand's word for the person alone")
_SCRIPT: Final = "embed.js"


class NoSuchPart(NotFound):
    """No part of that name, or nothing that can be done there."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such part of the preference centre.")


@get(
    "/v1/sites/{site:str}/embed.js",
    opt=public("browsers of visitors have no key; the script holds no data"),
    operation_id="sites.embed",
    tags=["Sites"],
    media_type="text/javascript",
)
async def script(request: AnyRequest, site: FromPath[str]) -> Response[bytes]:
    """The elements `<sayso-choices>`, `<sayso-reach>` and `<sayso-uses>` for the brand's own pages."""
    site_of(services_of(request), site)
    file = assets()[_SCRIPT]
    headers = {name: value for name, value in BANNER_HEADERS.items() if name != "content-type"}
    headers |= {"etag": f'"{file}"', "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(b"", status_code=304, headers=headers)
    return Response(static_text(file).encode(), media_type=BANNER_HEADERS["content-type"], headers=headers)


@get("/p/embed/{site:str}/{part:str}", opt=_FRAMED, operation_id="embed.part", include_in_schema=False)
async def waiting(
    request: AnyRequest,
    site: FromPath[str],
    part: FromPath[str],
    locale: FromQuery[str] = "",
    theme: FromQuery[str] = "",
) -> Response[str]:
    """A part that waits for the brand's word. It holds nothing of anybody."""
    view = _View(request, site, part, locale, theme)
    return view.shown(EmbedPage(**view.empty))


@post(
    "/p/embed/{site:str}/{part:str}/{act:str}", opt=_FRAMED, operation_id="embed.act", include_in_schema=False, dto=None
)
async def act(
    request: AnyRequest,
    site: FromPath[str],
    part: FromPath[str],
    act: FromPath[str],
    locale: FromQuery[str] = "",
    theme: FromQuery[str] = "",
) -> Response[str]:
    """The brand's word is spent, or a person does something in the frame."""
    values = await form(request)
    view = _View(request, site, part, locale, theme)
    if act == "enter":
        return await _enter(view, values)
    try:
        secret = first(values, "session")
        session = await live_session(request, secret, sessions.EMBED, view.tenant)
    except NoSession:
        # The frame asks the page for its word again, and then says that this act did not count.
        return view.shown(EmbedPage(**view.empty, again=True), status=401)
    outcome = await _done(view, session, act, values)
    return await _open(view, session, secret, values, outcome)


class _View:
    """One frame: whose, on which site, of which part, in which language and light."""

    def __init__(self, request: AnyRequest, site: str, part: str, locale: str, theme: str) -> None:
        configuration, self.site = site_of(services_of(request), site)
        found = next((each for each in PARTS if each == part), None)
        if found is None:
            raise NoSuchPart
        self.request, self.part, self.tenant = request, found, configuration.tenant
        self.locale = locale if locale in LOCALES else frame(request).locale
        self.theme = theme_of(theme)
        self.way = Way(f"/p/embed/{site}/{part}", "session", "", f"?locale={self.locale}&theme={self.theme}")

    @property
    def empty(self) -> dict[str, Any]:
        """What every state of the frame has."""
        site: Site = self.site
        named = brand(self.request, self.tenant, site.name)
        return {"frame": self.frame(), "brand": named, "origins": site.origins, "part": self.part}

    def frame(self, secret: str = "", flash: Flash | None = None) -> Frame:
        way = Way(self.way.base, self.way.field, secret, self.way.query)
        return Frame(locale=self.locale, theme=self.theme, path=self.request.url.path, flash=flash, embedded=way)

    def shown(self, page: EmbedPage, *, status: int = 200) -> Response[str]:
        headers = embed_headers(self.site.origins)
        kind = headers.pop("content-type")
        return Response(render_embed(page), status_code=status, media_type=kind, headers=headers)


async def _enter(view: _View, values: dict[str, list[str]]) -> Response[str]:
    demand_door_rate(view.request)
    try:
        code = first(values, "code").strip()
        secret, _ = await spend(view.request, code, sessions.EMBED, sure=True, tenant=view.tenant)
    except SignInRefused:
        return view.shown(EmbedPage(**view.empty, refused=True), status=400)
    session = await live_session(view.request, secret, sessions.EMBED, view.tenant)
    if sends_gpc(view.request):
        await person_acts.honour(call_of(view.request, session, "embed.signal"), session)
    return await _open(view, session, secret, values, Outcome("csrf" if first(values, "again") else ""))


async def _done(view: _View, session: Session, act: str, values: dict[str, list[str]]) -> Outcome:
    part: Part = view.part
    call = call_of(view.request, session, f"embed.{act}")
    if part == "uses" and act == "uses":
        return Outcome("")
    if part == "reach" and act == "reach":
        return await person_acts.tell(call, session, values, reach_said)
    if part == "choices":
        if act == "choices":
            return await person_acts.choose(call, session, values, view.locale)
        if act == "withdraw":
            return await person_acts.withdraw(call, session)
        if act == "undo":
            return await person_acts.undo(call, session, values)
        if act == "less":
            return await person_acts.tell(call, session, values, less_said)
    raise NoSuchPart


async def _open(
    view: _View, session: Session, secret: str, values: dict[str, list[str]], outcome: Outcome
) -> Response[str]:
    """The part as it stands now, with the outcome of what was done."""
    flash = Flash(outcome.kind, None if outcome.refused else now()) if outcome.kind else None
    call = call_of(view.request, session, f"embed.{view.part}")
    page = EmbedPage(**view.empty | {"frame": view.frame(secret, flash)})
    shown: dict[str, Any] = {"frame": page.frame, "brand": page.brand}
    if view.part == "uses":
        of, before = first(values, "of"), first(values, "before") or None
        shown["uses"] = await call.look(lambda tx: uses_page(call, tx, session.ref, page.frame, page.brand, of, before))
    else:
        shown["person"] = await call.alone(
            lambda tx: preferences_page(call, tx, session.ref, page.frame, page.brand, outcome.unfit)
        )
    return view.shown(EmbedPage(**view.empty | shown), status=outcome.refused or 200)


handlers: list[BaseRouteHandler] = [script, waiting, act]
