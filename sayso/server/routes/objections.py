"""Objections to legitimate interest, notice and direct marketing (GDPR Art. 21), and taking them back."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from consent import Assurance, Recorded
from sayso.kernel import Tx, Work, parse_instant, raw
from sayso.server.call import Call
from sayso.server.calls.consents import RECORDERS, EvidenceValue, Method, Name
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits

Purposes = Annotated[list[Name], Meta(min_length=1)] | Literal["all"]


class Objection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An objection to these purposes; by default to all that a no can block. It holds until it is taken back.

    `indicated_by` is the recorded guardian who said it for a child.
    """

    purposes: Purposes = "all"
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}
    indicated_by: Name | None = None


class Reconsideration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Objections taken back at these purposes and below; by default all there are."""

    purposes: Purposes = "all"
    method: Method = "api"
    assurance: Assurance = "session"
    indicated_by: Name | None = None


@post("/v1/subjects/{subject:str}/objections", opt=admits(*RECORDERS), operation_id="subjects.object", tags=["People"])
async def object_to(
    request: Request[Any, Any, Any], call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[Objection]
) -> Response[Recorded]:
    """Object. Interest and notice are blocked at once, and stay so beside any later grant."""
    person = raw(subject, "sub")
    occurred_at = parse_instant(data.occurred_at) if data.occurred_at is not None else None
    indicated_by = _guardian(data.indicated_by)

    def unit(tx: Tx) -> Work[Recorded]:
        return (
            yield from call.services.registry.object_to(
                tx,
                call.configuration.catalogue,
                person,
                data.purposes,
                method=data.method,
                assurance=data.assurance,
                occurred_at=occurred_at,
                evidence=data.evidence,
                indicated_by=indicated_by,
            )
        )

    return answered(await call.create(unit, subject.encode() + b"\0" + await request.body()))


@post(
    "/v1/subjects/{subject:str}/objections/withdrawals",
    opt=admits(*RECORDERS),
    operation_id="subjects.reconsider",
    tags=["People"],
)
async def reconsider(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    subject: FromPath[str],
    data: JSONBody[Reconsideration],
) -> Response[Recorded]:
    """Take objections back. This gives no consent, and a refusal that was said before stands again."""
    person = raw(subject, "sub")
    indicated_by = _guardian(data.indicated_by)

    def unit(tx: Tx) -> Work[Recorded]:
        return (
            yield from call.services.registry.reconsider(
                tx,
                call.configuration.catalogue,
                person,
                data.purposes,
                method=data.method,
                assurance=data.assurance,
                indicated_by=indicated_by,
            )
        )

    return answered(await call.create(unit, subject.encode() + b"\0" + await request.body()))


def _guardian(said: str | None) -> bytes:
    return raw(said, "sub") if said is not None else b""


handlers: list[BaseRouteHandler] = [object_to, reconsider]
