"""AuthZEN evaluations: from a body's bytes to a unit of work and its answer.

What the bodies mean is `policies.wire.authzen`'s; here stands only what joins them with this program's parts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from policies import (
    OVERDUE,
    Alike,
    Evaluation,
    EvaluationAnswer,
    EvaluationsAnswer,
    Locate,
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
from sayso.kernel import Actor, Tx, Unit, Work
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY, Principal
from sayso.server.idempotency import Answer
from sayso.server.manifests.configuration import Configuration
from sayso.server.wiring import Services

ASKERS = ("pep", "officer", POLICY)
"""Who may ask what may be done."""

MOST_SUBJECTS = 10_000
"""People that one call names, where each of them is read."""

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
        locate = locator(services, configuration)
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
        locate = locator(services, configuration)
        asks = readable(batch)
        answers = (
            (yield from services.engine.evaluate_many(tx, configuration.policy, asks, locate, batch.until))
            if asks
            else []
        )
        return answered_several(batch, answers)

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


def locator(services: Services, configuration: Configuration) -> Locate:
    """How a token is found for whoever asks."""
    collections = configuration.collections
    return lambda tx, token: services.vault.locate(tx, collections, token)
