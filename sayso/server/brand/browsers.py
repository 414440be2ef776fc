"""What a request tells of the browser behind it, read from its headers. Nothing of it is trusted."""

from functools import cached_property
from typing import Any, Final

from consent import Evidence
from sayso.server.limits import client_address, prefix_of
from sayso.server.packing import accepts_gzip

_LONGEST_AGENT: Final = 512


class Browser:
    """The browser behind one ASGI request. `gpc`: it sends Global Privacy Control; `unpacks`: it takes gzip."""

    def __init__(self, scope: Any, trusted: tuple[str, ...]) -> None:
        self.origin = self.languages = self.agent = ""
        self.gpc = self.unpacks = False
        self._client = scope.get("client")
        self._hops: list[str] = []
        self._trusted = trusted
        for name, value in scope["headers"]:
            if name == b"origin":
                self.origin = value.decode("latin-1").lower()
            elif name == b"accept-language":
                self.languages = value.decode("latin-1")
            elif name == b"user-agent":
                self.agent = value.decode("latin-1")[:_LONGEST_AGENT]
            elif name == b"x-forwarded-for":
                self._hops.append(value.decode("latin-1"))
            elif name == b"sec-gpc" and value == b"1":
                self.gpc = True
            elif name == b"accept-encoding":
                self.unpacks = accepts_gzip(value)

    @cached_property
    def network(self) -> str:
        """The prefix that the request comes from, never the address, as far as trusted proxies tell it."""
        peer = self._client[0] if self._client else ""
        return prefix_of(client_address(peer, ",".join(self._hops), self._trusted))

    def evidence(self, interface: str = "", steps_shown: int = 0) -> Evidence:
        """Its network; what it calls itself; and what it says was shown, where it says so."""
        found: Evidence = {} if self.network == "unknown" else {"address": self.network}
        if self.agent:
            found["user_agent"] = self.agent
        if interface:
            found["interface"] = interface
        if steps_shown:
            found["steps_shown"] = steps_shown
        return found
