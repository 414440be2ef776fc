"""Is it alive, is it ready, and how is it doing."""

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from sayso.kernel import SECOND, SYSTEM, Context, Tx, Unavailable, Work, now
from sayso.server.routes.gate import admits, public, services_of
from sayso.server.tenancy import WORLD
from sayso.server.wiring import Services


class PolicyLag(Struct, frozen=True):
    """Brands of which newer rules are live than this node can load, and for how long, in seconds. `stale`: it denies
    what they would permit until it has them.
    """

    brands: int
    seconds: float
    stale: bool


class Health(Struct, frozen=True, omit_defaults=True):
    """`ok` says it all, but for rules that lag behind."""

    status: str
    policy_lag: PolicyLag | None = None


class NotReady(Unavailable):
    """A part that must work does not, yet or any more."""


@get("/health/live", opt=public("load balancers ask, and it says nothing"), operation_id="health.live", tags=["Health"])
async def live() -> Health:
    """The process runs and its loop turns."""
    return Health("ok")


@get(
    "/health/ready", opt=public("load balancers ask, and it says nothing"), operation_id="health.ready", tags=["Health"]
)
async def ready(request: Request[Any, Any, Any]) -> Health:
    """The database answers, keys are open, configuration is loaded: requests will be served."""
    services = services_of(request)
    try:
        await services.database.look(Context(WORLD, SYSTEM, now(), "health"), _nothing)
    except Exception:  # noqa: BLE001 - whatever the driver raises, the answer is: not ready
        raise NotReady("not-ready", "The database does not answer.") from None
    if not services.started:
        raise NotReady("not-ready", "The server is starting.")
    if services.keyring.all_lost(services.configurations.tenants()):
        raise NotReady("not-ready", "The provider of the root key does not answer.")
    return Health("ok", _lag(services))


@get("/metrics", opt=admits("auditor"), operation_id="health.metrics", tags=["Health"], media_type="text/plain")
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Figures in Prometheus' text format. Labels are route templates, never ids."""
    content = services_of(request).metrics.exposition()
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


def _lag(services: Services) -> PolicyLag | None:
    lagging = services.configurations.lagging().values()
    if not lagging:
        return None
    seconds = max((now() - lag.since) / SECOND for lag in lagging)
    return PolicyLag(len(lagging), round(seconds, 1), seconds >= services.settings.policy_stale_after)


def _nothing(tx: Tx) -> Work[None]:
    yield ()


handlers: list[BaseRouteHandler] = [live, ready, metrics]
