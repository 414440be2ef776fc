"""Real receivers of webhooks on loopback: small HTTP servers that behave, or do not."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.builders.listening import listening
from tests.builders.served import HOST


class Received(NamedTuple):
    """One request: its headers in lower case, its body, and when it came by the loop's clock."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def seq(self) -> str:
        seq: str = self.event["id"]
        return seq


Answer = Callable[["Receiver", Received, asyncio.StreamWriter], Awaitable[None]]


def with_status(status: int, **headers: str) -> Answer:
    """Answer with a status."""

    async def answer(_: "Receiver", __: Received, writer: asyncio.StreamWriter) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{lines}\r\n".encode())

    return answer


async def hang(receiver: "Receiver", _: Received, __: asyncio.StreamWriter) -> None:
    """Never answer."""
    await receiver.closing.wait()


async def garbage(_: "Receiver", __: Received, writer: asyncio.StreamWriter) -> None:
    """Answer with what is no HTTP, and go."""
    writer.write(b"\x00\x01 certainly\r\n\r\n")
    writer.close()


async def endless(receiver: "Receiver", _: Received, writer: asyncio.StreamWriter) -> None:
    """Say 200 and never stop talking."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not receiver.closing.is_set():
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def cut_off(_: "Receiver", __: Received, writer: asyncio.StreamWriter) -> None:
    """Promise a body and hang up."""
    writer.write(b"HTTP/1.1 204 No Content\r\ncontent-length: 900\r\n\r\nno")
    writer.close()


class Receiver:
    """Keeps what it is sent. `answer` may be replaced at any time."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.answer: Answer = with_status(204)
        self.closing = asyncio.Event()
        self.port = 0
        self.under_way: dict[str, int] = {}
        self.most_at_once = 0
        """The most requests about one person that were ever open at a time."""
        self._new = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook?x=1"

    async def count(self, number: int, seconds: float = 60) -> list[Received]:
        """Everything received, once there are `number` of them."""
        try:
            async with asyncio.timeout(seconds), self._new:
                await self._new.wait_for(lambda: len(self.got) >= number)
        except TimeoutError:
            raise AssertionError(f"{len(self.got)} of {number} messages came in {seconds} s") from None
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self.closing.is_set():
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                received = Received(headers, body, asyncio.get_running_loop().time())
                person = received.event.get("subject", "")
                self.under_way[person] = self.under_way.get(person, 0) + 1
                self.most_at_once = max(self.most_at_once, self.under_way[person])
                async with self._new:
                    self.got.append(received)
                    self._new.notify_all()
                try:
                    await self.answer(self, received, writer)
                finally:
                    self.under_way[person] -= 1
                if writer.is_closing():
                    return
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens on a port of its own and acknowledges everything."""
    receiver = Receiver()
    async with listening(receiver.serve) as receiver.port:
        try:
            yield receiver
        finally:
            receiver.closing.set()
