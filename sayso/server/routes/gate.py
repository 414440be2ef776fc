"""The gate: who may call a route stands on the route as data, and nothing passes without it.

    @get("/v1/audit/logs", opt=admits("auditor", "officer"), operation_id="audit.logs")

A route that says nothing is closed to everyone; a test walks the app and finds it.
"""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from sayso.kernel import Invalid
from sayso.server.call import Call
from sayso.server.callers.auth import EVERYONE, NotAdmitted, Principal, admit, operator
from sayso.server.door import OPERATOR_FLAG, SERVICES
from sayso.server.wiring import Services

PRINCIPAL = "sayso.principal"
TENANT_HEADER = "sayso-tenant"


def admits(*roles: str) -> dict[str, Any]:
    """The route is for callers in one of these roles."""
    return {"admits": roles}


def public(why: str) -> dict[str, Any]:
    """The route needs no credential, because `why`."""
    return {"admits": (EVERYONE,), "why": why}


async def gate(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard on the whole app: find the caller, admit it or raise."""
    wanted = handler.opt.get("admits")
    if wanted is None:
        raise NotAdmitted("role-not-admitted", "This route admits nobody.")
    if wanted == (EVERYONE,):
        return
    principal = caller(connection)
    admit(principal, wanted, handler.operation_id or "")  # type: ignore[attr-defined]
    connection.scope[PRINCIPAL] = principal  # type: ignore[literal-required]


def caller(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
    """The principal behind a request: the local operator, or the owner of its API key. None without a credential."""
    services = services_of(connection)
    if connection.scope.get(OPERATOR_FLAG):
        tenant = connection.headers.get(TENANT_HEADER, "default")
        services.configurations.demand(tenant)
        return operator(tenant)
    authorization = connection.headers.get("authorization")
    return services.principals.find(authorization.encode("latin-1")) if authorization else None


async def provide_call(request: Request[Any, Any, Any]) -> Call:
    """The `call` of a handler behind the gate."""
    scope: Any = request.scope
    keys = request.headers.getall("idempotency-key", [])
    if len(keys) > 1:
        raise Invalid("invalid-idempotency-key", "A request carries one Idempotency-Key at most.")
    operation = getattr(request.route_handler, "operation_id", None) or ""
    return Call(services_of(request), scope[PRINCIPAL], scope["sayso.request"], operation, keys[0] if keys else None)


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """The program's parts, as `wire` put them together."""
    services: Services = connection.scope[SERVICES]  # type: ignore[literal-required]
    return services
