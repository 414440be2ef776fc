"""After an older copy of the store was put back: what people said between that copy and now may be lost (design 6.5).

Of whoever may have said something then, nothing counts from here on but a no, until they choose anew. Requests that
waited for their confirmation wait no more: a no may have ended them.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events
from consent.model import PersonState
from consent.packing import pack, unpack
from consent.people.people import ids_of
from consent.store import PERSON
from sayso.kernel import Key, Sealer, Tx, Values, Work

AT_ONCE: Final = 200
"""People in one unit, whom one entry tells of."""


def speaks(kind: str) -> bool:
    """Whether an entry of this type may tell of something that decides about a person."""
    return kind.startswith("consent.") and kind not in events.READINGS


def of_many(kind: str) -> bool:
    """Whether an entry of this type changed people whom it does not name."""
    return kind == events.PERSON_UNSURE


def restricts(kinds: Sequence[str]) -> bool:
    """Whether a restriction of processing stands after what happened, in order."""
    placed = [kind for kind in kinds if kind in (events.RESTRICTED, events.UNRESTRICTED)]
    return bool(placed) and placed[-1] == events.RESTRICTED


class Doubting:
    """Marks people."""

    def __init__(self, audit: AuditLog, sealer: Sealer) -> None:
        self._audit = audit
        self._sealer = sealer

    def log_keys(self, tx: Tx, subjects: Sequence[bytes]) -> Work[dict[bytes, Key]]:
        """The log keys of these people, by which entries about them are known. Without those who were erased."""
        rows = yield tuple(self._sealer.read(tx, subject) for subject in subjects)
        found = {}
        for subject, row in zip(subjects, rows, strict=True):
            key = self._sealer.unwrap(tx.context.tenant, subject, "log", row)
            if key is not None:
                found[subject] = key
        return found

    def doubt(self, tx: Tx, subjects: Sequence[bytes], restricted: frozenset[bytes] = frozenset()) -> Work[int]:
        """Mark up to `AT_ONCE` people; how many of them there are. A cold unit that may be repeated.

        `restricted`: of those whose restriction of processing is among what was lost, it is placed again. One entry
        tells of all, with the SHA-256 of their ids (each 16 bytes, in order).
        """
        at, wanted = tx.context.at, list(dict.fromkeys(subjects))
        known: dict[bytes, tuple[Values, PersonState]] = {}
        while wanted:
            rows = yield tuple(tx.get(PERSON, subject) for subject in wanted)
            fresh = {
                subject: (row, unpack(row[3])) for subject, row in zip(wanted, rows, strict=True) if row is not None
            }
            known |= fresh
            # Ids that were merged share one state: whatever is known of one holds of all.
            shared = {each for subject, (_, state) in fresh.items() for each in ids_of(subject, state)}
            wanted = sorted(shared - known.keys())
        marked = [subject for subject, (_, state) in known.items() if not state.erased_at]
        for subject in marked:
            row, state = known[subject]
            # Among merged ids the instant of the last choice is one, and so is this.
            state = replace(state, waiting={}, unsure_at=max(at, row[2]))
            if not restricted.isdisjoint(ids_of(subject, state)):
                state = replace(state, restricted_at=at)
            tx.put(PERSON, (subject,), (row[0] + 1, row[1], row[2], pack(state)), was=row)
            tx.publish(events.PERSON_UNSURE, subject, b"")
        if marked:
            digest = sha256(b"".join(sorted(marked))).hexdigest()
            res = {"people": str(len(marked)), "digest": digest}
            self._audit.append_while_forked(tx, AuditEvent(events.PERSON_UNSURE, "ok", res))
        return len(marked)
