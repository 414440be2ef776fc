"""Erasure in the registry: what goes, and the two things that stay so that a no stays a no (design 6.4).

Stays: a suppression entry per identifier, and a capsule of proof under a key of its own. Goes: identifiers, number,
state. Records and receipts lie sealed under the person's `log` key and die with it, which is for `rights` to destroy.
"""

from typing import Any

import msgspec
from msgspec import Struct

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.choices.past import open_record
from consent.choices.record import Payload
from consent.errors import Held
from consent.model import PersonState
from consent.packing import pack, unpack
from consent.people.identity_log import keys_of
from consent.people.people import Other, People
from consent.preferences import preferences
from sayso.kernel import Invalid, Key, Permit, Sealer, Tx, Work, text

PROOF = "proof"
"""The retention class of the capsule's key."""

SCOPE = "any"
"""What a suppression covers: every purpose that a no can block."""


class ProofChoice(Struct, frozen=True, omit_defaults=True):
    """What is kept of one record: which notice, which choices, when, how."""

    record: str
    at: int
    choices: dict[str, str]
    method: str
    entry: str
    notice: str = ""
    notice_version: int = 0
    notice_hash: str = ""
    locale: str = ""
    ignored: dict[str, str] = {}
    directives: tuple[str, ...] = ()


class Capsule(Struct, frozen=True):
    """The proof capsule: opened for a legal claim only, by two people, and shredded at its term."""

    v: int
    at: int
    choices: list[ProofChoice]


class Forgotten(Struct, frozen=True):
    """What the registry did, for the certificate: counts and terms, nothing that names anybody."""

    entry: str
    records: int
    identifiers: int
    suppressed_until: int
    proof_until: int
    kinds: tuple[str, ...]


class Forgetter:
    """Erases a person from the registry."""

    def __init__(self, audit: AuditLog, sealer: Sealer, people: People) -> None:
        self._audit = audit
        self._sealer = sealer
        self._people = people

    def forget(
        self, tx: Tx, subject: bytes, permit: Permit, *, suppress_until: int | None, proof_until: int
    ) -> Work[Forgotten]:
        """A cold unit. Needs a permit to `erase` the person whole, and the `log` key still there: shred it afterwards.

        Every id of theirs is forgotten (`ConsentRegistry.ids`): the keys of all are to be shredded.

        `suppress_until` None leaves no suppression: for people whom nobody asked to forget, and who may come back.
        Raises `Held` under a legal hold, `NoSubject`, `Denied`.
        """
        context = tx.context
        permit.demand(tenant=context.tenant, subject=subject, action="erase")
        if proof_until <= context.at or (suppress_until is not None and suppress_until <= context.at):
            raise Invalid("invalid-term", "What stays after an erasure stays for a term that lies ahead.")
        person = yield from self._people.find(tx, subject)
        if person.state.held:
            raise Held
        keys = yield from keys_of(tx, self._sealer, person.ids)
        parts = []
        for own in (person.as_other(), *person.others):
            if own.subject in keys:
                parts.append((yield from self._forget_id(tx, own, keys[own.subject], suppress_until, proof_until)))
        records, kinds = sum(part[0] for part in parts), [kind for part in parts for kind in part[1]]
        suppressed = len(kinds) if suppress_until is not None else 0
        res = {"records": str(records), "suppressed": str(suppressed)}
        entry = self._audit.append(tx, AuditEvent(events.PERSON_FORGOTTEN, "ok", res, subject), person.key)
        return Forgotten(entry, records, len(kinds), suppress_until or 0, proof_until, tuple(sorted(set(kinds))))

    def _forget_id(
        self, tx: Tx, own: Other, log_key: Key, suppress_until: int | None, proof_until: int
    ) -> Work[tuple[int, list[str]]]:
        """One id of the person: how many records it had, and of which types its identifiers were."""
        context, subject, row = tx.context, own.subject, own.row
        identifiers, rows = yield (
            store.identifiers_of(tx, subject),
            store.records_of(tx, subject),
        )
        opened = [(bytes(raw), open_record(log_key, bytes(raw), sealed)) for raw, _, sealed in rows]
        if suppress_until is not None:
            yield from self._suppress(tx, [bytes(suppression) for _, _, suppression in identifiers], suppress_until)
        capsule = Capsule(1, context.at, [_proof(raw, payload) for raw, payload in opened])
        key = self._sealer.create(tx, subject, PROOF)
        sealed = key.seal("consent_proof", text("sub", subject), msgspec.msgpack.encode(capsule))
        tx.insert(store.PROOF, subject, context.at, 1, proof_until, 0, sealed)
        self._take_out(tx, subject, row, [bytes(tag) for tag, _, _ in identifiers])
        return len(opened), [kind for _, kind, _ in identifiers]

    def forget_again(self, tx: Tx, subject: bytes, suppress_until: int) -> Work[bool]:
        """Erase once more somebody who was erased, whom a restored copy of the database shows again. A cold unit.

        Nothing of theirs needs to open any more, so there is no capsule to be made: the one of then has been. False for
        someone unknown or erased.
        """
        (row,) = yield (tx.get(store.PERSON, subject),)
        if row is None or unpack(row[3]).erased_at:
            return False
        (identifiers,) = yield (store.identifiers_of(tx, subject),)
        yield from self._suppress(tx, [bytes(suppression) for _, _, suppression in identifiers], suppress_until)
        self._take_out(tx, subject, row, [bytes(tag) for tag, _, _ in identifiers])
        return True

    def _take_out(self, tx: Tx, subject: bytes, row: tuple[Any, ...], tags: list[bytes]) -> None:
        for tag in tags:
            tx.delete(store.IDENTIFIER, tag)
            tx.delete(store.IDENTIFIER_OF, subject, tag)
        tx.delete(store.AID, row[1].to_bytes(8, "big"))
        preferences.erase(tx, subject)
        at = tx.context.at
        tx.put(store.PERSON, (subject,), (row[0] + 1, 0, max(at, row[2] + 1), pack(PersonState(erased_at=at))), was=row)
        tx.publish(events.PERSON_FORGOTTEN, subject, b"")

    def _suppress(self, tx: Tx, tags: list[bytes], until: int) -> Work[None]:
        """A suppression row per identifier; one that is there already keeps the later term."""
        if not tags:
            return
        rows = yield tuple(tx.get(store.SUPPRESSION, tag) for tag in tags)
        for tag, row in zip(tags, rows, strict=True):
            version, term = (row[0] + 1, max(row[2], until)) if row is not None else (1, until)
            tx.put(store.SUPPRESSION, (tag,), (version, SCOPE, term, tx.context.at), was=row)


def _proof(raw_record: bytes, payload: Payload) -> ProofChoice:
    return ProofChoice(
        text("cns", raw_record),
        payload.at,
        {change.purpose: change.act for change in payload.changes},
        payload.method,
        payload.entry,
        payload.notice,
        payload.notice_version,
        payload.notice_hash,
        payload.locale,
        payload.ignored,
        tuple(each.kind for each in payload.directives),
    )
