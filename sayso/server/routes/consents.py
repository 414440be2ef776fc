"""Consent records: made by services, read back with their receipts."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from audit import NotIntegrated
from consent import Recorded
from sayso.kernel import Tx, Work, raw
from sayso.server.auth import POLICY
from sayso.server.call import Call
from sayso.server.calls.consents import RECORDERS, RecordConsent, recorded
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits


class Receipt(Struct, frozen=True, omit_defaults=True):
    """A record's receipt, and its inclusion proof (C2SP tlog-proof text) once its entry is integrated."""

    record: str
    receipt: str
    entry: str
    proof: str | None = None


@post(
    "/v1/consents",
    opt=admits(*RECORDERS) | documented(RecordConsent),
    operation_id="consents.record",
    tags=["Consent"],
)
async def record(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[Recorded]:
    """Record choices on a notice, granted or not. Answered when record, state, entry and receipt are durable."""
    return answered(await recorded(call, await json_body(request)))


@get(
    "/v1/consents/{record:str}/receipt",
    opt=admits("recorder", "officer", "auditor", POLICY),
    operation_id="consents.receipt",
    tags=["Consent"],
)
async def receipt(call: NamedDependency[Call], record: FromPath[str]) -> Receipt:
    """The receipt again, byte for byte."""
    found = raw(record, "cns")

    def unit(tx: Tx) -> Work[Receipt]:
        payload, _ = yield from call.services.registry.opened(tx, found)
        try:
            proof = (yield from call.services.audit.tlog_proof(tx, payload.entry)).decode()
        except NotIntegrated:
            proof = None
        return Receipt(record, payload.receipt, payload.entry, proof)

    return await call.look(unit)


handlers: list[BaseRouteHandler] = [record, receipt]
