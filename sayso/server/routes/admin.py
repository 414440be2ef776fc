"""Administration: keys, the manifest, brands."""

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from policies import SYSTEM_RULES, Rule
from sayso.server.call import Call
from sayso.server.callers import clients
from sayso.server.callers.auth import OPERATOR
from sayso.server.callers.clients import Keys, MadeKey, NewKey
from sayso.server.manifests.applying import LARGEST_MANIFEST, Applied, Applying, apply
from sayso.server.routes.answers import answered
from sayso.server.routes.change_control import changed
from sayso.server.routes.gate import admits
from sayso.server.running.founding import Founded, NewTenant, Tenants, all_tenants, found


class LiveManifest(Struct, frozen=True):
    """The live manifest: its version (0 before the first), hash, and all sections."""

    version: int
    hash: str
    manifest: msgspec.Raw


class RuleView(Struct, frozen=True):
    """One rule as it decides. `shipped` rules come with Sayso and cannot be deleted."""

    id: str
    role: str
    action: str
    category: str
    purpose: str
    jurisdiction: str
    effect: str
    basis: str
    need: str
    obligations: list[str]
    shipped: bool


class LiveRules(Struct, frozen=True):
    """All rules; `version` is the hash that answers and entries name."""

    version: str
    rules: list[RuleView]


@post("/v1/keys", opt=admits("admin"), operation_id="keys.create", tags=["Administration"])
async def create_key(call: NamedDependency[Call], data: JSONBody[NewKey]) -> Response[MadeKey]:
    """A new API key for a client, which is made if it is new. The key is shown once."""
    body = msgspec.json.encode(data)
    maker = call.principal
    return answered(await call.create(lambda tx: clients.create_key(call.services, data, tx, maker), body, alone=True))


@get("/v1/keys", opt=admits("admin"), operation_id="keys.list", tags=["Administration"])
async def list_keys(call: NamedDependency[Call]) -> Keys:
    """Clients and their keys, never the keys themselves."""
    return await call.look(clients.list_keys)


@delete("/v1/keys/{key:str}", opt=admits("admin"), operation_id="keys.revoke", tags=["Administration"])
async def revoke_key(call: NamedDependency[Call], key: FromPath[str]) -> None:
    """End a key at once, on every node."""
    await call.alone(lambda tx: clients.revoke_key(call.services, key, tx))


@post(
    "/v1/keys/{key:str}/confirm",
    opt=admits("officer"),
    operation_id="keys.confirm",
    tags=["Administration"],
    status_code=204,
)
async def confirm_key(call: NamedDependency[Call], key: FromPath[str]) -> None:
    """Say that somebody else than its maker holds this key. Until then it counts as its maker where changes, or values,
    need two people.
    """
    await call.alone(lambda tx: clients.confirm_key(call.services, key, call.principal, tx))


@get("/v1/manifest", opt=admits("officer", "auditor"), operation_id="manifest.live", tags=["Administration"])
async def live(call: NamedDependency[Call]) -> LiveManifest:
    """The live manifest, with its order kept."""
    held = call.configuration
    return LiveManifest(held.version, held.hash, msgspec.Raw(held.manifest))


@post(
    "/v1/manifest",
    opt=admits("admin"),
    operation_id="manifest.apply",
    tags=["Administration"],
    status_code=200,
    request_max_body_size=LARGEST_MANIFEST,
)
async def apply_manifest(call: NamedDependency[Call], data: JSONBody[Applying]) -> Response[Applied]:
    """Bring the sections that the files name to exactly what they say; with `dry_run` tell what that would change.

    While the live manifest says `approval: two`, nothing is changed: the answer is 202, with a proposal that another
    person has to approve.
    """
    return changed(await apply(call, data))


@get("/v1/policy/rules", opt=admits("officer", "auditor"), operation_id="policy.rules", tags=["Administration"])
async def rules(call: NamedDependency[Call]) -> LiveRules:
    """The live rules in the order in which they are tried, those shipped with Sayso first."""
    policy = call.configuration.policy
    return LiveRules(policy.version, [_rule(rule) for rule in policy.snapshot.rules])


@post("/v1/tenants", opt=admits(OPERATOR), operation_id="tenants.create", tags=["Operator"])
async def create_tenant(call: NamedDependency[Call], data: JSONBody[NewTenant]) -> Founded:
    """Another brand with its keys, its log and its first administrator. Only through the local socket."""
    return await found(call.services, data)


@get("/v1/tenants", opt=admits(OPERATOR), operation_id="tenants.list", tags=["Operator"])
async def list_tenants(call: NamedDependency[Call]) -> Tenants:
    """All brands. Only through the local socket."""
    return await all_tenants(call.services)


def _rule(rule: Rule) -> RuleView:
    names = [obligation.type for obligation in rule.obligations]
    words = (
        rule.id,
        rule.role,
        rule.action,
        rule.category,
        rule.purpose,
        rule.jurisdiction,
        rule.effect,
        rule.basis,
        rule.need,
    )
    return RuleView(*words, names, rule in SYSTEM_RULES)


handlers: list[BaseRouteHandler] = [
    create_key,
    list_keys,
    revoke_key,
    confirm_key,
    live,
    apply_manifest,
    rules,
    create_tenant,
    list_tenants,
]
