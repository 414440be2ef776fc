"""The console's report on uses of data: ordered, shown, taken along. Each of these is an entry."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from msgspec.structs import replace

from audit import MEDIA, Content, Export
from reports import UseRow, UsesReport
from sayso.kernel import Invalid, SaysoError, Tx, Unauthenticated, Work
from sayso.server.call import Call
from sayso.server.callers.auth import admit
from sayso.server.logkeeping import exporting
from sayso.server.pages.console_uses import (
    ConsoleUsesPage,
    MadeReport,
    ShownHead,
    ShownReport,
    UsesLine,
    render_console_uses,
)
from sayso.server.routes.console import HOME, OPEN, AnyRequest, operator_of, posted, signed_in
from sayso.server.routes.exports import ENDINGS, READERS
from sayso.server.routes.html import first, frame, html, see

USES: Final = "/console/uses"
ROWS: Final = 500
"""Rows on the page; the files have all."""

_PATIENCE_S: Final = 3.0
_POLL_S: Final = 0.1
_FORMS: Final = ("csv", "pdf", "bundle")


@get(USES, opt=OPEN, operation_id="console.uses", include_in_schema=False)
async def uses(request: AnyRequest, export: FromQuery[str] = "") -> Response[Any]:
    """The newest reports, and the one that the address names."""
    try:
        session, call = await signed_in(request, "console.uses")
    except Unauthenticated:
        return see(HOME)
    admit(call.principal, READERS, "console.uses")
    page = ConsoleUsesPage(
        frame=frame(request, csrf=session.csrf), operator=operator_of(call), reports=await _made(call)
    )
    if export:
        try:
            page = replace(page, shown=await _shown(await _content(call, export, "json", "en")))
        except SaysoError:
            page = replace(page, problem="gone")
    return html(render_console_uses(page))


@post(USES, opt=OPEN, operation_id="console.report", include_in_schema=False, dto=None, status_code=303)
async def report(request: AnyRequest) -> Response[Any]:
    """Order a report, and wait a moment for it."""
    session, call, values = await posted(request, "console.report")
    admit(call.principal, READERS, "console.report")
    since, until = first(values, "from"), first(values, "to")
    page = ConsoleUsesPage(frame=frame(request, csrf=session.csrf), operator=operator_of(call), from_=since, to=until)
    try:
        asked = exporting.Filter(since=_day(since), until=_day(until, 1))
    except ValueError:
        wrong: Any = "from" if _wrong(since) else "to"
        return html(render_console_uses(replace(page, reports=await _made(call), problem=wrong)), status=400)
    made = await call.alone(lambda tx: exporting.order(call, tx, "access", "json", asked, ()))
    end = asyncio.get_running_loop().time() + _PATIENCE_S
    while asyncio.get_running_loop().time() < end:
        if (await call.look(lambda tx: call.services.exports.status(tx, made))).status == "done":
            return see(f"{USES}?export={made}")
        await asyncio.sleep(_POLL_S)
    return see(USES)


@get(f"{USES}/{{export:str}}/{{form:str}}", opt=OPEN, operation_id="console.report_file", include_in_schema=False)
async def file(request: AnyRequest, export: FromPath[str], form: FromPath[str]) -> Stream:
    """A report to take along: CSV, PDF, or with the entries and proofs that it was counted from."""
    _, call = await signed_in(request, "console.report_file")
    admit(call.principal, READERS, "console.report_file")
    if form not in _FORMS:
        raise Invalid("export-format", f"access can be had as {', '.join(_FORMS)}.", formats=list(_FORMS))
    content = await _content(call, export, form, frame(request).locale)
    name = f"{export}.{ENDINGS.get(form, form)}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Stream(content.report.written(content), media_type=MEDIA[form], headers=headers)


async def _content(call: Call, export: str, form: str, locale: str) -> Content:
    """The report of a finished export in a form. Raises what `exporting.fetch` raises, `Invalid` for another kind."""

    def unit(tx: Tx) -> Work[Any]:
        return (yield from exporting.fetch(call, tx, export, form))

    reading = exporting.demand_permit(await call.alone(unit))
    if reading.export.order.what != "access":
        raise Invalid("export-format", "This export is no report.", formats=[])
    order = replace(reading.export.order, format=form, locale=locale)
    return await exporting.content(call, replace(reading, export=replace(reading.export, order=order)))


async def _shown(content: Content) -> ShownReport:
    report = content.report
    assert isinstance(report, UsesReport)
    table = await report.table(content)
    # What stands behind the last dot of an origin is the log's own name. Where there is one it needs none.
    names = {each.log: each.log.rpartition(".")[2] if len(table.logs) > 1 else "" for each in table.logs}
    return ShownReport(
        export=table.export,
        rows=tuple(_line(row, names[row.log]) for row in table.rows[:ROWS]),
        count=len(table.rows),
        heads=tuple(
            ShownHead(entries=each.entries, size=each.size, root=each.root, log=names[each.log]) for each in table.logs
        ),
    )


def _line(row: UseRow, log: str) -> UsesLine:
    return UsesLine(
        day=row.day,
        actor=row.service or row.actor_class,
        category=row.category.strip("-"),
        purpose=row.purpose.strip("-"),
        action=row.action,
        permitted=row.permitted,
        refused=row.refused,
        entries=row.entries,
        first_index=row.first_index,
        last_index=row.last_index,
        log=log,
    )


async def _made(call: Call) -> tuple[MadeReport, ...]:
    found = await call.look(call.services.exports.newest)
    return tuple(_listed(call, each) for each in found if each.order.what == "access")


def _listed(call: Call, export: Export) -> MadeReport:
    told = export.order.told
    span = " – ".join(told[name][:10] for name in ("since", "until") if name in told)
    share = export.share(call.context.at)
    return MadeReport(export=export.id, at=export.made_at, state=export.status, share=share, span=span)


def _day(text: str, later: int = 0) -> str | None:
    """The first moment of a day, or of the day after. Raises `ValueError`."""
    if not text:
        return None
    day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=later)
    return day.strftime("%Y-%m-%dT00:00:00Z")


def _wrong(text: str) -> bool:
    try:
        _day(text)
    except ValueError:
        return True
    return False


handlers: list[BaseRouteHandler] = [uses, report, file]
