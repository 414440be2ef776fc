"""Webhooks: who is told of changes, what became of each message, and who is behind."""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from sayso.server.call import Call
from sayso.server.callers.auth import POLICY
from sayso.server.feed import Again, ChangedWebhook, Figures, Log, NewWebhook, Overdue, Queued, Status, Webhook
from sayso.server.routes.answers import answered
from sayso.server.routes.changes import LISTENERS
from sayso.server.routes.gate import admits

SUBSCRIBERS = ("recorder", "officer", "pep", "vault_writer", POLICY)
"""Who may have messages sent to an address of theirs."""


class Webhooks(Struct, frozen=True):
    """Subscriptions, oldest first."""

    webhooks: tuple[Webhook, ...]


class OverdueClients(Struct, frozen=True):
    """Clients that are behind, the longest first."""

    overdue: tuple[Overdue, ...]


class WebhookDetail(Struct, frozen=True):
    """One subscription, and how it fares."""

    webhook: Webhook
    figures: Figures


@post("/v1/webhooks", opt=admits(*SUBSCRIBERS), operation_id="webhooks.create", tags=["Changes"])
async def create(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[NewWebhook]
) -> Response[Webhook]:
    """Have changes sent to an address, signed (Standard Webhooks). The secret is shown once.

    Without `types` and `purposes` every change is sent. An administrator may name the client whose webhook it is.
    """
    feed = call.services.feed
    return answered(await call.create(lambda tx: feed.subscriptions.create(tx, data), await request.body(), alone=True))


@get("/v1/webhooks", opt=admits(*LISTENERS), operation_id="webhooks.list", tags=["Changes"])
async def listed(call: NamedDependency[Call]) -> Webhooks:
    """The caller's own webhooks; every client's for officers, auditors and administrators."""
    return Webhooks(await call.look(call.services.feed.subscriptions.listed))


@get("/v1/webhooks/overdue", opt=admits("officer", "auditor"), operation_id="webhooks.overdue", tags=["Changes"])
async def overdue(call: NamedDependency[Call]) -> OverdueClients:
    """Clients that were not told of a change for longer than `webhook_overdue`, or that were given up on."""
    return OverdueClients(await call.look(call.services.feed.deliveries.overdue))


@get("/v1/webhooks/{webhook:str}", opt=admits(*LISTENERS), operation_id="webhooks.read", tags=["Changes"])
async def read(call: NamedDependency[Call], webhook: FromPath[str]) -> WebhookDetail:
    """One webhook: messages by status, and how fast its receiver acknowledges."""
    feed = call.services.feed
    figures = await call.look(lambda tx: feed.deliveries.figures(tx, webhook))
    return WebhookDetail(await call.look(lambda tx: feed.subscriptions.one(tx, webhook)), figures)


@patch("/v1/webhooks/{webhook:str}", opt=admits(*SUBSCRIBERS), operation_id="webhooks.change", tags=["Changes"])
async def change(call: NamedDependency[Call], webhook: FromPath[str], data: JSONBody[ChangedWebhook]) -> Webhook:
    """Change a webhook, pause or resume it, or replace its secret: the old one signs beside the new one for a day."""
    return await call.alone(lambda tx: call.services.feed.subscriptions.change(tx, webhook, data))


@delete("/v1/webhooks/{webhook:str}", opt=admits(*SUBSCRIBERS), operation_id="webhooks.delete", tags=["Changes"])
async def end(call: NamedDependency[Call], webhook: FromPath[str]) -> None:
    """End a webhook, with its messages and their log."""
    await call.alone(lambda tx: call.services.feed.subscriptions.delete(tx, webhook))


@get(
    "/v1/webhooks/{webhook:str}/deliveries",
    opt=admits(*LISTENERS),
    operation_id="webhooks.deliveries",
    tags=["Changes"],
)
async def deliveries(
    call: NamedDependency[Call],
    webhook: FromPath[str],
    status: FromQuery[Status | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> Log:
    """The delivery log, newest first: every message with its attempts. Kept for thirty days."""
    return await call.look(lambda tx: call.services.feed.deliveries.log(tx, webhook, status, cursor, limit))


@post(
    "/v1/webhooks/{webhook:str}/redeliveries",
    opt=admits(*SUBSCRIBERS),
    operation_id="webhooks.redeliver",
    tags=["Changes"],
    status_code=202,
)
async def redeliver(
    request: Request[Any, Any, Any], call: NamedDependency[Call], webhook: FromPath[str], data: JSONBody[Again]
) -> Response[Queued]:
    """Send messages again, by id or by the time of their changes, each with the id it had."""
    body = webhook.encode() + b"\0" + await request.body()
    deliveries = call.services.feed.deliveries
    return answered(await call.create(lambda tx: deliveries.again(tx, webhook, data), body, status=202, alone=True))


handlers: list[BaseRouteHandler] = [create, listed, overdue, read, change, end, deliveries, redeliver]
