"""Sayso as a witness for the logs of others: C2SP tlog-witness. Who may call is decided by the log's own signature."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from audit import LogNotFound
from sayso.kernel import SYSTEM, Context, now
from sayso.server.routes.gate import public, services_of
from sayso.server.tenancy import DEFAULT

_SIGNED = "a checkpoint counts by its signature, and only of the logs that the operator named"
_A_MOMENT = "public, max-age=1"


@post(
    "/witness/add-checkpoint",
    opt=public(_SIGNED),
    operation_id="witness.add_checkpoint",
    tags=["Witness"],
    status_code=200,
    media_type="text/plain",
    request_max_body_size=1 << 16,
)
async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Cosign a checkpoint that continues the last one (C2SP tlog-witness). 400, 403, 404, 409 and 422 as specified."""
    services, raw = services_of(request), await request.body()
    context = Context(DEFAULT, SYSTEM, now(), "witness")
    answer = await services.witnesses.desk.add(services.database, context, raw)
    # As a header, since Litestar would add a charset to the media type, and the specification has none.
    headers = {"content-type": answer.media_type}
    return Response(answer.body, status_code=answer.status, headers=headers)


@get("/witness/vkey", opt=public(_SIGNED), operation_id="witness.vkey", tags=["Witness"], media_type="text/plain")
async def vkey(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The key that our cosignatures verify with, one line."""
    line = services_of(request).witnesses.desk.key.line
    return Response(line.encode() + b"\n", media_type="text/plain; charset=utf-8")


@get(
    "/witness/{origin:str}/checkpoint",
    opt=public(_SIGNED),
    operation_id="witness.checkpoint",
    tags=["Witness"],
    media_type="text/plain",
)
async def latest(request: Request[Any, Any, Any], origin: FromPath[str]) -> Response[bytes]:
    """The newest checkpoint we cosigned of a log, named by the SHA-256 of its origin in hex."""
    services = services_of(request)
    context = Context(DEFAULT, SYSTEM, now(), "witness")
    note = await services.witnesses.desk.latest(services.database, context, origin)
    if note is None:
        raise LogNotFound
    return Response(note, media_type="text/plain; charset=utf-8", headers={"cache-control": _A_MOMENT})


handlers: list[BaseRouteHandler] = [add_checkpoint, vkey, latest]
