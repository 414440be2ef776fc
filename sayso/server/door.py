"""The outermost layer: every request gets an id, its place in the metrics, and headers that keep browsers careful.

Plain ASGI, a few microseconds. It names routes by their template only.
"""

import re
from time import perf_counter
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sayso.kernel import NotFound, SaysoError
from sayso.kernel.ids import new_raw
from sayso.server.problems import respond
from sayso.server.wiring import Services

OPERATOR_FLAG = "sayso.operator"
"""Set in the scope of requests that came through the socket in the data folder, and nowhere else."""

SERVICES = "sayso.services"
"""In the scope of every request: the parts of the installation that it is for."""

REQUEST_ID = re.compile(rb"[!#-;=?A-\[\]-~]{1,128}")
"""What comes back as it came: printable ASCII but for what could break out of a log line or a page, or be an address.
AuthZEN's is "an arbitrary string" (Authorization API 1.0, section 10.1.3); any other is answered with one of our own.
"""

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Door:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request = request_id(scope["headers"])
        scope["sayso.request"] = request.decode()  # type: ignore[typeddict-unknown-key]
        scope[SERVICES] = self._services  # type: ignore[literal-required]
        started = perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                named = {name for name, _ in headers}
                headers += [header for header in HEADERS if header[0] not in named]
                message["headers"] = [*headers, (b"x-request-id", request)]
            await send(message)

        try:
            if "\0" in scope["path"]:
                # No name has it, and PostgreSQL could not even be asked.
                await _answer(NotFound("not-found", "There is nothing here."), sending)
            else:
                await self._app(scope, receive, sending)
        finally:
            self._count(scope, status, perf_counter() - started)

    def _count(self, scope: Any, status: int, seconds: float) -> None:
        route = scope.get("path_template") or "unmatched"
        self._services.metrics.request(route, scope["method"], status, seconds)
        if status >= 500 and status != 503:
            self._services.log.warning(
                "answered with an error", route=route, status=status, request=scope["sayso.request"]
            )


class OperatorDoor:
    """The door behind the local socket: whoever can open that file (0600) is the operator."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[OPERATOR_FLAG] = True  # type: ignore[literal-required]
        await self._app(scope, receive, send)


async def _answer(error: SaysoError, send: Send) -> None:
    status, headers, body = respond(error)
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def request_id(headers: Any) -> bytes:
    """The caller's X-Request-ID when it is a harmless word, else a fresh one."""
    for name, value in headers:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return bytes(value)
    return new_raw().hex().encode()
