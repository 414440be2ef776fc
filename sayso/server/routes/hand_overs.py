"""Choices on their way from one site of a brand to another: the code that a visitor takes along, and its worth."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, route
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from sayso.kernel import SaysoError, Tx, Work
from sayso.server.brand.hand_over import LONGEST_CODE, Crossing, HandOverRefused, give, take, target_of
from sayso.server.callers import site_token
from sayso.server.calls.sites import Visit
from sayso.server.pages import hand_over_script, print_choice_cookie, read_choice_cookie
from sayso.server.routes.gate import public
from sayso.server.routes.sites import preflighted, refused, visit_of

AnyRequest = Request[Any, Any, Any]

_BROWSERS = "browsers of visitors have no key; a short-lived token, the origin and rate limits stand in for it"


class HandOver(Struct, frozen=True, forbid_unknown_fields=True):
    """What a visitor said here, as the banner's cookie has it, and the origin they are going to."""

    token: Annotated[str, Meta(max_length=512)]
    to: Annotated[str, Meta(max_length=256)]
    choice: Annotated[str, Meta(max_length=4_096)]


class HandedOver(Struct, frozen=True):
    """A code for one use, for a minute, on pages of the origin that was named. It belongs into the fragment."""

    code: str


class Redemption(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that came with a visitor."""

    token: Annotated[str, Meta(max_length=512)]
    code: Annotated[str, Meta(max_length=LONGEST_CODE)]


class Redeemed(Struct, frozen=True):
    """What the visitor said where they came from, as the banner's cookie has it."""

    choice: str


@get(
    "/v1/sites/{site:str}/hand-over.js",
    opt=public("a script without any configuration"),
    operation_id="sites.hand_over_script",
    media_type="text/javascript",
    include_in_schema=False,
)
async def script(request: AnyRequest, site: FromPath[str]) -> Response[bytes]:
    """The part of the banner that only sites need which hand choices over. Its address carries its hash."""
    visit_of(request, site)
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
    }
    return Response(hand_over_script(), media_type="text/javascript", headers=headers)


@route(
    "/v1/sites/{site:str}/hand-overs",
    http_method=["OPTIONS"],
    opt=public(_BROWSERS),
    operation_id="sites.hand_over_preflight",
    include_in_schema=False,
)
async def hand_over_preflight(request: AnyRequest, site: FromPath[str]) -> Response[None]:
    """What a browser asks before a hand-over."""
    return preflighted(request, site)


@route(
    "/v1/sites/{site:str}/hand-overs/redemptions",
    http_method=["OPTIONS"],
    opt=public(_BROWSERS),
    operation_id="sites.redeem_preflight",
    include_in_schema=False,
)
async def redeem_preflight(request: AnyRequest, site: FromPath[str]) -> Response[None]:
    """The same before the code is spent."""
    return preflighted(request, site)


@post("/v1/sites/{site:str}/hand-overs", opt=public(_BROWSERS), operation_id="sites.hand_over", tags=["Sites"])
async def hand_over(request: AnyRequest, site: FromPath[str], data: JSONBody[HandOver]) -> Response[HandedOver]:
    """A code with which the choice goes along to a site of the same brand."""
    visited = visit_of(request, site)

    def unit(tx: Tx) -> Work[HandedOver]:
        yield ()
        told = read_choice_cookie(data.choice)
        if told is None or told.notice != visited.site.notice:
            raise HandOverRefused
        origin = data.to.lower()
        target = target_of(visited.site, visited.configuration.sites, origin)
        crossing = Crossing(target, origin, visited.browser.network, visited.browser.agent)
        # What waits here to be sent waits here.
        choice = print_choice_cookie(msgspec.structs.replace(told, waiting=()))
        return HandedOver(give(tx, visited.services.keyring, visited.site.name, crossing, choice))

    return await _answered(request, visited, data.token, "sites.hand_over", unit, 201)


@post(
    "/v1/sites/{site:str}/hand-overs/redemptions",
    opt=public(_BROWSERS),
    operation_id="sites.redeem",
    tags=["Sites"],
    status_code=200,
)
async def redeem(request: AnyRequest, site: FromPath[str], data: JSONBody[Redemption]) -> Response[Redeemed]:
    """Spend a code: what was chosen where the visitor came from."""
    visited = visit_of(request, site)

    def unit(tx: Tx) -> Work[Redeemed]:
        browser = visited.browser
        crossing = Crossing(visited.site.name, browser.origin, browser.network, browser.agent)
        services = visited.services
        return Redeemed((yield from take(tx, services.keyring, services.audit, crossing, data.code)))

    return await _answered(request, visited, data.token, "sites.redeem", unit, 200)


async def _answered(
    request: AnyRequest,
    visited: Visit,
    token: str,
    operation: str,
    unit: Callable[[Tx], Work[Any]],
    status: int,
) -> Response[Any]:
    headers = visited.demand_origin() | {"cache-control": "no-store"}
    scope: Any = request.scope
    try:
        visited.demand_rate()
        call = visited.call(operation, scope["sayso.request"])
        site_token.check(visited.services.keyring, call.tenant, visited.site.name, token, call.context.at)
        return Response(await call.run(unit), status_code=status, headers=headers)
    except SaysoError as error:
        return refused(error, headers)


handlers: list[BaseRouteHandler] = [script, hand_over_preflight, hand_over, redeem_preflight, redeem]
