"""Access packages: made after verification, fetched by officers."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from policies import RIGHTS, Answer
from sayso.kernel import Tx, Work
from sayso.server.call import Call
from sayso.server.packages import PackageState
from sayso.server.pages.locales import negotiate
from sayso.server.routes.gate import admits
from vault import NoGrant


class PackageWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """In which language the person reads. `grant` is what a second person approved: it names the request."""

    locale: Annotated[str, Meta(max_length=35)] = "en"
    grant: Annotated[str, Meta(max_length=40)] | None = None


@post(
    "/v1/rights/requests/{request_id:str}/package",
    opt=admits("officer"),
    operation_id="rights.package.make",
    tags=["Rights"],
    status_code=202,
)
async def make(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[PackageWanted]) -> PackageState:
    """Have the package of a verified request for access or portability made. One that is there stays.

    Guarded values are left out, and named in the state, unless another person granted just this: ask with the request
    in place of tokens, for the purpose `dsar`. Then it is made anew.
    """
    locale = negotiate(None, data.locale)
    return await call.alone(lambda tx: wanted(call, tx, request_id, locale, data.grant))


def wanted(call: Call, tx: Tx, request_id: str, locale: str, grant: str | None) -> Work[PackageState]:
    """Have a package made; with a `grant`, which is used up, what is guarded stands in it. Raises as `Maker.want`, and
    `NoGrant` for one that is not for this request and caller, not approved, or over.
    """
    request = yield from call.services.desk.request(tx, request_id)
    if grant is not None and not (yield from call.services.vault.take_grant(tx, grant, RIGHTS, [request_id])):
        raise NoGrant
    return (yield from call.services.packages.want(tx, request, locale, approved=grant is not None))


@get(
    "/v1/rights/requests/{request_id:str}/package/state",
    opt=admits("officer"),
    operation_id="rights.package.state",
    tags=["Rights"],
)
async def state(call: NamedDependency[Call], request_id: FromPath[str]) -> PackageState:
    """How far the package is."""
    return await call.look(lambda tx: call.services.packages.state(tx, request_id))


@get(
    "/v1/rights/requests/{request_id:str}/package",
    opt=admits("officer"),
    operation_id="rights.package",
    tags=["Rights"],
    media_type="application/zip",
)
async def fetch(call: NamedDependency[Call], request_id: FromPath[str]) -> Response[bytes]:
    """The package. That it was fetched is an entry in the log; 409 with the progress while it is being made."""
    return delivered(await call.alone(lambda tx: call.services.packages.fetch(tx, request_id)))


def delivered(found: bytes | Answer) -> Response[Any]:
    """The zip on its way out. Raises `AccessDenied`."""
    if isinstance(found, Answer):
        found.demand()
        raise AssertionError("a permit has a package")
    headers = {"content-disposition": 'attachment; filename="my-data.zip"', "cache-control": "no-store"}
    return Response(found, media_type="application/zip", headers=headers)


handlers: list[BaseRouteHandler] = [make, state, fetch]
