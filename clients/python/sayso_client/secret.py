"""An API key, kept where no `repr`, log line or traceback with local variables can show it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NoReturn

import httpx


class Bearer(httpx.Auth):
    """Puts the key on a request at the last moment. `fit` tells whether it can be one at all."""

    __slots__ = ("_header", "fit")

    def __init__(self, key: str) -> None:
        self.fit = key.isascii() and key.isprintable() and key != "" and " " not in key
        self._header = f"Bearer {key}" if self.fit else ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = self._header
        yield request

    def __repr__(self) -> str:
        return "<Bearer>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def options(url: str, auth: Bearer, **more: Any) -> dict[str, Any]:
    """What both kinds of HTTP client are made with. Raises `ValueError`, without the key, for what is unfit."""
    if not auth.fit:
        raise ValueError("a key is one printable word, such as sk_…")
    address = httpx.URL(url)
    if address.scheme not in ("http", "https") or not address.host or address.userinfo or address.query:
        raise ValueError("url is where Sayso is reached: https://say.example")
    agent = {"user-agent": "sayso-client/0.1.0"}
    return {"base_url": url, "auth": auth, "headers": agent, "follow_redirects": False, "timeout": None, **more}
