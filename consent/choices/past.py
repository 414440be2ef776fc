"""Reading records: the history of a person, their receipts, and where they stood at any instant.

Two times: `as_of` is the instant asked about, `known_at` the instant of knowledge. A grant counts from when it
reached us; a no counts from when it is claimed to have been said, if that is earlier, so that hindsight only ever
tightens.
"""

from collections.abc import Iterable

from msgspec import UNSET
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.answers import HistoryPage, SubjectState, directives_of, history_item, purposes_of
from consent.catalogue.catalogue import Catalogue
from consent.choices import record
from consent.choices.directives import direct
from consent.choices.fold import Moment, advance
from consent.choices.record import Payload
from consent.errors import NoRecord
from consent.model import NOES, PersonState
from consent.packing import unpack
from consent.people.identity_log import Event, keys_of, read
from consent.people.merging import merge
from consent.people.people import People, Person, ids_of
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
            known = at if known_at is None else known_at
            at = at if as_of is None else as_of
            state = yield from self._then(tx, catalogue, person, at, known)
            catalogue = catalogue.at(at)
        names = [name for name, each in catalogue.purposes.items() if not each.implied or name in state.choices]
        directives = directives_of(state, catalogue) or UNSET
        return SubjectState(text("sub", subject), iso(at), purposes_of(state, names, catalogue, at), directives)

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
        keys = yield from self._keys(tx, person)
        pages = yield tuple(tx.select(store.page_of_records(tenant, each, before, limit + 1)) for each in keys)
        # Ids that were merged share one history; no two of their records since have the same instant.
        rows = sorted(
            (
                (at, bytes(raw), sealed, key)
                for key, page in zip(keys.values(), pages, strict=True)
                for raw, at, sealed in page
            ),
            key=lambda row: row[0],
            reverse=True,
        )
        items = [history_item(raw, open_record(key, raw, sealed)) for _, raw, sealed, key in rows[:limit]]
        if permit is None:
            detail = {"records": len(items)}
            self._audit.append(tx, AuditEvent(events.HISTORY_READ, "ok", {}, subject, detail), person.key)
        return HistoryPage(items, f"{rows[limit - 1][0]:x}" if len(rows) > limit else None)

    def receipt(self, tx: Tx, raw_record: bytes) -> Work[str]:
        """The receipt of a record, byte for byte as it was given. Raises `NoRecord`, also when the key is destroyed."""
        payload, _ = yield from self.opened(tx, raw_record)
        return (yield from payload.receipt(tx))

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

    def _then(self, tx: Tx, catalogue: Catalogue, person: Person, as_of: int, known_at: int) -> Work[PersonState]:
        """The state that the records of the person made at an instant, as far as was known at another.

        Where people had been merged or split by then, replaying begins with the last time that happened.
        """
        keys = yield from self._keys(tx, person)
        start, since, ids = PersonState(), 0, frozenset((person.subject,))
        for owner, event in (yield from read(tx, keys.items())):
            found = _turned(owner, event, catalogue) if event.at <= min(as_of, known_at) else None
            if found is not None and person.subject in found[1]:
                start, ids = found
                since = event.at
        rows = yield tuple(tx.select(store.records_until(tx.context.tenant, each, known_at)) for each in keys)
        records = sorted(
            (
                (at, bytes(raw), open_record(key, bytes(raw), sealed))
                for (owner, key), found in zip(keys.items(), rows, strict=True)
                for raw, at, sealed in found
                if owner in ids and at > since
            ),
            key=lambda row: row[0],
        )
        unsure_at = person.state.unsure_at
        start = replace(
            start,
            jurisdictions=person.state.jurisdictions,
            unsure_at=unsure_at if unsure_at <= min(as_of, known_at) else 0,
        )
        return replay(((raw, payload) for _, raw, payload in records), as_of, start)

    def _keys(self, tx: Tx, person: Person) -> Work[dict[bytes, Key]]:
        """The log key of each of the person's ids."""
        if not person.others:
            return {person.subject: person.key}
        return (yield from keys_of(tx, self._sealer, person.ids))


def _turned(owner: bytes, event: Event, catalogue: Catalogue) -> tuple[PersonState, frozenset[bytes]] | None:
    """The state that a merge or a split made, and whose it was; None for events that made none."""
    if event.what == "merged":
        mine, theirs = event.before
        ids = frozenset((*ids_of(owner, mine), *ids_of(event.other, theirs)))
        return merge(mine, theirs, catalogue.at(event.at), event.at), ids
    if event.what in ("split", "split_from"):
        after = unpack(event.mine)
        return after, frozenset(ids_of(owner, after))
    return None


def open_record(key: Key, raw_record: bytes, sealed: bytes) -> Payload:
    """The payload of a record. Raises when it was moved, changed or is under another key."""
    return record.decode(key.open(record.COLLECTION, text("cns", raw_record), bytes(sealed)))


def replay(records: Iterable[tuple[bytes, Payload]], as_of: int, start: PersonState) -> PersonState:
    """The state that these records, oldest first, make at an instant."""
    state = start
    for raw_record, payload in records:
        moment = payload.moment(raw_record)
        if payload.directives and moment.claimed <= as_of:
            state = direct(state, payload.directives, moment)
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
        return max(0, min(int(cursor, 16), _END))
    except ValueError:
        raise Invalid("invalid-cursor", "This is no cursor of ours.") from None
