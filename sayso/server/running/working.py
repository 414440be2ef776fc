"""`sayso worker`: every loop of `serve`, and nobody to serve."""

import asyncio
import signal
from contextlib import nullcontext

from sayso.server.app import running
from sayso.server.running.local import locked
from sayso.server.settings import Settings
from sayso.server.wiring import Services, wire


def work(settings: Settings, passphrase: bytes | None = None, *, once: bool = False) -> bool:
    """Work until SIGTERM or SIGINT; `once`: until nothing is due. True unless a job fails in the end.

    Raises `FolderBusy` where a server has the folder.
    """
    # The embedded database has one process. PostgreSQL takes any number, and then the folder holds settings alone.
    with locked(settings.data_folder, patience=2) if settings.embedded else nullcontext():
        return asyncio.run(_work(wire(settings, passphrase), once=once))


async def _work(services: Services, *, once: bool) -> bool:
    async with running(services):
        services.log.info("working", database=services.database.kind)
        if once:
            await services.workers.drain()
            while await services.connectors.round():
                pass
            await services.settle()
        else:
            await _until_told()
        sound = not await services.workers.failing()
    services.log.info("stopped")
    return sound


async def _until_told() -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()
