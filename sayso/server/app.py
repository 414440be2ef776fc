"""The web application: routes behind one gate, errors through one file, the dispatcher for hot calls in front.

`assemble` is what answers, `running` is what lives meanwhile.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp

from sayso import __version__
from sayso.server.dispatcher import Dispatcher
from sayso.server.door import Door
from sayso.server.hot import HOT_CALLS
from sayso.server.routes import all_handlers, refusals
from sayso.server.routes.bodies import StrictBody
from sayso.server.routes.gate import gate, provide_call
from sayso.server.running.loops import Loops
from sayso.server.wiring import Services


def assemble(services: Services) -> ASGIApp:
    """All that a request passes: dispatcher, door, Litestar."""
    return Dispatcher(assemble_slow(services), services, HOT_CALLS)


def assemble_slow(services: Services) -> ASGIApp:
    """The same without the dispatcher: Litestar must answer the hot calls alike, which the parity test checks."""
    return Door(create_litestar(services.settings.body_limit), services)


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """The parts that live in time: database, configuration, loops. On leaving, what was accepted is finished first."""
    await services.database.start()
    loops = Loops(services)
    try:
        await services.configurations.start()
        await services.key_keeper.start()
        await services.check_logs()
        loops.start()
        services.started = True
        yield
    finally:
        services.started = False
        await loops.stop()
        await services.crowds.close()
        await services.feed.close()
        await services.callbacks.close()
        await services.connectors.close()
        await services.witnesses.close()
        await services.database.stop()


@cache
def create_litestar(body_limit: int = 1 << 20, *, describing: bool = False) -> Litestar:
    """The framework's part. It holds nothing of an installation: a request brings its services, by the door.

    The one that serves does not describe itself: the framework's pages for that would be routes without a gate.
    """
    return Litestar(
        route_handlers=all_handlers(),
        guards=[gate],
        dependencies={"call": Provide(provide_call)},
        dto=StrictBody,
        return_dto=None,
        exception_handlers={Exception: refusals.answer, 500: refusals.answer},
        request_max_body_size=body_limit,
        on_app_init=[_without_logging],
        openapi_config=OpenAPIConfig(title="Sayso", version=__version__, create_examples=False) if describing else None,
        debug=False,
        pdb_on_exception=False,
    )


def _without_logging(config: AppConfig) -> AppConfig:
    """Litestar's own logging costs more than the request and would print paths; errors are reported by `problems`."""
    config.logging_config = None
    return config
