"""Whole answers: an extension of ASGI by which an application hands over head and body as one piece of bytes.

uvicorn checks and writes an answer's head line by line and its body apart, and each write wakes the other side. For the
hot calls that is a sixth of their work. Everything else goes through ASGI's two messages.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

WHOLE: Final = "sayso.whole"
"""Where the scope of a request carries its `Exchange`, if the server has this extension."""


class Exchange:
    """One request and its answer, as uvicorn keeps them."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    @property
    def body(self) -> bytes | None:
        """The request's body if all of it is here, which it is for nearly every call; else it is to be received."""
        cycle = self._cycle
        return None if cycle.more_body or cycle.disconnected else bytes(cycle.body)

    async def answer(self, status: int, head: bytes, body: bytes) -> None:
        """Send the answer. `head` is well-formed header lines, each with its line end; the body's length is added."""
        cycle = self._cycle
        if cycle.flow.write_paused:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        lines = [STATUS_LINE[status]]
        for name, value in cycle.default_headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(head)
        if status != 304:
            lines.append(b"content-length: %d\r\n" % len(body))
        lines.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        lines.append(body)
        cycle.transport.write(b"".join(lines))
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


class WholeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with the extension."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        cycle: Any = self.cycle
        if cycle is not None and cycle.scope is self.scope:
            self.scope[WHOLE] = Exchange(cycle)
