"""What people told about themselves: answers with where they come from, each change kept, all of it sealed.

One row holds a person's answers in a version that every change raises; each change is a row of its own. Both lie under
the person's `log` key and are deleted by an erasure. What decides about reaching them is in the person's state as well
(`contact.py`), changed in the same commit. `telling.py` has the rules of who may change what.
"""

from collections.abc import Iterable, Mapping
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
from consent.preferences.telling import Answer, Drawn, Telling, draw, entered, heard
from consent.preferences.wishes import told
from sayso.kernel import Invalid, Key, Permit, Sealer, Tx, Values, Work, iso, text

COLLECTION: Final = "preferences"
HISTORY: Final = "preference_changes"
"""The collections that answers and changes are sealed for; the field is the person's id, for a change with its time."""

PAGE_LIMIT: Final = 200
"""Changes on one page of history."""

_END: Final = 2**62
_UNSAID: Final = Contact()


class Sheet(Struct, frozen=True, omit_defaults=True):
    """The answers that one id told, by inner name (`topics`, `channels.sms`), when others were taken back, and the
    instant of the last change.
    """

    v: int = 1
    at: int = 0
    answers: dict[str, Answer] = {}
    gone: dict[str, int] = {}


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


class Kept(Struct, frozen=True):
    """What is kept of a person, as read in this unit. `row` and `sheet` are of the id that was named, None when it told
    nothing yet. `answers` and `version` are of all ids of the person, the newest word on each.
    """

    person: Person
    row: Values | None
    sheet: Sheet
    answers: dict[str, Answer]
    version: int


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
        since = max([at, kept.sheet.at + 1, *(each.at + 1 for each in answers.values())])
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
        detail = {"names": sorted(drawn.said), "version": kept.version + 1}
        event = AuditEvent(events.PREFERENCES_CHANGED, "ok", {"method": telling.method}, person.subject, detail)
        entry = self._audit.append(tx, event, person.key)
        after = entered(drawn, entry, since)
        self._write(tx, kept, after, drawn, telling, since, entry)
        tx.publish(events.PREFERENCES_CHANGED, person.subject, b"")
        person = replace(person, state=replace(person.state, contact=drawn.contact))
        found = _told(person, kept.version + 1, after, asked, at, withheld)
        return replace(found, entry=entry, ignored=drawn.ignored or UNSET)

    def history(
        self, tx: Tx, subject: bytes, permit: Permit, *, cursor: str | None = None, limit: int = 50
    ) -> Work[ChangePage]:
        """A page of changes, newest first, each opened. Cold. Needs a permit to `read` the person whole."""
        tenant = tx.context.tenant
        permit.demand(tenant=tenant, subject=subject, action="read")
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid("invalid-limit", "A page holds 1 to 200 changes.", limit=PAGE_LIMIT)
        before = _instant_of(cursor)
        person = yield from self._people.find(tx, subject)
        keys = yield from keys_of(tx, self._sealer, person.ids)
        pages = yield tuple(
            tx.select(store.page_of_preference_changes(tenant, each, before, limit + 1)) for each in keys
        )
        told = [(at, each, bytes(sealed)) for each, rows in zip(keys, pages, strict=True) for at, sealed in rows]
        told.sort(key=lambda row: row[:2], reverse=True)
        opened = [keys[each].open(HISTORY, _place(each, at), sealed) for at, each, sealed in told[:limit]]
        items = [_item(_change(blob)) for blob in opened]
        return ChangePage(items, f"{told[limit - 1][0]:x}" if len(told) > limit else None)

    def _kept(self, tx: Tx, subject: bytes) -> Work[Kept]:
        person = yield from self._people.find(tx, subject)
        (row,) = yield (tx.get(store.PREFERENCE, person.subject, bucket=person.bucket),)
        own = _opened(person.key, person.subject, row)
        if not person.others:
            return Kept(person, row, own, own.answers, row[0] if row is not None else 0)
        keys = yield from keys_of(tx, self._sealer, [other.subject for other in person.others])
        rows = yield tuple(tx.get(store.PREFERENCE, each) for each in keys)
        sheets = [own, *(_opened(keys[each], each, found) for each, found in zip(keys, rows, strict=True))]
        version = sum(found[0] for found in (row, *rows) if found is not None)
        return Kept(person, row, own, _newest(sheets), version)

    def _write(
        self,
        tx: Tx,
        kept: Kept,
        answers: dict[str, Answer],
        drawn: Drawn,
        telling: Telling,
        since: int,
        entry: str,
    ) -> None:
        """Answers, the change and the person's state in one write-set. The state is written though it may be the same:
        so an erasure beside it is a lost race, and leaves nothing behind.
        """
        person = kept.person
        version = kept.row[0] + 1 if kept.row is not None else 1
        own = {name: each for name, each in answers.items() if each.at == since or name in kept.sheet.answers}
        gone = {name: at for name, at in kept.sheet.gone.items() if name not in answers}
        taken = [name for name, value in drawn.said.items() if value is None and name not in drawn.ignored]
        sheet = Sheet(1, since, own, {**gone, **dict.fromkeys(taken, since)})
        sealed = person.key.seal(COLLECTION, text("sub", person.subject), _pack(sheet), version)
        tx.put(store.PREFERENCE, (person.subject,), (version, sealed), was=kept.row, bucket=person.bucket)
        changed = Changed(
            v=1,
            at=since,
            version=kept.version + 1,
            said=drawn.said,
            method=telling.method,
            assurance=telling.assurance,
            actor=tx.context.actor.id,
            entry=entry,
            source=telling.source,
            occurred_at=telling.occurred_at or 0,
            ignored=drawn.ignored,
        )
        sealed = person.key.seal(HISTORY, _place(person.subject, since), _pack(changed))
        tx.insert(store.PREFERENCE_CHANGE, person.subject, since, sealed, bucket=person.bucket)
        self._people.save(tx, person, replace(person.state, contact=drawn.contact), person.since)


def _opened(key: Key, subject: bytes, row: Values | None) -> Sheet:
    if row is None:
        return Sheet()
    return _sheet(key.open(COLLECTION, text("sub", subject), bytes(row[1]), row[0]))


def _place(subject: bytes, at: int) -> str:
    """The field that a change is sealed for."""
    return f"{text('sub', subject)}/{at}"


def _newest(sheets: Iterable[Sheet]) -> dict[str, Answer]:
    """Of ids that are one person, the newest word on each preference; taking an answer back is a word too."""
    found: dict[str, tuple[int, Answer | None]] = {}
    for sheet in sheets:
        said: list[tuple[str, int, Answer | None]] = [(name, each.at, each) for name, each in sheet.answers.items()]
        said += [(name, at, None) for name, at in sheet.gone.items()]
        for name, at, answer in said:
            if name not in found or at > found[name][0]:
                found[name] = (at, answer)
    return {name: answer for name, (_, answer) in found.items() if answer is not None}


def erase(tx: Tx, subject: bytes) -> None:
    """Delete all that a person told. Part of the unit that forgets them."""
    tx.delete(store.PREFERENCE, subject)
    tx.execute(store.without_preference_changes(tx.context.tenant, subject))


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
    return actor.kind == "person" and actor.id == text("sub", person.subject)


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


def _instant_of(cursor: str | None) -> int:
    try:
        return _END if cursor is None else min(int(cursor, 16), _END)
    except ValueError:
        raise Invalid("invalid-cursor", "This is no cursor of ours.") from None


_pack = msgspec.msgpack.Encoder().encode
_sheet = msgspec.msgpack.Decoder(Sheet).decode
_change = msgspec.msgpack.Decoder(Changed).decode
