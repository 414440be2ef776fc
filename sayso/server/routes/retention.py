"""What works on its own, when data end, and what holds them."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from rights import DataEnds, HoldView, HoldWanted, PersonEnds
from sayso.kernel import Tx, Work, add_duration, parse_instant, raw
from sayso.server.call import Call
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits
from sayso.server.running.workers import JobView

Words = Annotated[str, Meta(max_length=4000)]


class JobList(Struct, frozen=True):
    """The jobs of the brand."""

    jobs: list[JobView]


class ProposeHold(Struct, frozen=True, forbid_unknown_fields=True):
    """What must not be destroyed: whose data, of which categories (none: all), for which matter, until when (RFC 3339;
    absent: until it is released).
    """

    matter: str
    people: tuple[str, ...]
    categories: tuple[str, ...] = ()
    until: str | None = None
    reason: Words = ""


class HoldReason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in words."""

    reason: Words = ""


class HoldList(Struct, frozen=True):
    """All holds, oldest first."""

    holds: list[HoldView]


@get("/v1/jobs", opt=admits("officer"), operation_id="jobs.list", tags=["Data ends"])
async def jobs(call: NamedDependency[Call]) -> JobList:
    """What works on its own: how far it is, and what fails."""
    return JobList(await call.look(call.services.workers.states))


@get("/v1/data-ends", opt=admits("officer"), operation_id="retention.preview", tags=["Data ends"])
async def data_ends(
    call: NamedDependency[Call],
    before: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100_000)] = 10_000,
) -> DataEnds:
    """What will be deleted until `before` (RFC 3339; default: thirty days on) because no purpose is live for it, and
    what has ended and is kept on a ground. Counts by category with a few handles, never a value; nothing is done.
    """
    until = parse_instant(before) if before else add_duration(call.context.at, "P30D")
    return await call.look(lambda tx: call.services.workers.retention.preview(tx, until, limit))


@get("/v1/subjects/{subject:str}/data-ends", opt=admits("officer"), operation_id="retention.person", tags=["Data ends"])
async def person_ends(call: NamedDependency[Call], subject: FromPath[str]) -> PersonEnds:
    """When the data of one person end, and what keeps them: legal basis and purpose, a hold, a restriction."""
    person = raw(subject, "sub")
    return await call.look(lambda tx: call.services.workers.retention.of_person(tx, person))


@post("/v1/holds", opt=admits("officer"), operation_id="holds.propose", tags=["Data ends"])
async def propose_hold(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[ProposeHold]
) -> Response[HoldView]:
    """Propose a legal hold. It holds nothing until another officer approves."""
    wanted = HoldWanted(
        matter=data.matter,
        people=tuple(raw(each, "sub") for each in data.people),
        categories=data.categories,
        until=parse_instant(data.until) if data.until else 0,
        reason=data.reason,
    )

    def unit(tx: Tx) -> Work[HoldView]:
        declared = call.configuration.catalogue.categories
        return call.services.workers.retention.holds.propose(tx, declared, wanted, call.principal.counts_as)

    return answered(await call.create(unit, await request.body(), alone=True))


@get("/v1/holds", opt=admits("officer", "auditor"), operation_id="holds.list", tags=["Data ends"])
async def list_holds(call: NamedDependency[Call]) -> HoldList:
    """All legal holds, those that were released included."""
    return HoldList(await call.look(call.services.workers.retention.holds.holds))


@get("/v1/holds/{hold:str}", opt=admits("officer", "auditor"), operation_id="holds.hold", tags=["Data ends"])
async def one_hold(call: NamedDependency[Call], hold: FromPath[str]) -> HoldView:
    """One legal hold with every step taken."""
    return await call.look(lambda tx: call.services.workers.retention.holds.hold(tx, hold))


@post(
    "/v1/holds/{hold:str}/approve",
    opt=admits("officer"),
    operation_id="holds.approve",
    tags=["Data ends"],
    status_code=200,
)
async def approve_hold(call: NamedDependency[Call], hold: FromPath[str]) -> HoldView:
    """Approve what another officer proposed: from now on it holds, or it is released."""
    person = call.principal.counts_as
    return await call.alone(lambda tx: call.services.workers.retention.holds.approve(tx, hold, person))


@post(
    "/v1/holds/{hold:str}/release",
    opt=admits("officer"),
    operation_id="holds.release",
    tags=["Data ends"],
    status_code=200,
)
async def release_hold(call: NamedDependency[Call], hold: FromPath[str], data: JSONBody[HoldReason]) -> HoldView:
    """Propose that a hold ends. It stands until another officer approves."""
    person = call.principal.counts_as
    return await call.alone(lambda tx: call.services.workers.retention.holds.release(tx, hold, data.reason, person))


@post(
    "/v1/holds/{hold:str}/decline",
    opt=admits("officer"),
    operation_id="holds.decline",
    tags=["Data ends"],
    status_code=200,
)
async def decline_hold(call: NamedDependency[Call], hold: FromPath[str], data: JSONBody[HoldReason]) -> HoldView:
    """Turn down what was proposed, or take it back."""
    return await call.alone(lambda tx: call.services.workers.retention.holds.decline(tx, hold, data.reason))


handlers: list[BaseRouteHandler] = [
    jobs,
    data_ends,
    person_ends,
    propose_hold,
    list_holds,
    one_hold,
    approve_hold,
    release_hold,
    decline_hold,
]
