"""Double opt-in over HTTP: a code for a request that waits, and the POST that spends it.

Mail scanners open every address in a mail, so opening confirms nothing: the page is a form, and the code stands behind
`#`, where no server sees it.
"""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from consent import CodeUnusable, NothingWaits
from sayso.kernel import Tx, Work, iso, now, raw
from sayso.server.brand.portals import address_for
from sayso.server.brand.texts import worded
from sayso.server.call import Call
from sayso.server.callers import sessions
from sayso.server.calls.consents import RECORDERS
from sayso.server.limits import client_address, prefix_of
from sayso.server.pages import Brand, ConfirmPage, render_confirm
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits, public, services_of
from sayso.server.routes.html import brand, door_tenant, first, form, frame, html
from sayso.server.routes.seen import observed

_WHY = public("the code in the body is the credential: random, single use, and it ends")


class Confirmation(Struct, frozen=True):
    """A code to be sent to the person and to nobody else. What stands behind `#` never reaches a server's log."""

    code: str
    url: str
    expires_at: str


class ConfirmBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The code as it was sent: the brand's name, a dot, 32 characters."""

    code: Annotated[str, Meta(max_length=128)]


class Confirmed(Struct, frozen=True):
    """Proof for the person, and where they stand now on what was asked. No person's id goes to a browser."""

    record: str
    receipt: str
    entry: str
    purposes: dict[str, str]


@post(
    "/v1/consents/{record:str}/confirmations",
    opt=admits(*RECORDERS),
    operation_id="consents.confirmation",
    tags=["Consent"],
)
async def issue(request: Request[Any, Any, Any], call: NamedDependency[Call], record: FromPath[str]) -> Response[Any]:
    """A code that confirms what of this record waits (double opt-in). Put its address into your own mail."""
    found = raw(record, "cns")
    base = address_for(call.services.settings, call.configuration)

    def unit(tx: Tx) -> Work[Confirmation]:
        issued = yield from call.services.registry.confirmations.issue(tx, found)
        code = f"{tx.context.tenant}.{issued.code}"
        return Confirmation(code, f"{base}/p/confirm#{code}", iso(issued.expires_at))

    return answered(await call.create(unit, record.encode()))


@post("/v1/confirmations", opt=_WHY, operation_id="confirmations.redeem", tags=["Consent"])
async def redeem(request: Request[Any, Any, Any], data: JSONBody[ConfirmBody]) -> Response[Confirmed]:
    """The second yes. One code, one confirmation."""
    return Response(await confirmed(request, data.code.strip()), status_code=201)


async def confirmed(request: Request[Any, Any, Any], code: str) -> Confirmed:
    """Spend a code, in the name of whoever holds it. Raises `CodeUnusable`, `NothingWaits`, `TooFast`."""
    services = services_of(request)
    peer = request.client.host if request.client else ""
    address = client_address(peer, request.headers.get("x-forwarded-for", ""), services.settings.trusted_proxies)
    services.limiter.take(f"confirm {prefix_of(address)}", services.settings.prefix_rate, now())
    tenant = sessions.tenant_of(code)
    if tenant is None or tenant not in services.configurations.tenants():
        raise CodeUnusable
    evidence = observed(request)
    scope: Any = request.scope
    call = Call(services, sessions.stranger(tenant), scope["sayso.request"], "confirmations.redeem")

    def unit(tx: Tx) -> Work[Confirmed]:
        catalogue, rest = call.configuration.catalogue, code.partition(".")[2]
        made = yield from services.registry.confirmations.redeem(tx, catalogue, rest, evidence)
        statuses = {name: str(each.status) for name, each in made.state.items()}
        return Confirmed(made.record, made.receipt, made.entry, statuses)

    return await call.alone(unit)


@get("/p/confirm", opt=_WHY, operation_id="person.confirm.page", include_in_schema=False)
async def page(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form. Opening it confirms nothing."""
    return html(render_confirm(ConfirmPage(frame=frame(request), brand=_brand(request, ""))))


@post("/p/confirm", opt=_WHY, operation_id="person.confirm", include_in_schema=False, dto=None, status_code=200)
async def confirm(request: Request[Any, Any, Any]) -> Response[Any]:
    """The person pressed Confirm. Every code that cannot be used gets one answer."""
    code = first(await form(request), "code").strip()
    shown, whose = frame(request), _brand(request, code)
    try:
        done = await confirmed(request, code)
    except (CodeUnusable, NothingWaits):
        return html(render_confirm(ConfirmPage(frame=shown, brand=whose, problem=True)), status=400)
    purposes = services_of(request).configurations.of(sessions.tenant_of(code) or "").catalogue.purposes
    counts = [name for name, status in done.purposes.items() if status == "granted"]
    if not counts:
        return html(render_confirm(ConfirmPage(frame=shown, brand=whose, problem=True)), status=400)
    titles = tuple(worded(purposes[name].title, shown.locale, name) for name in counts)
    return html(render_confirm(ConfirmPage(frame=shown, brand=whose, confirmed=titles)))


def _brand(request: Request[Any, Any, Any], code: str) -> Brand:
    return brand(request, door_tenant(request, sessions.tenant_of(code) or ""))


handlers: list[BaseRouteHandler] = [issue, redeem, page, confirm]
