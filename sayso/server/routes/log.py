"""The log as the world may mirror it: C2SP tlog-tiles. Hashes are public; bundles of entries are for auditors."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from audit import LogNotFound
from sayso.kernel import SYSTEM, Context, SaysoError, Unit, now
from sayso.server.call import Call
from sayso.server.routes.gate import admits, public, services_of

FOR_EVER = "public, max-age=31536000, immutable"
A_MOMENT = "public, max-age=1"

_HIDING = "leaf hashes hide what they are of, and a log that cannot be watched proves nothing"


@get(
    "/log/{log:str}/checkpoint",
    opt=public(_HIDING),
    operation_id="log.checkpoint",
    tags=["Log"],
    media_type="text/plain",
)
async def checkpoint(request: Request[Any, Any, Any], log: FromPath[str]) -> Response[bytes]:
    """The newest signed checkpoint (C2SP tlog-checkpoint)."""
    audit = services_of(request).audit
    tenant, name = place_of(log)
    note = await _public(request, tenant, lambda tx: audit.checkpoint(tx, name))
    return Response(note, media_type="text/plain; charset=utf-8", headers={"cache-control": A_MOMENT})


@get(
    "/log/{log:str}/checkpoint.witnessed",
    opt=public(_HIDING),
    operation_id="log.witnessed",
    tags=["Log"],
    media_type="text/plain",
)
async def witnessed(request: Request[Any, Any, Any], log: FromPath[str]) -> Response[bytes]:
    """The newest checkpoint that enough witnesses cosigned, with their signatures. 404 while there is none."""
    audit = services_of(request).audit
    tenant, name = place_of(log)
    note = await _public(request, tenant, lambda tx: audit.witnessed(tx, name))
    return Response(note, media_type="text/plain; charset=utf-8", headers={"cache-control": A_MOMENT})


@get("/log/{log:str}/tile/{level:int}/{number:path}", opt=public(_HIDING), operation_id="log.tile", tags=["Log"])
async def tile(
    request: Request[Any, Any, Any], log: FromPath[str], level: FromPath[int], number: FromPath[str]
) -> Response[bytes]:
    """Hashes of one tile; narrower ones (`.p/<width>`) are prefixes of the widest."""
    audit = services_of(request).audit
    tenant, name = place_of(log)
    path = f"tile/{level}{number}"
    hashes = await _public(request, tenant, lambda tx: audit.tile(tx, path, name))
    return Response(hashes, media_type="application/octet-stream", headers={"cache-control": FOR_EVER})


@get("/log/{log:str}/tile/entries/{number:path}", opt=admits("auditor"), operation_id="log.entries", tags=["Log"])
async def entries(call: NamedDependency[Call], log: FromPath[str], number: FromPath[str]) -> Response[bytes]:
    """A bundle of entries. Those of another brand are as unknown as none."""
    tenant, name = place_of(log)
    if tenant != call.tenant:
        raise LogNotFound
    bundle = await call.look(lambda tx: call.services.audit.tile(tx, f"tile/entries{number}", name))
    return Response(
        bundle, media_type="application/octet-stream", headers={"cache-control": "private, max-age=31536000, immutable"}
    )


def place_of(log: str) -> tuple[str, str]:
    """Brand and name in `default.main`. Raises `LogNotFound`."""
    tenant, _, name = log.partition(".")
    if not tenant or not name:
        raise LogNotFound
    return tenant, name


async def _public(request: Request[Any, Any, Any], tenant: str, unit: Unit[bytes]) -> bytes:
    services = services_of(request)
    try:
        services.configurations.demand(tenant)
    except SaysoError:
        raise LogNotFound from None
    return await services.database.look(Context(tenant, SYSTEM, now(), "log"), unit)


handlers: list[BaseRouteHandler] = [checkpoint, witnessed, tile, entries]
