"""The IAB's Data Deletion Request Framework: what participants look up, and where they bring a request."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from sayso.kernel import Invalid, NotFound, now
from sayso.server.iab.messages import LONGEST, USE
from sayso.server.limits import client_address, prefix_of
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.wellknown import Jwk, jwk_of
from sayso.server.tenancy import DEFAULT
from sayso.server.wiring import Services

AnyRequest = Request[Any, Any, Any]

CALLS_A_MINUTE = 600
"""Requests that one network may send in a minute."""

_SIGNED = public("what is sent is signed by a party and key that the manifest names, and nothing else counts")
_DISCOVERY = public("participants look up what a brand takes before they ask it for anything")
_TOKENS = ("application/jwt", "text/plain")


class AcceptedIdentifier(Struct, frozen=True):
    """An identifier that requests may name."""

    id: int
    type: str
    format: str


class Participant(Struct, frozen=True, rename={"public_key": "publicKey", "script": "vendorScriptRequirement"}):
    """The framework's `dsrdelete.json`."""

    endpoint: str
    identifiers: list[AcceptedIdentifier]
    public_key: list[Jwk]
    script: bool


class DeletionWanted(Struct, frozen=True, forbid_unknown_fields=True, rename={"token": "rqJWT"}):
    """A request as JSON."""

    token: str


class Acknowledged(Struct, frozen=True, rename={"token": "acJWT"}):
    """Its receipt."""

    token: str


@get("/dsrdelete.json", opt=_DISCOVERY, operation_id="iab.participant", tags=["IAB deletion"])
async def participant(request: AnyRequest) -> Response[Participant]:
    """What the brand `default` takes, where, and what its receipts verify with."""
    return _participant(services_of(request), DEFAULT)


@get("/t/{tenant:str}/dsrdelete.json", opt=_DISCOVERY, operation_id="iab.participant_of", tags=["IAB deletion"])
async def participant_of(request: AnyRequest, tenant: FromPath[str]) -> Response[Participant]:
    """The same of one brand: its site answers with it at the root of its domain."""
    return _participant(services_of(request), tenant)


@post(
    "/t/{tenant:str}/iab/deletions",
    opt=_SIGNED,
    operation_id="iab.delete",
    tags=["IAB deletion"],
    status_code=202,
    request_max_body_size=2 * LONGEST,
)
async def delete(request: AnyRequest, tenant: FromPath[str]) -> Response[Any]:
    """A rqJWT, as itself (`application/jwt`) or as `{"rqJWT": …}`; the receipt comes back alike. It opens a rights
    request for erasure and says nothing of any person. What is refused is 400 with the framework's `raResultCode`, and
    to whoever signed well with the receipt (`acJWT`).
    """
    services = services_of(request)
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    network = prefix_of(client_address(peer, forwarded, services.settings.trusted_proxies))
    services.limiter.take(f"iab:{network}", CALLS_A_MINUTE, now())
    _demand_declared(services, tenant)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    token = _token(kind, await request.body())
    made = await services.deletions.take(tenant, token, request.scope["sayso.request"])  # type: ignore[typeddict-item]
    headers = {"cache-control": "no-store"}
    if kind in _TOKENS:
        return Response(made.encode(), status_code=202, media_type="application/jwt", headers=headers)
    return Response(Acknowledged(made), status_code=202, headers=headers)


def _token(kind: str, body: bytes) -> str:
    if kind in _TOKENS:
        try:
            return body.decode("ascii").strip()
        except UnicodeDecodeError:
            raise Invalid("malformed", "A token is plain ASCII.") from None
    if kind != "application/json":
        raise Invalid("unsupported-media-type", "A request is application/jwt or application/json.")
    return msgspec.json.decode(body, type=DeletionWanted).token


def _participant(services: Services, tenant: str) -> Response[Participant]:
    _demand_declared(services, tenant)
    declared = services.configurations.of(tenant).deletions
    found = Participant(
        services.deletions.endpoint(tenant),
        [AcceptedIdentifier(n, each.type, each.format) for n, each in enumerate(declared.identifiers, 1)],
        [jwk_of(kid, public_key, "EdDSA") for kid, public_key in services.keyring.published(tenant, USE)],
        script=False,
    )
    return Response(found, headers={"cache-control": "public, max-age=300", "access-control-allow-origin": "*"})


def _demand_declared(services: Services, tenant: str) -> None:
    services.configurations.demand(tenant)
    if not services.configurations.of(tenant).deletions.domain:
        raise NotFound("not-found", "There is nothing here.")


handlers: list[BaseRouteHandler] = [participant, participant_of, delete]
