"""Where messages may go: to public addresses by TLS, and to the few hosts that the operator names.

What can be said of an address without looking its name up is said here; the rest when the connection is made
(`pinned.py`).
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sayso.kernel import Invalid

LONGEST: Final = 2048
_LABEL: Final = 63
"""Characters between two dots of a host's name (RFC 1035, 2.3.4): no resolver is asked for a longer one."""

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")


class RefusedAddress(Invalid):
    """Messages do not go there."""


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
    sound = parts.scheme in ("https", "http") and port != 0 and url.isascii() and url.isprintable()
    sound = sound and all(0 < len(label) <= _LABEL for label in (parts.hostname or "").removesuffix(".").split("."))
    if not sound or len(url) > LONGEST or " " in url or parts.username is not None or parts.fragment:
        raise RefusedAddress("refused-address", "An address is a URL with a host, without a user and without '#'.")
    return parts
