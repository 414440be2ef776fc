"""Consent records, made by services."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from consent import Recorded
from sayso.server.call import Call
from sayso.server.calls.consents import RECORDERS, RecordConsent, recorded
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits


@post(
    "/v1/consents",
    opt=admits(*RECORDERS) | documented(RecordConsent),
    operation_id="consents.record",
    tags=["Consent"],
)
async def record(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[Recorded]:
    """Record choices on a notice, granted or not. Answered when record, state, entry and receipt are durable."""
    return answered(await recorded(call, await json_body(request)))


handlers: list[BaseRouteHandler] = [record]
