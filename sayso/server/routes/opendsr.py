"""Where processors that speak OpenDSR call back to say how far they are."""

from typing import Any

from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from sayso.kernel import now
from sayso.server.limits import client_address, prefix_of
from sayso.server.routes.gate import public, services_of

CALLS_A_MINUTE = 600
"""Callbacks that one network may send in a minute: one processor calls for many people."""

_LONGEST = 65_536


@post(
    "/t/{tenant:str}/opendsr/{task:str}",
    opt=public(
        "the body is signed with the certificate that the manifest names for the system, and nothing else counts"
    ),
    operation_id="rights.opendsr",
    tags=["Rights"],
    status_code=202,
    request_max_body_size=_LONGEST,
)
async def called_back(request: Request[Any, Any, Any], tenant: FromPath[str], task: FromPath[str]) -> Response[bytes]:
    """A status of a request, signed by the processor (OpenDSR 2.0, section 8.6). Twice is once."""
    services = services_of(request)
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    network = prefix_of(client_address(peer, forwarded, services.settings.trusted_proxies))
    services.limiter.take(f"opendsr:{network}", CALLS_A_MINUTE, now())
    headers = {name.lower(): value for name, value in request.headers.items()}
    await services.connectors.called_back(tenant, task, headers, await request.body())
    return Response(b"", status_code=202, media_type="text/plain")


handlers: list[BaseRouteHandler] = [called_back]
