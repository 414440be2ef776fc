"""Taking an identifier from a person. Cold: it reads everything that was recorded since the two became one.

An identifier that came by a merge goes back with everything that came with it: the merge is undone. Any other becomes
a person of its own, who keeps every no (`splitting.py`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.catalogue.catalogue import Catalogue
from consent.choices.past import open_record
from consent.errors import LastIdentifier, NotTheirIdentifier
from consent.model import PersonState
from consent.packing import pack
from consent.people.identities import handle_of
from consent.people.identity_log import Event, keys_of, read, write
from consent.people.people import People, Person, ids_of
from consent.people.splitting import Later, Step, group_of, latest_merge, merges_of, noes_of, origin, parted, rebuilt
from consent.store import IDENTIFIER, IDENTIFIER_OF
from sayso.kernel import Key, Sealer, Tx, Work, raw, text

_END: Final = 2**62
_Held = tuple[bytes, bytes, str, bytes]
"""One identifier: the id that it leads to, tag, type, suppression tag."""


class Unlinked(Struct, frozen=True):
    """What was taken from `subject`: the identifier now leads to `to`. `split`: a merge was undone by it."""

    subject: str
    identifier: str
    type: str
    to: str
    entry: str
    split: bool | UnsetType = UNSET


class Unlinking:
    """Unlinks identifiers, each time with its entry."""

    def __init__(self, audit: AuditLog, sealer: Sealer, people: People) -> None:
        self._audit = audit
        self._sealer = sealer
        self._people = people

    def unlink(self, tx: Tx, catalogue: Catalogue, subject: bytes, handle: str) -> Work[Unlinked]:
        """Take the identifier of that handle from the person. Raises `NoSubject`, `NotTheirIdentifier`,
        `LastIdentifier`.
        """
        wanted = raw(handle, "idf")
        person = yield from self._people.find(tx, subject)
        held = yield from self._held(tx, person)
        chosen = next((each for each in held if handle_of(each[0], each[1]) == wanted), None)
        if chosen is None:
            raise NotTheirIdentifier
        if len(held) == 1:
            raise LastIdentifier
        keys = yield from keys_of(tx, self._sealer, person.ids)
        told = [event for _, event in (yield from read(tx, keys.items()))]
        merged = latest_merge(told, chosen[0])
        if merged is None:
            return self._release(tx, person, chosen)
        return (yield from self._undo(tx, catalogue, person, chosen, keys, told, merged))

    def _held(self, tx: Tx, person: Person) -> Work[list[_Held]]:
        found = yield tuple(store.identifiers_of(tx, each) for each in person.ids)
        return [
            (owner, bytes(tag), kind, bytes(suppression))
            for owner, rows in zip(person.ids, found, strict=True)
            for tag, kind, suppression in rows
        ]

    def _release(self, tx: Tx, person: Person, chosen: _Held) -> Unlinked:
        """The identifier becomes a person of its own."""
        owner, tag, kind, suppression = chosen
        at, handle = tx.context.at, handle_of(owner, tag)
        tx.delete(IDENTIFIER, tag)
        tx.delete(IDENTIFIER_OF, owner, tag)
        freed = self._people.fresh(tx, tag, kind, suppression, noes_of(person.state))
        self._people.save(tx, freed, freed.state, max(at, person.since))
        # The row is written unchanged, so that nothing is decided on it in between.
        self._people.save(tx, person, person.state, person.since)
        entry = self._said(tx, person, events.IDENTIFIER_UNLINKED, kind, freed.subject)
        theirs = self._said(tx, freed, events.PERSON_CREATED, kind, person.root)
        actor = tx.context.actor.id
        write(tx, person.subject, person.key, Event(at, "unlinked", actor, entry, kind, "", handle, freed.subject))
        own = handle_of(freed.subject, tag)
        write(
            tx,
            freed.subject,
            freed.key,
            Event(at, "split_from", actor, theirs, kind, "", own, person.root, pack(freed.state)),
        )
        to = text("sub", freed.subject)
        return Unlinked(text("sub", person.root), text("idf", handle), kind, to, entry)

    def _undo(
        self,
        tx: Tx,
        catalogue: Catalogue,
        person: Person,
        chosen: _Held,
        keys: Mapping[bytes, Key],
        told: Iterable[Event],
        merged: Event,
    ) -> Work[Unlinked]:
        """Two people again."""
        at, actor = tx.context.at, tx.context.actor.id
        gone = group_of(merged)
        mine, theirs = merged.before
        merges = merges_of(told)
        first = origin(merges, merged)
        later = [each for each in merges if each.event.at >= first.at and each.event is not merged]
        keys = {**keys, **(yield from keys_of(tx, self._sealer, _strangers(later, keys)))}
        steps = yield from self._since(tx, keys, gone, later, first.at, merged.at)
        now = person.state
        left = rebuilt(first.before[0], [*steps[0], *_joins(later)], catalogue)
        given = rebuilt(theirs, steps[1], catalogue)
        ids = tuple(each for each in person.ids if each not in gone)
        stays = parted(now, mine, theirs, left, ids, keeps=True)
        goes = parted(now, theirs, mine, given, ids_of(merged.other, theirs), keeps=False)
        one, other = _sides(person, gone, keys)
        since = person.next_since(at)
        self._people.save(tx, one, stays, since)
        self._people.save(tx, other, goes, since)
        owner, tag, kind, _ = chosen
        handle = handle_of(owner, tag)
        entry = self._said(tx, one, events.PERSON_SPLIT, kind, merged.other)
        joined = self._said(tx, other, events.PERSON_SPLIT, kind, person.root)
        write(tx, one.subject, one.key, Event(at, "split", actor, entry, kind, "", handle, merged.other, pack(stays)))
        write(
            tx,
            other.subject,
            other.key,
            Event(at, "split_from", actor, joined, kind, "", handle, person.root, pack(goes)),
        )
        to = text("sub", merged.other)
        return Unlinked(text("sub", person.root), text("idf", handle), kind, to, entry, True)

    def _since(
        self,
        tx: Tx,
        keys: Mapping[bytes, Key],
        gone: frozenset[bytes],
        later: Iterable[Later],
        first: int,
        merged: int,
    ) -> Work[tuple[list[Step], list[Step]]]:
        """What was recorded: of the side that stays since `first`, of the side that goes since they were `merged`."""
        begins = {each: entry.event.at for entry in later for each in entry.ids} | dict.fromkeys(gone, merged)
        ends = {each: entry.until for entry in later if entry.until for each in entry.ids}
        rows = yield tuple(store.records_of(tx, each) for each in keys)
        stays: list[Step] = []
        goes: list[Step] = []
        for owner, records in zip(keys, rows, strict=True):
            after, until = begins.get(owner, first), ends.get(owner, _END)
            for record, recorded_at, sealed in records:
                if not after < recorded_at <= until:
                    continue
                payload = open_record(keys[owner], bytes(record), sealed)
                # A person who came and went left their noes behind, and took their grants along.
                stays.append(Step(recorded_at, owner not in gone and owner not in ends, bytes(record), payload))
                if recorded_at > merged:
                    goes.append(Step(recorded_at, owner in gone, bytes(record), payload))
        return stays, goes

    def _said(self, tx: Tx, person: Person, event: str, kind: str, other: bytes) -> str:
        detail = {"other": text("sub", other)}
        entry = self._audit.append(tx, AuditEvent(event, "ok", {"kind": kind}, person.subject, detail), person.key)
        tx.publish(event, person.subject, b"")
        return entry


def _strangers(later: Iterable[Later], known: Mapping[bytes, Key]) -> list[bytes]:
    """Ids that were the person's for a while since, and are not any more."""
    return sorted({each for entry in later for each in entry.ids} - known.keys())


def _joins(later: Iterable[Later]) -> list[Step]:
    return [Step(each.event.at, True, joined=each.event.before[1]) for each in later if not each.until]


def _sides(person: Person, gone: frozenset[bytes], keys: Mapping[bytes, Key]) -> tuple[Person, Person]:
    """The rows of the one person as those of two."""
    whole = (person.as_other(), *person.others)
    stays = [each for each in whole if each.subject not in gone]
    goes = [each for each in whole if each.subject in gone]
    return tuple(  # type: ignore[return-value]
        Person(
            side[0].subject,
            side[0].bucket,
            keys[side[0].subject],
            side[0].row[1],
            person.since,
            PersonState(),
            side[0].row,
            tuple(side[1:]),
        )
        for side in (stays, goes)
    )
