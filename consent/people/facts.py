"""Facts about a person that decide, besides their choices: relations, jurisdictions, age, guardians, restriction, legal
holds. They live here and nowhere else (design 2), each with its source, its time and its entry.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final, Literal

from msgspec import UNSET
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events
from consent.answers import RelationState
from consent.catalogue.catalogue import Catalogue
from consent.errors import NoFact, UnknownJurisdiction
from consent.laws.jurisdictions import REGIMES
from consent.laws.minority import OLDEST, aged
from consent.model import AgeBand, Guardian, Jurisdiction, Minority, PersonState, Relation
from consent.people.known import SubjectFacts, facts_of
from consent.people.people import People, Person, held_by
from sayso.kernel import Invalid, Tx, Work, iso, nearest, text

RELATIONS_LIMIT: Final = 1_000
"""Relations kept of one person; the ones that ended first make room."""

GUARDIANS_LIMIT: Final = 20

_KINDS: Final = ("contract", "case", "public_task")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Facts:
    """Reads facts, and writes them, each with its entry. The writers return the entry's id unless said otherwise."""

    def __init__(self, audit: AuditLog, people: People) -> None:
        self._audit = audit
        self._people = people

    def read(self, tx: Tx, catalogue: Catalogue, subject: bytes) -> Work[SubjectFacts]:
        """All of them, as they stand now."""
        person = yield from self._people.find(tx, subject)
        return facts_of(subject, person.state, tx.context.at, catalogue)

    # relations

    def relate(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        ref: str,
        kind: Literal["contract", "case", "public_task"],
        purposes: Sequence[str] = (),
        start: int | None = None,
        until: int | None = None,
        source: str = "",
    ) -> Work[RelationState]:
        """Record or replace the relation `ref`. Without `start` it is live from now, without purposes it serves all."""
        if kind not in _KINDS:
            raise Invalid("unknown-relation", "A relation is a contract, a case or a public task.", kinds=list(_KINDS))
        if not _REF.fullmatch(ref):
            raise Invalid("invalid-reference", "A reference is up to 64 letters, digits, '.', '_', ':' and '-'.")
        if source:
            _check_word(source)
        for purpose in purposes:
            catalogue.purpose(purpose)
        begins = tx.context.at if start is None else start
        if until is not None and until <= begins:
            raise Invalid("invalid-term", "A relation ends after it begins.")
        relation = Relation(ref, kind, tuple(purposes), begins, until or 0, source)

        def change(state: PersonState) -> PersonState:
            others = [each for each in state.relations if each.ref != ref]
            if len(others) >= RELATIONS_LIMIT:
                others = [each for each in others if not each.until or each.until > tx.context.at]
            if len(others) >= RELATIONS_LIMIT:
                raise Invalid("too-many-relations", "This person has as many live relations as one person may have.")
            return replace(state, relations=(*others, relation))

        detail: dict[str, object] = {"ref": ref, "purposes": list(purposes), "start": begins}
        if until:
            detail["until"] = until
        if source:
            detail["source"] = source
        entry = yield from self._amend(tx, subject, change, events.RELATION_RECORDED, {"kind": kind}, detail)
        return _relation(subject, relation, entry)

    def unrelate(self, tx: Tx, subject: bytes, ref: str) -> Work[RelationState]:
        """End a relation now. One that is over keeps its end. Raises `NoFact` for one that was never recorded."""
        person = yield from self._people.find(tx, subject)
        found = next((each for each in person.state.relations if each.ref == ref), None)
        if found is None:
            raise NoFact
        at = tx.context.at
        ended = found if found.until and found.until <= at else replace(found, until=max(at, found.start + 1))
        relations = tuple(ended if each.ref == ref else each for each in person.state.relations)
        state = replace(person.state, relations=relations)
        detail: dict[str, object] = {"ref": ref, "until": ended.until}
        entry = self._write(tx, person, state, events.RELATION_ENDED, {"kind": found.kind}, detail)
        return _relation(subject, ended, entry)

    # jurisdictions

    def place(self, tx: Tx, subject: bytes, code: str, source: str) -> Work[str]:
        """Record that a jurisdiction applies, and how we know (`declared`, `shipping`, `site`, `address` …)."""
        if code not in REGIMES or code == "any":
            raise UnknownJurisdiction(nearest(code, REGIMES))
        _check_word(source)
        fact = Jurisdiction(code, source, tx.context.at)

        def change(state: PersonState) -> PersonState:
            others = (each for each in state.jurisdictions if (each.code, each.source) != (code, source))
            return replace(state, jurisdictions=(*others, fact))

        res = {"source": source}
        return (yield from self._amend(tx, subject, change, events.JURISDICTION_RECORDED, res, {"code": code}))

    def displace(self, tx: Tx, subject: bytes, code: str, source: str | None = None) -> Work[str]:
        """Remove a jurisdiction, as one source or as all of them gave it. Raises `NoFact` where none did."""
        person = yield from self._people.find(tx, subject)
        old = person.state.jurisdictions
        kept = tuple(each for each in old if each.code != code or (source is not None and each.source != source))
        if len(kept) == len(old):
            raise NoFact
        detail: dict[str, object] = {"code": code} if source is None else {"code": code, "source": source}
        state = replace(person.state, jurisdictions=kept)
        return self._write(tx, person, state, events.JURISDICTION_REMOVED, {}, detail)

    # age and guardians

    def age(
        self, tx: Tx, catalogue: Catalogue, subject: bytes, youngest: int, below: int | None, source: str
    ) -> Work[str]:
        """Record how old the person is now: `youngest` years at least, below `below` where that is known."""
        _check_word(source)
        if not 0 <= youngest <= OLDEST or (below is not None and not youngest < below <= OLDEST):
            raise Invalid("invalid-age-band", "A band of ages begins at 0 or later and ends above its beginning.")
        fact = AgeBand(youngest, below or 0, source, tx.context.at)

        def change(state: PersonState) -> PersonState:
            return replace(state, minority=aged(state, fact, catalogue))

        detail: dict[str, object] = {"below": below or 0, "youngest": youngest}
        return (yield from self._amend(tx, subject, change, events.AGE_RECORDED, {"source": source}, detail))

    def guard(self, tx: Tx, subject: bytes, guardian: bytes, verified_by: str, source: str) -> Work[str]:
        """Record who may choose for the person, and how that was verified. Both are people here: raises `NoSubject`."""
        _check_word(verified_by)
        _check_word(source)
        if subject in (yield from self._people.find(tx, guardian)).ids:
            raise Invalid("own-guardian", "Nobody is their own guardian.")
        fact = Guardian(guardian, verified_by, source, tx.context.at)

        def change(state: PersonState) -> PersonState:
            old = state.minority or Minority()
            others = tuple(each for each in old.guardians if each.subject != guardian)
            if len(others) >= GUARDIANS_LIMIT:
                raise Invalid("too-many-guardians", "This person has as many guardians as one person may have.")
            return replace(state, minority=replace(old, guardians=(*others, fact)))

        res = {"source": source, "verified_by": verified_by}
        detail: dict[str, object] = {"guardian": text("sub", guardian)}
        return (yield from self._amend(tx, subject, change, events.GUARDIAN_RECORDED, res, detail))

    def unguard(self, tx: Tx, subject: bytes, guardian: bytes) -> Work[str]:
        """No longer a guardian. What they said for the person stands. Raises `NoFact` for one who was none."""
        person = yield from self._people.find(tx, subject)
        old = person.state.minority or Minority()
        kept = tuple(each for each in old.guardians if each.subject != guardian)
        if len(kept) == len(old.guardians):
            raise NoFact
        state = replace(person.state, minority=replace(old, guardians=kept))
        return self._write(tx, person, state, events.GUARDIAN_REMOVED, {}, {"guardian": text("sub", guardian)})

    # restriction and holds

    def restrict(self, tx: Tx, subject: bytes, *, on: bool) -> Work[str]:
        """Place or lift the restriction of processing (GDPR, Art. 18)."""
        restricted_at = tx.context.at if on else 0
        event = events.RESTRICTED if on else events.UNRESTRICTED
        return (yield from self._amend(tx, subject, lambda state: replace(state, restricted_at=restricted_at), event))

    def hold(
        self, tx: Tx, subject: bytes, *, on: bool, ids: Collection[bytes] | None = None
    ) -> Work[tuple[bytes, ...]]:
        """Count one legal hold more or less over these ids of the person, by default over every id that they have now:
        should they turn out to be two, it covers both. Returns the ids for which it was counted.

        Whoever holds decides who may; this is the fact. Raises `NoSubject`.
        """
        person = yield from self._people.find(tx, subject)
        state, counts = person.state, held_by(person.subject, person.state)
        covered = tuple(each for each in person.ids if (ids is None or each in ids) and (on or each in counts))
        if not covered:
            return ()
        for each in covered:
            counts[each] = counts.get(each, 0) + (1 if on else -1)
        counts = {each: count for each, count in counts.items() if count}
        family = replace(state.family, held=counts) if state.family is not None else None
        state = replace(state, held=sum(counts.values()), family=family)
        self._write(tx, person, state, events.HELD if on else events.UNHELD, {}, {})
        return covered

    def _amend(
        self,
        tx: Tx,
        subject: bytes,
        change: Callable[[PersonState], PersonState],
        event: str,
        res: dict[str, str] | None = None,
        detail: dict[str, object] | None = None,
    ) -> Work[str]:
        person = yield from self._people.find(tx, subject)
        return self._write(tx, person, change(person.state), event, res or {}, detail or {})

    def _write(
        self, tx: Tx, person: Person, state: PersonState, event: str, res: dict[str, str], detail: dict[str, object]
    ) -> str:
        entry = self._audit.append(tx, AuditEvent(event, "ok", res, person.subject, detail), person.key)
        self._people.save(tx, person, state, person.since)
        tx.publish(event, person.subject, b"")
        return entry


def _check_word(word: str) -> None:
    if not _WORD.fullmatch(word):
        raise Invalid("invalid-source", "A source is a short lower-case word.")


def _relation(subject: bytes, relation: Relation, entry: str) -> RelationState:
    return RelationState(
        text("sub", subject),
        relation.ref,
        relation.kind,
        relation.purposes,
        iso(relation.start),
        iso(relation.until) if relation.until else None,
        entry,
        relation.source or UNSET,
    )
