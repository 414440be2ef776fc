"""May I? AuthZEN's evaluation and evaluations."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from policies import Evaluation, EvaluationAnswer, EvaluationsAnswer, Several
from sayso.server.call import Call
from sayso.server.calls import decisions as calls
from sayso.server.calls.decisions import ASKERS
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits, public, services_of


class AuthzenConfiguration(Struct, frozen=True):
    """AuthZEN discovery (Authorization API 1.0, section 9). No capability is registered yet, so none is named: a
    member without values is left out.
    """

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_subject_endpoint: str
    search_resource_endpoint: str
    search_action_endpoint: str


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


@get(
    "/.well-known/authzen-configuration",
    opt=public("AuthZEN clients discover us by it"),
    operation_id="access.configuration",
    tags=["Decisions"],
)
async def configuration(request: Request[Any, Any, Any]) -> AuthzenConfiguration:
    """Where the decision point is."""
    base = services_of(request).settings.base_url
    calls = ("evaluation", "evaluations", "search/subject", "search/resource", "search/action")
    return AuthzenConfiguration(base, *(f"{base}/access/v1/{each}" for each in calls))


handlers: list[BaseRouteHandler] = [evaluation, evaluations, configuration]
