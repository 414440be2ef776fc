"""What the vault tells the log. Names and counts stand in the leaf; what says more is sealed with the person."""

from audit import AuditEvent, declare
from sayso.kernel import Permit

BROKEN = "broken"
"""Why a reveal was refused when something stored does not open."""

STORED = declare("vault.record.stored", "collection", "count")
REVEALED = declare("vault.value.revealed", "collection", "field", "category", "purpose", "rule", "basis", "mask")
REFUSED = declare("vault.value.refused", "purpose")
SEARCHED = declare("vault.index.searched", "collection", "purpose", "found")
SHREDDED = declare("vault.key.shredded", "keys", "records", "epoch")
EXPIRED = declare("vault.record.expired", "count")


def stored(subject: bytes, collection: str, fields: list[str], audience: str) -> AuditEvent:
    res = {"collection": collection, "count": str(len(fields))}
    return AuditEvent(STORED, "ok", res, subject, {"fields": fields, "audience": audience})


def revealed(permit: Permit, collection: str, field: str, *, mask: str | None, reason: str, policy: str) -> AuditEvent:
    res = {
        "collection": collection,
        "field": field,
        "category": permit.category,
        "purpose": permit.purpose,
        "rule": permit.rule,
        "basis": permit.basis,
        "mask": mask or "none",
    }
    return AuditEvent(REVEALED, "permit", res, permit.subject, {"reason": reason}, policy)


def refused(subject: bytes | None, *, purpose: str, reason: str, why: str, policy: str) -> AuditEvent:
    # Why it was refused is sealed: a leaf is read by more people than may know whether this token ever meant anything.
    detail = {"reason": reason, "why": why}
    return AuditEvent(REFUSED, "fail" if why == BROKEN else "deny", {"purpose": purpose}, subject, detail, policy)


def searched(collection: str, fields: list[str], found: int, *, purpose: str, reason: str) -> AuditEvent:
    res = {"collection": collection, "purpose": purpose, "found": str(found)}
    return AuditEvent(SEARCHED, "ok", res, None, {"fields": fields, "reason": reason})


def shredded(subject: bytes, *, keys: int, records: int, epoch: int, tombstone: str) -> AuditEvent:
    res = {"keys": str(keys), "records": str(records), "epoch": str(epoch)}
    return AuditEvent(SHREDDED, "ok", res, subject, {"tombstone": tombstone})


def expired(subject: bytes, *, fields: list[str], ground: str) -> AuditEvent:
    return AuditEvent(EXPIRED, "ok", {"count": str(len(fields))}, subject, {"fields": fields, "ground": ground})
