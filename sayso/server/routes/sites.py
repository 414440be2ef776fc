"""The banner's side: configuration for browsers, and the choices they send back. Nothing a browser says is trusted."""

from typing import Annotated, Any

from litestar import Request, Response, get, post, route
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import Identifier, reached
from sayso.kernel import Invalid, SaysoError, Tx, Work
from sayso.server import problems
from sayso.server.brand.opting import GPC
from sayso.server.callers import site_token
from sayso.server.calls import sites as calls
from sayso.server.calls.sites import Honoured, SiteChoices, SiteRecorded, Visit, bind, gpc_of, signals_of
from sayso.server.pages import BannerConfiguration
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import public, services_of

AnyRequest = Request[Any, Any, Any]

_BROWSERS = "browsers of visitors have no key; a short-lived token, the origin and rate limits stand in for it"


class SiteSignal(Struct, frozen=True, forbid_unknown_fields=True):
    """The browser's opt-out signal, from a visitor who chooses nothing now (`navigator.globalPrivacyControl`)."""

    token: Annotated[str, Meta(max_length=512)]
    device: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22,128}$")]
    gpc: bool = False


class SiteSignalled(Struct, frozen=True):
    """What came of a signal. `record` is left out where it stood already, and where nobody is known by the device: then
    the browser alone holds it.
    """

    gpc: Honoured | UnsetType = UNSET
    record: str | UnsetType = UNSET
    receipt: str | UnsetType = UNSET
    entry: str | UnsetType = UNSET


@get(
    "/v1/sites/{site:str}/banner.js",
    opt=public(_BROWSERS),
    operation_id="sites.banner",
    tags=["Sites"],
    media_type="text/javascript",
)
async def banner(
    request: AnyRequest, site: FromPath[str], locale: FromQuery[str | None] = None, wording: FromQuery[str] = ""
) -> Response[bytes]:
    """The banner with its configuration and language inside, ready to embed. `wording` picks one of those tried."""
    visited = visit_of(request, site)
    services = visited.services
    asked, found = services.asking.of(visited.configuration, visited.site, visited.browser, locale, wording)
    packed = visited.browser.unpacks
    headers = calls.banner_lines(found.mark, services.settings.banner_max_age, packed)
    if calls.still_has(",".join(request.headers.getall("if-none-match", [])), found.mark):
        return Response(b"", status_code=304, headers=headers)
    token = services.asking.token(visited.configuration, visited.site, asked)
    body = found.packed_with(token) if packed else found.script_with(token)
    # The framework adds the charset by itself.
    return Response(body, media_type="text/javascript", headers=headers | calls.packing_lines(packed))


@get("/v1/sites/{site:str}/banner.json", opt=public(_BROWSERS), operation_id="sites.configuration", tags=["Sites"])
async def banner_json(
    request: AnyRequest, site: FromPath[str], locale: FromQuery[str | None] = None, wording: FromQuery[str] = ""
) -> Response[BannerConfiguration]:
    """The same configuration as JSON: asked for when a token ended or a notice changed."""
    visited = visit_of(request, site)
    asking = visited.services.asking
    asked, found = asking.of(visited.configuration, visited.site, visited.browser, locale, wording)
    token = asking.token(visited.configuration, visited.site, asked)
    return Response(found.with_token(token), headers={"cache-control": "no-store"} | visited.cors())


@route(
    "/v1/sites/{site:str}/choices",
    http_method=["OPTIONS"],
    opt=public(_BROWSERS),
    operation_id="sites.preflight",
    include_in_schema=False,
)
async def preflight(request: AnyRequest, site: FromPath[str]) -> Response[None]:
    """What a browser asks before it sends choices from another origin."""
    return preflighted(request, site)


@route(
    "/v1/sites/{site:str}/signals",
    http_method=["OPTIONS"],
    opt=public(_BROWSERS),
    operation_id="sites.signal_preflight",
    include_in_schema=False,
)
async def signal_preflight(request: AnyRequest, site: FromPath[str]) -> Response[None]:
    """The same for a signal."""
    return preflighted(request, site)


@post(
    "/v1/sites/{site:str}/choices",
    opt=public(_BROWSERS) | documented(SiteChoices),
    operation_id="sites.choose",
    tags=["Sites"],
)
async def choose(request: AnyRequest, site: FromPath[str]) -> Response[SiteRecorded]:
    """Record a visitor's choices. A browser that refuses everything and is unknown stays unknown."""
    scope: Any = request.scope
    key = request.headers.get("idempotency-key")
    told: dict[str, str] = {}
    try:
        body = await json_body(request)
        response = answered(
            await calls.chosen(services_of(request), site, scope, key, scope["sayso.request"], body, told)
        )
    except Exception as error:
        if problems.understood(error) is None:
            raise
        return refused(error, told)
    response.headers.update(told)
    return response


@post("/v1/sites/{site:str}/signals", opt=public(_BROWSERS), operation_id="sites.signal", tags=["Sites"])
async def signal(request: AnyRequest, site: FromPath[str], data: JSONBody[SiteSignal]) -> Response[SiteSignalled]:
    """Honour a browser's opt-out signal (`Sec-GPC`) without a choice. A device that nobody knows stays unknown."""
    visited = visit_of(request, site)
    headers = visited.demand_origin()
    try:
        response = await _signalled(request, visited, data)
    except SaysoError as error:
        return refused(error, headers)
    response.headers.update(headers)
    return response


async def _signalled(request: AnyRequest, visited: Visit, data: SiteSignal) -> Response[Any]:
    visited.demand_rate()
    services = visited.services
    scope: Any = request.scope
    call = visited.call("sites.signal", scope["sayso.request"], request.headers.get("idempotency-key"))
    token = site_token.check(services.keyring, call.tenant, visited.site.name, data.token, call.context.at)
    signals = signals_of(visited, data.gpc, data.device)
    if not signals:
        raise Invalid("no-signal", "The browser sends no opt-out signal.")

    def unit(tx: Tx) -> Work[SiteSignalled]:
        yield from bind(tx, token, data.device)
        catalogue = call.configuration.catalogue
        device = Identifier("device", data.device)
        made = yield from services.registry.signals.give_as(
            tx, catalogue, device, signals, method="banner", assurance="device"
        )
        if made is None:
            return SiteSignalled(Honoured(reached(catalogue, GPC), []))
        honoured, done = gpc_of(made.directives), made.recorded
        return SiteSignalled(honoured, done.record, done.receipt, done.entry) if done else SiteSignalled(honoured)

    return answered(await call.create(unit, await request.body()))


def visit_of(request: AnyRequest, site: str) -> Visit:
    """The visit behind a request. Raises `UnknownSite`."""
    return calls.visit(services_of(request), site, request.scope)


def refused(error: Exception, headers: dict[str, str]) -> Response[Any]:
    """The answer to an error that a page of the site may read: the banner acts on it."""
    status, more, body = problems.respond(error)
    kind = more.pop("content-type")
    return Response(body, status_code=status, media_type=kind, headers=headers | more)


def preflighted(request: AnyRequest, site: str) -> Response[None]:
    """The answer to a preflight, for the site's own pages only."""
    allowed = {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type, idempotency-key",
        "access-control-max-age": "600",
    }
    return Response(None, status_code=204, headers=visit_of(request, site).cors() | allowed)


handlers: list[BaseRouteHandler] = [banner, banner_json, preflight, choose, signal_preflight, signal]
