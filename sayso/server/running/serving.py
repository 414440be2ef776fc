"""`sayso serve`: uvicorn on a TCP address and on the folder's socket, in one loop, until told to stop.

Order of an end: no new connections, answers under way go out, the database's queue is drained, loops stop.
"""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from litestar.types import ASGIApp

from sayso.kernel import Invalid
from sayso.server.app import assemble, running
from sayso.server.door import OperatorDoor
from sayso.server.running.local import locked
from sayso.server.settings import Settings
from sayso.server.whole import WholeProtocol
from sayso.server.wiring import Services, wire


class OneWriter(Invalid):
    """The embedded database has one writer: it cannot be shared by several processes."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: two of these run in one loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, passphrase: bytes | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises `OneWriter`, `FolderBusy`, or what a missing or wrong root key raises."""
    if settings.workers > 1 and settings.embedded:
        raise OneWriter(
            "one-writer", "The embedded database takes one process: leave out --workers, or use PostgreSQL."
        )
    listener = _listen(settings)
    with locked(settings.data_folder, patience=2):
        if settings.workers == 1:
            _run(settings, listener, passphrase, first=True)
        else:
            _fork(settings, listener, passphrase)


def _run(settings: Settings, listener: socket.socket, passphrase: bytes | None, *, first: bool) -> None:
    import uvloop

    services = wire(settings, passphrase)
    uvloop.run(_serve(settings, services, listener, first=first))


async def _serve(settings: Settings, services: Services, listener: socket.socket, *, first: bool) -> None:
    app = assemble(services)
    async with running(services):
        servers = [(_server(settings, app), listener)]
        if first:
            servers.append((_server(settings, OperatorDoor(app)), _operator_socket(settings)))
        _stop_on_signals([server for server, _ in servers])
        settle_memory()
        services.log.info("serving", port=listener.getsockname()[1], database=services.database.kind)
        try:
            await asyncio.gather(*(server.serve(sockets=[place]) for server, place in servers))
        finally:
            if first:
                settings.socket.unlink(missing_ok=True)
    services.log.info("stopped")


def _server(settings: Settings, app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=WholeProtocol,
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=settings.shutdown_grace,
        timeout_keep_alive=75,
        backlog=2048,
    )
    return _Server(config)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise Invalid(
            "address-in-use", f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}."
        ) from None
    listener.setblocking(False)
    return listener


def _operator_socket(settings: Settings) -> socket.socket:
    """The operator's door: a socket file that only the owner of the data folder may open."""
    settings.socket.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        place = socket.socket(socket.AF_UNIX)
        place.bind(str(settings.socket))
    finally:
        os.umask(before)
    place.setblocking(False)
    return place


def _stop_on_signals(servers: list[_Server]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            # A second signal does not wait for answers under way.
            server.force_exit = server.should_exit
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def settle_memory() -> None:
    """What was loaded stays: keep the collector from walking it. p99 under load fell from 68 to 13 ms by this."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _fork(settings: Settings, listener: socket.socket, passphrase: bytes | None) -> None:
    """Several processes on one listening socket. One that dies ends them all: a supervisor starts the service anew."""
    children: list[int] = []
    for number in range(settings.workers):
        child = os.fork()
        if child == 0:
            try:
                _run(settings, listener, passphrase, first=number == 0)
            finally:
                os._exit(0)
        children.append(child)
    listener.close()

    def forward(number: int, _: FrameType | None) -> Any:
        for child in children:
            try:
                os.kill(child, number)
            except ProcessLookupError:
                pass

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    os.wait()
    forward(signal.SIGTERM, None)
    for _ in children[1:]:
        os.wait()
