"""One attempt to hand a message over by HTTP. It ends within `TIMEOUT` seconds, whatever the other side does."""

from collections.abc import Iterable
from time import perf_counter
from typing import Final

from sayso.server.feed.attempts import Message, Outcome, headers_of
from sayso.server.feed.outgoing import Outgoing

_PATIENCE: Final = 1.0
"""Seconds for what follows the status: the status is the acknowledgement, the rest keeps the connection."""


class Sender:
    """Posts messages to receivers."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._outgoing = Outgoing(allowed)

    async def send(self, url: str, message: Message, at: int) -> Outcome:
        """Post it. Never raises but `CancelledError`."""
        started = perf_counter()
        reply = await self._outgoing.ask("POST", url, headers_of(message), message.body, patience=_PATIENCE)
        return Outcome(at, reply.code, round((perf_counter() - started) * 1000))

    async def close(self) -> None:
        await self._outgoing.close()
