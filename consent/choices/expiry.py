"""Grants whose term has passed: found in the state, and written down once.

That a grant has ended is judged whenever it is read (`standing.py`). The record of it changes nothing: it tells those
who keep copies, and stands in the person's history.
"""

from collections.abc import Iterator, Mapping

from audit import AuditEvent, AuditLog
from consent import events
from consent.catalogue.catalogue import Catalogue
from consent.choices import record
from consent.choices.fold import Change
from consent.choices.standing import standing
from consent.model import PersonState
from consent.people.people import People
from consent.store import RECORD
from sayso.kernel import Tx, Work, bucket_in, new_raw_in, text


def terms_of(state: PersonState) -> Iterator[tuple[str, int]]:
    """The purposes that grants with a term reach, each with the instant of its end."""
    for purpose, choice in state.choices.items():
        if choice.status != "granted":
            continue
        if choice.expires_at:
            yield purpose, choice.expires_at
        for below, cover in choice.covers.items():
            if cover.expires_at:
                yield below, cover.expires_at


def ended(state: PersonState, catalogue: Catalogue, told: Mapping[str, int], at: int) -> dict[str, int]:
    """Purposes whose grant ended by its term, each with that instant; without those that were told so already."""
    found: dict[str, int] = {}
    for purpose in {name for name, end in terms_of(state) if end <= at}:
        where = standing(state, purpose, catalogue, at)
        if where.status == "expired" and told.get(purpose) != where.expires_at:
            found[purpose] = where.expires_at
    return dict(sorted(found.items()))


class Expiry:
    """Writes down that grants have ended."""

    def __init__(self, audit: AuditLog, people: People) -> None:
        self._audit = audit
        self._people = people

    def expire(self, tx: Tx, catalogue: Catalogue, subject: bytes, purposes: Mapping[str, int]) -> Work[str]:
        """One record, its entry and its row of the feed; returns the entry. Raises `NoSubject`."""
        person = yield from self._people.find(tx, subject)
        since = person.next_since(tx.context.at)
        raw_record = new_raw_in(person.bucket)
        record_id = text("cns", raw_record)
        changes = tuple(
            Change(purpose, "expired", catalogue.version(purpose), end) for purpose, end in purposes.items()
        )
        detail: dict[str, object] = {"record": record_id, "purposes": list(purposes)}
        entry = self._audit.append(tx, AuditEvent(events.EXPIRED, "ok", {}, subject, detail), person.key)
        payload = record.Payload(
            v=record.VERSION,
            at=since,
            changes=changes,
            actor=tx.context.actor.id,
            method="expiry",
            assurance="device",
            entry=entry,
            bundle=raw_record,
        )
        sealed = person.key.seal(record.COLLECTION, record_id, record.encode(payload))
        tx.insert(RECORD, raw_record, subject, since, sealed, bucket=bucket_in(raw_record))
        # The state stays as it is; its version is what keeps a choice of this very moment from being overlooked.
        self._people.save(tx, person, person.state, since)
        tx.publish(events.EXPIRED, subject, raw_record)
        return entry
