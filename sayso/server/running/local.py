"""How commands reach the program: through the socket of a running server, else in this process under the folder's lock.

Either way they are HTTP requests to the same routes as everyone's, as the local operator: no second way to act.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.kernel import Conflict, NotFound
from sayso.server.settings import Settings

if TYPE_CHECKING:
    import httpx

LOCK = "lock"
PATIENCE = 15.0
"""Seconds to wait for a folder that another command holds, or for a server that is just starting."""


class FolderBusy(Conflict):
    """Another process works on this data folder and does not listen on its socket."""


class NoStore(NotFound):
    """The folder holds no Sayso store."""


@contextmanager
def locked(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the data folder for this process alone. Raises `FolderBusy` after `patience` seconds."""
    until = time.monotonic() + patience
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _taken(handle):
            if time.monotonic() > until:
                raise FolderBusy("folder-busy", "Another process works on this data folder; stop it or use its socket.")
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


@asynccontextmanager
async def operate(
    settings: Settings, tenant: str, passphrase: bytes | None = None
) -> "AsyncIterator[httpx.AsyncClient]":
    """An HTTP client that speaks as the local operator of `tenant`. What it did holds when it is left."""
    if not (settings.data_folder / "sayso.toml").is_file():
        raise NoStore("no-store", "There is no Sayso store in this folder; sayso init makes one.")
    until = time.monotonic() + PATIENCE
    while True:
        if listens(settings.socket):
            async with _through_socket(settings, tenant) as client:
                yield client
            return
        try:
            with locked(settings.data_folder, patience=0.2):
                async with _in_process(settings, tenant, passphrase) as client:
                    yield client
                return
        except FolderBusy:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _through_socket(settings: Settings, tenant: str) -> "AsyncIterator[httpx.AsyncClient]":
    import httpx

    transport = httpx.AsyncHTTPTransport(uds=str(settings.socket))
    async with _client(transport, tenant) as client:
        yield client


@asynccontextmanager
async def _in_process(settings: Settings, tenant: str, passphrase: bytes | None) -> "AsyncIterator[httpx.AsyncClient]":
    import httpx

    from sayso.server.app import assemble, running
    from sayso.server.door import OperatorDoor
    from sayso.server.wiring import wire

    services = wire(settings, passphrase)
    app = assemble(services)
    async with running(services):
        transport = httpx.ASGITransport(OperatorDoor(app))  # type: ignore[arg-type]
        async with _client(transport, tenant) as client:
            yield client
        await services.settle()


def _client(transport: "httpx.AsyncBaseTransport", tenant: str) -> "httpx.AsyncClient":
    import httpx

    return httpx.AsyncClient(
        transport=transport, base_url="http://sayso.local", headers={"sayso-tenant": tenant}, timeout=600
    )


def listens(path: Path) -> bool:
    """Whether a server hears the local operator at this socket."""
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
