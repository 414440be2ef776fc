"""The due queue: every request of the brand, the first due first. And what all of them come to."""

from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery
from msgspec import Meta

from rights import Kind, Law, RequestPage, Wanted, as_csv, figures, register_page
from sayso.kernel import parse_instant
from sayso.server.call import Call
from sayso.server.routes.gate import admits

Short = Annotated[str, Meta(max_length=60)]


@get("/v1/rights/requests", opt=admits("officer", "auditor"), operation_id="rights.requests", tags=["Rights"])
async def requests(
    call: NamedDependency[Call],
    due_before: FromQuery[Short] = "",
    status: FromQuery[Short] = "",
    kind: FromQuery[Kind | None] = None,
    law: FromQuery[Law | None] = None,
    cursor: FromQuery[Short] = "",
    limit: FromQuery[int] = 50,
) -> RequestPage:
    """Open requests by deadline, or those of one status. `due_before` is a date that is not included; what is overdue
    is due before today.
    """
    wanted = Wanted(status=status, kind=kind, law=law, due_before=due_before, cursor=cursor, limit=limit)
    return await call.look(lambda tx: register_page(tx, wanted))


@get("/v1/rights/figures", opt=admits("officer", "auditor"), operation_id="rights.figures", tags=["Rights"])
async def register_figures(
    call: NamedDependency[Call],
    since: FromQuery[Short],
    until: FromQuery[Short],
    form: FromQuery[Literal["json", "csv"]] = "json",
) -> Response[Any]:
    """The register of requests received in [since, until), both RFC 3339: by kind, law and outcome, with the days they
    took; and the yearly figures of 11 CCR 7102 (JSON alone).
    """
    begin, end = parse_instant(since), parse_instant(until)
    found = await call.look(lambda tx: figures(tx, begin, end))
    if form == "csv":
        headers = {"content-disposition": 'attachment; filename="rights-requests.csv"'}
        return Response(as_csv(found), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(found)


handlers: list[BaseRouteHandler] = [requests, register_figures]
