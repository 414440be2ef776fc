"""Identity data: stored as tokens, shown only after a decision, found without being shown.

All three are hot calls (`hot.py`); here stand their twins.
"""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from sayso.server.call import Call
from sayso.server.calls.finding import FINDERS, Search, SearchResults, found
from sayso.server.calls.revealing import REVEALERS, Reveal, RevealResults, revealed
from sayso.server.calls.storing import WRITERS, StoredRecord, StoreRecord, stored
from sayso.server.routes.answers import answered
from sayso.server.routes.bodies import documented, json_body
from sayso.server.routes.gate import admits


@post(
    "/v1/vault/records",
    opt=admits(*WRITERS) | documented(StoreRecord),
    operation_id="vault.store",
    tags=["Vault"],
)
async def store(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[StoredRecord]:
    """Seal values under the person's own key and get tokens for them."""
    return answered(await stored(call, await json_body(request)))


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
    opt=admits(*FINDERS) | documented(Search),
    operation_id="vault.search",
    tags=["Vault"],
    status_code=200,
)
async def search(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Response[SearchResults]:
    """Find people by value. Only those are told of whom the caller may use the fields searched, for that purpose."""
    return answered(await found(call, await json_body(request)))


handlers: list[BaseRouteHandler] = [store, reveal, search]
