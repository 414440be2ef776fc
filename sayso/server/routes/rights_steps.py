"""Steps of a request beside the usual ones: rests of its clock, appeals, two officers, its plan, what is corrected."""

from typing import Annotated, Literal

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.response import Stream
from msgspec import Meta, Struct

from policies import AccessDenied, Answer
from rights import Correction, LegalGround, PauseReason, Plan, RequestView
from sayso.server.answering import fulfilled, told_to
from sayso.server.call import Call
from sayso.server.logkeeping.evidence import evidence
from sayso.server.routes.gate import admits

Words = Annotated[str, Meta(max_length=4000)]
_AT = "/v1/rights/requests/{request_id:str}"


class Rest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is awaited from the person while the clock rests."""

    reason: PauseReason


class AppealBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What the person says against the refusal. It is kept sealed."""

    statement: Words = ""


class AppealDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes of the appeal, with the reason that the person is told."""

    outcome: Literal["upheld", "overturned"]
    statement: Words


class AppealAnswer(Struct, frozen=True, omit_defaults=True):
    """The refused request; `anew` is the one that was opened because the appeal was right."""

    refused: RequestView
    anew: RequestView | None = None


class Declining(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is not to be done as it was proposed."""

    reason: Words


class Planning(Struct, frozen=True, forbid_unknown_fields=True):
    """What would have to be kept on which legal ground."""

    grounds: tuple[LegalGround, ...] = ()


class Corrections(Struct, frozen=True, forbid_unknown_fields=True):
    """Which stored values are wrong, and what they should be."""

    corrections: tuple[Correction, ...]


@post(f"{_AT}/pause", opt=admits("officer"), operation_id="rights.pause", tags=["Rights"], status_code=200)
async def pause(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Rest]) -> RequestView:
    """Let the clock rest, where the law lets it, until the person has answered."""
    return await call.alone(lambda tx: call.services.desk.clock.pause(tx, request_id, data.reason))


@post(f"{_AT}/resume", opt=admits("officer"), operation_id="rights.resume", tags=["Rights"], status_code=200)
async def resume(call: NamedDependency[Call], request_id: FromPath[str]) -> RequestView:
    """The person has answered: the clock runs again, and its dates move by the days it rested."""
    return await call.alone(lambda tx: call.services.desk.clock.resume(tx, request_id))


@post(
    f"{_AT}/appeal", opt=admits("officer", "recorder"), operation_id="rights.appeal", tags=["Rights"], status_code=200
)
async def appeal(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[AppealBody]) -> RequestView:
    """The person does not accept the refusal. The appeal has a deadline of its own."""
    clock = call.services.desk.clock
    return told_to(call, await call.alone(lambda tx: clock.appeal(tx, request_id, data.statement)))


@post(
    f"{_AT}/appeal/decision",
    opt=admits("officer"),
    operation_id="rights.appeal.decide",
    tags=["Rights"],
    status_code=200,
)
async def decide(
    call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[AppealDecision]
) -> AppealAnswer:
    """Uphold the refusal, or open the request anew."""
    clock = call.services.desk.clock
    done = await call.alone(lambda tx: clock.decide(tx, request_id, data.outcome, data.statement))
    return AppealAnswer(*done)


@post(f"{_AT}/approve", opt=admits("officer"), operation_id="rights.approve", tags=["Rights"], status_code=200)
async def approve(call: NamedDependency[Call], request_id: FromPath[str]) -> RequestView:
    """Carry out what another officer proposed, and answer when it is done."""
    return await fulfilled(call, request_id)


@post(f"{_AT}/decline", opt=admits("officer"), operation_id="rights.decline", tags=["Rights"], status_code=200)
async def decline(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Declining]) -> RequestView:
    """Turn down what was proposed, or take it back."""
    return await call.alone(lambda tx: call.services.desk.approval.decline(tx, request_id, data.reason))


@post(f"{_AT}/plan", opt=admits("officer"), operation_id="rights.plan", tags=["Rights"], status_code=200)
async def plan(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Planning]) -> Plan:
    """What an erasure would do: what goes, what stays and on which ground, what stops it. Nothing is done."""
    reach, planner = call.configuration.reach, call.services.desk.planner
    return await call.look(lambda tx: planner.plan(tx, reach, request_id, data.grounds))


@post(f"{_AT}/evidence", opt=admits("officer"), operation_id="rights.evidence", tags=["Rights"], status_code=200)
async def proof(call: NamedDependency[Call], request_id: FromPath[str]) -> Stream:
    """Everything about one request as an evidence bundle, each step with its proof. Taking it is an entry."""
    return await evidence(call, request_id)


@put(f"{_AT}/corrections", opt=admits("officer"), operation_id="rights.correct", tags=["Rights"])
async def correct(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Corrections]) -> RequestView:
    """Say what the values should be, in place of what was said before. Fulfilling the request stores them."""
    acts, collections = call.services.desk.acts, call.configuration.collections
    return await call.alone(lambda tx: acts.correct(tx, collections, request_id, data.corrections))


@get(f"{_AT}/corrections", opt=admits("officer"), operation_id="rights.corrections", tags=["Rights"])
async def corrections(call: NamedDependency[Call], request_id: FromPath[str]) -> Corrections:
    """What the values should be. Reading it takes a permit and is an entry in the log."""
    acts, live = call.services.desk.acts, call.configuration
    found = await call.alone(lambda tx: acts.corrections(tx, live.policy, live.collections, request_id))
    if isinstance(found, Answer):
        raise AccessDenied(found.reason)
    return Corrections(found)


handlers: list[BaseRouteHandler] = [
    pause,
    resume,
    appeal,
    decide,
    approve,
    decline,
    plan,
    proof,
    correct,
    corrections,
]
