"""Messages into a NATS JetStream stream, for brands that have their own bus (extra `nats`).

`jetstream:NAME` in place of a web address. The stream is the installation's, so only administrators subscribe one. A
message's subject is `NAME.tenant.type`; its id is the de-duplication id (`Nats-Msg-Id`), so that an attempt whose
answer was lost leaves one message. The acknowledgement is the stream's own: stored by a majority of its replicas.
"""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from sayso.kernel import Actor, Invalid
from sayso.server.feed.addresses import RefusedAddress
from sayso.server.feed.attempts import TIMEOUT, Message, Outcome, headers_of

if TYPE_CHECKING:
    from sayso.server.settings import Settings

SCHEME: Final = "jetstream:"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WINDOW_S: Final = 2 * 3600
"""How long the stream remembers ids: longer than the first retries, among which a lost answer is found."""


class NoNats(Invalid):
    """This installation is not connected to a NATS server."""


def check(url: str, settings: Settings, actor: Actor) -> None:
    """Raise `RefusedAddress` or `NoNats` for a stream that this caller cannot have messages in."""
    if "admin" not in actor.roles:
        raise RefusedAddress("refused-address", "Only an administrator may have messages put into a stream.")
    if not _NAME.fullmatch(url.removeprefix(SCHEME)):
        raise RefusedAddress("refused-address", "A stream's name has 1 to 64 letters, digits, '-' and '_'.")
    if not settings.nats:
        raise NoNats("no-nats", "This installation names no NATS server in its settings.")


class JetStream:
    """The connection to NATS, made when the first message wants it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None
        self._context: Any = None
        self._streams: set[str] = set()
        self._lock = asyncio.Lock()

    async def send(self, url: str, tenant: str, message: Message, at: int) -> Outcome:
        """Publish, and wait until the stream has stored it. Never raises but `CancelledError`."""
        stream = url.removeprefix(SCHEME)
        started = perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._publish(stream, tenant, message)
            code = "200"
        except TimeoutError:
            code = "timeout"
        except ImportError:
            code = "no_nats"
        except Exception:  # noqa: BLE001 - whatever the client raises, the message is tried again
            code = "unreachable"
            self._streams.discard(stream)
        return Outcome(at, code, round((perf_counter() - started) * 1000))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _publish(self, stream: str, tenant: str, message: Message) -> None:
        context = await self._ready(stream)
        headers = {**headers_of(message), "Nats-Msg-Id": message.id}
        await context.publish(
            f"{stream}.{tenant}.{message.kind}", message.body, timeout=TIMEOUT / 2, stream=stream, headers=headers
        )

    async def _ready(self, stream: str) -> Any:
        async with self._lock:
            if self._client is None or self._client.is_closed:
                self._client, self._context = await self._connect(), None
            if self._context is None:
                self._context = self._client.jetstream()
            if stream not in self._streams:
                await self._make(stream)
                self._streams.add(stream)
            return self._context

    async def _connect(self) -> Any:
        import nats

        settings = self._settings
        more = {"user_credentials": settings.nats_credentials} if settings.nats_credentials else {}
        return await nats.connect(
            servers=list(settings.nats),
            name="sayso",
            connect_timeout=5,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,
            error_cb=_quiet,
            **more,
        )

    async def _make(self, stream: str) -> None:
        """The stream, unless it is there: then it stays as its owner made it."""
        from nats.js.errors import NotFoundError

        try:
            await self._context.stream_info(stream)
        except NotFoundError:
            await self._context.add_stream(
                name=stream,
                subjects=[f"{stream}.>"],
                num_replicas=self._settings.nats_replicas,
                duplicate_window=_WINDOW_S,
            )


async def _quiet(_: Exception) -> None:
    """The client reports here what it repairs by itself."""
