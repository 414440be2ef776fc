"""One HTTP exchange with somebody else's server: to a checked address, in bounded time, whatever comes back."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from typing import Final

import httpcore
from msgspec import Struct

from sayso.server.feed.attempts import TIMEOUT
from sayso.server.feed.pinned import PinnedBackend, RefusedHost

# Each step ends before the whole is called off: a handshake that is cut short from outside leaves its socket behind.
_STEPS: Final = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT * 0.9)

MOST_READ: Final = 65_536
"""Bytes of an answer, unless somebody wants more. A longer one is cut off."""


class Reply(Struct, frozen=True):
    """What came back. `code` is the status or a short word; `body` is empty unless all of it was read. `long`: there
    was more of it than the caller wanted.
    """

    code: str
    headers: dict[str, str] = {}
    body: bytes = b""
    long: bool = False


class Outgoing:
    """HTTP/1.1 to others, without redirects, proxies or cookies."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._backend = PinnedBackend(allowed)
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        patience: float = TIMEOUT,
        most: int = MOST_READ,
    ) -> Reply:
        """Ask and hear. Ends within `TIMEOUT` seconds and never raises but `CancelledError`. `patience` is how long the
        answer's body may take behind its status, `most` how many bytes it may have.
        """
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._asked(method, url, headers, body, patience, most)
        except (TimeoutError, httpcore.TimeoutException):
            code = "timeout"
        except RefusedHost:
            code = "refused"
        except ssl.SSLError:
            code = "tls"
        except (OSError, httpcore.NetworkError) as error:
            code = "tls" if isinstance(error.__context__, ssl.SSLError) else "unreachable"
        except httpcore.ProtocolError:
            code = "protocol"
        return Reply(code)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def _asked(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, patience: float, most: int
    ) -> Reply:
        if self._pool is None:
            import httpx

            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(),
                network_backend=self._backend,
                max_connections=256,
                keepalive_expiry=20,
            )
        sent = [*headers.items(), ("user-agent", "Sayso")]
        async with self._pool.stream(method, url, headers=sent, content=body, extensions={"timeout": _STEPS}) as answer:
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            read = b""
            try:
                async with asyncio.timeout(patience):
                    async for part in answer.aiter_stream():
                        read += part
                        if len(read) > most:
                            return Reply(str(answer.status), found, long=True)
            except (TimeoutError, OSError, httpcore.NetworkError, httpcore.ProtocolError):
                return Reply(str(answer.status), found)
            return Reply(str(answer.status), found, read)
