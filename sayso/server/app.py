"""The web application: routes behind one gate, errors through one file, the dispatcher for hot calls in front.

`create_app(settings)` is what any ASGI server can run; `assemble` and `running` are its two halves.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp

from sayso import __version__
from sayso.server import problems
from sayso.server.dispatcher import Dispatcher
from sayso.server.door import Door
from sayso.server.hot import HOT_CALLS
from sayso.server.loops import Loops
from sayso.server.routes import all_handlers
from sayso.server.routes.bodies import StrictBody
from sayso.server.routes.gate import gate, provide_call
from sayso.server.settings import Settings
from sayso.server.wiring import Services, wire


def create_app(settings: Settings, passphrase: bytes | None = None) -> ASGIApp:
    """The whole program as one ASGI application with its own lifespan."""
    services = wire(settings, passphrase)
    return assemble(services, lifespan=True)


def assemble(services: Services, *, lifespan: bool = False) -> ASGIApp:
    """All that a request passes: dispatcher, door, Litestar. `lifespan`: start and stop come by ASGI's protocol."""
    return Dispatcher(assemble_slow(services, lifespan=lifespan), services, HOT_CALLS)


def assemble_slow(services: Services, *, lifespan: bool = False) -> ASGIApp:
    """The same without the dispatcher: Litestar must answer the hot calls alike, which the parity test checks."""
    inner = create_litestar(services, body_limit=services.settings.body_limit, lifespan=lifespan)
    return Door(inner, services.metrics, services.log)


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """The parts that live in time: database, configuration, loops. On leaving, what was accepted is finished first."""
    await services.database.start()
    loops = Loops(services)
    try:
        await services.configurations.start()
        loops.start()
        services.started = True
        yield
    finally:
        services.started = False
        await loops.stop()
        await services.feed.close()
        await services.audit.close()
        await services.database.stop()


def create_litestar(services: Services | None, *, body_limit: int = 1 << 20, lifespan: bool = False) -> Litestar:
    """The framework's part. Without services it can only describe itself, which is what `sayso openapi` needs.

    The one that serves does not describe itself: the framework's pages for that would be routes without a gate.
    """

    @asynccontextmanager
    async def alive(_: Litestar) -> AsyncIterator[None]:
        assert services is not None
        async with running(services):
            yield

    report = services.log.error if services is not None else None
    state: dict[str, Any] = {
        "services": services,
        "report": (lambda error: report("unexpected", error)) if report else None,
    }
    return Litestar(
        route_handlers=all_handlers(),
        guards=[gate],
        dependencies={"call": Provide(provide_call)},
        dto=StrictBody,
        return_dto=None,
        exception_handlers={Exception: problems.handle, 500: problems.handle},
        request_max_body_size=body_limit,
        state=State(state),
        lifespan=[alive] if lifespan else [],
        on_app_init=[_without_logging],
        openapi_config=OpenAPIConfig(title="Sayso", version=__version__, create_examples=False)
        if services is None
        else None,
        debug=False,
        pdb_on_exception=False,
    )


def _without_logging(config: AppConfig) -> AppConfig:
    """Litestar's own logging costs more than the request and would print paths; errors are reported by `problems`."""
    config.logging_config = None
    return config
