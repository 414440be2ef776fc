"""May I? AuthZEN's evaluation and evaluations, and the filtering of audiences."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Struct

from policies import Evaluation, EvaluationAnswer, EvaluationsAnswer, Several, read_evaluation, read_evaluations
from sayso.server.auth import POLICY
from sayso.server.call import Call
from sayso.server.calls import decisions as calls
from sayso.server.calls.decisions import Audience, AudienceQuestion
from sayso.server.routes.bodies import UnsupportedMediaType, documented
from sayso.server.routes.gate import admits, public, services_of

ASKERS = ("pep", "officer", POLICY)

_encode = msgspec.json.Encoder().encode


class AuthzenConfiguration(Struct, frozen=True):
    """AuthZEN discovery (Authorization API 1.0, section 9)."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str


@post(
    "/access/v1/evaluation",
    opt=admits(*ASKERS) | documented(Evaluation),
    operation_id="access.evaluation",
    tags=["Decisions"],
    status_code=200,
)
async def evaluation(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[EvaluationAnswer]:
    """One question. A denial is 200 with `false`; every answer is an entry in the log."""
    question = read_evaluation(await _body(request))
    return _answer(await call.run(calls.evaluate(call.services, call.principal, question)))


@post(
    "/access/v1/evaluations",
    opt=admits(*ASKERS) | documented(Several),
    operation_id="access.evaluations",
    tags=["Decisions"],
    status_code=200,
)
async def evaluations(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[EvaluationsAnswer]:
    """Several questions with one entry, in order."""
    questions = read_evaluations(await _body(request))
    if isinstance(questions, Evaluation):
        return _answer(await call.run(calls.evaluate(call.services, call.principal, questions)))
    return _answer(await call.run(calls.evaluate_several(call.services, call.principal, questions)))


@post("/v1/audiences/filter", opt=admits(*ASKERS), operation_id="audiences.filter", tags=["Decisions"], status_code=200)
async def audience(call: NamedDependency[Call], data: JSONBody[AudienceQuestion]) -> Audience:
    """Who of these people this caller may use for that, now. The answer ages: it carries `valid_until`."""
    return await call.run(calls.filter_audience(call.services, call.principal, data))


@get(
    "/.well-known/authzen-configuration",
    opt=public("AuthZEN clients discover us by it"),
    operation_id="access.configuration",
    tags=["Decisions"],
)
async def configuration(request: Request[Any, Any, Any]) -> AuthzenConfiguration:
    """Where the decision point is."""
    base = services_of(request).settings.base_url
    return AuthzenConfiguration(base, f"{base}/access/v1/evaluation", f"{base}/access/v1/evaluations")


async def _body(request: Request[Any, Any, Any]) -> bytes:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType("unsupported-media-type", "A body here is application/json.")
    return await request.body()


def _answer(answer: object) -> Response[Any]:
    return Response(_encode(answer), media_type="application/json")


handlers: list[BaseRouteHandler] = [evaluation, evaluations, audience, configuration]
