"""`Worker`: visits those whose day has come, and does what falls due about them.

Three things fall due: the term of a grant (which is written down), the end of data (which are deleted, with their keys
where nothing else lies under them), and the forgetting of somebody known by a device alone. Each is decided on the
person as they are in the unit that does it; the calendar only says whom to look at.
"""

from typing import Final

from msgspec.structs import replace

from audit import AuditLog
from consent import (
    PERSON,
    ConsentRegistry,
    PersonState,
    ended,
    terms_of,
    unpack,
)
from policies import PolicyEngine, rights_question
from rights import events as rights_events
from rights import store as requests
from rights.retention import reckoning, store
from rights.retention.calendar import CLOCKS_APART, Calendar, RulesOf, anonymous_until, left, put_entry
from rights.retention.reckoning import ANSWERS, Facts, Rules
from sayso.kernel import DAY, PARTS, Actor, Done, Job, Try, Tx, Work, add_duration
from vault import Vault

DEVICE: Final = ("device",)
"""The kinds of identifiers of somebody anonymous."""

GROUND: Final = "no live purpose"

_VISITS: Final = 8
_HOPELESS: Final = 3
_ON_DUTY: Final = Actor("system", "sayso", "system", frozenset({"officer"}))
"""Anonymous people are erased on the shipped rule of officers: no rule of its own lets a program erase anybody."""


class Worker:
    """Does what falls due. `proof` is how long the capsule of somebody forgotten is kept (ISO 8601)."""

    def __init__(
        self,
        audit: AuditLog,
        consent: ConsentRegistry,
        vault: Vault,
        engine: PolicyEngine,
        calendar: Calendar,
        rules_of: RulesOf,
        proof: str,
    ) -> None:
        self._audit = audit
        self._consent = consent
        self._vault = vault
        self._engine = engine
        self._calendar = calendar
        self._rules_of = rules_of
        self._proof = proof
        self.job = Job("due", 10.0, self._pending, self._step)

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        at = tx.context.at - CLOCKS_APART
        found = yield tuple(store.due(tx, part, at, 1) for part in range(PARTS))
        return any(found)

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        """Visit a few of one part of the buckets; when it has nobody left, go on with the next part."""
        part = attempt.cursor[0] if attempt.cursor else 0
        most = 1 if attempt.failures else _VISITS
        (rows,) = yield (store.due(tx, part, tx.context.at - CLOCKS_APART, most),)
        rules, deleted = self._rules_of(tx.context.tenant), False
        for subject, _ in rows:
            if attempt.failures >= _HOPELESS:
                yield from self._put_off(tx, bytes(subject))
            else:
                deleted |= yield from self.visit(tx, rules, bytes(subject))
        if len(rows) < most:
            part += 1
        last = part >= PARTS
        return Done(b"" if last else bytes((part,)), len(rows), part / PARTS, more=not last, deleted=deleted)

    def _put_off(self, tx: Tx, subject: bytes) -> Work[None]:
        """Somebody whose visit keeps failing is visited tomorrow, so that the others are today."""
        (row,) = yield (tx.get(store.DUE, subject),)
        if row is not None:
            tx.put(store.DUE, (subject,), (row[0] + 1, tx.context.at + DAY, row[2], row[3]), was=row)

    def visit(self, tx: Tx, rules: Rules, subject: bytes) -> Work[bool]:
        """Do what is due about one person, and note the next date. True when something was deleted."""
        row, person = yield (tx.get(store.DUE, subject), tx.get(PERSON, subject))
        if row is None:
            return False
        state = unpack(person[3]) if person is not None else None
        if state is None or state.erased_at:
            tx.delete(store.DUE, subject)
            return False
        facts = yield from self._facts(tx, rules, subject, state, reckoning.unpack(row[3]))
        past = tx.context.at - CLOCKS_APART
        if not facts.places and not facts.known and anonymous_until(rules, subject, state) <= past:
            kinds = yield from self._consent.census.identifier_kinds(tx, subject)
            facts = replace(facts, known=kinds != DEVICE)
            if not facts.known and (yield from self._forget(tx, rules, subject, state)):
                tx.delete(store.DUE, subject)
                return True
        expired = ended(state, rules.policy.catalogue, facts.told, past)
        if expired:
            yield from self._consent.expiry.expire(tx, rules.policy.catalogue, subject, expired)
        facts = replace(facts, told=_told(state, facts, past))
        gone = reckoning.over(facts, rules.terms.grace, past)
        if gone:
            if not expired:
                # On the person as they are: a choice that is committed in this very moment comes first.
                yield from self._consent.census.unchanged(tx, subject)
            answers = [each.field for each in gone if each.collection == ANSWERS]
            if answers:
                yield from self._consent.preferences.end(tx, subject, answers, GROUND)
            values = [(each.collection, each.field) for each in gone if each.collection != ANSWERS]
            if values:
                yield from self._vault.expire(tx, subject, values, GROUND)
            facts = left(facts, tuple(each for each in facts.places if each not in gone))
        put_entry(tx, rules, subject, state, facts, row)
        return bool(gone)

    def _facts(self, tx: Tx, rules: Rules, subject: bytes, state: PersonState, before: Facts) -> Work[Facts]:
        """What the calendar remembers, brought up to what is true now."""
        places = yield from self._calendar.places(tx, rules, subject, before.places)
        holds = yield from self._calendar.holds(tx, subject, state)
        ends = reckoning.reckon(rules, state, places, before.ends, holds, tx.context.at, anew=False)
        return replace(before, places=places, ends=ends)

    def _forget(self, tx: Tx, rules: Rules, subject: bytes, state: PersonState) -> Work[bool]:
        """Forget somebody anonymous: as an erasure, but nobody asked for it, so nothing is suppressed. False when
        something keeps them.
        """
        at = tx.context.at
        (rows,) = yield (requests.requests_of(tx, subject),)
        asked = requests.all_stored(rows)
        if (
            state.restricted_at
            or any(each.live(at) or each.start > at for each in state.relations)
            or any(not each.request.state.closed for each in asked)
        ):
            return False
        answer = yield from self._engine.judge(tx, rules.policy, rights_question(_ON_DUTY, subject, "erase"))
        if answer.permit is None:
            return False
        until = add_duration(at, self._proof)
        done = yield from self._consent.forget(tx, subject, answer.permit, suppress_until=None, proof_until=until)
        yield from self._vault.shred(tx, subject, answer.permit)
        for each in asked:
            requests.put_erased(tx, each, replace(each.request, subject=None))
        yield from self._audit.forget(tx, subject)
        self._audit.append(tx, rights_events.purged(subject, done.records), None)
        return True


def _told(state: PersonState, facts: Facts, past: int) -> dict[str, int]:
    """The latest term of each purpose that has passed: nothing more is to be written down about those."""
    told: dict[str, int] = {}
    for purpose, end in terms_of(state):
        seen = max(end if end <= past else 0, facts.told.get(purpose, 0), told.get(purpose, 0))
        if seen:
            told[purpose] = seen
    return told
