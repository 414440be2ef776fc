"""Exports: ordered, made by a job, fetched. For officers and auditors; each order and each fetch is an entry."""

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct

from audit import MEDIA, Export
from sayso.kernel import Invalid, Tx, Work, iso, parse_instant
from sayso.server.call import Call
from sayso.server.idempotency import Answer
from sayso.server.logkeeping import exporting
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits

AnyRequest = Request[Any, Any, Any]

READERS: Final = ("officer", "auditor")
ENDINGS: Final = {"bundle": "zip", "ocsf": "ocsf.jsonl", "cloudevents": "cloudevents.jsonl"}

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class NewExport(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to export, in which format, and which entries: names or prefixes such as `consent.*`, a client by name or
    `key_…`, a person, times (RFC 3339; `since` included, `until` not). Of all logs that hold what is asked for, or of
    the one that `log` names.
    """

    what: Literal["entries", "access"] = "entries"
    format: Name
    type: Name | None = None
    outcome: Literal["ok", "permit", "deny", "fail"] | None = None
    actor: Name | None = None
    subject: Name | None = None
    purpose: Name | None = None
    category: Name | None = None
    since: Name | None = None
    until: Name | None = None
    log: Name | None = None
    locale: Name = "en"


class Ordered(Struct, frozen=True):
    export: str


class ExportView(Struct, frozen=True, omit_defaults=True):
    """Where an export stands. `progress` goes from 0 to 1; `entries` are found so far, in logs of `size` entries."""

    export: str
    status: str
    progress: float
    what: str
    format: str
    filter: dict[str, str]
    entries: int
    size: int
    made_at: str
    until: str
    entry: str
    error: str = ""


class ExportList(Struct, frozen=True):
    """The newest exports."""

    exports: list[ExportView]


@post("/v1/exports", opt=admits(*READERS), operation_id="exports.create", tags=["Exports"], status_code=202)
async def create(request: AnyRequest, call: NamedDependency[Call], data: JSONBody[NewExport]) -> Response[Ordered]:
    """Order an export. It holds every entry that was integrated by then, each under a signed head of its log."""
    asked = exporting.Filter(
        type=data.type,
        outcome=data.outcome,
        actor=data.actor,
        subject=data.subject,
        purpose=data.purpose,
        category=data.category,
        since=data.since,
        until=data.until,
        log=data.log or "",
    )
    return answered(await ordered(request, call, data.what, data.format, asked, data.locale))


async def ordered(
    request: AnyRequest, call: Call, what: str, form: str, asked: exporting.Filter, locale: str = "en"
) -> Answer:
    """The answer to an order, once per Idempotency-Key. The permit to look at a person is asked for each time."""
    people = await call.alone(lambda tx: exporting.permitted_people(call, tx, asked.subject, "export"))
    permitted = exporting.demand_permit(people)

    def unit(tx: Tx) -> Work[Ordered]:
        return Ordered((yield from exporting.order(call, tx, what, form, asked, permitted, locale)))

    return await call.create(unit, await request.body(), status=202, alone=True)


class BlastRadiusOrder(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose doings: a client by name (`actor`) or by id (`key`), a period, or both. `noticed_at` (RFC 3339; default:
    now) is when the laws' clocks began.
    """

    actor: Name | None = None
    key: Name | None = None
    since: Name | None = None
    until: Name | None = None
    noticed_at: Name | None = None
    log: Name | None = None
    format: Literal["json", "csv", "bundle"] = "bundle"


@post(
    "/v1/audit/blast-radius",
    opt=admits("officer"),
    operation_id="audit.blast_radius",
    tags=["Exports"],
    status_code=202,
)
async def blast_radius(
    request: AnyRequest, call: NamedDependency[Call], data: JSONBody[BlastRadiusOrder]
) -> Response[Ordered]:
    """Who and what was touched: persons, categories, jurisdictions, and by when the laws want whom told. An export:
    ask for its status, then for its content.
    """
    if data.actor is not None and data.key is not None:
        raise Invalid("actor-or-key", "Either 'actor' or 'key' says whose doings.")
    if data.actor is None and data.key is None and data.since is None:
        raise Invalid("radius-unbounded", "An actor, a key or a beginning is needed.")
    if data.noticed_at is not None:
        parse_instant(data.noticed_at)
    asked = exporting.Filter(
        actor=data.actor or data.key,
        since=data.since,
        until=data.until,
        noticed_at=data.noticed_at,
        log=data.log or "",
    )
    return answered(await ordered(request, call, "blast_radius", data.format, asked))


@get("/v1/exports", opt=admits(*READERS), operation_id="exports.list", tags=["Exports"])
async def listing(call: NamedDependency[Call], limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50) -> ExportList:
    """The newest exports and where they stand."""
    found = await call.look(lambda tx: call.services.exports.newest(tx, limit))
    return ExportList([_view(call, each) for each in found])


@get("/v1/exports/{export:str}", opt=admits(*READERS), operation_id="exports.status", tags=["Exports"])
async def status(call: NamedDependency[Call], export: FromPath[str]) -> ExportView:
    """How far it is."""
    return _view(call, await call.look(lambda tx: call.services.exports.status(tx, export)))


@get(
    "/v1/exports/{export:str}/content",
    opt=admits(*READERS),
    operation_id="exports.content",
    tags=["Exports"],
    media_type="application/octet-stream",
)
async def content(call: NamedDependency[Call], export: FromPath[str]) -> Stream:
    """The export's bytes, written as they are read. May be fetched until its term is over; each time is an entry."""
    found = exporting.demand_permit(await call.alone(lambda tx: exporting.fetch(call, tx, export)))
    form = found.export.order.format
    made = await exporting.content(call, found)
    headers = {
        "content-disposition": f'attachment; filename="{export}.{ENDINGS.get(form, form)}"',
        "cache-control": "no-store",
    }
    return Stream(made.report.written(made), media_type=MEDIA[form], headers=headers)


def _view(call: Call, export: Export) -> ExportView:
    told = export.order.told
    if not exporting.is_officer(call):
        told = {name: value for name, value in told.items() if name != "subject"}
    return ExportView(
        export=export.id,
        status=export.status,
        progress=round(export.share(call.context.at), 3),
        what=export.order.what,
        format=export.order.format,
        filter=told,
        entries=export.hits,
        size=export.size,
        made_at=iso(export.made_at),
        until=iso(export.until),
        entry=export.order.entry,
        error=export.error,
    )


handlers: list[BaseRouteHandler] = [create, blast_radius, listing, status, content]
