"""The hottest calls, answered in front of Litestar: the same Structs, the same units, a third of the work.

What the framework does for a route (routing, injection, guards, hooks) costs more than these calls themselves. Here an
exact path finds a `HotCall`, and the two calls of a site's browsers are found by the end of theirs; all else goes
on untouched. Each has a Litestar twin, for OpenAPI and as the other half of the parity test, which drives every case
through both.
"""

import itertools
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from sayso.kernel import Invalid
from sayso.server import problems
from sayso.server.call import Call
from sayso.server.callers.auth import admit
from sayso.server.calls import sites
from sayso.server.door import HEADERS, OPERATOR_FLAG, REQUEST_ID
from sayso.server.idempotency import Answer
from sayso.server.limits import body_too_large
from sayso.server.whole import WHOLE, Exchange
from sayso.server.wiring import Services

SITES = "/v1/sites/"
_BOOT = secrets.token_hex(8).encode()
_numbers = itertools.count(1)


class HotCall(Struct, frozen=True):
    """One hot call: who may call it, what it does with a body, and whose manners its errors have."""

    operation: str
    admits: tuple[str, ...]
    handle: Callable[[Call, bytes], Awaitable[Answer]]
    authzen: bool = False


class Dispatcher:
    """Wraps the whole application, the door included: a hot call passes neither."""

    def __init__(self, app: ASGIApp, services: Services, calls: Mapping[str, HotCall]) -> None:
        self._app = app
        self._services = services
        self._calls = dict(calls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Taken out of the scope, which it leads back to: a request that is answered is then freed at once.
        exchange: Exchange | None = cast(dict[str, Any], scope).pop(WHOLE, None)
        if scope["type"] == ScopeType.HTTP and OPERATOR_FLAG not in scope:
            path, method = scope["path"], scope["method"]
            if path.startswith(SITES):
                site, _, what = path[len(SITES) :].partition("/")
                if what == "banner.js" and method == "GET" and await self._banner(site, scope, exchange, send):
                    return
                if what == "choices" and method == "POST":
                    await self._choose(site, scope, exchange, receive, send)
                    return
            elif method == "POST" and (hot := self._calls.get(path)) is not None:
                await self._answer(hot, scope, exchange, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, hot: HotCall, scope: Any, exchange: Exchange | None, receive: Receive, send: Send) -> None:
        started = perf_counter()
        headers = _Headers(scope["headers"])
        extra: dict[str, str] = {}
        try:
            principal = self._services.principals.find(headers.authorization) if headers.authorization else None
            admit(principal, hot.admits, hot.operation)
            assert principal is not None
            headers.check()
            body = await _body(exchange, receive, headers.length, self._services.settings.body_limit)
            if body is None:
                return
            call = Call(self._services, principal, headers.request.decode(), hot.operation, headers.idempotency_key)
            answer = await hot.handle(call, body)
            status, kind, content = answer.status, answer.media_type, answer.body
            if answer.seq:
                extra["sayso-registry-seq"] = answer.seq
        except Exception as error:  # noqa: BLE001 - every one has its answer; `problems` knows which are ours
            status, extra, content = (problems.authzen if hot.authzen else problems.respond)(error)
            kind = extra.pop("content-type")
            self._report(status, error, hot.operation)
        await _send(exchange, send, status, _head(kind), headers.request, extra, content)
        self._services.metrics.request(scope["path"], "POST", status, perf_counter() - started)

    async def _banner(self, site: str, scope: Any, exchange: Exchange | None, send: Send) -> bool:
        """Answer with a banner, or say that the framework must answer."""
        started = perf_counter()
        made = sites.banner(self._services, site, scope)
        if made is None:
            return False
        status, head, content = made
        await _send(exchange, send, status, head + b"x-request-id: ", _Headers(scope["headers"]).request, {}, content)
        self._services.metrics.request(SITES + "{site}/banner.js", "GET", status, perf_counter() - started)
        return True

    async def _choose(self, site: str, scope: Any, exchange: Exchange | None, receive: Receive, send: Send) -> None:
        """Record what a visitor chose. A page of the site may read every answer, the errors too."""
        started = perf_counter()
        headers = _Headers(scope["headers"])
        told: dict[str, str] = {}
        try:
            headers.check()
            body = await _body(exchange, receive, headers.length, self._services.settings.body_limit)
            if body is None:
                return
            key, request = headers.idempotency_key, headers.request.decode()
            answer = await sites.chosen(self._services, site, scope, key, request, body, told)
            status, kind, content = answer.status, answer.media_type, answer.body
        except Exception as error:  # noqa: BLE001 - as above
            status, more, content = problems.respond(error)
            kind = more.pop("content-type")
            told |= more
            self._report(status, error, "sites.choose")
        await _send(exchange, send, status, _head(kind), headers.request, told, content)
        self._services.metrics.request(SITES + "{site}/choices", "POST", status, perf_counter() - started)

    def _report(self, status: int, error: Exception, operation: str) -> None:
        if status == 500:
            self._services.log.error("a hot call failed", error, operation=operation)


async def _send(
    exchange: Exchange | None, send: Send, status: int, head: bytes, request: bytes, extra: dict[str, str], body: bytes
) -> None:
    """Send the answer. `head` is the lines up to the request's id, `extra` more of them."""
    lines = [head, request, b"\r\n", *(f"{name}: {value}\r\n".encode("latin-1") for name, value in extra.items())]
    if exchange is not None:
        await exchange.answer(status, b"".join(lines), body)
        return
    parsed: list[tuple[bytes, bytes]] = []
    for line in b"".join(lines).split(b"\r\n")[:-1]:
        name, _, value = line.partition(b": ")
        parsed.append((name, value))
    if status != 304:
        parsed.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": parsed})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _Headers:
    """What a hot call needs of the request's headers."""

    __slots__ = ("_key", "_kind", "_several", "authorization", "length", "request")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        named = dict(headers)
        self.authorization = named.get(b"authorization", b"")
        self.length = int(named.get(b"content-length", b"0"))
        self._kind = named.get(b"content-type", b"application/json")
        self._key = named.get(b"idempotency-key")
        # A dictionary holds the last of several lines of one name.
        self._several = self._key is not None and sum(name == b"idempotency-key" for name, _ in headers) > 1
        request = named.get(b"x-request-id")
        if request is not None and REQUEST_ID.fullmatch(request):
            self.request = request
        else:
            self.request = b"%s-%x" % (_BOOT, next(_numbers))

    def check(self) -> None:
        """Raise `Invalid` for a body that is not JSON by its own word, or two idempotency keys."""
        kind = self._kind
        if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
            raise Invalid("unsupported-media-type", "A body here is application/json.")
        if self._several:
            raise Invalid("invalid-idempotency-key", "A request carries one Idempotency-Key at most.")

    @property
    def idempotency_key(self) -> str | None:
        return self._key.decode("latin-1") if self._key is not None else None


@lru_cache(maxsize=16)
def _head(kind: str) -> bytes:
    """The lines that every answer of this media type begins with, up to the request's id."""
    lines = ((b"content-type", kind.encode()), *HEADERS)
    return b"".join(name + b": " + value + b"\r\n" for name, value in lines) + b"x-request-id: "


async def _body(exchange: Exchange | None, receive: Receive, announced: int, limit: int) -> bytes | None:
    """The whole body, or None when the caller went away. Raises `TooLarge` before more than the limit is held."""
    if announced > limit:
        raise body_too_large(limit)
    whole = exchange.body if exchange is not None else None
    if whole is not None:
        if len(whole) > limit:
            raise body_too_large(limit)
        return whole
    message: Any = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise body_too_large(limit)
        return body
    parts = [body]
    held = len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        held += len(part)
        if held > limit:
            raise body_too_large(limit)
        parts.append(part)
    return b"".join(parts)
