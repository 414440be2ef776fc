"""Erasure in the registry: what goes, and the two things that stay so that a no stays a no (design 6.4).

Stays: a suppression entry per identifier, and a capsule of proof under a key of its own. Goes: identifiers, number,
state. Records and receipts lie sealed under the person's `log` key and die with it, which is for `rights` to destroy.
"""

import msgspec
from msgspec import Struct

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.errors import Held
from consent.model import PersonState, pack
from consent.past import open_record
from consent.people import People
from consent.record import Payload
from sayso.kernel import Invalid, Permit, Sealer, Tx, Work, text

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
        self, tx: Tx, subject: bytes, permit: Permit, *, suppress_until: int, proof_until: int
    ) -> Work[Forgotten]:
        """A cold unit. Needs a permit to `erase` the person whole, and the `log` key still there: shred it afterwards.

        Raises `Held` under a legal hold, `NoSubject`, `Denied`.
        """
        context = tx.context
        permit.demand(tenant=context.tenant, subject=subject, action="erase")
        if suppress_until <= context.at or proof_until <= context.at:
            raise Invalid("invalid-term", "What stays after an erasure stays for a term that lies ahead.")
        person = yield from self._people.find(tx, subject)
        if person.state.held:
            raise Held
        identifiers, rows = yield (
            tx.select(store.identifiers_of(context.tenant, subject)),
            tx.select(store.records_of(context.tenant, subject)),
        )
        opened = [(bytes(raw), open_record(person.key, bytes(raw), sealed)) for raw, _, sealed in rows]
        yield from self._suppress(tx, [bytes(suppression) for _, _, suppression in identifiers], suppress_until)
        capsule = Capsule(1, context.at, [_proof(raw, payload) for raw, payload in opened])
        key = self._sealer.create(tx, subject, PROOF)
        sealed = key.seal("consent_proof", text("sub", subject), msgspec.msgpack.encode(capsule))
        tx.insert(store.PROOF, subject, context.at, proof_until, sealed)
        for tag, _, _ in identifiers:
            tx.delete(store.IDENTIFIER, bytes(tag))
            tx.delete(store.IDENTIFIER_OF, subject, bytes(tag))
        tx.delete(store.AID, person.aid.to_bytes(8, "big"))
        tombstone = pack(PersonState(erased_at=context.at))
        assert person.row is not None
        tx.put(
            store.PERSON, (subject,), (person.row[0] + 1, 0, person.next_since(context.at), tombstone), was=person.row
        )
        res = {"records": str(len(opened)), "suppressed": str(len(identifiers))}
        entry = self._audit.append(tx, AuditEvent(events.PERSON_FORGOTTEN, "ok", res, subject), person.key)
        tx.publish(events.PERSON_FORGOTTEN, subject, b"")
        kinds = tuple(sorted({kind for _, kind, _ in identifiers}))
        return Forgotten(entry, len(opened), len(identifiers), suppress_until, proof_until, kinds)

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
    )
