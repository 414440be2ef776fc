"""The policy engine: asks about a person in a unit of work, decides, writes the entry, and alone mints permits.

`evaluate` answers one question and `evaluate_many` a list; both add their entry to the caller's write-set, so that no
answer leaves without it. `judge` decides without an entry, for callers that write the decision together with what they
did on it (a reveal is one entry, not two).
"""

import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditLog
from consent import PersonState
from policies import events
from policies.counting import Uses, capped_among, give_back
from policies.decide import Inquiry
from policies.explain import Explanation, explain
from policies.lists import Decided
from policies.people import Person, person, read, read_each, state_at
from policies.plan import Plan, plan
from policies.policy import Policy
from policies.questions import UNRESOLVABLE, Decision, Question
from policies.ruleset.trees import RIGHTS, ROOT
from sayso.kernel import Actor, Denied, Found, Invalid, Permit, Reads, Sealer, Tx, Values, Work, raw, text

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


class Access(Struct, frozen=True, gc=False):
    """One question about one person: `subject` in 16 raw bytes, or a `token` that leads to one; neither: nobody.

    `client` is the client that a PEP asks for. `at_least_seq` is the position of the registry that the caller has seen.
    """

    question: Question
    subject: bytes | None = None
    token: str | None = None
    client: str = ""
    at_least_seq: str = ""


class Answer(Struct, frozen=True, gc=False):
    """What came of an `Access`. `seq` is the position of the registry that was read.

    `permit` is there when the decision allows and was asked for alone: a list hands out no data.
    """

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


class Crowd(Struct, frozen=True, gc=False):
    """One question about many people; as in an `Access`, None is nobody. `counts`: a permit counts towards caps."""

    question: Question
    subjects: Sequence[bytes | None]
    client: str = ""
    at_least_seq: str = ""
    counts: bool = True


class CrowdAnswer(Struct, frozen=True, gc=False):
    """What came of a `Crowd`: a decision for each, in order, and what they share."""

    decisions: list[Decision]
    seq: str
    policy: str
    entry: str


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

    def decide_rows(
        self, inquiry: Inquiry, rows: Sequence[Values | None], at: int, *, behind: bool
    ) -> tuple[list[int], list[Decision]]:
        """The decisions alone for the rows of many people, in order; before them the people's numbers (0: nobody)."""
        purposes, decide = inquiry.above, inquiry.decide
        aids: list[int] = []
        decisions: list[Decision] = []
        for row in rows:
            state = state_at(row, purposes)
            aids.append(row[1] if row is not None and state is not None else 0)
            decisions.append(decide(state, at, behind=behind))
        for place in self._due(len(rows)):
            decisions[place] = self._compared(inquiry, state_at(rows[place], purposes), decisions[place])
        return aids, decisions

    # units of work

    def judge(self, tx: Tx, policy: Policy, access: Access) -> Work[Answer]:
        """The decision and its permit without an entry. The caller writes both into the entry of what it does next."""
        (row,) = yield (read(tx, _someone(access)),)
        return self._answer(tx, policy, access, self._decided(tx, policy, access, person(row)))

    def evaluate(self, tx: Tx, policy: Policy, access: Access, locate: Locate | None = None) -> Work[Answer]:
        """One question, answered and written down. `locate` is needed for an `Access` about a token."""
        known = access.subject
        if access.token is not None:
            place = yield from _located(tx, access.token, locate)
            access = _at(access, place)
            known = place.subject if place.found else None
        subject = _someone(access)
        inquiry = policy.inquiry(access.question)
        row, key_row = yield (read(tx, subject), self._sealer.read(tx, subject))
        found = state_at(row, inquiry.above)
        decision, facts = inquiry.examine(found, tx.context.at, behind=_behind(tx, access.at_least_seq))
        decision = self._seconded(inquiry, found, decision)
        key = self._sealer.unwrap(tx.context.tenant, subject, "log", key_row) if known is not None else None
        event = events.decided(inquiry, decision, known, access.client, facts)
        entry = self._audit.append(tx, event, key)
        if decision.allowed and found is not None and (channel := inquiry.counts(found)) is not None:
            uses = Uses(tx)
            uses.hold(subject, row)
            uses.count(subject, channel, _user(tx, access.client))
            yield from uses.write(raw(entry, "ent"))
        return self._answer(tx, policy, access, decision, entry)

    def evaluate_many(
        self,
        tx: Tx,
        policy: Policy,
        accesses: Sequence[Access],
        locate: Locate | None = None,
        until: bool | None = None,
        counts: bool = True,
    ) -> Work[list[Answer]]:
        """Questions in order, one entry for all. `until` ends the list behind the first answer that allows, or denies.
        `counts` as in a `Crowd`.

        People and questions may repeat: each person is read once, each question prepared once. No accesses, no entry.
        """
        if not accesses:
            return []
        placed = list(accesses)
        for index, access in enumerate(placed):
            if access.token is not None:
                placed[index] = _at(access, (yield from _located(tx, access.token, locate)))
        subjects = list(dict.fromkeys(_someone(access) for access in placed))
        (rows,) = yield (read_each(tx, subjects),)
        people = {subject: person(row) for subject, row in zip(subjects, rows, strict=True)}
        uses = Uses(tx)
        decided, capped = self._in_order(tx, policy, placed, people, uses, until)
        while capped and counts:
            # People with a cap are read one by one, since their rows are written; then all is decided again.
            yield from uses.read(capped)
            uses.restart()
            decided, capped = self._in_order(tx, policy, placed, people, uses, until)
        entry, seq = self._audit.append(tx, events.list_decided(policy, decided)), tx.head.seq
        yield from uses.write(raw(entry, "ent"))
        # Decisions are few and people many: equal answers are one value here and, encoded once, on the wire.
        shared: dict[tuple[int, bool], Answer] = {}
        answers: list[Answer] = []
        for one, access in zip(decided, placed, strict=False):
            name = (id(one.decision), access.token is not None)
            answer = shared.get(name)
            if answer is None:
                answer = shared[name] = Answer(one.decision, None, seq, policy.version, entry, name[1])
            answers.append(answer)
        return answers

    def evaluate_crowd(self, tx: Tx, policy: Policy, asked: Crowd) -> Work[CrowdAnswer]:
        """One question about many people, one entry for all: as `evaluate_many` of as many accesses, with nothing made
        for each person but their state.
        """
        inquiry = policy.inquiry(asked.question)
        (rows,) = yield (read_each(tx, [subject or _NOBODY for subject in asked.subjects]),)
        behind, at = _behind(tx, asked.at_least_seq), tx.context.at
        aids, decisions = self.decide_rows(inquiry, rows, at, behind=behind)
        uses = Uses(tx)
        if capped := capped_among(inquiry, asked.subjects, rows, decisions) if asked.counts else []:
            yield from uses.read(subject for _, subject, _ in capped)
        for place, subject, channel in capped:
            found = uses.person(subject)
            decision = decisions[place] = inquiry.decide(found.state if found else None, at, behind=behind)
            if decision.allowed:
                uses.count(subject, channel, _user(tx, asked.client))
        event = events.group_decided(policy, asked.question, asked.client, aids, decisions)
        entry = self._audit.append(tx, event)
        yield from uses.write(raw(entry, "ent"))
        return CrowdAnswer(decisions, tx.head.seq, policy.version, entry)

    def explain(self, tx: Tx, policy: Policy, access: Access) -> Work[Explanation]:
        """Why a question is answered as it is, written down as such: nothing is permitted by it."""
        inquiry, subject = policy.inquiry(access.question), _someone(access)
        row, key_row = yield (read(tx, subject), self._sealer.read(tx, subject))
        found = person(row)
        explanation = explain(inquiry, found.state if found is not None else None, tx.context.at)
        known = access.subject if found is not None else None
        key = self._sealer.unwrap(tx.context.tenant, subject, "log", key_row) if known is not None else None
        self._audit.append(tx, events.explained(inquiry, explanation.decision, known), key)
        return explanation

    def plan(self, tx: Tx, policy: Policy, question: Question) -> tuple[Plan, str]:
        """Of which people the answer is yes, and the entry that says who was told so."""
        inquiry = policy.inquiry(question)
        found = plan(inquiry, tx.context.at)
        return found, self._audit.append(tx, events.planned(inquiry, found.plan, found.reason))

    def give_back(self, tx: Tx, entry: str, subjects: Sequence[bytes], client: str | None) -> Work[int]:
        """What an entry permitted did not happen to these people (none named: to the one that it is about).

        `client`: whose entry it must be; None: anybody's. Returns for how many of them it was counted. Cold. Raises
        `EntryNotFound`, and `Invalid` where people have to be named.
        """
        yield from self._audit.entry(tx, entry)
        if not subjects:
            about = yield from self._audit.subject_of(tx, entry)
            if about is None:
                raise Invalid("people-to-name", "This entry is about a list: name the people to whom nothing was sent.")
            subjects = (about,)
        count = yield from give_back(tx, subjects, raw(entry, "ent"), client)
        if count:
            alone = subjects[0] if len(subjects) == 1 else None
            (key_row,) = (yield (self._sealer.read(tx, alone),)) if alone is not None else (None,)
            key = self._sealer.unwrap(tx.context.tenant, alone, "log", key_row) if alone is not None else None
            self._audit.append(tx, events.unused(entry, count, alone), key)
        return count

    def _in_order(
        self,
        tx: Tx,
        policy: Policy,
        accesses: Sequence[Access],
        people: Mapping[bytes, Person | None],
        uses: Uses,
        until: bool | None,
    ) -> tuple[list[Decided], list[bytes]]:
        """The decisions one after the other, each counted in `uses`; and whom it would have to know for that."""
        decided: list[Decided] = []
        unread: list[bytes] = []
        for access in accesses:
            subject = _someone(access)
            found = uses.person(subject) if subject in uses else people[subject]
            decision = self._decided(tx, policy, access, found)
            decided.append(Decided(found.aid if found else 0, access.client, access.question, decision))
            if decision.allowed and found is not None:
                channel = policy.inquiry(access.question).counts(found.state)
                if channel is not None and subject in uses:
                    uses.count(subject, channel, _user(tx, access.client))
                elif channel is not None:
                    unread.append(subject)
            if decision.allowed is until:
                break
        return decided, unread

    def _decided(self, tx: Tx, policy: Policy, access: Access, found: Person | None) -> Decision:
        behind = _behind(tx, access.at_least_seq)
        return self.decide(policy, found.state if found else None, access.question, tx.context.at, behind=behind)

    def _answer(self, tx: Tx, policy: Policy, access: Access, decision: Decision, entry: str = "") -> Answer:
        subject = _someone(access)
        permit = mint(tx.context.tenant, subject, access.question, decision) if decision.allowed else None
        return Answer(decision, permit, tx.head.seq, policy.version, entry, access.token is not None)

    # the second opinion

    def _seconded(self, inquiry: Inquiry, person: PersonState | None, decision: Decision) -> Decision:
        return self._compared(inquiry, person, decision) if self._due(1) else decision

    def _due(self, count: int) -> range:
        """Which of the next `count` decisions Casbin is asked again, by place."""
        every, asked = self._every, self._asked
        self._asked = asked + count
        return range(every - asked % every - 1, count, every) if every else range(0)

    def _compared(self, inquiry: Inquiry, person: PersonState | None, decision: Decision) -> Decision:
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
        return _DISAGREED


def mint(tenant: str, subject: bytes, question: Question, decision: Decision) -> Permit:
    """The permit for an allowed decision. Raises `AccessDenied` for any other."""
    if not decision.allowed or not question.purpose:
        raise AccessDenied(decision.reason)
    return Permit(
        tenant,
        subject,
        question.category,
        question.action,
        question.purpose,
        decision.obligations,
        decision.rule,
        decision.basis,
    )


def rights_question(actor: Actor, subject: bytes, action: str, category: str = ROOT) -> Access:
    """What the person, or whoever answers their requests, asks for: purpose `dsar`, by default the person whole."""
    own = actor.kind == "person" and actor.id == text("sub", subject)
    return Access(Question(roles=actor.roles, action=action, category=category, purpose=RIGHTS, own=own), subject)


def _behind(tx: Tx, at_least_seq: str) -> bool:
    return at_least_seq > tx.head.seq if at_least_seq else False


def _someone(access: Access) -> bytes:
    return access.subject if access.subject is not None else _NOBODY


def _user(tx: Tx, client: str) -> str:
    """Who was permitted: the client that was asked for, or the caller."""
    return client or tx.context.actor.name


def _located(tx: Tx, token: str, locate: Locate | None) -> Generator[Reads, Found, Place]:
    if locate is None:
        raise ValueError("an access about a token needs a way to locate it")
    return (yield from locate(tx, token))


def _at(access: Access, place: Place) -> Access:
    return replace(access, subject=place.subject, question=replace(access.question, category=place.category))


_NOBODY: Final = bytes(16)
_DISAGREED: Final = Decision(False, "no_rule")
