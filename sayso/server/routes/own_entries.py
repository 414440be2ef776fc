"""Entries about one person with openings and proofs, and their tag key: what the person sees, for officers who help."""

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from sayso.kernel import raw
from sayso.server.call import Call
from sayso.server.logkeeping import exporting
from sayso.server.routes.gate import admits
from sayso.server.views.own_entries import TagKey, bundle, own_entries, tag_key


@post(
    "/v1/subjects/{subject:str}/entries/bundle",
    opt=admits("officer"),
    operation_id="subjects.entries",
    tags=["People"],
    status_code=200,
    media_type="application/zip",
)
async def entries(call: NamedDependency[Call], subject: FromPath[str]) -> Stream:
    """All entries about the person as an evidence bundle, with what of them they may see. Making it is an entry."""
    person = raw(subject, "sub")
    own = exporting.demand_permit(await call.alone(lambda tx: own_entries(call, tx, person)))
    headers = {"content-disposition": f'attachment; filename="{subject}.zip"', "cache-control": "no-store"}
    return Stream(await bundle(call, own), media_type="application/zip", headers=headers)


@post(
    "/v1/subjects/{subject:str}/tag-key",
    opt=admits("officer"),
    operation_id="subjects.tag_key",
    tags=["People"],
    status_code=200,
)
async def key(call: NamedDependency[Call], subject: FromPath[str]) -> TagKey:
    """The key that finds all entries about the person in the exported log. Handing it out is an entry about them."""
    person = raw(subject, "sub")
    return exporting.demand_permit(await call.alone(lambda tx: tag_key(call, tx, person)))


handlers: list[BaseRouteHandler] = [entries, key]
