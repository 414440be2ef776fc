"""Rights requests: opened, checked, answered, and the certificate of an erasure."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from rights import Calendar, Correction, Kind, Law, LegalGround, Opening, Refusal, RequestView
from sayso.kernel import Tx, Work, raw
from sayso.server.answering import demand_fields, fulfilled, told_to
from sayso.server.call import Call
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits

Words = Annotated[str, Meta(max_length=4000)]


class OpenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks for what under which law. `purposes` are those an objection is about; default: all that a no can block.

    `timezone` and `country` are the controller's: they decide on which day the deadline falls. `agent` is who asks for
    the person with a power of attorney; it is kept sealed. `corrections` are what a rectification is about: which
    stored value, and what it should be.
    """

    subject: str
    kind: Kind
    law: Law = "default"
    purposes: tuple[str, ...] = ()
    timezone: str = "UTC"
    country: str = ""
    agent: Annotated[str, Meta(max_length=200)] = ""
    corrections: tuple[Correction, ...] = ()


class Extension(Struct, frozen=True, forbid_unknown_fields=True):
    """Why more time is needed, as the person was told."""

    reason: Words


class RefusalBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the request is denied: a reason of the Data Rights Protocol, and words."""

    reason: Refusal
    statement: Words = ""


class Fulfilment(Struct, frozen=True, forbid_unknown_fields=True):
    """What must be kept on which legal ground, and words. Usually empty."""

    grounds: tuple[LegalGround, ...] = ()
    statement: Words = ""


@post("/v1/rights/requests", opt=admits("officer", "recorder"), operation_id="rights.open", tags=["Rights"])
async def open_request(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[OpenRequest]
) -> Response[RequestView]:
    """Open a request. Its clock runs from now; whether the person exists changes nothing in the answer."""
    opening = Opening(
        subject=raw(data.subject, "sub"),
        kind=data.kind,
        law=data.law,
        calendar=Calendar(data.timezone, data.country),
        purposes=data.purposes,
        agent=data.agent.strip(),
        corrections=data.corrections,
    )
    demand_fields(call.configuration, data.corrections)

    def unit(tx: Tx) -> Work[RequestView]:
        return call.services.desk.open(tx, call.configuration.policy, opening)

    return answered(await call.create(unit, await request.body(), alone=True))


@get(
    "/v1/rights/requests/{request_id:str}",
    opt=admits("officer", "auditor"),
    operation_id="rights.request",
    tags=["Rights"],
)
async def request_(call: NamedDependency[Call], request_id: FromPath[str]) -> RequestView:
    """One request as it stands. Who asks for a person is told to officers alone."""
    found = await call.look(lambda tx: call.services.desk.request(tx, request_id))
    return told_to(call, found)


@post(
    "/v1/rights/requests/{request_id:str}/extend",
    opt=admits("officer"),
    operation_id="rights.extend",
    tags=["Rights"],
    status_code=200,
)
async def extend(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Extension]) -> RequestView:
    """Take the law's longer term."""
    return await call.alone(lambda tx: call.services.desk.clock.extend(tx, request_id, data.reason))


@post(
    "/v1/rights/requests/{request_id:str}/refuse",
    opt=admits("officer"),
    operation_id="rights.refuse",
    tags=["Rights"],
    status_code=200,
)
async def refuse(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[RefusalBody]) -> RequestView:
    """Deny the request, with its reason."""
    return await call.alone(lambda tx: call.services.desk.refuse(tx, request_id, data.reason, data.statement))


@post(
    "/v1/rights/requests/{request_id:str}/fulfil",
    opt=admits("officer"),
    operation_id="rights.fulfil",
    tags=["Rights"],
    status_code=200,
)
async def fulfil(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Fulfilment]) -> RequestView:
    """Do what is ours to do, and answer when it is done. Of a kind that takes two officers, propose it: another one
    then approves.
    """
    services, live = call.services, call.configuration
    if (await call.look(lambda tx: services.desk.request(tx, request_id))).kind in live.answering.two_officers:
        person, approval = call.principal.counts_as, services.desk.approval
        return await call.alone(lambda tx: approval.propose(tx, request_id, person, data.grounds, data.statement))
    return await fulfilled(call, request_id, data.grounds, data.statement)


@get(
    "/v1/rights/requests/{request_id:str}/certificate",
    opt=admits("officer", "auditor"),
    operation_id="rights.certificate",
    tags=["Rights"],
    media_type="application/jose",
)
async def certificate(call: NamedDependency[Call], request_id: FromPath[str]) -> Response[bytes]:
    """The signed certificate of an erasure (compact JWS). It verifies with this server off."""
    jws = await call.look(lambda tx: call.services.desk.certificate(tx, request_id))
    return Response(jws.encode(), media_type="application/jose")


handlers: list[BaseRouteHandler] = [open_request, request_, extend, refuse, fulfil, certificate]
