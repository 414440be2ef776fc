"""Administration: keys, the manifest, brands."""

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
import msgspec
from msgspec import Struct
from typing import Any
from litestar import Response

from sayso.server import clients
from sayso.server.applying import Applied, Applying, apply
from sayso.server.auth import OPERATOR
from sayso.server.call import Call
from sayso.server.clients import Keys, MadeKey, NewKey
from sayso.server.founding import Founded, NewTenant, Tenants, all_tenants, found
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits


class LiveManifest(Struct, frozen=True):
    """The live manifest: its version (0 before the first), hash, and all sections."""

    version: int
    hash: str
    manifest: msgspec.Raw


@post("/v1/keys", opt=admits("admin"), operation_id="keys.create", tags=["Administration"])
async def create_key(call: NamedDependency[Call], data: NewKey) -> Response[MadeKey]:
    """A new API key for a client, which is made if it is new. The key is shown once."""
    body = msgspec.json.encode(data)
    return answered(await call.create(lambda tx: clients.create_key(call.services, data, tx), body, alone=True))


@get("/v1/keys", opt=admits("admin"), operation_id="keys.list", tags=["Administration"])
async def list_keys(call: NamedDependency[Call]) -> Keys:
    """Clients and their keys, never the keys themselves."""
    return await call.look(clients.list_keys)


@delete("/v1/keys/{key:str}", opt=admits("admin"), operation_id="keys.revoke", tags=["Administration"])
async def revoke_key(call: NamedDependency[Call], key: str) -> None:
    """End a key at once, on every node."""
    await call.alone(lambda tx: clients.revoke_key(call.services, key, tx))


@get("/v1/manifest", opt=admits("officer", "auditor"), operation_id="manifest.live", tags=["Administration"])
async def live(call: NamedDependency[Call]) -> LiveManifest:
    """The live manifest, with its order kept."""
    held = call.configuration
    return LiveManifest(held.version, held.hash, msgspec.Raw(held.manifest))


@post("/v1/manifest", opt=admits("admin"), operation_id="manifest.apply", tags=["Administration"], status_code=200)
async def apply_manifest(call: NamedDependency[Call], data: Applying) -> Applied:
    """Bring the sections that the files name to exactly what they say; with `dry_run` only tell what that would change."""
    return await apply(call, data)


@post("/v1/tenants", opt=admits(OPERATOR), operation_id="tenants.create", tags=["Operator"])
async def create_tenant(call: NamedDependency[Call], data: NewTenant) -> Founded:
    """Another brand with its keys, its log and its first administrator. Only through the local socket."""
    return await found(call.services, data)


@get("/v1/tenants", opt=admits(OPERATOR), operation_id="tenants.list", tags=["Operator"])
async def list_tenants(call: NamedDependency[Call]) -> Tenants:
    """All brands. Only through the local socket."""
    return await all_tenants(call.services)


handlers: list[BaseRouteHandler] = [create_key, list_keys, revoke_key, live, apply_manifest, create_tenant, list_tenants]
