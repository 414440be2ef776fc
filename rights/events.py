"""What rights requests write into the log. Nothing of a person stands in `res`: a request's id names nobody."""

from audit import AuditEvent, declare
from rights.certificate import Statement, statement_hash
from rights.model import RightsRequest

OPENED = declare("rights.request.opened", "request", "kind", "law", "due_on")
VERIFIED = declare("rights.request.verified", "request", "kind", "method")
EXTENDED = declare("rights.request.extended", "request", "kind", "until")
PAUSED = declare("rights.request.paused", "request", "kind", "reason")
RESUMED = declare("rights.request.resumed", "request", "kind", "due_on")
REFUSED = declare("rights.request.refused", "request", "kind", "reason")
FULFILLED = declare("rights.request.fulfilled", "request", "kind", "law")
ERASED = declare("rights.erasure.completed", "request", "law", "certificate")
"""`certificate` is the SHA-256 of the certificate's statement, in hex: the log answers for its content."""


FINAL = declare("rights.erasure.final", "request", "law", "certificate")
PURGED = declare("rights.person.purged", "records")
HOLD_PROPOSED = declare("rights.hold.proposed", "hold")
HOLD_PLACED = declare("rights.hold.placed", "hold", "people")
HOLD_DECLINED = declare("rights.hold.declined", "hold")
HOLD_RELEASE_PROPOSED = declare("rights.hold.release.proposed", "hold")
HOLD_RELEASED = declare("rights.hold.released", "hold", "people")
HOLD_LAPSED = declare("rights.hold.lapsed", "hold", "people")


def opened(request: RightsRequest, source: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "law": request.law, "due_on": request.due_on}
    return AuditEvent(OPENED, "ok", res, request.subject, {"source": source, "granted_by_law": request.granted_by_law})


def verified(request: RightsRequest, _said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "method": request.verified_by}
    return AuditEvent(VERIFIED, "ok", res, request.subject)


def extended(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "until": request.deadline}
    return AuditEvent(EXTENDED, "ok", res, request.subject, _detail(said))


def paused(request: RightsRequest, _said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "reason": request.pauses[-1].reason}
    return AuditEvent(PAUSED, "ok", res, request.subject)


def resumed(request: RightsRequest, _said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "due_on": request.deadline}
    return AuditEvent(RESUMED, "ok", res, request.subject)


def refused(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "reason": request.reason}
    return AuditEvent(REFUSED, "ok", res, request.subject, _detail(said))


def fulfilled(request: RightsRequest, said: str, entry: str) -> AuditEvent:
    """`entry` is the one of what was done about it, if that has one of its own."""
    res = {"request": request.id, "kind": request.kind, "law": request.law}
    detail = _detail(said) | ({"entry": entry} if entry else {})
    return AuditEvent(FULFILLED, "ok", res, request.subject, detail)


def erased(subject: bytes, statement: Statement, tombstone: str) -> AuditEvent:
    res = {"request": statement.request, "law": statement.law, "certificate": statement_hash(statement)}
    return AuditEvent(ERASED, "ok", res, subject, {"tombstone": tombstone} if tombstone else {})


def purged(subject: bytes, records: int) -> AuditEvent:
    """Somebody known by a device alone was forgotten after the term."""
    return AuditEvent(PURGED, "ok", {"records": str(records)}, subject)


def _detail(said: str) -> dict[str, str]:
    return {"statement": said} if said else {}


def final(statement: Statement) -> AuditEvent:
    """`statement` is the second certificate's; the person is nobody to the log by now."""
    res = {"request": statement.request, "law": statement.law, "certificate": statement_hash(statement)}
    return AuditEvent(FINAL, "ok", res)
