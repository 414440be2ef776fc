"""What the vault tells the log. Names and counts stand in the leaf; what says more is sealed with the person."""

from audit import AuditEvent, declare
from sayso.kernel import Permit
from vault.providers.provider import Receipt

BROKEN = "broken"
"""Why a reveal was refused when something stored does not open."""

STORED = declare("vault.record.stored", "collection", "count")
ISSUED = declare("vault.token.issued", "collection", "count")
REDACTED = declare("vault.text.redacted", "count")
REVEALED = declare("vault.value.revealed", "collection", "field", "category", "purpose", "rule", "basis", "mask")
REFUSED = declare("vault.value.refused", "purpose")
SEARCHED = declare("vault.index.searched", "collection", "purpose", "found")
GRANT_ASKED = declare("vault.grant.asked", "grant", "purpose", "count")
GRANT_DECIDED = declare("vault.grant.decided", "grant", "purpose")
CANARY = declare("vault.canary.changed", "planted")
ALARM = declare("vault.alarm.raised", "cause", "purpose")
OPENED_MANY = declare("vault.values.revealed", "purpose", "count", "revealed")
EXPORTED = declare("vault.person.exported", "count", "rule", "basis")
RENEWED = declare("vault.key.renewed", "class", "version")
SHREDDED = declare("vault.key.shredded", "keys", "records", "epoch")
EXPIRED = declare("vault.record.expired", "count")
EPOCH_MADE = declare("vault.epoch.made", "epoch")
EPOCH_ACTIVATED = declare("vault.epoch.activated", "epoch")
EPOCH_DISABLED = declare("vault.epoch.disabled", "epoch", "keys")
EPOCH_ENABLED = declare("vault.epoch.enabled", "epoch")
EPOCH_DESTROYED = declare("vault.epoch.destroyed", "epoch", "provider", "key", "gone_at")
ROLL_PAUSED = declare("vault.roll.paused", "epoch")
ROLL_RESUMED = declare("vault.roll.resumed", "epoch")
KEYS_BACKED_UP = declare("vault.keys.backed_up", "epoch")
KEYS_RESTORED = declare("vault.keys.restored", "epoch", "keys", "destroyed")


def stored(subject: bytes, collection: str, fields: list[str], audience: str) -> AuditEvent:
    res = {"collection": collection, "count": str(len(fields))}
    return AuditEvent(STORED, "ok", res, subject, {"fields": fields, "audience": audience})


def issued(subject: bytes, collection: str, fields: list[str], audience: str, ttl: str, uses: int) -> AuditEvent:
    res = {"collection": collection, "count": str(len(fields))}
    detail = {"fields": fields, "audience": audience, "ttl": ttl, "uses": uses}
    return AuditEvent(ISSUED, "ok", res, subject, detail)


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


def grant_asked(grant: str, purpose: str, count: int) -> AuditEvent:
    return AuditEvent(GRANT_ASKED, "ok", {"grant": grant, "purpose": purpose, "count": str(count)})


def grant_decided(grant: str, purpose: str, *, approved: bool) -> AuditEvent:
    return AuditEvent(GRANT_DECIDED, "permit" if approved else "deny", {"grant": grant, "purpose": purpose})


def canary(subject: bytes, *, planted: bool) -> AuditEvent:
    return AuditEvent(CANARY, "ok", {"planted": "yes" if planted else "no"}, subject, {})


def alarm(cause: str, subject: bytes, *, purpose: str, **said: str) -> AuditEvent:
    return AuditEvent(ALARM, "fail", {"cause": cause, "purpose": purpose}, subject, said)


def opened_many(purpose: str, fingerprints: list[bytes], revealed: int, *, reason: str, outcomes: str) -> AuditEvent:
    """Many tokens in one entry. They stand in it by their fingerprints, which an erasure parts from the person."""
    res = {"purpose": purpose, "count": str(len(fingerprints)), "revealed": str(revealed)}
    detail = {"reason": reason, "tokens": b"".join(fingerprints), "outcomes": outcomes}
    return AuditEvent(OPENED_MANY, "permit" if revealed else "deny", res, None, detail)


def redacted(subject: bytes | None, count: int) -> AuditEvent:
    return AuditEvent(REDACTED, "ok", {"count": str(count)}, subject, {})


def exported(permit: Permit, fields: list[str], reason: str) -> AuditEvent:
    res = {"count": str(len(fields)), "rule": permit.rule, "basis": permit.basis}
    return AuditEvent(EXPORTED, "permit", res, permit.subject, {"fields": fields, "reason": reason})


def renewed(subject: bytes, cls: str, version: int) -> AuditEvent:
    return AuditEvent(RENEWED, "ok", {"class": cls, "version": str(version)}, subject, {})


def shredded(subject: bytes, *, keys: int, records: int, epoch: int, tombstone: str) -> AuditEvent:
    res = {"keys": str(keys), "records": str(records), "epoch": str(epoch)}
    return AuditEvent(SHREDDED, "ok", res, subject, {"tombstone": tombstone})


def expired(subject: bytes, *, fields: list[str], ground: str) -> AuditEvent:
    return AuditEvent(EXPIRED, "ok", {"count": str(len(fields))}, subject, {"fields": fields, "ground": ground})


def about_epoch(kind: str, epoch: int, **more: int) -> AuditEvent:
    return AuditEvent(kind, "ok", {"epoch": str(epoch)} | {name: str(value) for name, value in more.items()})


def epoch_destroyed(epoch: int, receipt: Receipt, gone_at: str) -> AuditEvent:
    res = {"epoch": str(epoch), "provider": receipt.provider, "key": receipt.key, "gone_at": gone_at}
    return AuditEvent(EPOCH_DESTROYED, "ok", res)
