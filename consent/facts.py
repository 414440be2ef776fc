"""Facts about a person that decide, besides their choices: relations, jurisdictions, restriction, legal holds."""

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events
from consent.answers import RelationState
from consent.catalogue import Catalogue
from consent.errors import UnknownJurisdiction
from consent.jurisdictions import REGIMES
from consent.model import Jurisdiction, PersonState, Relation
from consent.people import People
from sayso.kernel import Invalid, Tx, Work, iso, nearest, text

RELATIONS_LIMIT: Final = 1_000
"""Relations kept of one person; the ones that ended first make room."""

_KINDS: Final = ("contract", "case", "public_task")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Facts:
    """Writes facts, each with its entry."""

    def __init__(self, audit: AuditLog, people: People) -> None:
        self._audit = audit
        self._people = people

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
    ) -> Work[RelationState]:
        """Record or replace the relation `ref`. Without `start` it is live from now, without purposes it serves all."""
        if kind not in _KINDS:
            raise Invalid("unknown-relation", "A relation is a contract, a case or a public task.", kinds=list(_KINDS))
        if not _REF.fullmatch(ref):
            raise Invalid("invalid-reference", "A reference is up to 64 letters, digits, '.', '_', ':' and '-'.")
        for purpose in purposes:
            catalogue.purpose(purpose)
        begins = tx.context.at if start is None else start
        if until is not None and until <= begins:
            raise Invalid("invalid-term", "A relation ends after it begins.")
        relation = Relation(ref, kind, tuple(purposes), begins, until or 0)

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
        entry = yield from self._amend(tx, subject, change, events.RELATION_RECORDED, {"kind": kind}, detail)
        ends = iso(until) if until else None
        return RelationState(text("sub", subject), ref, kind, tuple(purposes), iso(begins), ends, entry)

    def place(self, tx: Tx, subject: bytes, code: str, source: str) -> Work[str]:
        """Record that a jurisdiction applies, and how we know (`declared`, `shipping`, `site`, `address` …)."""
        if code not in REGIMES or code == "any":
            raise UnknownJurisdiction(nearest(code, REGIMES))
        if not _SOURCE.fullmatch(source):
            raise Invalid("invalid-source", "A source is a short lower-case word.")
        fact = Jurisdiction(code, source, tx.context.at)

        def change(state: PersonState) -> PersonState:
            others = (each for each in state.jurisdictions if (each.code, each.source) != (code, source))
            return replace(state, jurisdictions=(*others, fact))

        res = {"source": source}
        return (yield from self._amend(tx, subject, change, events.JURISDICTION_RECORDED, res, {"code": code}))

    def restrict(self, tx: Tx, subject: bytes, *, on: bool) -> Work[str]:
        """Place or lift the restriction of processing (GDPR, Art. 18)."""
        restricted_at = tx.context.at if on else 0
        event = events.RESTRICTED if on else events.UNRESTRICTED
        return (yield from self._amend(tx, subject, lambda state: replace(state, restricted_at=restricted_at), event))

    def hold(self, tx: Tx, subject: bytes, *, on: bool) -> Work[str]:
        """Count one legal hold more or less over this person. Whoever holds decides who may; this is the fact."""
        event = events.HELD if on else events.UNHELD
        step = 1 if on else -1
        return (
            yield from self._amend(tx, subject, lambda state: replace(state, held=max(0, state.held + step)), event)
        )

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
        entry = self._audit.append(tx, AuditEvent(event, "ok", res or {}, subject, detail or {}), person.key)
        self._people.save(tx, person, change(person.state), person.since)
        tx.publish(event, subject, b"")
        return entry
