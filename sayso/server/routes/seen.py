"""What a browser's request is evidence of, as far as it is kept: sealed with the record of a choice."""

from typing import Any

from litestar import Request

from consent import Evidence
from sayso.server.brand.browsers import Browser
from sayso.server.routes.gate import services_of


def observed(request: Request[Any, Any, Any]) -> Evidence:
    """Its network, never its whole address, and what it calls itself."""
    return Browser(request.scope, services_of(request).settings.trusted_proxies).evidence()
