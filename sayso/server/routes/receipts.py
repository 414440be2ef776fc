"""Receipts again, in the form that is asked for; and the keys that sign them."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from audit import AuditEvent, EntryPruned, Jws, NotIntegrated
from consent import read_receipt
from sayso.kernel import SECOND, Invalid, Tx, Work, add_duration, iso, raw
from sayso.server import events
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY
from sayso.server.pages import plain, reading_language, receipt_document
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits
from sayso.server.wiring import Services

Form = Literal["application/json", "application/jose", "text/plain", "application/pdf"]
FORMS: tuple[Form, ...] = ("application/json", "application/jose", "text/plain", "application/pdf")

_USE = "receipt"


class Receipt(Struct, frozen=True, omit_defaults=True):
    """A record's receipt, and its inclusion proof (C2SP tlog-proof text) once its entry is integrated."""

    record: str
    receipt: str
    entry: str
    proof: str | None = None


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """When the next key begins to sign: after this ISO 8601 duration, so that those who keep our keys learn of it."""

    after: str = "P1D"


class ReceiptKey(Struct, frozen=True):
    """A key of receipts: `next` is published and does not sign yet, `active` signs, `retired` verifies for ever."""

    kid: str
    state: str
    since: str


class ReceiptKeys(Struct, frozen=True):
    """All of them, newest first."""

    keys: list[ReceiptKey]


@get(
    "/v1/consents/{record:str}/receipt",
    opt=admits("recorder", "officer", "auditor", POLICY),
    operation_id="consents.receipt",
    tags=["Consent"],
)
async def receipt(request: Request[Any, Any, Any], call: NamedDependency[Call], record: FromPath[str]) -> Response[Any]:
    """The receipt again, byte for byte. By `Accept`: JSON with the log's proof, `application/jose` the compact JWS,
    `text/plain` and `application/pdf` for reading, in the language in which the choice was made.
    """
    found = raw(record, "cns")

    def unit(tx: Tx) -> Work[Receipt]:
        payload, _ = yield from call.services.registry.opened(tx, found)
        compact = yield from payload.receipt(tx)
        try:
            proof = (yield from call.services.audit.tlog_proof(tx, payload.entry)).decode()
        except (NotIntegrated, EntryPruned):
            proof = None
        return Receipt(record, compact, payload.entry, proof)

    again = await call.look(unit)
    form = wanted_form(request.headers.get("accept"))
    headers = {"vary": "accept, accept-language", "cache-control": "no-store"}
    if form == "application/json":
        return Response(again, headers=headers)
    content, media_type = await printed(call.services, again.receipt, form, request.headers.get("accept-language"))
    return Response(content, media_type=media_type, headers=headers)


@get("/v1/receipt-keys", opt=admits("admin", "auditor"), operation_id="receipt_keys.list", tags=["Keys"])
async def list_keys(call: NamedDependency[Call]) -> ReceiptKeys:
    """The keys of this brand's receipts, and where each stands."""
    states = call.services.keyring.signing_keys(call.tenant, _USE)
    return ReceiptKeys([ReceiptKey(each.kid, each.state, iso(each.since)) for each in states])


@post("/v1/receipt-keys", opt=admits("admin"), operation_id="receipt_keys.rotate", tags=["Keys"])
async def rotate(call: NamedDependency[Call], data: JSONBody[Rotation]) -> Response[ReceiptKey]:
    """Make the next key of receipts: published at once, signing later. Receipts of older keys verify for ever."""

    def unit(tx: Tx) -> Work[ReceiptKey]:
        at = tx.context.at
        since = add_duration(at, data.after)
        if since <= at:
            raise Invalid("invalid-duration", "The next key begins to sign later than now.")
        made = yield from call.services.keyring.rotate(tx, _USE, since)
        res = {"kid": made.kid, "since": str(since // SECOND), "use": _USE}
        call.services.audit.append(tx, AuditEvent(events.SIGNING_KEY_ROTATED, "ok", res), None)
        return ReceiptKey(made.kid, made.state, iso(since))

    return answered(await call.create(unit, msgspec.json.encode(data), alone=True))


def wanted_form(accept: str | None) -> Form:
    """The form that `Accept` prefers (RFC 9110, section 12.5.1); JSON when it names none of ours."""
    best: tuple[float, Form] = (0.0, "application/json")
    for part in (accept or "").split(",")[:20]:
        name, *members = (each.strip().lower() for each in part.split(";"))
        quality = next((each[2:] for each in members if each.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            continue
        for form in FORMS:
            if name == form and weight > best[0]:
                best = (weight, form)
    return best[1]


async def printed(services: Services, jws: str, form: Form, accept_language: str | None) -> tuple[bytes, str]:
    """A receipt in a form other than JSON, and its media type."""
    if form == "application/jose":
        return jws.encode(), form
    parsed = Jws.parse(jws)
    reading = read_receipt(parsed.payload)
    document = receipt_document(reading, jws, parsed.kid, reading_language(reading, accept_language))
    if form == "application/pdf":
        return await services.renderer.pdf(document), form
    return plain(document).encode(), form


handlers: list[BaseRouteHandler] = [receipt, list_keys, rotate]
