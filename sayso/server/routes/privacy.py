"""The opt-out links of a site: reachable by anyone, working without a script (CCPA 1798.135(a); 11 CCR 7013, 7014).

Nobody has to prove who they are to opt out (11 CCR 7026(d)). The answer is the same whether or not anybody is known by
what was typed, and nobody is made by it.
"""

from typing import Any
from urllib.parse import quote, unquote, urlsplit

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from consent import Identifier, Signal, reached
from sayso.kernel import Invalid, NotFound, Tx, Work
from sayso.server.brand.asking import OPTED_OUT_DAYS
from sayso.server.brand.opting import sends_gpc
from sayso.server.brand.texts import worded
from sayso.server.calls.sites import site_of
from sayso.server.manifests.configuration import Configuration
from sayso.server.manifests.sites import Site
from sayso.server.pages import (
    OPT_OUT_LINKS,
    ChoiceCookie,
    OptOutLink,
    PrivacyPage,
    print_choice_cookie,
    read_choice_cookie,
    render_privacy,
)
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import brand, first, form, frame, html, see
from sayso.server.routes.sites import visit_of

AnyRequest = Request[Any, Any, Any]

_ANYONE = public("an opt-out link must work for anyone, without an account (11 CCR 7026)")
_KINDS = ("email", "phone", "customer_id")
_HELD = "sayso_opted_out"
_LONGEST = 512


@get("/privacy/{site:str}", opt=_ANYONE, operation_id="privacy.choices", include_in_schema=False)
async def choices(request: AnyRequest, site: FromPath[str]) -> Response[str]:
    """Both links on one page ("Your Privacy Choices", 11 CCR 7015)."""
    return html(render_privacy(_page(request, site, tuple(OPT_OUT_LINKS))))


@get("/privacy/{site:str}/{link:str}", opt=_ANYONE, operation_id="privacy.link", include_in_schema=False)
async def link(
    request: AnyRequest, site: FromPath[str], link: FromPath[str], done: FromQuery[str | None] = None
) -> Response[str]:
    """One link's page."""
    wanted = _link(link)
    return html(render_privacy(_page(request, site, (wanted,), done=wanted if done else None)))


@post(
    "/privacy/{site:str}/{link:str}",
    opt=_ANYONE,
    operation_id="privacy.opt_out",
    include_in_schema=False,
    dto=None,
    status_code=303,
)
async def opt_out(request: AnyRequest, site: FromPath[str], link: FromPath[str]) -> Response[Any]:
    """Opt out: the browser's own device, and whoever is known by what was typed."""
    wanted = _link(link)
    values = await form(request)
    visited = visit_of(request, site)
    services, configuration, found, _ = visited
    visited.demand_rate()
    here = _is_here(request, found)
    known = _cookie(request, found) if here else None
    identifiers = _typed(values, wanted)
    if known is not None and known.device is not None:
        identifiers.append(Identifier("device", known.device))
    if not identifiers and not here:
        return html(render_privacy(_page(request, site, (wanted,), problem=True)), status=422)
    scope: Any = request.scope
    call = visited.call("privacy.opt_out", scope["sayso.request"])
    given = Signal(OPT_OUT_LINKS[wanted], "link", b"opt-out link")

    def unit(identifier: Identifier) -> Any:
        def give(tx: Tx) -> Work[None]:
            yield from services.registry.signals.give_as(
                tx, call.configuration.catalogue, identifier, [given], method="opt_out_link", assurance="device"
            )

        return give

    try:
        for identifier in identifiers:
            await call.run(unit(identifier))
    except Invalid:
        return html(render_privacy(_page(request, site, (wanted,), problem=True)), status=422)
    cookies = _cookies(request, configuration, found, known, wanted) if here else []
    return see(f"/privacy/{site}/{wanted}?done=1", cookies=cookies)


def _page(
    request: AnyRequest,
    name: str,
    links: tuple[OptOutLink, ...],
    *,
    done: OptOutLink | None = None,
    problem: bool = False,
) -> PrivacyPage:
    configuration, site = site_of(services_of(request), name)
    shown = frame(request)
    purposes = configuration.catalogue.purposes

    def titles(link: OptOutLink) -> tuple[str, ...]:
        names = reached(configuration.catalogue, OPT_OUT_LINKS[link])
        return tuple(worded(purposes[each].title, shown.locale, each) for each in names)

    held = request.cookies.get(_HELD, "").split(".")
    return PrivacyPage(
        frame=shown,
        brand=brand(request, configuration.tenant),
        site=name,
        links=links,
        reached={link: titles(link) for link in links},
        here=_is_here(request, site),
        done=done,
        held=tuple(link for link in links if link in held),
        gpc=sends_gpc(request),
        problem="identifier" if problem else None,
    )


def _link(name: str) -> OptOutLink:
    if name not in OPT_OUT_LINKS:
        raise NotFound("not-found", "There is nothing here.")
    return name


def _typed(values: dict[str, list[str]], link: OptOutLink) -> list[Identifier]:
    """Whom the visitor says they are, if they say so. The two forms of one page have names of their own."""
    kind, value = first(values, f"{link}-kind"), first(values, f"{link}-value").strip()
    return [Identifier(kind, value)] if value and len(value) <= _LONGEST and kind in _KINDS else []


def _is_here(request: AnyRequest, site: Site) -> bool:
    """Whether this page is served under the site's own name, so that the banner reads the cookies set here."""
    host = request.headers.get("host", "").lower()
    domain = (site.cookie_domain or "").lstrip(".").lower()
    name = host.rpartition(":")[0] or host
    return any(urlsplit(origin).netloc == host for origin in site.origins) or bool(
        domain and (name == domain or name.endswith("." + domain))
    )


def _cookie(request: AnyRequest, site: Site) -> ChoiceCookie | None:
    return read_choice_cookie(unquote(request.cookies.get(f"sayso_{site.name}", "")))


def _cookies(
    request: AnyRequest, configuration: Configuration, site: Site, known: ChoiceCookie | None, link: OptOutLink
) -> list[Cookie]:
    """The banner's cookie with a no for what the link reaches, and the links that this browser holds."""
    catalogue = configuration.catalogue
    notice = catalogue.notice(site.notice)
    noes = set(reached(catalogue, OPT_OUT_LINKS[link]))
    old = known or ChoiceCookie(notice.name, notice.version, None, {})
    answers = dict(old.choices) | {name: "refused" for name in notice.purposes if name in noes}
    now_known = ChoiceCookie(old.notice, old.version, old.device, answers, old.over - noes, old.told, old.waiting)
    held = [each for each in OPT_OUT_LINKS if each == link or each in request.cookies.get(_HELD, "").split(".")]

    def lasting(name: str, value: str) -> Cookie:
        seconds = max(site.ask_again_days, OPTED_OUT_DAYS) * 86_400
        secure = services_of(request).settings.base_url.startswith("https:")
        return Cookie(
            key=name, value=value, path="/", max_age=seconds, domain=site.cookie_domain, secure=secure, samesite="lax"
        )

    return [
        lasting(f"sayso_{site.name}", quote(print_choice_cookie(now_known), safe="|:+*-~._")),
        lasting(_HELD, ".".join(held)),
    ]


handlers: list[BaseRouteHandler] = [choices, link, opt_out]
