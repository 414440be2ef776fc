"""The banner's side: configuration for browsers, and the choices they send back. Nothing a browser says is trusted."""

from hashlib import blake2b, sha256
from typing import Annotated, Any

from litestar import Request, Response, get, post, route
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import (
    Act,
    DirectiveState,
    Evidence,
    Identifier,
    Signal,
    Submission,
    reached,
)
from sayso.kernel import Actor, Denied, Invalid, NotFound, SaysoError, Tx, Work, now
from sayso.server import site_token, store
from sayso.server.asking import asking
from sayso.server.auth import Principal
from sayso.server.call import Call
from sayso.server.configuration import Configuration
from sayso.server.opting import GPC, sends_gpc
from sayso.server.pages import (
    BANNER_HEADERS,
    BannerConfiguration,
    banner_script,
)
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.seen import network_of, observed
from sayso.server.sessions import NONCE
from sayso.server.sites import Site
from sayso.server.tenancy import DEFAULT
from sayso.server.wiring import Services

AnyRequest = Request[Any, Any, Any]

_BROWSERS = "browsers of visitors have no key; a short-lived token, the origin and rate limits stand in for it"

Word = Annotated[str, Meta(max_length=128)]


class UnknownSite(NotFound):
    """No site of that name, in any brand."""


class ForeignOrigin(Denied):
    """The page that asks is not one of the site's."""


class SiteChoices(Struct, frozen=True, forbid_unknown_fields=True):
    """What a visitor chose. `device` is random and made by the browser: 22 or more base64url characters.

    `interface` (`banner`, `choices`, `embed`) and `steps_shown` are kept as evidence, behind the wording's mark.
    """

    token: Annotated[str, Meta(max_length=512)]
    device: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22,128}$")]
    notice: Word
    notice_version: int
    locale: Annotated[str, Meta(max_length=35)]
    choices: dict[Word, Act]
    method: Word = "banner"
    gpc: bool = False
    conflict_shown: bool = False
    interface: Annotated[str, Meta(max_length=128)] = ""
    steps_shown: Annotated[int, Meta(ge=0, le=1_000)] = 0


class SiteSignal(Struct, frozen=True, forbid_unknown_fields=True):
    """The browser's opt-out signal, from a visitor who chooses nothing now (`navigator.globalPrivacyControl`)."""

    token: Annotated[str, Meta(max_length=512)]
    device: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22,128}$")]
    gpc: bool = False


class Honoured(Struct, frozen=True):
    """The signal is honoured: `purposes` are those it says no to now, `lifted` those granted against it since."""

    purposes: list[str]
    lifted: list[str]
    status: str = "honoured"


class SiteRecorded(Struct, frozen=True):
    """Proof for the visitor. No person's id goes to a browser."""

    record: str
    receipt: str
    entry: str
    gpc: Honoured | UnsetType = UNSET


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
    services = services_of(request)
    configuration, found = site_of(services, site)
    shown, mark = asking(request, services, configuration, found, locale, wording)
    headers = {name: value for name, value in BANNER_HEADERS.items() if name != "content-type"} | {
        "etag": mark,
        # The token inside is one browser's: shared caches must not hand it on.
        "cache-control": f"private, max-age={services.settings.banner_max_age}",
    }
    if request.headers.get("if-none-match") == mark:
        return Response(b"", status_code=304, headers=headers)
    return Response(banner_script(shown), media_type=BANNER_HEADERS["content-type"], headers=headers)


@get("/v1/sites/{site:str}/banner.json", opt=public(_BROWSERS), operation_id="sites.configuration", tags=["Sites"])
async def banner_json(
    request: AnyRequest, site: FromPath[str], locale: FromQuery[str | None] = None, wording: FromQuery[str] = ""
) -> Response[BannerConfiguration]:
    """The same configuration as JSON: asked for when a token ended or a notice changed."""
    services = services_of(request)
    configuration, found = site_of(services, site)
    shown, _ = asking(request, services, configuration, found, locale, wording)
    return Response(shown, headers={"cache-control": "no-store"} | _cors(request, found))


@route(
    "/v1/sites/{site:str}/choices",
    http_method=["OPTIONS"],
    opt=public(_BROWSERS),
    operation_id="sites.preflight",
    include_in_schema=False,
)
async def preflight(request: AnyRequest, site: FromPath[str]) -> Response[None]:
    """What a browser asks before it sends choices from another origin."""
    return _preflight(request, site)


@route(
    "/v1/sites/{site:str}/signals",
    http_method=["OPTIONS"],
    opt=public(_BROWSERS),
    operation_id="sites.signal_preflight",
    include_in_schema=False,
)
async def signal_preflight(request: AnyRequest, site: FromPath[str]) -> Response[None]:
    """The same for a signal."""
    return _preflight(request, site)


@post("/v1/sites/{site:str}/choices", opt=public(_BROWSERS), operation_id="sites.choose", tags=["Sites"])
async def choose(request: AnyRequest, site: FromPath[str], data: JSONBody[SiteChoices]) -> Response[SiteRecorded]:
    """Record a visitor's choices. A browser that refuses everything and is unknown stays unknown."""
    services = services_of(request)
    configuration, found = site_of(services, site)
    headers = _cors(request, found, demand=True)
    demand_rate(request, services, configuration.tenant, found)
    scope: Any = request.scope
    key = request.headers.get("idempotency-key")
    call = Call(services, visitor(configuration.tenant, found), scope["sayso.request"], "sites.choose", key)
    token = site_token.check(services.keyring, configuration.tenant, found.name, data.token, call.context.at)
    body = await request.body()
    signals = _signals(request, found, data.gpc, data.device)
    # The wording as the token says, not the browser: the token was made for the words that were sent.
    shown = found.wording(token.wording)
    interface = f"{shown.mark(data.locale)}/{data.interface}"[:128] if shown is not None else data.interface
    seen = observed(request, interface, data.steps_shown)
    response = answered(await call.create(lambda tx: _chosen(call, token, data, signals, seen, tx), body))
    response.headers.update(headers)
    return response


@post("/v1/sites/{site:str}/signals", opt=public(_BROWSERS), operation_id="sites.signal", tags=["Sites"])
async def signal(request: AnyRequest, site: FromPath[str], data: JSONBody[SiteSignal]) -> Response[SiteSignalled]:
    """Honour a browser's opt-out signal (`Sec-GPC`) without a choice. A device that nobody knows stays unknown."""
    services = services_of(request)
    configuration, found = site_of(services, site)
    headers = _cors(request, found, demand=True)
    demand_rate(request, services, configuration.tenant, found)
    scope: Any = request.scope
    key = request.headers.get("idempotency-key")
    call = Call(services, visitor(configuration.tenant, found), scope["sayso.request"], "sites.signal", key)
    token = site_token.check(services.keyring, configuration.tenant, found.name, data.token, call.context.at)
    signals = _signals(request, found, data.gpc, data.device)
    if not signals:
        raise Invalid("no-signal", "The browser sends no opt-out signal.")

    def unit(tx: Tx) -> Work[SiteSignalled]:
        yield from _bind(tx, token, data.device)
        catalogue = call.configuration.catalogue
        device = Identifier("device", data.device)
        made = yield from services.registry.signals.give_as(
            tx, catalogue, device, signals, method="banner", assurance="device"
        )
        if made is None:
            return SiteSignalled(Honoured(reached(catalogue, GPC), []))
        honoured, done = gpc_of(made.directives), made.recorded
        return SiteSignalled(honoured, done.record, done.receipt, done.entry) if done else SiteSignalled(honoured)

    response = answered(await call.create(unit, await request.body()))
    response.headers.update(headers)
    return response


def site_of(services: Services, name: str) -> tuple[Configuration, Site]:
    """A site by its public name: `shop` of the brand `default`, `acme.shop` of `acme`. Raises `UnknownSite`."""
    tenant, _, site = name.rpartition(".")
    try:
        configuration = services.configurations.of(tenant or DEFAULT)
    except SaysoError:
        raise _unknown() from None
    found = configuration.sites.get(site)
    if found is None:
        raise _unknown()
    return configuration, found


def visitor(tenant: str, site: Site) -> Principal:
    """Whoever sits in front of a browser on this site."""
    mark = blake2b(site.name.encode(), digest_size=16, person=b"sayso.site").hexdigest()
    return Principal(
        tenant, Actor(f"site_{mark}", f"site:{site.name}", "browser", frozenset({"site"}), assurance="device")
    )


def _chosen(
    call: Call, token: site_token.SiteToken, data: SiteChoices, signals: tuple[Signal, ...], seen: Evidence, tx: Tx
) -> Work[SiteRecorded]:
    """Bind the token to the device that uses it first, then record."""
    yield from _bind(tx, token, data.device)
    submission = Submission(
        choices=data.choices,
        notice=data.notice,
        notice_version=data.notice_version,
        locale=data.locale,
        method=data.method,
        assurance="device",
        identifier=Identifier("device", data.device),
        evidence=seen,
        signals=signals,
        conflict_shown=data.conflict_shown,
    )
    made = yield from call.services.registry.choose(tx, call.configuration.catalogue, submission)
    return SiteRecorded(made.record, made.receipt, made.entry, gpc_of(made.directives))


def _bind(tx: Tx, token: site_token.SiteToken, name: str) -> Work[None]:
    """A token belongs to the device that used it first. Raises `TokenRefused` for any other."""
    device = sha256(name.encode()).digest()[:16]
    mark = site_token.nonce_mark(token)
    (bound,) = yield (tx.get(store.SESSION, mark),)
    if bound is None:
        tx.insert(store.SESSION, mark, NONCE, device, "device", token.until)
    elif bound[1] != device:
        raise site_token.refused()


def _signals(request: AnyRequest, site: Site, script: bool, device: str) -> tuple[Signal, ...]:
    """The browser's opt-out signal, if it sends one: in the header, or as its script read it."""
    source = "header" if sends_gpc(request) else "script" if script else None
    if source is None:
        return ()
    return (Signal(GPC, source, device.encode(), only_required=site.gpc == "required"),)


def gpc_of(directives: list[DirectiveState] | UnsetType) -> Honoured | UnsetType:
    """What a browser is told of its signal: that it is honoured, and for what."""
    for each in directives or []:
        if each.kind == GPC:
            return Honoured(each.purposes, each.lifted)
    return UNSET


def _preflight(request: AnyRequest, site: str) -> Response[None]:
    _, found = site_of(services_of(request), site)
    allowed = {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type, idempotency-key",
        "access-control-max-age": "600",
    }
    return Response(None, status_code=204, headers=_cors(request, found) | allowed)


def _cors(request: AnyRequest, site: Site, *, demand: bool = False) -> dict[str, str]:
    """Headers for the site's own origins. With `demand`, raises `ForeignOrigin` for every other page and for none."""
    origin = request.headers.get("origin", "").lower()
    if origin in site.origins:
        return {"access-control-allow-origin": origin, "vary": "origin, sec-gpc"}
    if demand:
        raise ForeignOrigin("foreign-origin", "This page is not one of the site's.")
    return {"vary": "origin, sec-gpc"}


def demand_rate(request: AnyRequest, services: Services, tenant: str, site: Site) -> None:
    """Raises `TooFast` for a site or a network that sends too much."""
    settings, at = services.settings, now()
    services.limiter.take(f"site {tenant} {site.name}", settings.site_rate, at)
    services.limiter.take(f"site {tenant} {site.name} {network_of(request)}", settings.prefix_rate, at)


def _unknown() -> UnknownSite:
    return UnknownSite("not-found", "There is no such site.")


handlers: list[BaseRouteHandler] = [banner, banner_json, preflight, choose, signal_preflight, signal]
