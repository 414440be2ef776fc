"""Erasing a person: first the plan, which is pure and says what goes and what stays on which ground; then doing it.

Everything happens in one unit of work: consent forgets, the vault shreds, the log's openings go, and the entry that
answers for it is written. Either all of it is committed or nothing. Design 6.4: outside the person's keys stay a
suppression entry for each identifier, a proof capsule under a key of its own, and what a legal ground names.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditLog
from consent import ConsentRegistry, Forgotten, IssuerOf
from rights import events, store
from rights.certificate import (
    NOTHING_HELD,
    PENDING_FINAL,
    SALT_BYTES,
    VERSION,
    Claims,
    Finality,
    Gone,
    Kept,
    ShreddedKey,
    Statement,
    commit,
    encode,
)
from rights.model import Fulfil, RightsRequest, advance
from rights.wanted import LegalGround
from sayso.kernel import LOG, SECOND, Invalid, Permit, Tx, Work, add_duration, iso, parse_instant
from vault import PROOF, Held, Tombstone, Vault

ForgetRest = Callable[[Tx, bytes], Work[None]]
"""Deletes what else names a person by this id: what stands higher in the house (pages that are open, packages)."""


def nothing_else(_tx: Tx, _subject: bytes) -> Work[None]:
    """Nothing stands higher."""
    yield ()


_NEVER_KEPT: Final = frozenset((LOG, PROOF))
"""The log's key always goes; the capsule's stays by itself."""


GROUND_LIMIT: Final = 500


class Facts(Struct, frozen=True):
    """What a plan is made from: how many values are stored in each retention class, and what must be kept."""

    values: dict[str, int]
    grounds: tuple[LegalGround, ...] = ()


class ErasurePlan(Struct, frozen=True):
    """What goes and what stays of a person's stored values, by retention class.

    `classes` are those to shred: None means every one there is but the capsule's. What goes in any case: identifiers,
    `aid`, choices and state, the key of consent records, receipts and log openings, and the requests' private parts.
    """

    goes: dict[str, int]
    stays: tuple[Kept, ...]
    classes: frozenset[str] | None


class NothingToKeep(Invalid):
    """A legal ground names a class in which nothing of this person is stored, or one that is never kept."""

    def __init__(self, stored: Iterable[str]) -> None:
        message = "A legal ground names a retention class that this person has values in."
        super().__init__("nothing-to-keep", message, stored=sorted(stored))


def plan(facts: Facts) -> ErasurePlan:
    """What goes and what stays. Raises `Invalid` for a ground without words or with a date that is none.

    And `NothingToKeep`: a ground that keeps nothing is a mistake worth stopping for.
    """
    check_grounds(facts.grounds)
    kept = {ground.retention: ground for ground in facts.grounds}
    if not kept.keys() <= facts.values.keys() - _NEVER_KEPT:
        raise NothingToKeep(facts.values)
    return ErasurePlan(
        goes={name: count for name, count in sorted(facts.values.items()) if name not in kept},
        stays=tuple(_stays(facts.values[name], ground) for name, ground in sorted(kept.items())),
        classes=frozenset((*facts.values, LOG)) - kept.keys() if kept else None,
    )


def check_grounds(grounds: Iterable[LegalGround]) -> None:
    """Raises `Invalid` (`invalid-ground`) for a ground without words, and for a date that is none."""
    for each in grounds:
        if not 0 < len(each.ground.strip()) <= GROUND_LIMIT:
            raise Invalid("invalid-ground", f"A legal ground has 1 to {GROUND_LIMIT} characters.")
        if each.until:
            parse_instant(each.until)


def _stays(count: int, ground: LegalGround) -> Kept:
    until = iso(parse_instant(ground.until)) if ground.until else ""
    return Kept(count, ground.ground.strip(), f"retention class {ground.retention}", until, "records")


def facts_of(held: Sequence[Held], grounds: tuple[LegalGround, ...]) -> Facts:
    """The facts in what the vault holds of a person."""
    return Facts(dict(Counter(value.cls for value in held)), grounds)


class Terms(Struct, frozen=True):
    """How long what stays stays: ISO 8601 durations from the erasure."""

    suppression: str = "P10Y"
    proof: str = "P3Y"


USUAL_TERMS: Final = Terms()


class Erased(Struct, frozen=True):
    """What was done: the certificate's claims as stored bytes, and the entry."""

    claims: bytes
    entry: str


class Eraser:
    """Carries erasures out, each as part of one cold unit of work."""

    def __init__(
        self,
        audit: AuditLog,
        consent: ConsentRegistry,
        vault: Vault,
        issuer: IssuerOf,
        terms: Terms,
        end_tasks: Callable[[Tx, RightsRequest], Work[None]],
        forget_rest: ForgetRest,
    ) -> None:
        self._end_tasks = end_tasks
        self._forget_rest = forget_rest
        self._audit = audit
        self._consent = consent
        self._vault = vault
        self._issuer = issuer
        self._terms = terms

    def carry_out(
        self,
        tx: Tx,
        request: RightsRequest,
        subject: bytes,
        permits: Mapping[bytes, Permit],
        grounds: tuple[LegalGround, ...],
    ) -> Work[Erased]:
        """Erase the person, under each of their ids: `permits` has one for every id.

        After the commit the caller awaits `database.tidy()`. Raises `Held`, `NothingToKeep`.
        """
        at = tx.context.at
        held: list[Held] = []
        for each in permits:
            held += yield from self._vault.held(tx, each)
        wanted = plan(facts_of(held, grounds))
        forgotten = yield from self._consent.forget(
            tx,
            subject,
            permits[subject],
            suppress_until=add_duration(at, self._terms.suppression),
            proof_until=add_duration(at, self._terms.proof),
        )
        tombstones: list[Tombstone] = []
        stripped = openings = 0
        for each, permit in permits.items():
            tombstones.append((yield from self._vault.shred(tx, each, permit, wanted.classes)))
            stripped += yield from self._strip_requests(tx, request, each)
            openings += yield from self._audit.forget(tx, each)
            yield from self._forget_rest(tx, each)
        tombstone = _together(tombstones)
        gone = _gone(tombstone, forgotten, openings, stripped, len(permits))
        kept = (*_kept(forgotten), *wanted.stays)
        return self._certified(tx, request, subject, tombstone, gone, kept)

    def find_nothing(self, tx: Tx, request: RightsRequest, subject: bytes) -> Work[Erased]:
        """The erasure of someone of whom nothing is held: unknown here, or erased before."""
        stripped = yield from self._strip_requests(tx, request, subject)
        yield from self._forget_rest(tx, subject)
        nothing = Tombstone("", 0, (), 0, 0, 0, "")
        return self._certified(tx, request, subject, nothing, (Gone(stripped, "requests"),), ())

    def _strip_requests(self, tx: Tx, request: RightsRequest, subject: bytes) -> Work[int]:
        """Take the person and what is private out of all their requests; this one is put by its own caller. How many.

        Open requests for the same erasure are pointed at this one, whose certificate will answer them too.
        """
        (rows,) = yield (store.requests_of(tx, subject),)
        found = store.all_stored(rows)
        tx.delete(store.CHECK, subject)
        for other in found:
            if other.request.id == request.id:
                continue
            same = other.request.kind == "erasure" and not other.request.state.closed
            related = request.id if same else other.request.related
            after = replace(other.request, subject=None, related=related, proposal=None)
            if after.appealed:
                # Nobody is left to be answered.
                after = replace(after, appeal=None)
            if after.served_at:
                yield from self._end_tasks(tx, after)
                # What other systems were still to do about somebody who is gone is not waited for.
                after = after if after.state.closed else advance(after, Fulfil(), tx.context.at)
            store.put_erased(tx, other, after)
        return len(found)

    def _certified(
        self,
        tx: Tx,
        request: RightsRequest,
        subject: bytes,
        tombstone: Tombstone,
        gone: tuple[Gone, ...],
        kept: tuple[Kept, ...],
    ) -> Erased:
        at, issuer = tx.context.at, self._issuer(tx.context.tenant)
        epochs = tuple(sorted({key.epoch for key in tombstone.keys}))
        statement = Statement(
            completed_at=iso(at),
            controller=issuer.controller,
            final=Finality(epochs=epochs, pending=PENDING_FINAL if epochs else NOTHING_HELD),
            gone=gone,
            kept=kept,
            keys=tuple(ShreddedKey(key.cls, key.epoch, key.key, key.version) for key in tombstone.keys),
            law=request.law,
            received_at=iso(request.received_at),
            request=request.id,
            stage="shredded",
            subject=commit(subject, os.urandom(SALT_BYTES)),
        )
        # The person's key goes in this very unit: the entry carries random bytes in their place.
        entry = self._audit.append(tx, events.erased(subject, statement, tombstone.tombstone), None)
        store.await_final(tx, request.id, epochs, at)
        claims = Claims(certificate=statement, entry=entry, iat=at // SECOND, iss=issuer.url, jti=request.id, v=VERSION)
        return Erased(encode(claims), entry)


def _together(tombstones: Sequence[Tombstone]) -> Tombstone:
    """What was destroyed under all ids of the person, as one; the first is of the id that was named."""
    return replace(
        tombstones[0],
        epoch=max(each.epoch for each in tombstones),
        keys=tuple(key for each in tombstones for key in each.keys),
        records=sum(each.records for each in tombstones),
        tags=sum(each.tags for each in tombstones),
        tokens=sum(each.tokens for each in tombstones),
    )


def _gone(tombstone: Tombstone, forgotten: Forgotten, openings: int, requests: int, ids: int) -> tuple[Gone, ...]:
    return (
        Gone(ids, "aid"),
        Gone(forgotten.records, "consent_records"),
        Gone(forgotten.identifiers, "identifiers"),
        Gone(tombstone.tags, "indexes"),
        Gone(openings, "openings"),
        Gone(tombstone.records, "records"),
        Gone(requests, "requests"),
        Gone(ids, "state"),
        Gone(tombstone.tokens, "tokens"),
    )


def _kept(forgotten: Forgotten) -> tuple[Kept, ...]:
    proof, suppression = stays_always(forgotten.identifiers, forgotten.suppressed_until, forgotten.proof_until)
    return replace(proof, count=forgotten.records), suppression


def stays_always(identifiers: int, suppressed_until: int, proof_until: int) -> tuple[Kept, Kept]:
    """What every erasure leaves: the proof capsule, of one person until it is known of how many records, and the
    suppressed identifiers. Design 6.4.
    """
    suppression = "legitimate interest in not addressing again whoever asked to be erased (GDPR 6(1)(f), 21(3))"
    proof = "establishment, exercise or defence of legal claims (GDPR 17(3)(e)); demonstrating consent (GDPR 7(1))"
    return (
        Kept(1, proof, "legal claim, opened by two people", iso(proof_until), "proof"),
        Kept(identifiers, suppression, "every purpose that a no can block", iso(suppressed_until), "suppression"),
    )
