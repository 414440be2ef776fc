"""One-click unsubscribe (RFC 8058, RFC 2369): the header pair for a message, and the address that it names.

    List-Unsubscribe: <https://say.example/u/default.AQAAAAG…>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click

The POST comes from a mail provider as often as from a person: no cookie, no redirect, no sign-in, and a repeat is
answered like the first. Mail scanners open every address in a mail, so a GET changes nothing.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from msgspec.structs import replace

from consent import Catalogue, NothingToUndo, UnknownUnsubscribe, Unsubscription
from sayso.kernel import Invalid, Tx, Unit, Work, now, raw
from sayso.server.brand.portals import address_for
from sayso.server.brand.texts import worded
from sayso.server.call import Call
from sayso.server.callers import sessions
from sayso.server.calls.consents import IdentifierBody, Name
from sayso.server.limits import client_address, prefix_of
from sayso.server.pages import UnsubscribePage, render_unsubscribe
from sayso.server.routes.gate import admits, public, services_of
from sayso.server.routes.html import brand, demand_own_origin, door_tenant, frame, html

AnyRequest = Request[Any, Any, Any]
Act = Callable[[Tx, Catalogue, str], Work[Any]]

PRESSES_A_MINUTE = 30
"""Requests that one address answers. Not by network: a mail provider presses for millions of people from a few."""

ONE_CLICK = "One-Click"

_ANYONE = public("the token in the address is the credential: sealed, of one person and one list, and it only says no")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class Known(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody named by an identifier. Nobody is made by it."""

    identifier: IdentifierBody


class UnsubscribeWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """For whom, from which list (a purpose) and in which message (its id, or the mailing's) the headers are meant.

    `mailto` is an address of yours for mail programs that know nothing else: what arrives there has the token as its
    subject, to be posted to `/u/`.
    """

    subject: Name | Known
    purpose: Name
    message: str
    mailto: Annotated[str, Meta(max_length=254)] | None = None


class UnsubscribeHeaders(Struct, frozen=True):
    """Two headers, ready for one message to this person; both belong under the DKIM signature (`h=`). `url` is the
    address alone, for a link in the text.
    """

    headers: dict[Literal["List-Unsubscribe", "List-Unsubscribe-Post"], str]
    url: str


@post(
    "/v1/unsubscribe-headers",
    opt=admits("recorder", "pep"),
    operation_id="unsubscribe.headers",
    tags=["Consent"],
    status_code=200,
)
async def headers(call: NamedDependency[Call], data: JSONBody[UnsubscribeWanted]) -> UnsubscribeHeaders:
    """The header pair for one message. The token in it holds nothing that anybody but this server can read."""
    if data.mailto is not None and not _ADDRESS.fullmatch(data.mailto):
        raise Invalid("invalid-value", "This is no e-mail address.")
    registry, whose = call.services.registry, data.subject

    def unit(tx: Tx) -> Work[str]:
        if isinstance(whose, str):
            subject = raw(whose, "sub")
        else:
            found = yield from registry.resolve(tx, whose.identifier.named(), create=False)
            subject = raw(found.subject, "sub")
        catalogue = call.configuration.catalogue
        return (yield from registry.unsubscribing.issue(tx, catalogue, subject, data.purpose, data.message))

    token = f"{call.tenant}.{await call.look(unit)}"
    url = f"{address_for(call.services.settings, call.configuration)}/u/{token}"
    ways = [f"<{url}>"]
    if data.mailto is not None:
        ways.append(f"<mailto:{quote(data.mailto, safe='@')}?subject={quote(token)}>")
    return UnsubscribeHeaders(
        {"List-Unsubscribe": ", ".join(ways), "List-Unsubscribe-Post": f"List-Unsubscribe={ONE_CLICK}"}, url
    )


@get("/u/{token:str}", opt=_ANYONE, operation_id="unsubscribe.page", include_in_schema=False)
async def page(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """The page with the button. Opening it changes nothing."""
    return await _answered(request, token, None)


@post(
    "/u/{token:str}",
    opt=_ANYONE,
    operation_id="unsubscribe.now",
    include_in_schema=False,
    dto=None,
    status_code=200,
)
async def unsubscribe(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Unsubscribe at once (RFC 8058, 3.2)."""
    if (await request.form()).get("List-Unsubscribe") != ONE_CLICK:
        raise Invalid("not-one-click", "This call takes a form that says List-Unsubscribe=One-Click (RFC 8058).")
    registry = services_of(request).registry
    return await _answered(request, token, registry.unsubscribing.unsubscribe)


@post(
    "/u/{token:str}/undo",
    opt=_ANYONE,
    operation_id="unsubscribe.undo",
    include_in_schema=False,
    dto=None,
    status_code=200,
)
async def undo(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Take it back, from the page that said so."""
    demand_own_origin(request)
    return await _answered(request, token, services_of(request).registry.unsubscribing.undo, undoes=True)


async def _answered(request: AnyRequest, token: str, act: Act | None, *, undoes: bool = False) -> Response[str]:
    """Do what was asked, and show where the person stands then."""
    services = services_of(request)
    unsubscribing = services.registry.unsubscribing
    tenant, rest = sessions.tenant_of(token), token.partition(".")[2]
    if tenant is None or tenant not in services.configurations.tenants():
        return _nowhere(request)
    scope: Any = request.scope
    call = Call(services, sessions.stranger(tenant), scope["sayso.request"], "unsubscribe")

    def unit_of(step: Act) -> Unit[Any]:
        return lambda tx: step(tx, call.configuration.catalogue, rest)

    late = False
    try:
        unsubscribing.check(tenant, rest)
        services.limiter.take(f"unsubscribe {sha256(token.encode()).hexdigest()}", PRESSES_A_MINUTE, now())
        try:
            if act is not None:
                await call.run(unit_of(act))
        except NothingToUndo:
            late = True
        found: Unsubscription = await call.look(unit_of(unsubscribing.look))
    except UnknownUnsubscribe:
        return _nowhere(request)
    shown = replace(frame(request), path=f"/u/{token}")
    done = UnsubscribePage(
        frame=shown,
        brand=brand(request, tenant),
        state="off" if found.since else "back" if undoes and not late else "on",
        list=worded(call.configuration.catalogue.purposes[found.purpose].title, shown.locale, found.purpose),
        undo_until=found.undo_until,
        late=late,
    )
    return html(render_unsubscribe(done), status=409 if late else 200)


def _nowhere(request: AnyRequest) -> Response[str]:
    """The one answer to every address that leads to nobody. Whoever tries many is slowed down."""
    services = services_of(request)
    peer = request.client.host if request.client else ""
    address = client_address(peer, request.headers.get("x-forwarded-for", ""), services.settings.trusted_proxies)
    services.limiter.take(f"unsubscribe {prefix_of(address)}", services.settings.prefix_rate, now())
    shown = replace(frame(request), path="/p/")
    whose = brand(request, door_tenant(request))
    return html(render_unsubscribe(UnsubscribePage(frame=shown, brand=whose, state="nowhere")), status=404)


handlers: list[BaseRouteHandler] = [headers, page, unsubscribe, undo]
