"""Where messages may go: to public addresses by TLS, and to the few hosts that the operator names.

A host's addresses are looked up when the connection is made, and the connection goes to the very address that was
checked: a name that points elsewhere a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import httpcore

from sayso.kernel import Invalid

LONGEST: Final = 2048
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")


class RefusedAddress(Invalid):
    """Messages do not go there."""


class RefusedHost(Exception):
    """At the moment of sending, the host's name leads to an address inside. Never seen by callers."""


def public(address: str) -> bool:
    """Whether this is an address of the public Internet, also when it hides in an IPv6 one."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _TRANSLATED:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast


def check(url: str, allowed: Iterable[str]) -> None:
    """Raise `RefusedAddress` for an address that can be refused without looking its name up."""
    parts = _parts(url)
    host = parts.hostname or ""
    if host in allowed:
        return
    if parts.scheme != "https":
        raise RefusedAddress("refused-address", "Messages leave by https only.")
    try:
        inside = not public(host)
    except ValueError:
        inside = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    if inside:
        raise RefusedAddress("refused-address", "Messages do not go to private, loopback or link-local addresses.")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    sound = parts.scheme in ("https", "http") and parts.hostname and port != 0 and url.isascii() and url.isprintable()
    if not sound or len(url) > LONGEST or " " in url or parts.username is not None or parts.fragment:
        raise RefusedAddress("refused-address", "An address is a URL with a host, without a user and without '#'.")
    return parts


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
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(item[4][0]) for item in found]
        # One address inside among public ones is how a resolver is talked into the intranet: then all are refused.
        if host not in self._allowed and not all(public(address) for address in addresses):
            raise RefusedHost
        return addresses[0]
