"""A person's own history: their records, the proof that a browser checks by itself, and the receipts to keep."""

import base64
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from audit import EntryPruned, NotIntegrated
from consent import NoRecord
from sayso.kernel import Invalid, Tx, Work, raw
from sayso.server.call import Call
from sayso.server.callers.sessions import NoSession, Session
from sayso.server.pages import ProofBundle, render_history
from sayso.server.routes.html import brand, frame, html, see
from sayso.server.routes.person_session import HOME, OPEN, AnyRequest, call_of, session_of
from sayso.server.routes.receipts import Form, Receipt, printed
from sayso.server.views.person import history_page

FORMS: Final[dict[str, Form]] = {
    "jws": "application/jose",
    "json": "application/json",
    "txt": "text/plain",
    "pdf": "application/pdf",
}
"""Receipts to keep, by the ending of the file."""


@get(f"{HOME}/history", opt=OPEN, operation_id="person.history", include_in_schema=False)
async def history(request: AnyRequest, before: FromQuery[str | None] = None) -> Response[Any]:
    """Every choice the person made, newest first, a page at a time."""
    try:
        session = await session_of(request)
    except NoSession:
        return see("/p/")
    call = call_of(request, session, "person.history")
    shown, named = frame(request, csrf=session.csrf), brand(request, session.tenant)
    page = await call.alone(lambda tx: history_page(call, tx, session.ref, shown, named, before or None))
    return html(render_history(page))


@get("/p/you/records/{record:str}/proof", opt=OPEN, operation_id="person.proof", include_in_schema=False)
async def proof(request: AnyRequest, record: FromPath[str]) -> Response[ProofBundle]:
    """What the browser needs to check one of the person's own records by itself."""
    session = await session_of(request)
    call = call_of(request, session, "person.proof")
    found = raw(record, "cns")

    def unit(tx: Tx) -> Work[ProofBundle]:
        receipt, entry = yield from _own(call, tx, session, found)
        return (yield from proof_bundle(call, tx, entry, receipt))

    return Response(await call.look(unit), headers={"cache-control": "no-store"})


@get("/p/you/records/{record:str}/receipt", opt=OPEN, operation_id="person.receipt", include_in_schema=False)
async def receipt(request: AnyRequest, record: FromPath[str], form: FromQuery[str] = "jws") -> Response[bytes]:
    """The receipt of one of the person's own records, to keep: signed, as JSON with its proof, as text, as PDF."""
    session = await session_of(request)
    kind = FORMS.get(form)
    if kind is None:
        raise Invalid("unknown-form", "A receipt comes as jws, json, txt or pdf.")
    call = call_of(request, session, "person.receipt")
    found = raw(record, "cns")

    def unit(tx: Tx) -> Work[Receipt]:
        jws, entry = yield from _own(call, tx, session, found)
        try:
            text = (yield from call.services.audit.tlog_proof(tx, entry)).decode()
        except (NotIntegrated, EntryPruned):
            text = None
        return Receipt(record, jws, entry, text)

    again = await call.look(unit)
    headers = {"content-disposition": f'attachment; filename="receipt-{record}.{form}"', "cache-control": "no-store"}
    if kind == "application/json":
        content = msgspec.json.format(msgspec.json.encode(again), indent=2)
    else:
        content, kind = await printed(call.services, again.receipt, kind, frame(request).locale)  # type: ignore[assignment]
    return Response(content, media_type=kind, headers=headers)


def proof_bundle(call: Call, tx: Tx, entry_id: str, receipt: str | None) -> Work[ProofBundle]:
    """Leaf, proof and key of one entry; pending until a checkpoint covers it."""
    audit = call.services.audit
    entry = yield from audit.entry(tx, entry_id)
    try:
        text = yield from audit.tlog_proof(tx, entry_id)
    except NotIntegrated:
        return ProofBundle(pending=True, receipt=receipt)
    key = yield from audit.vkey(tx, entry.log)
    leaf = base64.urlsafe_b64encode(entry.leaf).rstrip(b"=").decode()
    return ProofBundle(pending=False, receipt=receipt, leaf=leaf, proof=text.decode(), vkey=key.line)


def _own(call: Call, tx: Tx, session: Session, record: bytes) -> Work[tuple[str, str]]:
    """Receipt and entry of a record of this very person. Any other is as unknown as none."""
    payload, subject = yield from call.services.registry.opened(tx, record)
    if subject != session.ref and subject not in (yield from call.services.registry.ids(tx, session.ref)):
        raise NoRecord
    return (yield from payload.receipt(tx)), payload.entry


handlers: list[BaseRouteHandler] = [history, proof, receipt]
