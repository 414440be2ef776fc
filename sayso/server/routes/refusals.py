"""What is answered when something cannot be done: a problem document to programs, a page to people."""

from typing import Any

import msgspec
from litestar import Request, Response

from sayso.server import problems
from sayso.server.pages import Brand, ProblemPage, render_problem
from sayso.server.routes.gate import services_of
from sayso.server.routes.html import brand, door_tenant, frame, html, request_id

AnyRequest = Request[Any, Any, Any]

_FOR_PROGRAMS = ("/v1/", "/access/")
"""Here the body of an error is part of the contract, whoever reads it."""

_FOR_OPERATORS = ("/console", "/docs", "/gallery")


def answer(request: AnyRequest, error: Exception) -> Response[Any]:
    """Litestar's exception handler for everything. A browser that goes to a page says that it reads HTML."""
    answered = problems.handle(request, error)
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith(_FOR_PROGRAMS):
        return answered
    problem = msgspec.json.decode(answered.content, type=problems.Problem)
    console = request.url.path.startswith(_FOR_OPERATORS)
    page = ProblemPage(
        # The switches lead back to a page that is there; an address that was sent is not repeated.
        frame=msgspec.structs.replace(frame(request), path="/console/" if console else "/p/"),
        status=problem.status,
        slug=problem.type.rpartition("#")[2],
        request=request_id(request),
        detail=problem.detail,
        brand=Brand(name="Sayso", controller="") if console else _speaker(request, problem.status),
        console=console,
    )
    response = html(render_problem(page), status=problem.status)
    response.headers.update(answered.headers)
    return response


def _speaker(request: AnyRequest, status: int) -> Brand:
    """The brand of this host, unless that is what may have failed."""
    if status >= 500 or not services_of(request).configurations.tenants():
        return Brand(name="Sayso", controller="")
    return brand(request, door_tenant(request))
