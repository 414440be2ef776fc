"""For Starlette and FastAPI: ask before the endpoint runs.

    install(app, say)

    @app.get("/people/{person}/phone")                                                # FastAPI
    async def phone(person: str, permit: Annotated[Decision, Depends(requires(action="reveal", …))]): ...

    @requires(action="reveal", category="contact.phone", purpose="support", subject=from_path("person")).endpoint
    async def phone(request: Request) -> Response: ...                                # Starlette

A denial is a 403 with a problem document (RFC 9457) that names the reason, and the endpoint never runs.
"""

# Annotations stay values here: FastAPI reads those of `requires.__call__`.
import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from sayso_client.asking import Part, Requirement, from_header, from_path, from_query
from sayso_client.awaiting import AsyncSayso
from sayso_client.decisions import Decision, NotPermitted

__all__ = ["decision_of", "decisions_of", "from_header", "from_path", "from_query", "install", "requires"]

T = TypeVar("T")


def install(app: Starlette, say: AsyncSayso) -> None:
    """Give the application its client, and have denials answered. Who made the client closes it."""
    app.state.sayso = say
    app.add_exception_handler(NotPermitted, _refused)


class requires:  # noqa: N801 - it reads as what it does
    """What an endpoint requires: a dependency for FastAPI's `Depends`, and by `endpoint` a decorator for Starlette."""

    def __init__(
        self,
        *,
        action: str,
        category: str,
        subject: str | Part,
        purpose: str | None = None,
        channel: str | Part | None = None,
        jurisdiction: str | Part | None = None,
        relation: str | Part | None = None,
        case: str | Part | None = None,
    ) -> None:
        self._required = Requirement(action, category, purpose, subject, channel, jurisdiction, relation, case)

    async def __call__(self, request: Request) -> Decision:
        """The permit. Raises `NotPermitted`."""
        say = getattr(request.app.state, "sayso", None)
        if say is None:
            raise RuntimeError("install(app, say) was not called")
        permit = await self._required.of(say, request)
        request.state.sayso_decisions = (*decisions_of(request), permit)
        return permit

    def endpoint(self, function: Callable[[Request], Awaitable[T]]) -> Callable[[Request], Awaitable[T]]:
        """An endpoint that runs with a permit only; `decision_of(request)` is that permit."""

        @functools.wraps(function)
        async def asked(request: Request) -> T:
            await self(request)
            return await function(request)

        return asked


def decisions_of(request: Request) -> tuple[Decision, ...]:
    """The permits that this request was let in with, in the order they were asked for."""
    found: tuple[Decision, ...] = getattr(request.state, "sayso_decisions", ())
    return found


def decision_of(request: Request) -> Decision:
    """The permit that was asked for last. Raises `LookupError` on an endpoint that requires none."""
    found = decisions_of(request)
    if not found:
        raise LookupError("this endpoint requires nothing")
    return found[-1]


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotPermitted)
    return Response(
        msgspec.json.encode(error.problem),
        status_code=403,
        media_type="application/problem+json",
        headers={"cache-control": "no-store"},
    )
