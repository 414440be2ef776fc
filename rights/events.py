"""What rights requests write into the log. Nothing of a person stands in `res`: a request's id names nobody."""

from typing import TYPE_CHECKING

from audit import AuditEvent, declare
from rights.certificate import Statement, statement_hash
from rights.model import RightsRequest
from rights.wanted import Correction

if TYPE_CHECKING:
    from rights.systems.model import Task

OPENED = declare("rights.request.opened", "request", "kind", "law", "due_on")
CHALLENGED = declare("rights.request.challenged", "request", "kind")
"""The person was asked to show who they are: a code is sent, where there is somewhere to send it."""
CODE_REFUSED = declare("rights.request.code_refused", "request", "kind")
VERIFIED = declare("rights.request.verified", "request", "kind", "method")
DUE = declare("rights.request.due", "request", "kind", "notice", "due_on")
EXTENDED = declare("rights.request.extended", "request", "kind", "until")
PAUSED = declare("rights.request.paused", "request", "kind", "reason")
RESUMED = declare("rights.request.resumed", "request", "kind", "due_on")
REFUSED = declare("rights.request.refused", "request", "kind", "reason")
REVOKED = declare("rights.request.revoked", "request", "kind")
"""The person took it back."""
FULFILLED = declare("rights.request.fulfilled", "request", "kind", "law")
ERASED = declare("rights.erasure.completed", "request", "law", "certificate")
"""`certificate` is the SHA-256 of the certificate's statement, in hex: the log answers for its content."""


PROPOSED = declare("rights.request.proposed", "request", "kind")
"""One officer says that it is to be fulfilled; another one has yet to approve."""
PROPOSAL_DECLINED = declare("rights.request.proposal_declined", "request", "kind")
APPEALED = declare("rights.request.appealed", "request", "kind", "due_on")
APPEAL_DECIDED = declare("rights.request.appeal_decided", "request", "kind", "outcome")
CORRECTED = declare("rights.rectification.completed", "request", "fields")
CORRECTIONS_NAMED = declare("rights.rectification.named", "request", "fields")
"""What values should be was said; `fields` is how many, which and what lies sealed."""
CORRECTIONS_READ = declare("rights.rectification.read", "request")
EVIDENCE = declare("rights.evidence.exported", "request", "kind")
SERVED = declare("rights.request.served", "request", "kind", "law", "systems")
"""What is ours is done, and so many other systems were told."""
TASK_CREATED = declare("rights.task.created", "task", "request", "system", "kind")
TASK_STEPS = {
    "done": declare("rights.task.done", "task", "request", "system", "kind"),
    "failed": declare("rights.task.failed", "task", "request", "system", "kind"),
    "waived": declare("rights.task.waived", "task", "request", "system", "kind"),
    "again": declare("rights.task.repeated", "task", "request", "system", "kind"),
}
RECIPIENT_TOLD = {
    "erased": declare("rights.disclosure.erased", "request", "recipients"),
    "corrected": declare("rights.disclosure.corrected", "request", "recipients"),
    "restricted": declare("rights.disclosure.restricted", "request", "recipients"),
}
"""Those who were given the data are told (GDPR Art. 19); `recipients` is how many, their names are sealed."""
ANSWERED = declare("rights.systems.answered", "request", "kind", "systems")
"""Every system has answered, or was closed without. `systems` is the SHA-256 of what the certificate says of them."""
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


def challenged(request: RightsRequest, _said: str) -> AuditEvent:
    return AuditEvent(CHALLENGED, "ok", {"request": request.id, "kind": request.kind}, request.subject)


def code_refused(request: RightsRequest) -> AuditEvent:
    return AuditEvent(CODE_REFUSED, "deny", {"request": request.id, "kind": request.kind}, request.subject)


def verified(request: RightsRequest, said: str) -> AuditEvent:
    """`said` is where the document of an agent is kept."""
    res = {"request": request.id, "kind": request.kind, "method": request.verified_by}
    return AuditEvent(VERIFIED, "ok", res, request.subject, _detail(said))


def falls_due(request: RightsRequest, notice: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "notice": notice, "due_on": request.deadline}
    return AuditEvent(DUE, "ok", res, request.subject)


def extended(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "until": request.deadline}
    return AuditEvent(EXTENDED, "ok", res, request.subject, _detail(said))


def paused(request: RightsRequest, _said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "reason": request.pauses[-1].reason}
    return AuditEvent(PAUSED, "ok", res, request.subject)


def resumed(request: RightsRequest, _said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "due_on": request.deadline}
    return AuditEvent(RESUMED, "ok", res, request.subject)


def proposed(request: RightsRequest, _said: str) -> AuditEvent:
    return AuditEvent(PROPOSED, "ok", {"request": request.id, "kind": request.kind}, request.subject)


def proposal_declined(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind}
    return AuditEvent(PROPOSAL_DECLINED, "ok", res, request.subject, _detail(said))


def appealed(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "due_on": request.next_due}
    return AuditEvent(APPEALED, "ok", res, request.subject, _detail(said))


def appeal_decided(request: RightsRequest, said: str) -> AuditEvent:
    outcome = request.appeal.outcome if request.appeal is not None else ""
    res = {"request": request.id, "kind": request.kind, "outcome": outcome}
    return AuditEvent(APPEAL_DECIDED, "ok", res, request.subject, _detail(said))


def refused(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "reason": request.reason}
    return AuditEvent(REFUSED, "ok", res, request.subject, _detail(said))


def revoked(request: RightsRequest, said: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind}
    return AuditEvent(REVOKED, "ok", res, request.subject, _detail(said))


def fulfilled(request: RightsRequest, said: str, entry: str) -> AuditEvent:
    """`entry` is the one of what was done about it, if that has one of its own."""
    res = {"request": request.id, "kind": request.kind, "law": request.law}
    detail = _detail(said) | ({"entry": entry} if entry else {})
    return AuditEvent(FULFILLED, "ok", res, request.subject, detail)


def corrections_named(request: RightsRequest, corrections: tuple[Correction, ...]) -> AuditEvent:
    return _about_values(CORRECTIONS_NAMED, request, corrections)


def corrections_read(request: RightsRequest) -> AuditEvent:
    return AuditEvent(CORRECTIONS_READ, "ok", {"request": request.id}, request.subject)


def corrected(request: RightsRequest, corrections: tuple[Correction, ...]) -> AuditEvent:
    return _about_values(CORRECTED, request, corrections)


def _about_values(event: str, request: RightsRequest, corrections: tuple[Correction, ...]) -> AuditEvent:
    res = {"request": request.id, "fields": str(len(corrections))}
    detail = {"fields": [f"{each.collection}.{each.field}" for each in corrections]}
    return AuditEvent(event, "ok", res, request.subject, detail)


def served(request: RightsRequest, systems: int, entry: str) -> AuditEvent:
    """`entry` is the one of what was done about it, if that has one of its own."""
    res = {"request": request.id, "kind": request.kind, "law": request.law, "systems": str(systems)}
    return AuditEvent(SERVED, "ok", res, request.subject, {"entry": entry} if entry else {})


def task_made(task: "Task", subject: bytes | None) -> AuditEvent:
    return AuditEvent(TASK_CREATED, "ok", _of(task), subject)


def task_step(task: "Task", step: str, subject: bytes | None) -> AuditEvent:
    """`step` is `again` or the state that the task is in now. What was said with it stands in the task."""
    return AuditEvent(TASK_STEPS[step], "fail" if step == "failed" else "ok", _of(task), subject)


def recipients_told(request: RightsRequest, event: str, names: list[str]) -> AuditEvent:
    res = {"request": request.id, "recipients": str(len(names))}
    return AuditEvent(event, "ok", res, request.subject, {"names": names})


def answered(request: RightsRequest, systems: str) -> AuditEvent:
    res = {"request": request.id, "kind": request.kind, "systems": systems}
    return AuditEvent(ANSWERED, "ok", res, request.subject)


def _of(task: "Task") -> dict[str, str]:
    return {"task": task.id, "request": task.request, "system": task.system, "kind": task.kind}


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
