"""AuthZEN evaluations and the filtering of audiences: from a body's bytes to a unit of work and its answer.

What the bodies mean is `policies.authzen`'s; here stands only what joins them with this program's parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from policies import (
    OVERDUE,
    Alike,
    Crowd,
    Evaluation,
    EvaluationAnswer,
    EvaluationsAnswer,
    Locate,
    Question,
    Several,
    answered,
    answered_alike,
    answered_several,
    asked,
    asked_alike,
    asked_several,
    read_alike,
    read_evaluation,
    read_evaluations,
    readable,
)
from sayso.kernel import Actor, Invalid, TooLarge, Tx, Unit, Work, iso, new_id, raw
from sayso.server.auth import POLICY, Principal
from sayso.server.call import Call
from sayso.server.configuration import Configuration
from sayso.server.idempotency import Answer
from sayso.server.wiring import Services

ASKERS = ("pep", "officer", POLICY)
"""Who may ask what may be done."""

MOST_SUBJECTS = 10_000
"""People in one JSON audience."""

AUDIENCE_TERM = 15 * 60 * 1_000_000
"""How long the answer about many people may be used, in microseconds."""


class AudienceQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """May this caller do `action` with `category` of each of these people for `purpose`?"""

    purpose: str
    action: str
    category: str
    subjects: tuple[str, ...]
    channel: str | None = None
    jurisdiction: str | None = None
    supported_obligations: tuple[str, ...] = ()


class Audience(Struct, frozen=True):
    """Who may be used, in the order asked; how many for which reason; until when the answer may be used."""

    audience: str
    permitted: tuple[str, ...]
    counts: dict[str, int]
    registry_seq: str
    valid_until: str
    entry: str


_encode = msgspec.json.Encoder().encode


async def evaluation(call: Call, body: bytes) -> Answer:
    """`POST /access/v1/evaluation`, from the body's bytes to the answer's."""
    return Answer(200, _encode(await call.run(evaluate(call.services, call.principal, read_evaluation(body)))))


async def evaluations(call: Call, body: bytes) -> Answer:
    """`POST /access/v1/evaluations`: a body without a list is a single question (Authorization API 1.0, 7.1)."""
    alike = read_alike(body)
    if alike is not None:
        return Answer(200, await call.run(evaluate_alike(call.services, call.principal, alike)))
    questions = read_evaluations(body)
    if isinstance(questions, Evaluation):
        return Answer(200, _encode(await call.run(evaluate(call.services, call.principal, questions))))
    return Answer(200, _encode(await call.run(evaluate_several(call.services, call.principal, questions))))


def evaluate(services: Services, principal: Principal, question: Evaluation) -> Unit[EvaluationAnswer]:
    """The unit that answers one question and writes it down."""

    def unit(tx: Tx) -> Work[EvaluationAnswer]:
        configuration = services.configurations.of(tx.context.tenant)
        ask = asked(question, *judged(services, configuration, principal.actor))
        locate = _locator(services, configuration)
        return answered((yield from services.engine.evaluate(tx, configuration.policy, ask, locate)))

    return unit


def evaluate_alike(services: Services, principal: Principal, questions: Alike) -> Unit[bytes]:
    """The unit that answers one question about many people, in the bytes that `evaluate_several` comes to."""

    def unit(tx: Tx) -> Work[bytes]:
        configuration = services.configurations.of(tx.context.tenant)
        crowd = asked_alike(questions, *judged(services, configuration, principal.actor))
        return answered_alike((yield from services.engine.evaluate_crowd(tx, configuration.policy, crowd)))

    return unit


def evaluate_several(services: Services, principal: Principal, questions: Several) -> Unit[EvaluationsAnswer]:
    """The unit that answers several questions with one entry."""

    def unit(tx: Tx) -> Work[EvaluationsAnswer]:
        configuration = services.configurations.of(tx.context.tenant)
        batch = asked_several(questions, *judged(services, configuration, principal.actor))
        locate = _locator(services, configuration)
        asks = readable(batch)
        answers = (
            (yield from services.engine.evaluate_many(tx, configuration.policy, asks, locate, batch.until))
            if asks
            else []
        )
        return answered_several(batch, answers)

    return unit


def filter_audience(services: Services, principal: Principal, wanted: AudienceQuestion) -> Unit[Audience]:
    """The unit that finds who of these people may be used, with one entry for all. Raises `TooLarge`, `Invalid`."""
    if not wanted.subjects:
        raise Invalid("empty-audience", "An audience has at least one person.")
    if len(wanted.subjects) > MOST_SUBJECTS:
        raise TooLarge("too-many-subjects", f"A JSON audience has {MOST_SUBJECTS} people at most.", limit=MOST_SUBJECTS)
    subjects = dict.fromkeys(wanted.subjects)
    people = [_person(subject) for subject in subjects]

    def unit(tx: Tx) -> Work[Audience]:
        configuration = services.configurations.of(tx.context.tenant)
        actor, _ = judged(services, configuration, principal.actor)
        crowd = Crowd(_question(actor, wanted), people)
        answer = yield from services.engine.evaluate_crowd(tx, configuration.policy, crowd)
        counts: Counter[str] = Counter([decision.reason for decision in answer.decisions])
        permitted = tuple(
            subject for subject, decision in zip(subjects, answer.decisions, strict=True) if decision.allowed
        )
        until = iso(tx.context.at + AUDIENCE_TERM)
        return Audience(new_id("aud"), permitted, dict(counts), answer.seq, until, answer.entry)

    return unit


def judged(
    services: Services, configuration: Configuration, actor: Actor
) -> tuple[Actor, Callable[[str], Actor | None]]:
    """The caller, and how to find another client, as rules see them: one that is behind is `overdue` besides."""
    late = services.feed.overdue(configuration.tenant)
    if not late:
        return actor, configuration.client

    def seen(found: Actor | None) -> Actor | None:
        behind = found is not None and found.name in late
        return replace(found, roles=found.roles | {OVERDUE}) if found is not None and behind else found

    return seen(actor) or actor, lambda name: seen(configuration.client(name))


def _question(actor: Actor, wanted: AudienceQuestion) -> Question:
    return Question(
        roles=actor.roles,
        action=wanted.action,
        category=wanted.category,
        purpose=wanted.purpose or actor.default_purpose,
        channel=wanted.channel,
        jurisdiction=wanted.jurisdiction,
        supported=frozenset(wanted.supported_obligations),
    )


def _person(subject: str) -> bytes | None:
    """The raw id, or None for what cannot be anybody's: it counts as `no_subject`."""
    try:
        return raw(subject, "sub")
    except Invalid:
        return None


def _locator(services: Services, configuration: Configuration) -> Locate:
    collections = configuration.collections
    return lambda tx, token: services.vault.locate(tx, collections, token)
