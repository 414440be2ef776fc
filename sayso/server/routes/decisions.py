"""May I? AuthZEN's evaluation and evaluations, and the filtering of audiences."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Struct

from policies import Evaluation, EvaluationAnswer, EvaluationsAnswer, Several
from sayso.server.call import Call
from sayso.server.calls import decisions as calls
from sayso.server.calls.decisions import ASKERS, Audience, AudienceQuestion
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits, public, services_of


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
    return answered(await calls.evaluation(call, await json_body(request)))


@post(
    "/access/v1/evaluations",
    opt=admits(*ASKERS) | documented(Several),
    operation_id="access.evaluations",
    tags=["Decisions"],
    status_code=200,
)
async def evaluations(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[EvaluationsAnswer]:
    """Several questions with one entry, in order."""
    return answered(await calls.evaluations(call, await json_body(request)))


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


handlers: list[BaseRouteHandler] = [evaluation, evaluations, audience, configuration]
