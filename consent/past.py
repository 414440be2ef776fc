"""Reading records: the history of a person, their receipts, and where they stood at any instant.

Two times: `as_of` is the instant asked about, `known_at` the instant of knowledge. A grant counts from when it
reached us; a no counts from when it is claimed to have been said, if that is earlier, so that hindsight only ever
tightens.
"""

from collections.abc import Iterable

from audit import AuditEvent, AuditLog
from consent import events, record, store
from consent.answers import HistoryPage, SubjectState, history_item, purposes_of
from consent.catalogue import Catalogue
from consent.errors import NoRecord
from consent.fold import Moment, advance
from consent.model import NOES, PersonState
from consent.people import People, Person
from consent.record import Payload
from sayso.kernel import TENANT_OWNER, Denied, Invalid, Key, Permit, Sealer, Tx, Work, bucket_in, iso, text

PAGE_LIMIT = 200
"""Records on one page of history."""

_END = 2**62


class Past:
    """Opens records for those who may read them."""

    def __init__(self, audit: AuditLog, sealer: Sealer, people: People) -> None:
        self._audit = audit
        self._sealer = sealer
        self._people = people

    def state(
        self, tx: Tx, catalogue: Catalogue, subject: bytes, as_of: int | None = None, known_at: int | None = None
    ) -> Work[SubjectState]:
        """Where the person stands. With neither time: the row as it is. With one: replayed from records (a cold
        unit).
        """
        person = yield from self._people.find(tx, subject)
        at: int = tx.context.at
        if as_of is None and known_at is None:
            state = person.state
            # A choice of the same microsecond may be ordered after the door's clock: its answer must see it.
            at = max(at, person.since)
        else:
            found = yield from self._opened(tx, person, at if known_at is None else known_at)
            at = at if as_of is None else as_of
            state = replay(found, at, PersonState(jurisdictions=person.state.jurisdictions))
            catalogue = catalogue.at(at)
        names = [name for name, each in catalogue.purposes.items() if not each.implied or name in state.choices]
        return SubjectState(text("sub", subject), iso(at), purposes_of(state, names, catalogue, at))

    def history(
        self, tx: Tx, subject: bytes, permit: Permit | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> Work[HistoryPage]:
        """A page of records, newest first, each opened. A cold unit that writes an entry when a person reads their
        own.

        Needs a permit to `read` the person whole, whose entry the policy engine has written; without one only the
        person themselves is answered. Raises `Denied`.
        """
        tenant, actor = tx.context.tenant, tx.context.actor
        own = actor.kind == "person" and actor.id == text("sub", subject)
        if permit is not None:
            permit.demand(tenant=tenant, subject=subject, action="read")
        elif not own:
            raise Denied("permit-missing", "The history of a person is read with a permit only.")
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid("invalid-limit", "A page holds 1 to 200 records.", limit=PAGE_LIMIT)
        before = _instant_of(cursor)
        person = yield from self._people.find(tx, subject)
        (rows,) = yield (tx.select(store.page_of_records(tenant, subject, before, limit + 1)),)
        items = [
            history_item(bytes(raw), open_record(person.key, bytes(raw), sealed)) for raw, _, sealed in rows[:limit]
        ]
        if permit is None:
            detail = {"records": len(items)}
            self._audit.append(tx, AuditEvent(events.HISTORY_READ, "ok", {}, subject, detail), person.key)
        return HistoryPage(items, f"{rows[limit - 1][1]:x}" if len(rows) > limit else None)

    def receipt(self, tx: Tx, raw_record: bytes) -> Work[str]:
        """The receipt of a record, byte for byte as it was given. Raises `NoRecord`, also when the key is destroyed."""
        payload, _ = yield from self.opened(tx, raw_record)
        return payload.receipt

    def opened(self, tx: Tx, raw_record: bytes) -> Work[tuple[Payload, bytes | None]]:
        """One record, found by its id alone, and whose it is. Raises `NoRecord`."""
        (row,) = yield (tx.get(store.RECORD, raw_record, bucket=bucket_in(raw_record)),)
        if row is None:
            raise NoRecord
        subject, _, sealed = row
        key: Key | None
        if subject is None:
            key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        else:
            (wrapped,) = yield (self._sealer.read(tx, subject),)
            key = self._sealer.unwrap(tx.context.tenant, subject, "log", wrapped)
        if key is None:
            raise NoRecord
        return open_record(key, raw_record, sealed), subject

    def _opened(self, tx: Tx, person: Person, known_at: int) -> Work[list[tuple[bytes, Payload]]]:
        (rows,) = yield (tx.select(store.records_until(tx.context.tenant, person.subject, known_at)),)
        return [(bytes(raw), open_record(person.key, bytes(raw), sealed)) for raw, _, sealed in rows]


def open_record(key: Key, raw_record: bytes, sealed: bytes) -> Payload:
    """The payload of a record. Raises when it was moved, changed or is under another key."""
    return record.decode(key.open(record.COLLECTION, text("cns", raw_record), bytes(sealed)))


def replay(records: Iterable[tuple[bytes, Payload]], as_of: int, start: PersonState) -> PersonState:
    """The state that these records, oldest first, make at an instant."""
    state = start
    for raw_record, payload in records:
        moment = payload.moment(raw_record)
        counted = [change for change in payload.changes if _effective(change.act, moment) <= as_of]
        if counted:
            state = advance(state, counted, moment)
    return state


def _effective(act: str, moment: Moment) -> int:
    return moment.claimed if act in NOES else moment.since


def _instant_of(cursor: str | None) -> int:
    if cursor is None:
        return _END
    try:
        return min(int(cursor, 16), _END)
    except ValueError:
        raise Invalid("invalid-cursor", "This is no cursor of ours.") from None
