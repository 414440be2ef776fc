"""What people told about themselves: answers with where they come from, each change kept, all of it sealed.

One row holds a person's answers in a version that every change raises; each change is a row of its own. Both lie under
the person's `log` key and are deleted by an erasure. What decides about reaching them is in the person's state as well
(`contact.py`), changed in the same commit. `telling.py` has the rules of who may change what.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.catalogue.catalogue import Catalogue
from consent.choices.standing import standing
from consent.errors import StalePreferences
from consent.people.identity_log import keys_of
from consent.people.people import People, Person
from consent.preferences.answers import ChangePage, PreferenceChange, Preferences, how, provenance
from consent.preferences.contact import Contact
from consent.preferences.preference import BUILT_IN, Questionnaire
from consent.preferences.sheets import Sheet, joined
from consent.preferences.telling import Answer, Telling, draw, entered, heard
from consent.preferences.wishes import told
from sayso.kernel import LOG, Invalid, Key, Permit, Sealer, Tx, Values, Work, bucket_of, iso, text

COLLECTION: Final = "preferences"
HISTORY: Final = "preference_changes"
"""The collections that answers and changes are sealed for; the field is the person's id, for a change with its time."""

PAGE_LIMIT: Final = 200
"""Changes on one page of history."""

_END: Final = 2**62
_UNSAID: Final = Contact()


class Changed(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One change, whole: what was said (None: taken back), and what of it changed nothing, and why."""

    v: int
    at: int
    version: int
    said: dict[str, object]
    method: str
    assurance: str
    actor: str
    entry: str
    source: str = ""
    occurred_at: int = 0
    ignored: dict[str, str] = {}


class Own(Struct, frozen=True):
    """What one id told, as read in this unit. `row` is None when it told nothing yet."""

    subject: bytes
    bucket: int
    key: Key
    row: Values | None
    sheet: Sheet


class Kept(Struct, frozen=True):
    """What is kept of a person: `own` of each id, the named one first; `answers` and `version` of all of them."""

    person: Person
    own: tuple[Own, ...]
    answers: dict[str, Answer]
    version: int


class Serving(Struct, frozen=True):
    """An answer that is kept, without the answer: the question, the purpose that it serves, since when it is kept."""

    name: str
    purpose: str
    at: int


class PreferenceBook:
    """Reads and changes what people told."""

    def __init__(self, audit: AuditLog, sealer: Sealer, people: People) -> None:
        self._audit = audit
        self._sealer = sealer
        self._people = people

    def read(
        self,
        tx: Tx,
        catalogue: Catalogue,
        asked: Questionnaire,
        subject: bytes,
        permit: Permit | None = None,
        *,
        only_live: bool = False,
    ) -> Work[Preferences]:
        """What the person told, as far as it still answers a question that is asked. Hot: point reads.

        Sensitive answers are for the person alone, and for a permit to `read` them whole. `only_live`: nor those whose
        purpose does not stand with this person, for callers who may use answers and not keep them. What is withheld is
        named with the reason.
        """
        if permit is not None:
            permit.demand(tenant=tx.context.tenant, subject=subject, action="read")
        kept = yield from self._kept(tx, subject)
        withheld: dict[str, str] = {}
        for name, preference in asked.preferences.items():
            answer = kept.answers.get(name)
            if answer is None:
                continue
            if preference.sensitive and permit is None and not _own(tx, kept.person):
                withheld[name] = "sensitive"
            elif preference.purpose != answer.purpose or not preference.fits(answer.value):
                withheld[name] = "outdated"
            elif only_live and (why := _not_live(kept.person, preference.purpose, catalogue, tx.context.at)):
                withheld[name] = why
        return _told(kept.person, kept.version, kept.answers, asked, tx.context.at, withheld)

    def change(self, tx: Tx, asked: Questionnaire, subject: bytes, telling: Telling) -> Work[Preferences]:
        """Change some answers; those not named stay. A change that changes nothing writes nothing.

        Raises `UnknownPreference`, `UnfitPreference`, `StalePreferences`, `Invalid`, `NoSubject`; then nothing of it is
        kept. The answer tells sensitive values only as far as this change said them.
        """
        at: int = tx.context.at
        said = heard(asked, telling, at)
        kept = yield from self._kept(tx, subject)
        if telling.version is not None and telling.version != kept.version:
            raise StalePreferences(submitted=telling.version, version=kept.version)
        person, answers = kept.person, kept.answers
        since = max(at, *(each.sheet.at + 1 for each in kept.own))
        drawn = draw(asked, answers, person.state.contact, said, telling, since, tx.context.actor.id)
        withheld = {
            name: "sensitive"
            for name, each in asked.preferences.items()
            if each.sensitive and name in drawn.answers and (name not in said or name in drawn.ignored)
        }
        if _own(tx, person):
            withheld = {}
        if not drawn.said:
            return _told(person, kept.version, answers, asked, at, withheld)
        written = _written(kept, {name: drawn.answers.get(name) for name in drawn.said if name not in drawn.ignored})
        version = kept.version + len(written)
        detail = {"names": sorted(drawn.said), "version": version}
        event = AuditEvent(events.PREFERENCES_CHANGED, "ok", {"method": telling.method}, person.subject, detail)
        entry = self._audit.append(tx, event, person.key)
        after = entered(drawn, entry, since)
        changed = Changed(
            v=1,
            at=since,
            version=version,
            said=drawn.said,
            method=telling.method,
            assurance=telling.assurance,
            actor=tx.context.actor.id,
            entry=entry,
            source=telling.source,
            occurred_at=telling.occurred_at or 0,
            ignored=drawn.ignored,
        )
        for own, names in written:
            words = {name: after.get(name) for name in names}
            self._write(tx, own, own.sheet.after(words, since, weighed=len(kept.own) > 1))
        sealed = person.key.seal(HISTORY, _place(person.subject, since), _pack(changed))
        tx.insert(store.PREFERENCE_CHANGE, person.subject, since, sealed, bucket=person.bucket)
        # The state is written though it may be the same: so an erasure, a merge or a split beside it is a lost race.
        self._people.save(tx, person, replace(person.state, contact=drawn.contact), person.since)
        tx.publish(events.PREFERENCES_CHANGED, person.subject, b"")
        person = replace(person, state=replace(person.state, contact=drawn.contact))
        found = _told(person, version, after, asked, at, withheld)
        return replace(found, entry=entry, ignored=drawn.ignored or UNSET)

    def history(
        self, tx: Tx, subject: bytes, permit: Permit, *, cursor: str | None = None, limit: int = 50
    ) -> Work[ChangePage]:
        """A page of changes, newest first, each opened. Cold. Needs a permit to `read` the person whole."""
        tenant = tx.context.tenant
        permit.demand(tenant=tenant, subject=subject, action="read")
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid("invalid-limit", "A page holds 1 to 200 changes.", limit=PAGE_LIMIT)
        before = _place_of(cursor)
        person = yield from self._people.find(tx, subject)
        keys = yield from keys_of(tx, self._sealer, person.ids)
        # Two ids may have told something in the same instant, before they were one: the cursor names both.
        pages = yield tuple(
            tx.select(store.page_of_preference_changes(tenant, each, before[0] + 1, limit + 2)) for each in keys
        )
        told = [(at, each, bytes(sealed)) for each, rows in zip(keys, pages, strict=True) for at, sealed in rows]
        told = sorted((row for row in told if row[:2] < before), key=lambda row: row[:2], reverse=True)
        opened = [keys[each].open(HISTORY, _place(each, at), sealed) for at, each, sealed in told[:limit]]
        items = [_item(_change(blob)) for blob in opened]
        last = told[limit - 1] if len(told) > limit else None
        return ChangePage(items, f"{last[0]:x}.{last[1].hex()}" if last is not None else None)

    def serving(self, tx: Tx, subject: bytes) -> Work[tuple[Serving, ...]]:
        """The answers kept under this id that serve a purpose. Wishes about being reached serve the person, not one."""
        row, wrapped = yield (tx.get(store.PREFERENCE, subject), self._sealer.read(tx, subject))
        key = self._sealer.unwrap(tx.context.tenant, subject, LOG, wrapped) if row is not None else None
        if key is None:
            return ()
        kept = _opened(key, subject, row).answers
        return tuple(Serving(name, each.purpose, each.at) for name, each in sorted(kept.items()) if each.purpose)

    def end(self, tx: Tx, subject: bytes, names: Collection[str], ground: str) -> Work[str]:
        """Forget these answers of one id, and what its history says of them, because nothing allows keeping them. Cold.

        `ground` is a short non-personal word for the log; returns the entry. Raises `NoSubject`. Against a choice in
        the same moment the caller guards the person's row.
        """
        tenant = tx.context.tenant
        person = yield from self._people.find(tx, subject)
        row, changes = yield (
            tx.get(store.PREFERENCE, subject, bucket=person.bucket),
            tx.select(store.preference_changes_of(tenant, subject)),
        )
        sheet = _opened(person.key, subject, row)
        left = {name: each for name, each in sheet.answers.items() if name not in names}
        if row is not None:
            version = row[0] + 1
            sealed = person.key.seal(COLLECTION, text("sub", subject), _pack(replace(sheet, answers=left)), version)
            tx.put(store.PREFERENCE, (subject,), (version, sealed), was=row, bucket=person.bucket)
        for at, blob in changes:
            place = _place(subject, at)
            change = _change(person.key.open(HISTORY, place, bytes(blob)))
            said = {name: value for name, value in change.said.items() if name not in names}
            if not said:
                tx.execute(store.WITHOUT_PREFERENCE_CHANGE, expect=1, bucket=person.bucket, subject=subject, at=at)
            elif len(said) < len(change.said):
                ignored = {name: why for name, why in change.ignored.items() if name not in names}
                sealed = person.key.seal(HISTORY, place, _pack(replace(change, said=said, ignored=ignored)))
                tx.execute(store.another_preference_change(tenant, subject, at, sealed), expect=1)
        detail = {"names": sorted(names), "ground": ground}
        event = AuditEvent(events.PREFERENCES_ENDED, "ok", {"count": str(len(names))}, subject, detail)
        tx.publish(events.PREFERENCES_ENDED, subject, b"")
        return self._audit.append(tx, event, person.key)

    def _kept(self, tx: Tx, subject: bytes) -> Work[Kept]:
        person = yield from self._people.find(tx, subject)
        (row,) = yield (tx.get(store.PREFERENCE, person.subject, bucket=person.bucket),)
        named = _own_of(person.subject, person.bucket, person.key, row)
        if not person.others:
            return Kept(person, (named,), named.sheet.answers, row[0] if row is not None else 0)
        keys = yield from keys_of(tx, self._sealer, [other.subject for other in person.others])
        others = [other for other in person.others if other.subject in keys]
        rows = yield tuple(tx.get(store.PREFERENCE, other.subject, bucket=other.bucket) for other in others)
        own = (
            named,
            *(
                _own_of(other.subject, other.bucket, keys[other.subject], found)
                for other, found in zip(others, rows, strict=True)
            ),
        )
        version = sum(each.row[0] for each in own if each.row is not None)
        return Kept(person, own, joined([each.sheet for each in own]), version)

    def _write(self, tx: Tx, own: Own, sheet: Sheet) -> None:
        version = own.row[0] + 1 if own.row is not None else 1
        sealed = own.key.seal(COLLECTION, text("sub", own.subject), _pack(sheet), version)
        tx.put(store.PREFERENCE, (own.subject,), (version, sealed), was=own.row, bucket=own.bucket)


def _written(kept: Kept, heard: Mapping[str, Answer | None]) -> list[tuple[Own, list[str]]]:
    """Which names are written on which sheets: all of them on that of the named id; on the others what is taken back,
    so that nothing of it comes up again when a merge is undone.
    """
    named, *others = kept.own
    taken = [name for name, answer in heard.items() if answer is None]
    found = [(each, [name for name in taken if name in each.sheet.answers]) for each in others]
    return [(named, list(heard)), *((each, names) for each, names in found if names)]


def _own_of(subject: bytes, bucket: int, key: Key, row: Values | None) -> Own:
    return Own(subject, bucket, key, row, _opened(key, subject, row))


def _opened(key: Key, subject: bytes, row: Values | None) -> Sheet:
    if row is None:
        return Sheet()
    return _sheet(key.open(COLLECTION, text("sub", subject), bytes(row[1]), row[0]))


def _place(subject: bytes, at: int) -> str:
    """The field that a change is sealed for."""
    return f"{text('sub', subject)}/{at}"


def erase(tx: Tx, subject: bytes) -> None:
    """Delete all that a person told. Part of the unit that forgets them."""
    tx.delete(store.PREFERENCE, subject)
    bucket = bucket_of(tx.context.tenant, subject)
    tx.execute(store.WITHOUT_PREFERENCE_CHANGES, bucket=bucket, subject=subject)


def _told(
    person: Person,
    version: int,
    answers: Mapping[str, Answer],
    asked: Questionnaire,
    at: int,
    withheld: Mapping[str, str],
) -> Preferences:
    values = told(person.state.contact or _UNSAID, asked, answers, at)
    values.update({name: answers[name].value for name in asked.preferences if name in answers and name not in withheld})
    known = {
        name: provenance(each)
        for name, each in answers.items()
        if name in asked.preferences or name.partition(".")[0] in BUILT_IN
    }
    return Preferences(
        subject=text("sub", person.subject),
        version=version,
        as_of=iso(at),
        values=values,
        provenance=known,
        withheld=dict(withheld) or UNSET,
    )


def _own(tx: Tx, person: Person) -> bool:
    actor = tx.context.actor
    return actor.kind == "person" and actor.id in [text("sub", each) for each in person.ids]


def _not_live(person: Person, purpose: str, catalogue: Catalogue, at: int) -> str | None:
    """Why an answer may not be used for its purpose now: where the person stands, if it is not a yes that is needed."""
    found = standing(person.state, purpose, catalogue, at)
    if found.no or (found.legal_basis == "consent" and found.status != "granted"):
        return found.status
    return "restricted" if person.state.restricted_at else None


def _item(changed: Changed) -> PreferenceChange:
    return PreferenceChange(
        version=changed.version,
        at=iso(changed.at),
        how=how(changed.method),
        values=dict(changed.said),
        method=changed.method,
        assurance=changed.assurance,
        actor=changed.actor,
        entry=changed.entry,
        source=changed.source or UNSET,
        occurred_at=iso(changed.occurred_at) if changed.occurred_at else UNSET,
        ignored=changed.ignored or UNSET,
    )


def _place_of(cursor: str | None) -> tuple[int, bytes]:
    """The instant and the id of the last change on the page before."""
    if cursor is None:
        return _END, b""
    at, _, subject = cursor.partition(".")
    try:
        return max(0, min(int(at, 16), _END)), bytes.fromhex(subject)
    except ValueError:
        raise Invalid("invalid-cursor", "This is no cursor of ours.") from None


_pack = msgspec.msgpack.Encoder().encode
_sheet = msgspec.msgpack.Decoder(Sheet).decode
_change = msgspec.msgpack.Decoder(Changed).decode
