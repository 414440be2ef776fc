"""People: found by an identifier, where they stand, what was recorded, and the facts that decide about them."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from consent import (
    HistoryPage,
    NoSubject,
    Recorded,
    RelationState,
    Resolved,
    SubjectState,
)
from policies import AccessDenied, Answer, rights_question
from sayso.kernel import Invalid, Tx, Work, parse_instant, raw
from sayso.server.brand.portals import address_for
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY, NotAdmitted
from sayso.server.callers.sessions import LINK_TERM_S
from sayso.server.calls import consents as calls
from sayso.server.calls.consents import IdentifierBody, WithdrawConsent
from sayso.server.calls.sites import UnknownSite
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits

SIGNED_IN_S = 300
"""How long a link lives, at most, that vouches for somebody signed in with the brand."""

CREATORS = frozenset({"recorder", "vault_writer", "admin"})
"""Roles that may make a person by naming an identifier."""


class Resolve(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is meant, and whether to make that person when nobody is."""

    identifier: IdentifierBody
    create: bool = False


class Relation(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """A contract, case or public task; live from `from` until `until` (RFC 3339). No purposes means all.

    `source` is a short lower-case word for who says so.
    """

    kind: Literal["contract", "case", "public_task"]
    purposes: tuple[str, ...] = ()
    start: str | None = None
    until: str | None = None
    source: str = ""


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """How it is known that this law applies: `declared`, `shipping`, `site`, `address` …"""

    source: str


class Placed(Struct, frozen=True):
    subject: str
    jurisdiction: str
    entry: str


class LinkWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the link may be used, in seconds: a minute to thirty days.

    `signed_in`: the person is signed in with the caller now, who hands the link to their browser itself; then it lives
    five minutes at most, and what the person does with it counts as done in the caller's own session. `site` picks the
    portal that the link leads to, of several.
    """

    ttl_s: int | None = None
    signed_in: bool = False
    site: str = ""


class LinkMade(Struct, frozen=True):
    """A one-time address of the preference page. What stands behind `#` never reaches a server's log; it is `code`."""

    url: str
    expires_at: str
    code: str


class LinkTooLong(Invalid):
    """A link that vouches for a signed-in person is meant for the next click, not for later."""

    def __init__(self) -> None:
        super().__init__(
            "link-too-long", "A link for somebody signed in lives five minutes at most.", longest=SIGNED_IN_S
        )


@post(
    "/v1/subjects/resolve",
    opt=admits("recorder", "vault_writer", "officer", "pep", POLICY),
    operation_id="subjects.resolve",
    tags=["People"],
    status_code=200,
)
async def resolve(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[Resolve]
) -> Response[Resolved]:
    """The person behind an identifier. The value becomes a blind tag and is not kept."""
    if data.create and not call.principal.actor.roles & CREATORS:
        raise NotAdmitted(
            "role-not-admitted", "None of this caller's roles may make people.", admitted=sorted(CREATORS)
        )
    identifier = data.identifier.named()

    def unit(tx: Tx) -> Work[Resolved]:
        return (yield from call.services.registry.resolve(tx, identifier, create=data.create))

    return answered(await call.create(unit, await request.body(), status=200))


@get(
    "/v1/subjects/{subject:str}/consents",
    opt=admits("recorder", "officer", "auditor", "pep", POLICY),
    operation_id="subjects.state",
    tags=["People"],
)
async def state(
    call: NamedDependency[Call],
    subject: FromPath[str],
    as_of: Annotated[
        str | None, QueryParameter(description="RFC 3339: where the person stood at that instant.")
    ] = None,
    known_at: Annotated[
        str | None, QueryParameter(description="RFC 3339: as far as was known at that instant.")
    ] = None,
) -> SubjectState:
    """Where the person stands on every purpose. Without a time: the newest state."""
    person = raw(subject, "sub")
    asked, known = (parse_instant(each) if each else None for each in (as_of, known_at))

    def unit(tx: Tx) -> Work[SubjectState]:
        return (yield from call.services.registry.state(tx, call.configuration.catalogue, person, asked, known))

    return await call.look(unit)


@post(
    "/v1/subjects/{subject:str}/withdrawals", opt=admits("recorder"), operation_id="subjects.withdraw", tags=["People"]
)
async def withdraw(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    subject: FromPath[str],
    data: JSONBody[WithdrawConsent],
) -> Response[Recorded]:
    """Withdraw. Once this is answered, every question on every node is denied."""
    body = subject.encode() + b"\0" + await request.body()
    return answered(await call.create(calls.withdraw(call.services, subject, data), body))


@get("/v1/subjects/{subject:str}/history", opt=admits("officer"), operation_id="subjects.history", tags=["People"])
async def history(
    call: NamedDependency[Call],
    subject: FromPath[str],
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> HistoryPage:
    """The person's records, newest first, opened. Needs a permit for purpose `dsar`, which is an entry of its own."""
    page = await history_of(call, raw(subject, "sub"), cursor, limit)
    if isinstance(page, Answer):
        if page.reason == "no_subject":
            raise NoSubject
        raise AccessDenied(page.reason)
    return page


@put(
    "/v1/subjects/{subject:str}/relations/{ref:str}",
    opt=admits("recorder"),
    operation_id="subjects.relate",
    tags=["People"],
)
async def relate(
    call: NamedDependency[Call], subject: FromPath[str], ref: FromPath[str], data: JSONBody[Relation]
) -> RelationState:
    """Record or replace a relation, on which the bases contract and public task rest."""
    person = raw(subject, "sub")
    start, until = (parse_instant(each) if each else None for each in (data.start, data.until))

    def unit(tx: Tx) -> Work[RelationState]:
        catalogue = call.configuration.catalogue
        registry = call.services.registry
        return (
            yield from registry.relate(tx, catalogue, person, ref, data.kind, data.purposes, start, until, data.source)
        )

    return await call.run(unit)


@put(
    "/v1/subjects/{subject:str}/jurisdictions/{code:str}",
    opt=admits("recorder"),
    operation_id="subjects.place",
    tags=["People"],
)
async def place(
    call: NamedDependency[Call], subject: FromPath[str], code: FromPath[str], data: JSONBody[Place]
) -> Placed:
    """Record that a jurisdiction applies to the person, and how that is known."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[Placed]:
        return Placed(subject, code, (yield from call.services.registry.place(tx, person, code, data.source)))

    return await call.run(unit)


@post(
    "/v1/subjects/{subject:str}/links", opt=admits("recorder", "officer"), operation_id="subjects.link", tags=["People"]
)
async def link(
    request: Request[Any, Any, Any], call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[LinkWanted]
) -> Response[LinkMade]:
    """A one-time address at which this very person sees and changes their choices. Send it to nobody else."""
    person, configuration = raw(subject, "sub"), call.configuration
    if data.site and data.site not in configuration.sites:
        raise UnknownSite("not-found", "There is no such site.")
    base = address_for(call.services.settings, configuration, data.site)
    lasts = data.ttl_s if data.ttl_s is not None else SIGNED_IN_S if data.signed_in else LINK_TERM_S
    if data.signed_in and lasts > SIGNED_IN_S:
        raise LinkTooLong

    def unit(tx: Tx) -> Work[LinkMade]:
        assurance: Any = "session" if data.signed_in else "link"
        made = yield from call.services.registry.create_link(tx, person, lasts, assurance)
        code = f"{tx.context.tenant}.{made.code}"
        return LinkMade(f"{base}/p/#{code}", made.expires_at, code)

    body = subject.encode() + b"\0" + await request.body()
    return answered(await call.create(unit, body))


async def history_of(call: Call, person: bytes, cursor: str | None = None, limit: int = 50) -> HistoryPage | Answer:
    """A page of a person's records after a permit to read them; without one the refusal, which is an entry too."""
    services = call.services

    def unit(tx: Tx) -> Work[HistoryPage | Answer]:
        ask = rights_question(tx.context.actor, person, "read")
        answer = yield from services.engine.evaluate(tx, call.configuration.policy, ask)
        if answer.permit is None:
            return answer
        return (yield from services.registry.history(tx, person, answer.permit, cursor=cursor, limit=limit))

    return await call.alone(unit)


handlers: list[BaseRouteHandler] = [resolve, state, withdraw, history, relate, place, link]
