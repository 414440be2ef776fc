"""Letters: how the queue stands, the mail of a double opt-in, and the form by which a person asks for their page."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from consent import Identifier
from sayso.kernel import SECOND, SaysoError, Tx, Work, iso, raw
from sayso.server.brand.portals import address_for
from sayso.server.brand.texts import in_locale
from sayso.server.call import Call
from sayso.server.callers import sessions
from sayso.server.callers.sessions import LINK_TERM_S
from sayso.server.calls.consents import RECORDERS
from sayso.server.mail import DeadLetter, Letter
from sayso.server.pages import DoorPage, Flash, render_door
from sayso.server.pages.locales import moment, negotiate
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits, public, services_of
from sayso.server.routes.html import brand, door_tenant, first, form, frame, html
from sayso.server.routes.person_door import demand_door_rate
from sayso.server.wiring import Services

AnyRequest = Request[Any, Any, Any]

LINKS_AN_ADDRESS = 2
"""Letters with a link that one address may ask for in a minute."""

LONGEST_ADDRESS = 254
"""RFC 5321, section 4.5.3.1.3."""


class MailState(Struct, frozen=True):
    """How the brand's letters stand: how many wait for the mail server, and the newest that it would not take."""

    configured: bool
    waiting: int
    dead: list[DeadLetter]


class MailConfirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the question of a double opt-in is to be sent: an address that is linked to the person already."""

    email: Annotated[str, Meta(min_length=3, max_length=LONGEST_ADDRESS)]
    locale: Annotated[str, Meta(max_length=35)] = "en"


class MailedConfirmation(Struct, frozen=True):
    """The question is on its way; it can be answered until then."""

    expires_at: str


@get("/v1/mail", opt=admits("officer", "auditor"), operation_id="mail.state", tags=["Administration"])
async def state(call: NamedDependency[Call]) -> MailState:
    """Waiting and dead letters, without a word of what stood in them or to whom."""
    outbox = call.services.outbox

    def unit(tx: Tx) -> Work[MailState]:
        yield from outbox.count(tx)
        dead = yield from outbox.dead_letters(tx)
        return MailState(outbox.configured, outbox.waiting.get(tx.context.tenant, 0), dead)

    return await call.look(unit)


@post(
    "/v1/consents/{record:str}/confirmations/mail",
    opt=admits(*RECORDERS),
    operation_id="consents.confirmation.mail",
    tags=["Consent"],
    status_code=202,
)
async def confirmation(
    request: AnyRequest, call: NamedDependency[Call], record: FromPath[str], data: JSONBody[MailConfirmation]
) -> Response[MailedConfirmation]:
    """Sayso itself asks the person to confirm (double opt-in): nobody else ever holds the code.

    What the person confirms so also ends the suppression that an earlier erasure left (design 6.4).
    """
    found, services = raw(record, "cns"), call.services

    def unit(tx: Tx) -> Work[MailedConfirmation]:
        address = Identifier("email", data.email)
        subject, purposes = yield from services.registry.identities.addressed(tx, found, address)
        issued = yield from services.registry.confirmations.issue(tx, found, delivered_to=address)
        titles = [_title(call, name, data.locale) for name in purposes]
        values = {
            "url": f"{address_for(services.settings, call.configuration)}/p/confirm#{tx.context.tenant}.{issued.code}",
            "purposes": "\n".join(f"- {title}" for title in titles),
            "until": moment(issued.expires_at, negotiate(None, data.locale)),
        }
        letter = Letter("double_opt_in", data.email.strip(), data.locale, values)
        yield from services.outbox.post(tx, subject, letter, issued.expires_at)
        return MailedConfirmation(iso(issued.expires_at))

    body = record.encode() + b"\0" + await request.body()
    return answered(await call.create(unit, body, status=202))


@post(
    "/p/link",
    opt=public("whoever types an address learns nothing: the answer is the same whether anybody has it"),
    operation_id="person.ask",
    include_in_schema=False,
    dto=None,
    status_code=200,
)
async def ask(request: AnyRequest) -> Response[Any]:
    """Send the page's link to an address, if it is somebody's. The answer is given before anything is looked up."""
    values = await form(request)
    services = services_of(request)
    demand_door_rate(request)
    tenant = door_tenant(request, first(values, "brand"))
    shown = frame(request, flash=Flash("link_asked"))
    page = html(render_door(DoorPage(frame=shown, brand=brand(request, tenant), mail=services.outbox.configured)))
    email = first(values, "email").strip()
    scope: Any = request.scope
    call = Call(services, sessions.stranger(tenant), scope["sayso.request"], "person.ask")
    if services.outbox.configured and 3 <= len(email) <= LONGEST_ADDRESS:
        page.background = BackgroundTask(_send_link, services, call, email, shown.locale)
    return page


async def _send_link(services: Services, call: Call, email: str, locale: str) -> None:
    """Everything that differs between a known address and an unknown one happens here, after the answer."""
    identifier = Identifier("email", email)

    def unit(tx: Tx) -> Work[None]:
        registry = services.registry
        found = yield from registry.resolve(tx, identifier, create=False)
        services.limiter.take(f"letter {call.tenant} {found.subject}", LINKS_AN_ADDRESS, tx.context.at)
        subject = raw(found.subject, "sub")
        made = yield from registry.create_link(tx, subject, LINK_TERM_S)
        url = f"{address_for(services.settings, call.configuration)}/p/#{call.tenant}.{made.code}"
        letter = Letter("preference_link", email, locale, {"url": url, "minutes": str(LINK_TERM_S // 60)})
        yield from services.outbox.post(tx, subject, letter, tx.context.at + LINK_TERM_S * SECOND)

    try:
        await call.run(unit)
    except SaysoError as error:
        # Nobody, an address that is none, or too often: whoever asked is told none of it.
        services.log.info("link not sent", why=error.slug)


def _title(call: Call, purpose: str, locale: str) -> str:
    return in_locale(call.configuration.purposes[purpose].title, locale, purpose)


handlers: list[BaseRouteHandler] = [state, confirmation, ask]
