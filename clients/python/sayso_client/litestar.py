"""For Litestar: a guard that asks before the handler runs.

    app = Litestar([card], plugins=[SaysoPlugin(say)])

    @get("/people/{person:str}/phone", guards=[requires(action="reveal", category="contact.phone", purpose="support",
                                                        subject=from_path("person"), case=from_query("case"))])
    async def card(request: Request, person: str) -> dict[str, str]:
        permit = decision_of(request)

A denial is a 403 with a problem document (RFC 9457) that names the reason, and the handler never runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.plugins import InitPlugin

from sayso_client.asking import Part, Requirement, from_header, from_path, from_query
from sayso_client.awaiting import AsyncSayso
from sayso_client.decisions import Decision, NotPermitted

__all__ = ["SaysoPlugin", "decision_of", "decisions_of", "from_header", "from_path", "from_query", "requires"]

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

_CLIENT = "sayso"
_DECISIONS = "sayso_decisions"


class SaysoPlugin(InitPlugin):
    """Gives the application its client and answers denials. The client is closed with the application."""

    def __init__(self, say: AsyncSayso) -> None:
        self._say = say

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.state[_CLIENT] = self._say
        app_config.exception_handlers = {NotPermitted: _refused, **app_config.exception_handlers}
        app_config.on_shutdown.append(self._say.aclose)
        return app_config


def requires(
    *,
    action: str,
    category: str,
    subject: str | Part,
    purpose: str | None = None,
    channel: str | Part | None = None,
    jurisdiction: str | Part | None = None,
    relation: str | Part | None = None,
    case: str | Part | None = None,
) -> Guard:
    """A guard: the handler runs with a permit only."""
    required = Requirement(action, category, purpose, subject, channel, jurisdiction, relation, case)

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        say = connection.app.state.get(_CLIENT)
        if say is None:
            raise RuntimeError("the application has no SaysoPlugin")
        permit = await required.of(say, connection)
        connection.state[_DECISIONS] = (*connection.state.get(_DECISIONS, ()), permit)

    return guard


def decisions_of(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[Decision, ...]:
    """The permits that this request was let in with, in the order of its guards."""
    found: tuple[Decision, ...] = connection.state.get(_DECISIONS, ())
    return found


def decision_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Decision:
    """The permit of the last guard. Raises `LookupError` on a route that has none."""
    found = decisions_of(connection)
    if not found:
        raise LookupError("this route requires nothing")
    return found[-1]


def _refused(_request: Request[Any, Any, Any], error: NotPermitted) -> Response[bytes]:
    return Response(
        msgspec.json.encode(error.problem),
        status_code=403,
        media_type="application/problem+json",
        headers={"cache-control": "no-store"},
    )
