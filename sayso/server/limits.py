"""Limits that keep one caller from hurting the rest: how many bytes, how often.

Counts live in memory of one process and name a network prefix, never an address: a /24 of IPv4, a /48 of IPv6.
"""

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sayso.kernel import TooLarge, TooMany

MAX_TRACKED = 50_000
"""Prefixes remembered at once; the one longest unseen goes first. About 10 MB."""

MINUTE = 60_000_000


class TooFast(TooMany):
    """More requests than this site or network may send."""


class BodyTooLarge(TooLarge):
    """More bytes than this server takes."""


def body_too_large(limit: int) -> BodyTooLarge:
    """The error for a body over `limit` bytes."""
    return BodyTooLarge("body-too-large", f"A body here has at most {limit} bytes.", limit=limit)


class Limiter:
    """Token buckets by name: each holds up to `rate` tokens and gains `rate` a minute."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, name: str, rate: int, at: int) -> None:
        """Spend one token of `name` at instant `at`. Raises `TooFast` with the seconds to wait."""
        tokens, since = self._buckets.pop(name, (float(rate), at))
        tokens = min(float(rate), tokens + max(0, at - since) * rate / MINUTE)
        if tokens < 1:
            self._buckets[name] = (tokens, at)
            wait = int((1 - tokens) * 60 / rate) + 1
            raise TooFast("too-many-requests", "Too many requests from here; ask again later.", retry_after=wait)
        self._buckets[name] = (tokens - 1, at)
        if len(self._buckets) > MAX_TRACKED:
            self._buckets.popitem(last=False)


def prefix_of(address: str) -> str:
    """The network of an address, as rate limits count it. All that is no address counts as one network."""
    parsed = _parsed(address)
    if parsed is None:
        return "unknown"
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def client_address(peer: str, forwarded: str, trusted: Iterable[str]) -> str:
    """The caller's address: the peer, or behind trusted proxies the nearest untrusted hop of X-Forwarded-For."""
    networks = [ip_network(part, strict=False) for part in trusted]
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    address = peer
    while hops:
        parsed = _parsed(address)
        if parsed is None or not any(parsed in network for network in networks if network.version == parsed.version):
            break
        address = hops.pop()
    return address


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.strip())
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
