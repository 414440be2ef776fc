"""What an erasure left, to its end: capsules of proof and suppressed identifiers go when their terms are over.

A capsule under a legal hold stays, whatever its term. What ends is told to the log without naming anybody: nothing is
left that could.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from audit import AuditEvent, AuditLog
from consent import events, store
from sayso.kernel import PARTS, Tx, Work

_FREE: Final = 0
"""`held` of a capsule that no legal hold covers."""


class Overdue(Struct, frozen=True):
    """What is over: capsules by subject and instant of the erasure, suppressed identifiers by their tags."""

    proofs: list[tuple[bytes, int]]
    suppressions: list[bytes]

    def __bool__(self) -> bool:
        return bool(self.proofs or self.suppressions)


class Left(Struct, frozen=True):
    """What ends until an instant: `proofs` and `suppressions`; `held` are the capsules that a legal hold keeps."""

    proofs: int
    held: int
    suppressions: int


class Remains:
    """Ends what is over. Everything here is part of a caller's unit."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def overdue(self, tx: Tx, part: int, at: int, limit: int) -> Work[Overdue]:
        """What is over at an instant in one part of the buckets, up to `limit` of each kind. Cold."""
        proofs, suppressions = yield (
            tx.query(store.PROOFS_ENDING[part], at=at, most=limit),
            tx.query(store.SUPPRESSIONS_ENDING[part], at=at, most=limit),
        )
        found = [(bytes(subject), int(erased_at)) for subject, erased_at, _ in proofs]
        return Overdue(found, [bytes(tag) for (tag,) in suppressions])

    def ending(self, tx: Tx, before: int, limit: int) -> Work[Left]:
        """How much ends until an instant; up to `limit` of each kind are counted. Cold."""
        proofs = held = suppressions = 0
        for part in range(PARTS):
            capsules, tags = yield (
                tx.query(store.PROOFS_BY[part], at=before, most=limit - proofs - held),
                tx.query(store.SUPPRESSIONS_ENDING[part], at=before, most=limit - suppressions),
            )
            kept = sum(1 for row in capsules if row[2] != _FREE)
            proofs, held, suppressions = proofs + len(capsules) - kept, held + kept, suppressions + len(tags)
        return Left(proofs, held, suppressions)

    def end_proof(self, tx: Tx, subject: bytes, erased_at: int) -> None:
        """Delete a capsule; its key is to be destroyed in the same unit. Loses the race against a legal hold."""
        tx.execute(store.without_proof(tx.context.tenant, subject, erased_at), expect=1)
        self._audit.append(tx, AuditEvent(events.PROOF_ENDED, "ok", {"term": "over"}, subject), None)

    def end_suppressions(self, tx: Tx, tags: Sequence[bytes]) -> None:
        """Delete these suppressions. Loses the race against an erasure that prolongs one."""
        if tags:
            tx.execute(store.without_suppressions(tx.context.tenant, tags, tx.context.at), expect=len(tags))
            self._audit.append(tx, AuditEvent(events.SUPPRESSION_ENDED, "ok", {"count": str(len(tags))}), None)

    def stands(self, tx: Tx, subject: bytes) -> Work[bool]:
        """Whether a capsule of this erased person is there."""
        (rows,) = yield (tx.select(store.proofs_of(tx.context.tenant, subject)),)
        return bool(rows)

    def hold(self, tx: Tx, subject: bytes, *, on: bool) -> Work[bool]:
        """Count one legal hold more or less over the capsule of an erased person; False where there is none."""
        (rows,) = yield (tx.select(store.proofs_of(tx.context.tenant, subject)),)
        for erased_at, version, until, held, sealed in rows:
            count = held + 1 if on else max(held - 1, _FREE)
            was = (version, until, held, sealed)
            tx.put(store.PROOF, (subject, erased_at), (version + 1, until, count, sealed), was=was)
        return bool(rows)
