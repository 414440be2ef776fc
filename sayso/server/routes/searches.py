"""Who may, of whom, and what? AuthZEN's three searches."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from policies import ActionSearch, ActionSearchAnswer, ResourceSearch, SearchAnswer, SubjectSearch
from sayso.server.call import Call
from sayso.server.calls import searching as calls
from sayso.server.calls.decisions import ASKERS
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits


@post(
    "/access/v1/search/resource",
    opt=admits(*ASKERS) | documented(ResourceSearch),
    operation_id="access.search_resource",
    tags=["Decisions"],
    status_code=200,
)
async def resources(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[SearchAnswer]:
    """The people of whom this caller may use that for this purpose now, page by page. Each page is an entry."""
    return answered(await calls.resources(call, await json_body(request)))


@post(
    "/access/v1/search/subject",
    opt=admits(*ASKERS) | documented(SubjectSearch),
    operation_id="access.search_subject",
    tags=["Decisions"],
    status_code=200,
)
async def subjects(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[SearchAnswer]:
    """Which callers may do that with this person's data. Only a PEP or an officer is told of others than itself."""
    return answered(await calls.subjects(call, await json_body(request)))


@post(
    "/access/v1/search/action",
    opt=admits(*ASKERS) | documented(ActionSearch),
    operation_id="access.search_action",
    tags=["Decisions"],
    status_code=200,
)
async def actions(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[ActionSearchAnswer]:
    """What this caller may do with this person's data for this purpose."""
    return answered(await calls.actions(call, await json_body(request)))


handlers: list[BaseRouteHandler] = [resources, subjects, actions]
