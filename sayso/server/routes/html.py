"""What the page routes share: frames, forms, cookies, and the check that a form came from our own page."""

from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie

from sayso.kernel import Denied
from sayso.server.brand.installing import accents
from sayso.server.brand.look import Look, style_of
from sayso.server.brand.portals import Portal, portal_at
from sayso.server.manifests.configuration import Configuration
from sayso.server.pages import PAGE_HEADERS, Brand, Flash, Frame, negotiate, theme_of
from sayso.server.routes.gate import services_of
from sayso.server.tenancy import DEFAULT

AnyRequest = Request[Any, Any, Any]

THEME_COOKIE, LOCALE_COOKIE = "sayso_theme", "sayso_locale"


class ForeignForm(Denied):
    """A form that did not come from a page of this server."""


class StaleForm(Denied):
    """A form whose token is not that of the session."""


def frame(request: AnyRequest, *, csrf: str = "", flash: Flash | None = None) -> Frame:
    """The frame of the page at this address, in the visitor's language and light."""
    cookies = request.cookies
    return Frame(
        locale=negotiate(cookies.get(LOCALE_COOKIE), request.headers.get("accept-language")),
        theme=theme_of(cookies.get(THEME_COOKIE)),
        path=request.url.path,
        csrf=csrf,
        flash=flash,
        demo=services_of(request).settings.demo,
    )


def brand(request: AnyRequest, tenant: str, site: str = "") -> Brand:
    """In whose name a page speaks, in the look of this site, else of this host's, else of the first that has one."""
    configuration = services_of(request).configurations.of(tenant)
    controller = configuration.controller
    told = configuration.catalogue.controller.contact
    here = portal_of(request)
    if not site and here is not None and here.tenant == tenant:
        site = here.site.name
    look = look_of(configuration, site)
    style = style_of(look)
    name = f"{tenant}.{site}" if site else tenant
    return Brand(
        name=(look.name if look is not None else "") or controller.partition(",")[0],
        controller=controller,
        contact=told.email or None,
        privacy_url=told.url or None,
        style=f"/p/look/{name}.css?{sha256(style.encode()).hexdigest()[:10]}" if style else "",
        app=f"/p/look/{name}",
        accents=accents(look),
    )


def look_of(configuration: Configuration, site: str = "") -> Look | None:
    """The look of that site, else of the brand's first site that has one, in the order of the manifest."""
    sites = configuration.sites
    named = [sites[site]] if site in sites else []
    return next((each.look for each in (*named, *sites.values()) if each.look is not None), None)


def portal_of(request: AnyRequest) -> Portal | None:
    """The brand whose own host this request came to."""
    return portal_at(services_of(request).configurations, request.headers.get("host", ""))


def door_tenant(request: AnyRequest, named: str = "") -> str:
    """In whose name the door speaks: the brand of this host, else the one that is named, else the first."""
    here = portal_of(request)
    if here is not None:
        return here.tenant
    tenants = services_of(request).configurations.tenants()
    return named if named in tenants else DEFAULT if DEFAULT in tenants else tenants[0]


def request_id(request: AnyRequest) -> str:
    """The id of this request, as the log has it."""
    scope: Any = request.scope
    found: str = scope["sayso.request"]
    return found


def html(text: str, *, status: int = 200) -> Response[str]:
    """A page with its strict policy."""
    headers = {name: value for name, value in PAGE_HEADERS.items() if name != "content-type"}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


def see(address: str, *, cookies: list[Cookie] | None = None) -> Response[None]:
    """303 to another page."""
    headers = {"location": address, "cache-control": "no-store"}
    return Response(None, status_code=303, headers=headers, cookies=cookies)


async def form(request: AnyRequest) -> dict[str, list[str]]:
    """A form of our own pages: every value of every name. Raises `ForeignForm` when it came from elsewhere."""
    demand_own_origin(request)
    return await form_from_anywhere(request)


async def form_from_anywhere(request: AnyRequest) -> dict[str, list[str]]:
    """The same without that check: for forms whose content is a credential by itself."""
    data = await request.form()
    return {name: [value for value in data.getall(name) if isinstance(value, str)] for name in data}


def first(values: dict[str, list[str]], name: str) -> str:
    """The first value of a name, or nothing."""
    return values.get(name, [""])[0]


def demand_csrf(values: dict[str, list[str]], csrf: str) -> None:
    """Raises `StaleForm` unless the form carries the session's token."""
    if not compare_digest(first(values, "csrf").encode(), csrf.encode()):
        raise StaleForm("stale-form", "This form is no longer valid; load the page again.")


def demand_own_origin(request: AnyRequest) -> None:
    """A browser says where a form comes from; one from another site is refused whatever cookie came with it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignForm("foreign-form", "This form was sent from another site.")
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignForm("foreign-form", "This form was sent from another site.")


def cookie(request: AnyRequest, name: str, value: str, *, path: str, seconds: int, strict: bool = False) -> Cookie:
    """A cookie that scripts cannot read; `Secure` where we are reached by TLS."""
    here = portal_of(request)
    address = here.site.portal if here is not None else services_of(request).settings.base_url
    secure = address.startswith("https:")
    kind: Any = "strict" if strict else "lax"
    return Cookie(key=name, value=value, path=path, max_age=seconds, httponly=True, secure=secure, samesite=kind)


def gone(request: AnyRequest, name: str, *, path: str) -> Cookie:
    """The end of a cookie."""
    return cookie(request, name, "", path=path, seconds=0)
