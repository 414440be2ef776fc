"""Connections to the very address that was checked.

A host's addresses are looked up when the connection is made: a name that points elsewhere a moment later (DNS
rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import httpcore

from sayso.server.feed.addresses import public


class RefusedHost(Exception):
    """At the moment of sending, the host's name leads to an address inside. Never seen by callers."""


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address that was checked, for httpcore's pool. Certificates are checked for the name, as ever."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await self._resolve(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise RefusedHost

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _resolve(self, host: str, port: int) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("this can be no host's name") from error
        addresses = [str(item[4][0]) for item in found]
        # One address inside among public ones is how a resolver is talked into the intranet: then all are refused.
        if host not in self._allowed and not all(public(address) for address in addresses):
            raise RefusedHost
        return addresses[0]
