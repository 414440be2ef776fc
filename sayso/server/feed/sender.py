"""One attempt to hand a message over by HTTP. It ends within `TIMEOUT` seconds, whatever the other side does."""

import asyncio
import ssl
from collections.abc import Iterable
from time import perf_counter
from typing import Final

import httpcore

from sayso.server.feed.attempts import TIMEOUT, Message, Outcome, headers_of
from sayso.server.feed.pinned import PinnedBackend, RefusedHost

_MOST_READ: Final = 16_384
"""Bytes of an answer that are read, so that the connection can be used again. A longer one is cut off."""

# Each step ends before the whole is called off: a handshake that is cut short from outside leaves its socket behind.
_STEPS: Final = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT * 0.9)


class Sender:
    """HTTP/1.1 to receivers, without redirects, proxies or cookies."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._backend = PinnedBackend(allowed)
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def send(self, url: str, message: Message, at: int) -> Outcome:
        """Post it. Never raises but `CancelledError`."""
        started = perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT):
                code = await self._post(url, message)
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
        return Outcome(at, code, round((perf_counter() - started) * 1000))

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def _post(self, url: str, message: Message) -> str:
        headers = [*headers_of(message).items(), ("user-agent", "Sayso")]
        if self._pool is None:
            import httpx

            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(),
                network_backend=self._backend,
                max_connections=256,
                keepalive_expiry=20,
            )
        async with self._pool.stream(
            "POST", url, headers=headers, content=message.body, extensions={"timeout": _STEPS}
        ) as answer:
            code = str(answer.status)
            # The status is the acknowledgement. What follows it is read only to keep the connection.
            read = 0
            try:
                async with asyncio.timeout(1):
                    async for part in answer.aiter_stream():
                        read += len(part)
                        if read > _MOST_READ:
                            break
            except (TimeoutError, OSError, httpcore.NetworkError, httpcore.ProtocolError):
                pass
            return code
