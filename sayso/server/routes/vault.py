"""Identity data: stored as tokens, shown only after a decision, found without being shown."""

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from policies import Access, Question
from sayso.kernel import Invalid, TooLarge, Tx, Work, nearest, raw, text
from sayso.server.auth import POLICY
from sayso.server.call import Call
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits
from vault import ANY, Ask, Revealed, SubjectFacts, Term

MOST_ITEMS = 100
"""Tokens in one reveal."""

Word = Annotated[str, Meta(min_length=1, max_length=200)]
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


class RevealItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One token, perhaps with a mask of the caller's own wish."""

    token: Annotated[str, Meta(max_length=200)]
    transform: Word | None = None


class RevealContext(Struct, frozen=True, forbid_unknown_fields=True):
    """What the caller says besides, as in an evaluation."""

    channel: str | None = None
    jurisdiction: str | None = None
    relation: str | None = None
    case: str | None = None
    supported_obligations: tuple[str, ...] = ()
    at_least_seq: str = ""


class Reveal(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens to open, for which purpose, and why in the caller's words."""

    items: Annotated[list[RevealItem], Meta(min_length=1)]
    purpose: str
    reason: Word
    context: RevealContext = RevealContext()


class RevealResult(Struct, frozen=True):
    """A value, or `unresolvable` for whichever reason; the entry in the log either way."""

    entry: str
    value: str | UnsetType = UNSET
    code: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"<RevealResult {self.entry}>"


class RevealResults(Struct, frozen=True):
    """In the order asked."""

    results: list[RevealResult]


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


@post("/v1/vault/records", opt=admits("vault_writer"), operation_id="vault.store", tags=["Vault"])
async def store(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[StoreRecord]
) -> Response[StoredRecord]:
    """Seal values under the person's own key and get tokens for them."""
    services, person = call.services, raw(data.subject, "sub")

    def unit(tx: Tx) -> Work[StoredRecord]:
        configuration = call.configuration
        if data.audience != ANY and configuration.client(data.audience) is None:
            near = nearest(data.audience, configuration.registered)
            raise Invalid("unknown-audience", "The audience names no client.", nearest=near)
        known = yield from services.registry.person(tx, person)
        facts = SubjectFacts(person, known is not None, known is not None and known.erased_at > 0)
        made = yield from services.vault.store(
            tx, configuration.collections, facts, data.collection, data.fields, data.audience
        )
        return StoredRecord(data.subject, made.tokens, made.entry)

    return answered(await call.create(unit, await request.body()))


@post("/v1/vault/reveal", opt=admits("officer", POLICY), operation_id="vault.reveal", tags=["Vault"], status_code=200)
async def reveal(call: NamedDependency[Call], data: JSONBody[Reveal]) -> RevealResults:
    """Open tokens. Each result is decided by rules and by the person's own state, and is an entry of its own."""
    if len(data.items) > MOST_ITEMS:
        raise TooLarge("too-many-items", f"One call opens {MOST_ITEMS} tokens at most.", limit=MOST_ITEMS)

    def unit(tx: Tx) -> Work[RevealResults]:
        results = []
        for item in data.items:
            results.append((yield from _revealed(call, tx, data, item)))
        return RevealResults(results)

    return await call.run(unit)


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
            Access(_question(call, data.purpose, data.context, "use", category), subject=subject)
            for subject in hits.subjects
            for category in hits.categories
        ]
        allowed = set(hits.subjects)
        if asks:
            answers = yield from call.services.engine.evaluate_many(tx, configuration.policy, asks)
            allowed -= {ask.subject for ask, answer in zip(asks, answers, strict=True) if answer.permit is None}
        found = [Found(text("sub", subject)) for subject in hits.subjects if subject in allowed]
        return SearchResults(found, hits.entry)

    return await call.alone(unit)


def _revealed(call: Call, tx: Tx, data: Reveal, item: RevealItem) -> Work[RevealResult]:
    """Locate, decide, open: with the same reads and the same work whether or not there is anything to open."""
    services, configuration = call.services, call.configuration
    located = yield from services.vault.locate(tx, configuration.collections, item.token)
    question = _question(call, data.purpose, data.context, "reveal", located.category)
    answer = yield from services.engine.judge(
        tx, configuration.policy, Access(question, subject=located.subject, at_least_seq=data.context.at_least_seq)
    )
    ask = Ask(
        purpose=_declared(configuration.purposes, data.purpose),
        reason=data.reason,
        transform=item.transform,
        policy=answer.policy,
        why="" if answer.decision.allowed else answer.decision.reason,
    )
    done = yield from services.vault.reveal(tx, located, answer.permit, ask)
    if isinstance(done, Revealed):
        return RevealResult(done.entry, value=done.value)
    return RevealResult(done.entry, code="unresolvable")


def _question(call: Call, purpose: str, context: RevealContext, action: str, category: str) -> Question:
    actor = call.principal.actor
    return Question(
        roles=actor.roles,
        action=action,
        category=category,
        purpose=purpose or actor.default_purpose,
        jurisdiction=context.jurisdiction,
        channel=context.channel,
        relation=context.relation,
        case=context.case,
        supported=frozenset(context.supported_obligations),
    )


def _declared(purposes: dict[str, Any], name: str) -> str:
    """A purpose as it may stand in a leaf: only declared names do."""
    return name if name in purposes or name == "dsar" else "-"


handlers: list[BaseRouteHandler] = [store, reveal, search]
