"""What a browser's request is evidence of, as far as it is kept: sealed with the record of a choice."""

from typing import Any

from litestar import Request

from consent import Evidence
from sayso.server.limits import client_address, prefix_of
from sayso.server.routes.gate import services_of

_LONGEST_AGENT = 512


def network_of(request: Request[Any, Any, Any]) -> str:
    """The network prefix that a request comes from."""
    peer = request.client.host if request.client else ""
    trusted = services_of(request).settings.trusted_proxies
    return prefix_of(client_address(peer, request.headers.get("x-forwarded-for", ""), trusted))


def observed(request: Request[Any, Any, Any], interface: str = "", steps_shown: int = 0) -> Evidence:
    """Its network, never its whole address; what it calls itself; and what it says was shown, where it says so."""
    network = network_of(request)
    found: Evidence = {} if network == "unknown" else {"address": network}
    if agent := request.headers.get("user-agent", "")[:_LONGEST_AGENT]:
        found["user_agent"] = agent
    if interface:
        found["interface"] = interface
    if steps_shown:
        found["steps_shown"] = steps_shown
    return found
