"""What the world looks up at fixed addresses: keys of receipts."""

import base64
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from sayso.server.routes.gate import public, services_of
from sayso.server.tenancy import DEFAULT

USES = ("receipt", "certificate")


_CHECKERS = public("whoever holds a receipt must be able to check it")


class Jwk(Struct, frozen=True):
    """A public Ed25519 key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class Jwks(Struct, frozen=True):
    """Keys that receipts and certificates verify with, older ones included (RFC 7517)."""

    keys: list[Jwk]


@get("/.well-known/jwks.json", opt=_CHECKERS, operation_id="wellknown.jwks", tags=["Keys"])
async def jwks(request: Request[Any, Any, Any]) -> Response[Jwks]:
    """Keys of the receipts and certificates of the brand `default`."""
    return _keys_of(request, DEFAULT)


@get("/t/{tenant:str}/.well-known/jwks.json", opt=_CHECKERS, operation_id="wellknown.jwks_of", tags=["Keys"])
async def jwks_of(request: Request[Any, Any, Any], tenant: FromPath[str]) -> Response[Jwks]:
    """Keys of one brand's receipts and certificates."""
    return _keys_of(request, tenant)


def _keys_of(request: Request[Any, Any, Any], tenant: str) -> Response[Jwks]:
    services = services_of(request)
    services.configurations.demand(tenant)
    keys = [jwk_of(kid, public_key) for use in USES for kid, public_key in services.keyring.published(tenant, use)]
    return Response(Jwks(keys), headers={"cache-control": "public, max-age=300", "access-control-allow-origin": "*"})


def jwk_of(kid: str, public_key: bytes, alg: str = "Ed25519") -> Jwk:
    """A published key. `alg` is what tokens under it are called by."""
    x = base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()
    return Jwk("OKP", "Ed25519", x, kid, alg, "sig")


handlers: list[BaseRouteHandler] = [jwks, jwks_of]
