"""Tokens for what is in the vault already."""

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from sayso.kernel import Tx, Work, raw
from sayso.server.call import Call
from sayso.server.calls.revealing import Word
from sayso.server.calls.storing import StoredRecord, demand_audience, facts_of
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits
from vault import ANY


class IssueTokens(Struct, frozen=True, forbid_unknown_fields=True):
    """Fields of one person. `ttl` (ISO 8601) and `uses` bound the tokens more narrowly than the manifest does."""

    subject: str
    collection: Word
    fields: Annotated[list[Word], Meta(min_length=1, max_length=100)]
    audience: Word = ANY
    ttl: Annotated[str, Meta(max_length=40)] = ""
    uses: Annotated[int, Meta(ge=0, le=1000)] = 0


@post("/v1/vault/tokens", opt=admits("vault_writer"), operation_id="vault.tokens", tags=["Vault"])
async def issue(
    request: Request[Any, Any, Any], call: NamedDependency[Call], data: JSONBody[IssueTokens]
) -> Response[StoredRecord]:
    """Tokens for stored values, without showing any. A field that holds nothing gets none.

    The same value for the same audience has the same token; one that ends by itself is new each time.
    """
    services, person = call.services, raw(data.subject, "sub")

    def unit(tx: Tx) -> Work[StoredRecord]:
        configuration = call.configuration
        demand_audience(configuration, data.audience)
        facts = yield from facts_of(services, tx, person)
        made = yield from services.vault.issue(
            tx,
            configuration.collections,
            facts,
            data.collection,
            data.fields,
            data.audience,
            ttl=data.ttl,
            uses=data.uses,
        )
        return StoredRecord(data.subject, made.tokens, made.entry)

    return answered(await call.create(unit, await request.body()))


handlers: list[BaseRouteHandler] = [issue]
