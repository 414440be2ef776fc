"""The Data Rights Protocol 1.0: what agents of its network call. Errors are the protocol's own (section 3.06)."""

from functools import partial
from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from sayso.kernel import SYSTEM, Context, Invalid, NotFound, SaysoError, TooMany, now
from sayso.server.brand.portals import address_for
from sayso.server.call import Call
from sayso.server.callers.auth import DRP_AGENT
from sayso.server.drp.desk import Token
from sayso.server.drp.messages import LONGEST, DrpForbidden, claimed, demand_signed, opened
from sayso.server.drp.status import ACTIONS, ExerciseStatus
from sayso.server.limits import client_address, prefix_of
from sayso.server.routes.gate import admits, public, services_of
from sayso.server.tenancy import DEFAULT
from sayso.server.wiring import Services

AnyRequest = Request[Any, Any, Any]

EXERCISES_A_MINUTE = 300
"""Requests that one agent may bring in a minute."""

TOKENS_A_MINUTE = 30
"""Tries for a token that one network has in a minute."""

_SIGNED = public("an agent has no token before this call: what it sends is signed with the key that the manifest names")
_DIRECTORY = public("agents look up what a business takes before they know it")


class Business(Struct, frozen=True):
    """What the network's directory says of us (section 3.05.2)."""

    id: str
    name: str
    api_base: str
    supported_actions: list[str]
    supported_verifications: list[str]
    web_url: str


@post(
    "/v1/agent/{agent_id:str}",
    opt=_SIGNED,
    operation_id="drp.enrol",
    tags=["Data Rights Protocol"],
    status_code=200,
    request_max_body_size=LONGEST,
)
async def enrol(request: AnyRequest, agent_id: FromPath[str]) -> Response[Any]:
    """A token for an agent, for a message that its key signed (2.05). Whatever is wrong: 403 without a word. Another
    token of the agent ends.
    """
    services = services_of(request)
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    network = prefix_of(client_address(peer, forwarded, services.settings.trusted_proxies))
    services.limiter.take(f"drp:{network}", TOKENS_A_MINUTE, now())
    try:
        token = await _enrolled(services, agent_id, await _signed(request), request.scope["sayso.request"])  # type: ignore[typeddict-item]
    except TooMany:
        raise
    except SaysoError as error:
        services.log.info("agent refused", why=error.slug)
        return Response(b"", status_code=403, media_type="text/plain")
    return Response(token, status_code=200, headers={"cache-control": "no-store"})


@get("/v1/agent/{agent_id:str}", opt=admits(DRP_AGENT), operation_id="drp.agent", tags=["Data Rights Protocol"])
async def agent(call: NamedDependency[Call], agent_id: FromPath[str]) -> dict[str, Any]:
    """Whether the token is good, and that agent's (2.06)."""
    return await call.look(lambda tx: call.services.agents.known(tx, agent_id))


@post(
    "/v1/data-rights-request",
    opt=admits(DRP_AGENT),
    operation_id="drp.exercise",
    tags=["Data Rights Protocol"],
    status_code=200,
    request_max_body_size=LONGEST,
)
async def exercise(request: AnyRequest, call: NamedDependency[Call]) -> ExerciseStatus:
    """A person's right, exercised through the agent (2.01): a signed message, taken once."""
    call.services.limiter.take(f"drp:{call.principal.actor.id}", EXERCISES_A_MINUTE, call.context.at)
    body = await _signed(request)
    return await call.alone(lambda tx: call.services.agents.exercise(tx, body))


@get(
    "/v1/data-rights-request/{request_id:str}",
    opt=admits(DRP_AGENT),
    operation_id="drp.status",
    tags=["Data Rights Protocol"],
)
async def status(call: NamedDependency[Call], request_id: FromPath[str]) -> ExerciseStatus:
    """How a request stands that this agent brought (2.02)."""
    return await call.look(lambda tx: call.services.agents.status(tx, request_id))


@delete(
    "/v1/data-rights-request/{request_id:str}",
    opt=admits(DRP_AGENT),
    operation_id="drp.revoke",
    tags=["Data Rights Protocol"],
    status_code=200,
    request_max_body_size=LONGEST,
)
async def revoke(request: AnyRequest, call: NamedDependency[Call], request_id: FromPath[str]) -> ExerciseStatus:
    """The person does not want it any more (2.04)."""
    body = await _signed(request)
    return await call.alone(lambda tx: call.services.agents.revoke(tx, request_id, body))


@get("/.well-known/data-rights.json", opt=_DIRECTORY, operation_id="drp.directory", tags=["Data Rights Protocol"])
async def directory(request: AnyRequest) -> Response[Business]:
    """What the directory is to say of the brand `default`."""
    return _business(services_of(request), DEFAULT)


@get(
    "/t/{tenant:str}/.well-known/data-rights.json",
    opt=_DIRECTORY,
    operation_id="drp.directory_of",
    tags=["Data Rights Protocol"],
)
async def directory_of(request: AnyRequest, tenant: FromPath[str]) -> Response[Business]:
    """What the directory is to say of one brand."""
    return _business(services_of(request), tenant)


def _business(services: Services, tenant: str) -> Response[Business]:
    services.configurations.demand(tenant)
    live = services.configurations.of(tenant)
    if not live.drp.business:
        raise NotFound("not-found", "There is nothing here.")
    found = Business(
        live.drp.business,
        live.controller,
        services.settings.base_url,
        list(ACTIONS),
        ["email", "phone_number"],
        address_for(services.settings, live),
    )
    return Response(found, headers={"cache-control": "public, max-age=300"})


async def _enrolled(services: Services, agent_id: str, body: bytes, request: str) -> Token:
    """The brand is the one that the message names, of those whose agent signed it."""
    signed = opened(body)
    _, business = claimed(signed)
    for tenant in services.configurations.tenants():
        network = services.configurations.of(tenant).drp
        agent = network.agents.get(agent_id)
        if agent is None or network.business != business:
            continue
        try:
            demand_signed(signed, agent.verify_key)
        except DrpForbidden:
            continue
        unit = partial(services.agents.enrol, agent=agent, network=network, body=body)
        token = await services.database.run_alone(Context(tenant, SYSTEM, now(), request), unit)
        await services.configurations.refresh(tenant)
        return token
    raise DrpForbidden("No brand here knows this agent under that business and key.")


async def _signed(request: AnyRequest) -> bytes:
    """A signed body: `text/plain`, as the protocol says."""
    kind = request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if kind != "text/plain":
        raise Invalid("unsupported-media-type", "A signed message is text/plain.")
    return await request.body()


handlers: list[BaseRouteHandler] = [enrol, agent, exercise, status, revoke, directory, directory_of]
