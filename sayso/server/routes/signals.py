"""Directives over the API, what tags are told of a person, and each site's statement that it honours GPC."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import (
    Assurance,
    DirectiveState,
    NoSubject,
    Projection,
    PurposeState,
    Signal,
    allowed,
    project,
)
from sayso.kernel import NotFound, Tx, Work, iso, raw
from sayso.server.brand.opting import modes_of
from sayso.server.call import Call
from sayso.server.calls.consents import Method, Name
from sayso.server.calls.sites import site_of
from sayso.server.idempotency import Answer
from sayso.server.manifests.sites import Site
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits, public, services_of

AnyRequest = Request[Any, Any, Any]

_STATED = public("a statement of support is published for everyone (W3C GPC, section 5)")


class SignalBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A directive of the person: `gpc`, `opt_out` (of sale, sharing and targeted advertising) or `limit_sensitive`.

    `source` says how it reached you. `browser` is any name of the browser that sent it: what the same browser repeats
    is the same standing signal.
    """

    signal: Name
    source: Literal["header", "script", "link", "api"] = "api"
    browser: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    method: Method = "api"
    assurance: Assurance = "session"


class SignalGiven(Struct, frozen=True):
    """The directives that stand over the person now. `record` is left out where the signal stood already."""

    subject: str
    directives: list[DirectiveState]
    state: dict[str, PurposeState] | UnsetType = UNSET
    record: str | UnsetType = UNSET
    receipt: str | UnsetType = UNSET
    entry: str | UnsetType = UNSET


class Told(Struct, frozen=True):
    """What one tag is told of a person, and by which call: `default` before any tag runs, `update` as they stand."""

    subject: str
    as_of: str
    projection: str
    call: list[str]
    default: dict[str, str]
    update: dict[str, str]


class Gpc(Struct, frozen=True, rename={"last_update": "lastUpdate"}):
    """Support for Global Privacy Control (W3C GPC, section 5)."""

    gpc: bool
    last_update: str


@post("/v1/subjects/{subject:str}/signals", opt=admits("recorder"), operation_id="subjects.signal", tags=["People"])
async def signal(
    request: AnyRequest, call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[SignalBody]
) -> Response[SignalGiven]:
    """Record an opt-out signal or link of the person. It is effective at once, over every earlier grant it reaches."""
    person = raw(subject, "sub")
    origin = f"browser:{data.browser}" if data.browser is not None else f"client:{call.principal.actor.id}"
    given = Signal(data.signal, data.source, origin.encode())

    def unit(tx: Tx) -> Work[SignalGiven | Answer]:
        made = yield from call.services.registry.signals.give(
            tx, call.configuration.catalogue, person, [given], method=data.method, assurance=data.assurance
        )
        done = made.recorded
        if done is None:
            return Answer(200, msgspec.json.encode(SignalGiven(made.subject, made.directives)))
        return SignalGiven(made.subject, made.directives, done.state, done.record, done.receipt, done.entry)

    body = subject.encode() + b"\0" + await request.body()
    return answered(await call.create(unit, body))


@get(
    "/v1/subjects/{subject:str}/projections/{name:str}",
    opt=admits("recorder", "officer", "auditor", "pep"),
    operation_id="subjects.projection",
    tags=["People"],
)
async def projection(
    call: NamedDependency[Call],
    subject: FromPath[str],
    name: FromPath[str],
    site: FromQuery[str | None] = None,
) -> Told:
    """What a tag is told: `google_consent_mode`, `microsoft_uet` or `microsoft_clarity`, by the map of `site`."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[Told]:
        catalogue, sites = call.configuration.catalogue, call.configuration.sites
        if site is not None and site not in sites:
            raise NotFound("not-found", "There is no such site.")
        state = yield from call.services.registry.person(tx, person)
        if state is None or state.erased_at:
            raise NoSubject
        at = tx.context.at
        made: Projection = project(name, modes_of(catalogue, sites.get(site or "")), allowed(state, catalogue, at))
        return Told(subject, iso(at), made.projection, made.call, dict(made.default), dict(made.update))

    return await call.look(unit)


@get("/.well-known/gpc.json", opt=_STATED, operation_id="wellknown.gpc", tags=["Sites"])
async def gpc(request: AnyRequest) -> Response[Gpc]:
    """Support for Global Privacy Control: of the site at whose host this is asked for, else of this Sayso."""
    services = services_of(request)
    host = request.headers.get("host", "").lower()
    for tenant in services.configurations.tenants():
        configuration = services.configurations.of(tenant)
        if any(_serves(site, host) for site in configuration.sites.values()):
            return _statement(configuration.applied_at)
    return _statement(0)


@get("/v1/sites/{site:str}/gpc.json", opt=_STATED, operation_id="sites.gpc", tags=["Sites"])
async def site_gpc(request: AnyRequest, site: FromPath[str]) -> Response[Gpc]:
    """The same for one site: what it serves, or forwards to, at its own `/.well-known/gpc.json`."""
    configuration, _ = site_of(services_of(request), site)
    return _statement(configuration.applied_at)


def _serves(site: Site, host: str) -> bool:
    return any(urlsplit(origin).netloc == host for origin in site.origins)


def _statement(applied_at: int) -> Response[Gpc]:
    """Dated by the manifest that the site is from. Before the first: by the release that learned to honour it."""
    day = iso(applied_at)[:10] if applied_at else "2026-11-22"
    headers = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}
    return Response(Gpc(gpc=True, last_update=day), headers=headers)


handlers: list[BaseRouteHandler] = [signal, projection, gpc, site_gpc]
