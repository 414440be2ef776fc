"""The public page of a notice: what people were told, in every version and language, and what changed between them."""

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from consent import UnpublishedNotice
from sayso.kernel import NotFound, now
from sayso.server.calls.sites import site_of
from sayso.server.limits import client_address, prefix_of
from sayso.server.manifests.configuration import Configuration
from sayso.server.pages import render_notice
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import brand, frame, html
from sayso.server.views.notice import notice_page
from sayso.server.wiring import Services

AnyRequest = Request[Any, Any, Any]


@get(
    "/notices/{place:str}/{notice:str}",
    opt=public("a notice is what people are told before they choose; whoever cannot read it cannot choose"),
    operation_id="notices.page",
    include_in_schema=False,
)
async def page(
    request: AnyRequest,
    place: FromPath[str],
    notice: FromPath[str],
    version: FromQuery[int | None] = None,
    text: FromQuery[str | None] = None,
    earlier: Annotated[int | None, QueryParameter(name="from")] = None,
    later: Annotated[int | None, QueryParameter(name="to")] = None,
) -> Response[str]:
    """A notice of a brand, or of a site by its public name. Drafts are nobody's business but the editors'."""
    services = services_of(request)
    peer = request.client.host if request.client else ""
    address = client_address(peer, request.headers.get("x-forwarded-for", ""), services.settings.trusted_proxies)
    services.limiter.take(f"notice {prefix_of(address)}", services.settings.prefix_rate, now())
    configuration = _configuration(services, place)
    versions = configuration.catalogue.versions(notice)
    if not versions:
        raise UnpublishedNotice
    shown = notice_page(
        configuration.catalogue,
        versions,
        frame(request),
        brand(request, configuration.tenant),
        version=version,
        language=text,
        earlier=earlier,
        later=later,
    )
    return html(render_notice(shown))


def _configuration(services: Services, place: str) -> Configuration:
    """The brand of that name, else the one whose site it is."""
    if place in services.configurations.tenants():
        return services.configurations.of(place)
    try:
        return site_of(services, place)[0]
    except NotFound:
        raise UnpublishedNotice from None


handlers: list[BaseRouteHandler] = [page]
