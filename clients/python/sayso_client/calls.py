"""The calls, each a `Call` that says what goes out and what its answer is. Pure: no network, no clock.

`Session` is what calls of one client share: its name, its handlers of obligations, and how far into the registry it
has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from sayso_client import feed, plans, structs
from sayso_client.decisions import UNREACHABLE, Decision, denied
from sayso_client.obligations import (
    ACTS,
    GUARDS,
    MASKS,
    Handlers,
    Obligation,
    UnhandledObligation,
    named,
    supported,
    typed,
)
from sayso_client.talk import Call

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_evaluation = msgspec.json.Decoder(structs.EvaluationAnswer).decode
_evaluations = msgspec.json.Decoder(structs.EvaluationsAnswer).decode

LATEST = "latest"
"""The cursor of who wants only what comes."""


class Session:
    """Of one client: who asks, who fulfils obligations, and the newest position of the registry it was told of."""

    def __init__(self, name: str, handlers: Handlers | None = None) -> None:
        self.name = name
        self.handlers: Handlers = dict(handlers or {})
        self.supported = supported(self.handlers)
        self._seq = ""
        self._lock = Lock()

    @property
    def seq(self) -> str:
        """The newest `registry_seq` seen; empty before the first."""
        return self._seq

    def saw(self, seq: str | None) -> None:
        """An answer named this position: no later answer may be older. Positions compare as text."""
        with self._lock:
            if seq and seq > self._seq:
                self._seq = seq

    def question(
        self, action: str, category: str, subject: str, context: structs.RequestContext, caller: str | None
    ) -> structs.Evaluation:
        """A question in AuthZEN's words."""
        if not subject:
            raise ValueError("a question names a person")
        return structs.Evaluation(
            structs.Entity("service", caller or self.name),
            structs.Action(action),
            structs.Entity(category, subject),
            context,
        )

    def complete(self, question: structs.Evaluation) -> structs.Evaluation:
        """The question with what this client can fulfil and has seen, where it does not say so itself."""
        context = question.context
        declared = tuple(dict.fromkeys((*self.supported, *context.supported_obligations)))
        seq = context.at_least_seq or self._seq or None
        return replace(question, context=replace(context, supported_obligations=declared, at_least_seq=seq))

    def decided(self, question: structs.Evaluation, answer: structs.EvaluationAnswer) -> Decision:
        """The answer as a decision. Raises `UnhandledObligation` for a permit that asks what nobody here does, and
        `ValueError` for one that does not say what it asks.
        """
        context = answer.context
        self.saw(context.registry_seq)
        if answer.decision and context.obligations is None:
            raise ValueError("a permit names its obligations")
        obligations = tuple(typed(each) for each in context.obligations or ())
        entry = context.entry or ""
        if answer.decision:
            self.check(question.action.name, obligations, entry)
        reason = context.reason or ("malformed" if context.error is not None else "")
        return Decision(
            answer.decision,
            reason,
            obligations=obligations,
            entry=entry,
            policy_version=context.policy_version or "",
            registry_seq=context.registry_seq or "",
            nearest=context.nearest,
            retry_after=context.retry_after,
            handlers=self.handlers,
        )

    def check(self, action: str, obligations: Iterable[Obligation], entry: str) -> None:
        """Raise `UnhandledObligation` if one of them is nobody's work."""
        for each in obligations:
            # What is revealed comes masked and guarded: there that is Sayso's work.
            theirs = each.ours or (action == "reveal" and isinstance(each, (*MASKS, *GUARDS)))
            if not theirs and type(each) not in self.handlers:
                raise UnhandledObligation(named(each), entry)

    def acts(
        self, question: structs.Evaluation | structs.AudienceQuestion, obligations: Iterable[Obligation]
    ) -> tuple[Callable[[], Any], ...]:
        """What is to be done before this permit may be used."""
        due = [each for each in obligations if isinstance(each, ACTS) and type(each) in self.handlers]
        return tuple(partial(self.handlers[type(each)], each, question) for each in due)


def evaluate(session: Session, question: structs.Evaluation) -> Call[Decision]:
    question = session.complete(question)
    return Call(
        "POST",
        "/access/v1/evaluation",
        lambda body: session.decided(question, _evaluation(body)),
        _encode(question),
        quick=True,
        denied=denied,
        after=lambda decision: session.acts(question, decision.obligations if decision else ()),
    )


def evaluations(
    session: Session, questions: Sequence[structs.Evaluation], semantic: structs.Semantic
) -> Call[list[Decision]]:
    asked = tuple(session.complete(question) for question in questions)
    if not asked:
        raise ValueError("there is nothing to ask")

    def read(body: bytes) -> list[Decision]:
        answers = _evaluations(body).evaluations
        if len(answers) > len(asked) or (len(answers) < len(asked) and not _may_end(answers, semantic)):
            raise ValueError("not as many answers as questions")
        return [session.decided(each, answer) for each, answer in zip(asked, answers, strict=False)]

    def acts(decisions: list[Decision]) -> tuple[Callable[[], Any], ...]:
        pairs = zip(asked, decisions, strict=False)
        return tuple(
            act for question, decision in pairs if decision for act in session.acts(question, decision.obligations)
        )

    body = _encode(structs.Several(asked, structs.Options(semantic)))
    return Call(
        "POST", "/access/v1/evaluations", read, body, quick=True, denied=lambda: [denied() for _ in asked], after=acts
    )


def _may_end(answers: Sequence[structs.EvaluationAnswer], semantic: structs.Semantic) -> bool:
    """Whether this list may be shorter than that of the questions: only behind the answer that ends it."""
    return bool(answers) and semantic != "execute_all" and answers[-1].decision is (semantic != "deny_on_first_deny")


def audience(session: Session, question: structs.AudienceQuestion) -> Call[structs.Audience]:
    """Who of these people. Only what the question itself declares is declared: what is done once for a person may not
    be right for ten thousand.
    """

    def read(body: bytes) -> structs.Audience:
        found = msgspec.json.decode(body, type=structs.Audience)
        if not set(found.permitted) <= set(question.subjects):
            raise ValueError("the answer names people nobody asked about")
        if question.aids and len(found.aids) != len(found.permitted):
            raise ValueError("not one number for each person")
        session.saw(found.registry_seq)
        session.check(question.action, found.owed, found.entry)
        return found

    def nobody() -> structs.Audience:
        return structs.Audience("", (), {UNREACHABLE: len(set(question.subjects))}, "", "1970-01-01T00:00:00Z", "")

    return Call(
        "POST",
        "/v1/audiences/filter",
        read,
        _encode(question),
        denied=nobody,
        after=lambda found: session.acts(question, found.owed),
    )


def revoked(session: Session, audience: str, after: str | None) -> Call[structs.Revoked]:
    def read(body: bytes) -> structs.Revoked:
        found = msgspec.json.decode(body, type=structs.Revoked)
        session.saw(found.registry_seq)
        return found

    query = (("after", after),) if after is not None else ()
    return Call("GET", f"/v1/audiences/{_part(audience)}/revoked", read, query=query)


def plan(
    session: Session, action: str, category: str, purpose: str | None, channel: str | None, jurisdiction: str | None
) -> Call[plans.Plan]:
    declared = tuple(each.name for each in plans.DECLARED if each in session.handlers)
    question = plans.PlanQuestion(
        action=action,
        category=category,
        purpose=purpose,
        channel=channel,
        jurisdiction=jurisdiction,
        supported_obligations=declared,
    )
    return Call(
        "POST",
        "/v1/plan",
        lambda body: plans.read(body, declared, session.handlers, session.name),
        _encode(question),
        denied=lambda: plans.nobody(question),
    )


def resolve(identifier: structs.Identifier, create: bool, key: str | None) -> Call[structs.Resolved]:
    return _post("/v1/subjects/resolve", structs.Resolve(identifier, create), structs.Resolved, key)


def record(consent: structs.RecordConsent, key: str | None) -> Call[structs.Recorded]:
    return _post("/v1/consents", consent, structs.Recorded, key)


def withdraw(subject: str, what: structs.WithdrawConsent, key: str | None) -> Call[structs.Recorded]:
    return _post(f"{_person(subject)}/withdrawals", what, structs.Recorded, key)


def withdrawal(
    purposes: Sequence[str] | Literal["all"], method: structs.Method, assurance: structs.Assurance, at: str | None
) -> structs.WithdrawConsent:
    """What is withdrawn, and how it was said."""
    if isinstance(purposes, str):
        if purposes != "all":
            raise ValueError('purposes is a list of names, or "all"')
        return structs.WithdrawConsent(purposes="all", method=method, assurance=assurance, occurred_at=at)
    return structs.WithdrawConsent(purposes=list(purposes), method=method, assurance=assurance, occurred_at=at)


def state(subject: str, as_of: str | None, known_at: str | None) -> Call[structs.SubjectState]:
    return _get(f"{_person(subject)}/consents", structs.SubjectState, as_of=as_of, known_at=known_at)


def preferences(subject: str, locale: str | None) -> Call[structs.Preferences]:
    return _get(f"{_person(subject)}/preferences", structs.Preferences, locale=locale)


def tell(subject: str, what: structs.Tell) -> Call[structs.Preferences]:
    return Call("PUT", f"{_person(subject)}/preferences", _read(structs.Preferences), _encode(what))


def relate(subject: str, ref: str, relation: structs.Relation) -> Call[structs.RelationState]:
    return Call("PUT", _relation(subject, ref), _read(structs.RelationState), _encode(relation))


def unrelate(subject: str, ref: str) -> Call[structs.RelationState]:
    return Call("DELETE", _relation(subject, ref), _read(structs.RelationState))


def store(
    subject: str, collection: str, fields: Mapping[str, str], audience: str, key: str | None
) -> Call[structs.StoredRecord]:
    body = structs.StoreRecord(subject, collection, dict(fields), audience)
    return _post("/v1/vault/records", body, structs.StoredRecord, key)


def reveal(
    session: Session,
    items: Iterable[str | structs.RevealItem],
    purpose: str,
    reason: str,
    context: structs.RevealContext | None,
    decision: Decision | None,
    grant: str | None = None,
    break_glass: structs.BrokenGlass | None = None,
) -> Call[list[structs.RevealResult]]:
    """Open tokens. Masks are Sayso's own work there. What else an obligation asks was fulfilled if `decision` is the
    permit that asked for it, and is declared only then.
    """
    context = context or structs.RevealContext()
    wanted = tuple(structs.RevealItem(item) if isinstance(item, str) else item for item in items)
    done = [each.name for each in decision.demand().obligations] if decision is not None else []
    declared = tuple(dict.fromkeys((*done, *context.supported_obligations)))
    context = replace(context, supported_obligations=declared, at_least_seq=context.at_least_seq or session.seq)

    def read(body: bytes) -> list[structs.RevealResult]:
        results = msgspec.json.decode(body, type=structs.RevealResults).results
        if len(results) != len(wanted) or any((each.value is None) is (each.code is None) for each in results):
            raise ValueError("not one result for each item")
        return results

    body = _encode(structs.Reveal(wanted, purpose, reason, context, grant, break_glass))
    return Call("POST", "/v1/vault/reveal", read, body)


def unused(entry: str, subjects: Iterable[str]) -> Call[int]:
    def read(body: bytes) -> int:
        return msgspec.json.decode(body, type=structs.GivenBack).given_back

    return Call("POST", f"/v1/uses/{_part(entry)}/unused", read, _encode(structs.Unused(tuple(subjects))))


def changes(
    session: Session, after: str | None, types: Iterable[str], purposes: Iterable[str], limit: int, wait: int
) -> Call[feed.Changes]:
    query = [("after", after)] if after is not None else []
    query += [("type", each) for each in types]
    query += [("purpose", each) for each in purposes]
    query += [("limit", str(limit)), ("wait", str(wait))]

    def read(body: bytes) -> feed.Changes:
        page = msgspec.json.decode(body, type=feed.Changes)
        for event in page.events:
            session.saw(event.data.registry_seq)
        return page

    return Call("GET", "/v1/changes", read, query=tuple(query), longer=float(wait))


def aliases(subjects: Iterable[str]) -> Call[dict[str, str]]:
    def read(body: bytes) -> dict[str, str]:
        return msgspec.json.decode(body, type=feed.Aliases).aliases

    return Call("POST", "/v1/changes/aliases", read, _encode(feed.WantedAliases(tuple(subjects))))


def _read(kind: type[T]) -> Callable[[bytes], T]:
    return partial(msgspec.json.decode, type=kind)


def _post(path: str, body: msgspec.Struct, kind: type[T], key: str | None) -> Call[T]:
    return Call("POST", path, _read(kind), _encode(body), idempotency_key=key)


def _get(path: str, kind: type[T], **query: str | None) -> Call[T]:
    asked = tuple((name, value) for name, value in query.items() if value is not None)
    return Call("GET", path, _read(kind), query=asked)


def _person(subject: str) -> str:
    return f"/v1/subjects/{_part(subject)}"


def _relation(subject: str, ref: str) -> str:
    return f"{_person(subject)}/relations/{_part(ref)}"


def _part(name: str) -> str:
    """A name as one part of an address, which no name can lead out of. Raises `ValueError` for what is none."""
    if name in ("", ".", ".."):
        raise ValueError("a part of an address is missing")
    return quote(name, safe="")
