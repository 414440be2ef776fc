"""The policy engine: asks about a person in a unit of work, decides, writes the entry, and alone mints permits.

`evaluate` answers one question and `evaluate_many` a list; both add their entry to the caller's write-set, so that no
answer leaves without it. `judge` decides without an entry, for callers that write the decision together with what they
did on it (a reveal is one entry, not two).
"""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditLog
from consent import PersonState
from policies import events
from policies.decide import Inquiry
from policies.lists import Decided
from policies.people import Person, person, read
from policies.policy import Policy
from policies.questions import UNRESOLVABLE, Decision, Question
from policies.trees import RIGHTS, ROOT
from sayso.kernel import Actor, Denied, Found, Permit, Reads, Sealer, Tx, Work, text

SHADOW_SHARE: Final = 0.001
"""The share of decisions that Casbin's stock Enforcer is asked again."""

_SHADOW_PAUSE: Final = 500
"""A second look may take one part in so many of the time: stock Casbin needs microseconds for every rule."""

logger = logging.getLogger("sayso.policies")


class AccessDenied(Denied):
    """The policy engine said no. `reason` is one of the fixed words."""

    def __init__(self, reason: str) -> None:
        super().__init__("access-denied", "The rules or the person's state do not permit this.", reason=reason)


class Place(Protocol):
    """Where a token points. One that points nowhere names an invented person, so that both cost the same."""

    @property
    def subject(self) -> bytes: ...

    @property
    def category(self) -> str: ...

    @property
    def found(self) -> bool: ...


Locate = Callable[[Tx, str], Generator[Reads, Found, Place]]
"""Finds what a token points at, for the actor of the request: the vault's, bound to the tenant's collections."""


class Ask(Struct, frozen=True):
    """One question about one person: `subject` in 16 raw bytes, or a `token` that leads to one; neither: nobody.

    `client` is the client that a PEP asks for. `at_least_seq` is the position of the registry that the caller has seen.
    """

    question: Question
    subject: bytes | None = None
    token: str | None = None
    client: str = ""
    at_least_seq: str = ""


class Answer(Struct, frozen=True):
    """What came of an `Ask`. `permit` is there exactly when the decision allows; `seq` is the position read."""

    decision: Decision
    permit: Permit | None
    seq: str
    policy: str
    entry: str = ""
    token: bool = False

    @property
    def reason(self) -> str:
        """What may be said aloud: of a token that is not permitted, only that it is unresolvable."""
        return UNRESOLVABLE if self.token and not self.decision.allowed else self.decision.reason

    def demand(self) -> Permit:
        """The permit. Raises `AccessDenied`; outside the unit of work, so that the entry of the denial stays."""
        if self.permit is None:
            raise AccessDenied(self.reason)
        return self.permit


class PolicyEngine:
    """Decides for all tenants. `disagreements` counts how often Casbin saw a decision differently; it must stay 0."""

    def __init__(self, audit: AuditLog, sealer: Sealer, *, shadow: float = SHADOW_SHARE) -> None:
        self._audit = audit
        self._sealer = sealer
        self._every = round(1 / shadow) if shadow > 0 else 0
        self._asked = 0
        self._not_before = 0.0
        self.compared = 0
        self.disagreements = 0

    # pure

    def decide(
        self, policy: Policy, person: PersonState | None, question: Question, at: int, *, behind: bool = False
    ) -> Decision:
        """The decision alone, for one person (None: unknown). Of a share of them Casbin is asked again."""
        inquiry = policy.inquiry(question)
        return self._seconded(inquiry, person, inquiry.decide(person, at, behind=behind))

    # units of work

    def judge(self, tx: Tx, policy: Policy, ask: Ask) -> Work[Answer]:
        """The decision and its permit without an entry. The caller writes both into the entry of what it does next."""
        (row,) = yield (read(tx, _someone(ask)),)
        return self._answer(tx, policy, ask, person(row))

    def evaluate(self, tx: Tx, policy: Policy, ask: Ask, locate: Locate | None = None) -> Work[Answer]:
        """One question, answered and written down. `locate` is needed for an `Ask` about a token."""
        known = ask.subject
        if ask.token is not None:
            place = yield from _located(tx, ask.token, locate)
            ask = _at(ask, place)
            known = place.subject if place.found else None
        subject = _someone(ask)
        row, key_row = yield (read(tx, subject), self._sealer.read(tx, subject))
        found = person(row)
        answer = self._answer(tx, policy, ask, found)
        key = self._sealer.unwrap(tx.context.tenant, subject, "log", key_row) if known is not None else None
        facts = policy.inquiry(ask.question).facts(found.state if found else None, tx.context.at)
        event = events.decided(policy, ask.question, answer.decision, known, ask.client, facts)
        return replace(answer, entry=self._audit.append(tx, event, key))

    def evaluate_many(
        self, tx: Tx, policy: Policy, asks: Sequence[Ask], locate: Locate | None = None, until: bool | None = None
    ) -> Work[list[Answer]]:
        """Questions in order, one entry for all. `until` ends the list behind the first answer that allows, or denies.

        People and questions may repeat: each person is read once, each question prepared once. No asks, no entry.
        """
        if not asks:
            return []
        placed = list(asks)
        for index, ask in enumerate(placed):
            if ask.token is not None:
                placed[index] = _at(ask, (yield from _located(tx, ask.token, locate)))
        subjects = list(dict.fromkeys(_someone(ask) for ask in placed))
        rows = yield tuple([read(tx, subject) for subject in subjects])
        people = {subject: person(row) for subject, row in zip(subjects, rows, strict=True)}
        answers: list[Answer] = []
        decided: list[Decided] = []
        for ask in placed:
            found = people[_someone(ask)]
            answer = self._answer(tx, policy, ask, found)
            answers.append(answer)
            decided.append(Decided(found.aid if found else 0, ask.client, ask.question, answer.decision))
            if answer.decision.allowed is until:
                break
        entry = self._audit.append(tx, events.list_decided(policy, decided))
        return [replace(answer, entry=entry) for answer in answers]

    def _answer(self, tx: Tx, policy: Policy, ask: Ask, found: Person | None) -> Answer:
        seq = tx.head.seq
        behind = ask.at_least_seq > seq
        decision = self.decide(policy, found.state if found else None, ask.question, tx.context.at, behind=behind)
        permit = None
        if decision.allowed:
            permit = mint(tx.context.tenant, _someone(ask), ask.question, decision)
        return Answer(decision, permit, seq, policy.version, token=ask.token is not None)

    # the second opinion

    def _seconded(self, inquiry: Inquiry, person: PersonState | None, decision: Decision) -> Decision:
        self._asked += 1
        if not self._every or self._asked % self._every:
            return decision
        started = time.perf_counter()
        if started < self._not_before:
            return decision
        cells = inquiry.cells(person)
        agreed = all(inquiry.snapshot.agrees(*cell) for cell in cells)
        ended = time.perf_counter()
        self._not_before = ended + (ended - started) * _SHADOW_PAUSE
        self.compared += len(cells)
        if agreed:
            return decision
        self.disagreements += 1
        logger.critical("the compiled rules and Casbin disagree under policy %s: denied", inquiry.snapshot.version)
        return Decision(False, "no_rule")


def mint(tenant: str, subject: bytes, question: Question, decision: Decision) -> Permit:
    """The permit for an allowed decision. Raises `AccessDenied` for any other."""
    if not decision.allowed or not question.purpose:
        raise AccessDenied(decision.reason)
    return Permit(
        tenant=tenant,
        subject=subject,
        category=question.category,
        action=question.action,
        purpose=question.purpose,
        obligations=decision.obligations,
        rule=decision.rule,
        basis=decision.basis,
    )


def rights_question(actor: Actor, subject: bytes, action: str, category: str = ROOT) -> Ask:
    """The ask of the person, or of somebody who answers their requests: purpose `dsar`, by default the person whole."""
    own = actor.kind == "person" and actor.id == text("sub", subject)
    return Ask(Question(roles=actor.roles, action=action, category=category, purpose=RIGHTS, own=own), subject)


def _someone(ask: Ask) -> bytes:
    return ask.subject if ask.subject is not None else _NOBODY


def _located(tx: Tx, token: str, locate: Locate | None) -> Generator[Reads, Found, Place]:
    if locate is None:
        raise ValueError("an ask about a token needs a way to locate it")
    return (yield from locate(tx, token))


def _at(ask: Ask, place: Place) -> Ask:
    return replace(ask, subject=place.subject, question=replace(ask.question, category=place.category))


_NOBODY: Final = bytes(16)
