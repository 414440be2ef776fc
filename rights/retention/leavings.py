"""`Leavings`: what an erasure left, to its end (design 6.4).

The capsule of proof is shredded when its term is over: its key first, then the row. A suppressed identifier is
forgotten when its term is. A capsule that a legal hold covers stays until the hold is lifted.
"""

from typing import Final

from consent import ConsentRegistry
from rights.retention.calendar import CLOCKS_APART
from sayso.kernel import PARTS, Done, Job, Try, Tx, Work
from vault import Vault

EVERY: Final = 60.0
"""Seconds between two looks. Terms are years."""

_MOST: Final = 16
_HOPELESS: Final = 3


class Leavings:
    """Ends what is over, a few at a time."""

    def __init__(self, consent: ConsentRegistry, vault: Vault) -> None:
        self._consent = consent
        self._vault = vault
        self.job = Job("leavings", EVERY, self._pending, self._step)

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        for part in range(PARTS):
            if (yield from self._consent.remains.overdue(tx, part, tx.context.at - CLOCKS_APART, 1)):
                return True
        return False

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        """End a few in one part of the buckets; when nothing is left there, go on with the next part."""
        part = attempt.cursor[0] if attempt.cursor else 0
        most = 1 if attempt.failures else _MOST
        found = yield from self._consent.remains.overdue(tx, part, tx.context.at - CLOCKS_APART, most)
        count = len(found.proofs) + len(found.suppressions)
        # What fails again and again is left to the next round; it must not keep the other parts waiting.
        hopeless = attempt.failures >= _HOPELESS
        if not hopeless:
            for subject, erased_at in found.proofs:
                yield from self._vault.shred_proof(tx, subject)
                self._consent.remains.end_proof(tx, subject, erased_at)
            self._consent.remains.end_suppressions(tx, found.suppressions)
        if hopeless or max(len(found.proofs), len(found.suppressions)) < most:
            part += 1
        last = part >= PARTS
        cursor = b"" if last else bytes((part,))
        return Done(cursor, 0 if hopeless else count, part / PARTS, more=not last, deleted=not hopeless and count > 0)
