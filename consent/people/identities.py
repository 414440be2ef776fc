"""Which identifiers lead to a person: linking one more, with proof, and what follows when it leads to somebody else.

Two people who turn out to be one are *merged*: the one that was named stays, the other's id goes on as an alias of it.
Nothing is moved: each id keeps its identifiers, records, keys and stored values, and all of them share one state
(docs/decisions/0014). That is why a merge costs a few rows, why a decision about an alias costs one read, and why a
merge can be undone (`splitting.py`).
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.catalogue.catalogue import Catalogue
from consent.errors import CodeUnusable, GuardianOfTheOther, NoRecord, NotTheirIdentifier, TooManyIds
from consent.model import Family, Identifier, PersonState
from consent.packing import pack
from consent.people.codes import Codes, Issued, Wrong
from consent.people.identity_log import Event, keys_of, read, write
from consent.people.lifting import lift
from consent.people.merging import Ruled, explain, merge
from consent.people.people import People, Person, held_by
from consent.store import IDENTIFIER, IDENTIFIER_OF, SUPPRESSION
from sayso.kernel import Sealer, Tx, Work, bucket_in, iso, text

ALIASES_LIMIT: Final = 32
"""Ids that may go on as aliases of one person."""

CODE_TERM_S: Final = 900
"""How long a code sent to an address may be typed in: 15 minutes."""

ProofKind = Literal["key", "token", "link", "code"]
"""How a link is shown to be true: the word of an admitted key, a token that a client signed, a one-time link of the
other person, or a code sent to the address itself.
"""

LINKING: Final = "link_identifier"
LIFTING: Final = "lift_suppression"
CodeFor = Literal["link_identifier", "lift_suppression"]


class IdentifierState(Struct, frozen=True):
    """One identifier of a person: its handle and type, never its value. `subject` is the id that it came with."""

    identifier: str
    type: str
    linked_at: str
    subject: str


class Linked(Struct, frozen=True):
    """A link. `merged` names the id that joined, `purposes` how each purpose was merged, where two people were one."""

    subject: str
    identifier: str | None
    type: str | None
    entry: str | None
    merged: str | UnsetType = UNSET
    purposes: dict[str, Ruled] | UnsetType = UNSET


class Lifted(Struct, frozen=True):
    """A suppression that the person lifted. `suppressed_until`: another identifier of theirs is still suppressed."""

    subject: str
    suppressed_until: str | None
    entry: str


class IdentityEvent(Struct, frozen=True):
    """One line of the history of a person's identifiers."""

    at: str
    event: str
    subject: str
    actor: str
    entry: str
    type: str | None
    proof: str | None
    identifier: str | None
    other: str | None


class _Claim(Struct, frozen=True, array_like=True):
    """An identifier as a one-time code carries it."""

    kind: str
    tag: bytes
    suppression: bytes


class Identities:
    """Links identifiers to people. Linking is hot: point reads and rows only."""

    def __init__(self, audit: AuditLog, sealer: Sealer, people: People, codes: Codes) -> None:
        self._audit = audit
        self._sealer = sealer
        self._people = people
        self._codes = codes

    # linking

    def link(
        self, tx: Tx, catalogue: Catalogue, subject: bytes, identifier: Identifier, proof: ProofKind = "key"
    ) -> Work[Linked]:
        """This identifier is the person's as well. Whoever had it until now is merged into the person.

        Free to repeat. Raises `NoSubject`, `Invalid`, `TooManyIds`, `GuardianOfTheOther`.
        """
        tag, suppression = self._people.tags(tx.context.tenant, identifier)
        person = yield from self._people.find(tx, subject)
        return (yield from self._link(tx, catalogue, person, _Claim(identifier.type, tag, suppression), proof))

    def link_person(self, tx: Tx, catalogue: Catalogue, subject: bytes, other: bytes) -> Work[Linked]:
        """The person behind a one-time link, spent in this unit, is the same one: both are merged."""
        person = yield from self._people.find(tx, subject)
        joining = yield from self._people.find(tx, other)
        if joining.root == person.root:
            return Linked(text("sub", person.root), None, None, None)
        return self._merge(tx, catalogue, person, joining, None, "link")

    def send_code(self, tx: Tx, what: CodeFor, subject: bytes, identifier: Identifier) -> Work[Issued]:
        """Digits to be sent to the address that `identifier` is, by which its owner links it or lifts its suppression.

        Raises `NotTheirIdentifier` when a suppression is to be lifted of an address that is not linked to the person.
        """
        tag, suppression = self._people.tags(tx.context.tenant, identifier)
        person = yield from self._people.find(tx, subject)
        if what == LIFTING:
            (claimed,) = yield (tx.get(IDENTIFIER, tag),)
            if claimed is None or bytes(claimed[0]) not in person.ids:
                raise NotTheirIdentifier
        claim = msgspec.msgpack.encode(_Claim(identifier.type, tag, suppression))
        issued = self._codes.issue_to(tx, what, person, claim, ttl_s=CODE_TERM_S, form="digits")
        event = AuditEvent(events.CODE_SENT, "ok", {"kind": identifier.type, "purpose": what}, person.subject)
        self._audit.append(tx, event, person.key)
        return issued

    def link_by_code(
        self, tx: Tx, catalogue: Catalogue, subject: bytes, challenge: str, digits: str
    ) -> Work[Linked | Wrong]:
        """Link the address that a code was sent to. A wrong try is a value: its count must be committed.

        Raises `CodeUnusable`, also for a code that was sent on behalf of somebody else.
        """
        person = yield from self._people.find(tx, subject)
        tried = yield from self._codes.attempt(tx, LINKING, challenge, digits)
        if isinstance(tried, Wrong):
            return tried
        if tried.subject not in person.ids:
            raise CodeUnusable
        claim = msgspec.msgpack.decode(tried.payload, type=_Claim)
        return (yield from self._link(tx, catalogue, person, claim, "code"))

    def addressed(self, tx: Tx, record: bytes, identifier: Identifier) -> Work[tuple[bytes, list[str]]]:
        """Whose record this is, and what of it waits to be confirmed, if the address is linked to that very person.

        Raises `NoRecord`, `NotTheirIdentifier`.
        """
        tag = self._people.tag(tx.context.tenant, identifier)
        row, claimed = yield (tx.get(store.RECORD, record, bucket=bucket_in(record)), tx.get(IDENTIFIER, tag))
        if row is None or row[0] is None:
            raise NoRecord
        person = yield from self._people.find(tx, bytes(row[0]))
        if claimed is None or bytes(claimed[0]) not in person.ids:
            raise NotTheirIdentifier
        return person.subject, sorted(name for name, each in person.state.waiting.items() if each.record == record)

    # suppression

    def lift_by_code(self, tx: Tx, subject: bytes, challenge: str, digits: str) -> Work[Lifted | Wrong]:
        """End the suppression of the address that a code was sent to. A cold unit. As `link_by_code`."""
        person = yield from self._people.find(tx, subject)
        tried = yield from self._codes.attempt(tx, LIFTING, challenge, digits)
        if isinstance(tried, Wrong):
            return tried
        if tried.subject not in person.ids:
            raise CodeUnusable
        claim = msgspec.msgpack.decode(tried.payload, type=_Claim)
        lifted, entry = yield from lift(tx, self._audit, person, [claim.suppression], "code")
        self._people.save(tx, person, lifted.state, person.since)
        until = lifted.state.suppressed_until
        return Lifted(text("sub", person.root), iso(until) if until else None, entry)

    # reading

    def identifiers(self, tx: Tx, subject: bytes) -> Work[list[IdentifierState]]:
        """The person's identifiers, oldest first: types and times. A cold look. Raises `NoSubject`."""
        person = yield from self._people.find(tx, subject)
        found = yield tuple(store.identifiers_of(tx, each) for each in person.ids)
        held = [
            (owner, bytes(tag), kind) for owner, rows in zip(person.ids, found, strict=True) for tag, kind, _ in rows
        ]
        claims = yield tuple(tx.get(IDENTIFIER, tag) for _, tag, _ in held)
        listed = sorted(
            (claim[2], text("idf", handle_of(owner, tag)), kind, text("sub", owner))
            for (owner, tag, kind), claim in zip(held, claims, strict=True)
            if claim is not None
        )
        return [IdentifierState(handle, kind, iso(at), owner) for at, handle, kind, owner in listed]

    def history(self, tx: Tx, subject: bytes) -> Work[list[IdentityEvent]]:
        """What happened to the person's identifiers, newest first. A cold look. Raises `NoSubject`."""
        person = yield from self._people.find(tx, subject)
        keys = yield from keys_of(tx, self._sealer, person.ids)
        found = yield from read(tx, keys.items())
        return [_told(owner, event) for owner, event in reversed(found)]

    # the parts

    def _link(self, tx: Tx, catalogue: Catalogue, person: Person, claim: _Claim, proof: ProofKind) -> Work[Linked]:
        claimed, suppressed = yield (tx.get(IDENTIFIER, claim.tag), tx.get(SUPPRESSION, claim.suppression))
        if claimed is None:
            return self._claim(tx, person, claim, proof, suppressed[2] if suppressed is not None else 0)
        owner = bytes(claimed[0])
        if owner in person.ids:
            handle = text("idf", handle_of(owner, claim.tag))
            return Linked(text("sub", person.root), handle, claim.kind, None)
        joining = yield from self._people.find(tx, owner)
        return self._merge(tx, catalogue, person, joining, claim, proof, owner)

    def _claim(self, tx: Tx, person: Person, claim: _Claim, proof: ProofKind, suppressed_until: int) -> Linked:
        """An identifier that nobody had. If it was one of somebody erased, their no comes with it."""
        at, subject = tx.context.at, person.subject
        tx.insert(IDENTIFIER, claim.tag, subject, claim.kind, at)
        tx.insert(IDENTIFIER_OF, subject, claim.tag, claim.kind, claim.suppression)
        handle = handle_of(subject, claim.tag)
        res = {"kind": claim.kind, "proof": proof}
        detail = {"identifier": text("idf", handle)}
        entry = self._audit.append(tx, AuditEvent(events.IDENTIFIER_LINKED, "ok", res, subject, detail), person.key)
        write(tx, subject, person.key, Event(at, "linked", tx.context.actor.id, entry, claim.kind, proof, handle))
        until = max(person.state.suppressed_until, suppressed_until if suppressed_until > at else 0)
        self._people.save(tx, person, replace(person.state, suppressed_until=until), person.since)
        tx.publish(events.IDENTIFIER_LINKED, subject, b"")
        return Linked(text("sub", person.root), text("idf", handle), claim.kind, entry)

    def _merge(
        self,
        tx: Tx,
        catalogue: Catalogue,
        person: Person,
        joining: Person,
        claim: _Claim | None,
        proof: ProofKind,
        owner: bytes = b"",
    ) -> Linked:
        at, actor = tx.context.at, tx.context.actor.id
        _demand_mergeable(person, joining)
        merged = merge(person.state, joining.state, catalogue, at)
        held = held_by(person.root, person.state) | held_by(joining.root, joining.state)
        merged = replace(merged, family=Family(person.root, (*person.ids[1:], *joining.ids), held))
        told = explain(person.state, joining.state, merged, catalogue, at)
        joined_id, kind = text("sub", joining.root), claim.kind if claim is not None else ""
        res = {"kind": kind or "person", "proof": proof}
        detail = {
            "joined": joined_id,
            "purposes": {name: [each.status, each.rule, each.why] for name, each in told.items()},
        }
        entry = self._audit.append(tx, AuditEvent(events.PERSON_MERGED, "ok", res, person.subject, detail), person.key)
        theirs = AuditEvent(events.PERSON_JOINED, "ok", res, joining.subject, {"into": text("sub", person.root)})
        joined_entry = self._audit.append(tx, theirs, joining.key)
        handle = handle_of(owner, claim.tag) if claim is not None else b""
        event = Event(
            at, "merged", actor, entry, kind, proof, handle, joining.root, pack(person.state), pack(joining.state)
        )
        write(tx, person.subject, person.key, event)
        into = Event(at, "merged_into", actor, joined_entry, kind, proof, handle, person.root)
        write(tx, joining.subject, joining.key, into)
        self._people.save(tx, _as_one(person, joining), merged, max(person.since, joining.since))
        tx.publish(events.PERSON_MERGED, person.subject, b"")
        named = text("idf", handle) if claim is not None else None
        return Linked(text("sub", person.root), named, kind or None, entry, joined_id, told)


def handle_of(subject: bytes, tag: bytes) -> bytes:
    """What an identifier is called in addresses and answers: of this person only, and without a way back to its tag."""
    return blake2b(tag, key=subject, person=b"sayso.handle", digest_size=16).digest()


def _as_one(person: Person, joining: Person) -> Person:
    """The person with the rows of the one that joins among their own."""
    return replace(person, others=(*person.others, joining.as_other(), *joining.others))


def _demand_mergeable(person: Person, joining: Person) -> None:
    if len(person.ids) + len(joining.ids) - 1 > ALIASES_LIMIT:
        raise TooManyIds(ALIASES_LIMIT)
    if _guards(person.state, joining.ids) or _guards(joining.state, person.ids):
        # A guardian who became the child could say yes for a child without anyone of age behind it.
        raise GuardianOfTheOther


def _guards(state: PersonState, ids: Sequence[bytes]) -> bool:
    minority = state.minority
    return minority is not None and any(each.subject in ids for each in minority.guardians)


def _told(owner: bytes, event: Event) -> IdentityEvent:
    return IdentityEvent(
        at=iso(event.at),
        event=event.what,
        subject=text("sub", owner),
        actor=event.actor,
        entry=event.entry,
        type=event.kind or None,
        proof=event.proof or None,
        identifier=text("idf", event.handle) if event.handle else None,
        other=text("sub", event.other) if event.other else None,
    )
