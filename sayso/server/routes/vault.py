"""Identity data: stored as tokens, shown only after a decision, found without being shown."""

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from policies import Access
from sayso.kernel import Invalid, Tx, Work, nearest, raw, text
from sayso.server.auth import POLICY
from sayso.server.call import Call
from sayso.server.calls.revealing import (
    REVEALERS,
    Reveal,
    RevealContext,
    RevealResults,
    Word,
    question_of,
    revealed,
)
from sayso.server.configuration import Configuration
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits
from sayso.server.wiring import Services
from vault import ANY, SubjectFacts, Term

Value = Annotated[str, Meta(min_length=1, max_length=4096)]


class StoreRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Values of one person for one collection. `audience` names the client that may present the tokens, or `any`."""

    subject: str
    collection: Word
    fields: dict[Word, Value]
    audience: Word = ANY


class StoredRecord(Struct, frozen=True):
    """A token for each field: the same value for the same audience has the same token."""

    subject: str
    tokens: dict[str, str]
    entry: str


class SearchTerm(Struct, frozen=True, forbid_unknown_fields=True):
    """A field whose indexed value must be equal."""

    field: Word
    value: Value
    index: Word = "exact"


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    """People whose stored values equal all terms, for which purpose, and why."""

    collection: Word
    all: Annotated[list[SearchTerm], Meta(min_length=1)]
    purpose: str
    reason: Word
    limit: Annotated[int, Meta(ge=1, le=50)] = 50
    context: RevealContext = RevealContext()


class Found(Struct, frozen=True):
    subject: str


class SearchResults(Struct, frozen=True):
    """Who was found and may be used; never a value."""

    results: list[Found]
    entry: str


def demand_audience(configuration: Configuration, audience: str) -> None:
    """Raises `Invalid` (`unknown-audience`) unless it names a client, or all of them."""
    if audience != ANY and configuration.client(audience) is None:
        near = nearest(audience, configuration.registered)
        raise Invalid("unknown-audience", "The audience names no client.", nearest=near)


def facts_of(services: Services, tx: Tx, person: bytes) -> Work[SubjectFacts]:
    """What the registry knows of whom a value is to be stored for."""
    known = yield from services.registry.person(tx, person)
    return SubjectFacts(person, known is not None, known is not None and known.erased_at > 0)


@post("/v1/vault/records", opt=admits("vault_writer"), operation_id="vault.store", tags=["Vault"])
async def store(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[StoreRecord]
) -> Response[StoredRecord]:
    """Seal values under the person's own key and get tokens for them."""
    services, person = call.services, raw(data.subject, "sub")

    def unit(tx: Tx) -> Work[StoredRecord]:
        configuration = call.configuration
        demand_audience(configuration, data.audience)
        facts = yield from facts_of(services, tx, person)
        made = yield from services.vault.store(
            tx, configuration.collections, facts, data.collection, data.fields, data.audience
        )
        return StoredRecord(data.subject, made.tokens, made.entry)

    return answered(await call.create(unit, await request.body()))


@post(
    "/v1/vault/reveal",
    opt=admits(*REVEALERS) | documented(Reveal),
    operation_id="vault.reveal",
    tags=["Vault"],
    status_code=200,
)
async def reveal(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[RevealResults]:
    """Open tokens. Each result is decided by rules and by the person's own state, and is an entry of its own."""
    return answered(await revealed(call, await json_body(request)))


@post(
    "/v1/vault/search",
    opt=admits("vault_writer", "officer", POLICY),
    operation_id="vault.search",
    tags=["Vault"],
    status_code=200,
)
async def search(call: NamedDependency[Call], data: JSONBody[Search]) -> SearchResults:
    """Find people by value. Only those are told of whom the caller may use the fields searched, for that purpose."""
    terms = [Term(term.field, term.value, term.index) for term in data.all]

    def unit(tx: Tx) -> Work[SearchResults]:
        configuration = call.configuration
        hits = yield from call.services.vault.search(
            tx,
            configuration.collections,
            data.collection,
            terms,
            purpose=data.purpose,
            reason=data.reason,
            limit=data.limit,
        )
        asks = [
            Access(question_of(call, data.purpose, data.context, "use", category), subject=subject)
            for subject in hits.subjects
            for category in hits.categories
        ]
        allowed = set(hits.subjects)
        if asks:
            answers = yield from call.services.engine.evaluate_many(tx, configuration.policy, asks)
            allowed -= {ask.subject for ask, answer in zip(asks, answers, strict=True) if not answer.decision.allowed}
        found = [Found(text("sub", subject)) for subject in hits.subjects if subject in allowed]
        return SearchResults(found, hits.entry)

    return await call.alone(unit)


handlers: list[BaseRouteHandler] = [store, reveal, search]
