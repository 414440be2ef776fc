"""Text without identity data, for a data lake, a search index, a model."""

import asyncio
from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from sayso.kernel import Invalid, Tx, Work, raw
from sayso.server.call import Call
from sayso.server.calls.revealing import Word
from sayso.server.calls.storing import demand_audience, facts_of
from sayso.server.routes.gate import admits
from vault import ANY, SubjectFacts, collection_of, find


class RedactText(Struct, frozen=True, forbid_unknown_fields=True):
    """A text, perhaps with whom it is, where that person's values are stored, and whom the tokens are for.

    `region` (ISO 3166) is where telephone numbers without a country code belong.
    """

    text: Annotated[str, Meta(max_length=100_000)]
    subject: str | None = None
    collection: Word | None = None
    audience: Word = ANY
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None


class Found(Struct, frozen=True):
    """One value that stood in the text: characters `start` to `end` of it as it was sent."""

    kind: str
    start: int
    end: int
    token: str


class RedactedText(Struct, frozen=True):
    """The text with tokens in it."""

    text: str
    found: list[Found]
    entry: str

    def __repr__(self) -> str:
        return f"<RedactedText {self.entry}>"


@post("/v1/vault/redact", opt=admits("vault_writer"), operation_id="vault.redact", tags=["Vault"], status_code=200)
async def redact(call: NamedDependency[Call], data: JSONBody[RedactText]) -> RedactedText:
    """Replace e-mail addresses, telephone and card numbers, IBANs, resident and tax numbers, IP addresses by tokens.

    Of a known person the same value has the same token in every text; names and street addresses are not found.
    """
    if data.subject is None and data.collection is not None:
        raise Invalid("redact-for-whom", "A collection goes with the person whose values it holds.")
    subject = raw(data.subject, "sub") if data.subject is not None else None
    # A long letter takes a while, and the others should not wait for it.
    findings = await asyncio.to_thread(find, data.text, data.region)

    def unit(tx: Tx) -> Work[RedactedText]:
        configuration, facts = call.configuration, None
        demand_audience(configuration, data.audience)
        collection = collection_of(configuration.collections, data.collection) if data.collection else None
        if subject is not None:
            known: SubjectFacts = yield from facts_of(call.services, tx, subject)
            facts = known
        done = yield from call.services.vault.redact(
            tx, data.text, findings, facts=facts, collection=collection, audience=data.audience
        )
        found = [Found(each.kind, each.start, each.end, token) for each, token in done.found]
        return RedactedText(done.text, found, done.entry)

    return await call.run(unit)


handlers: list[BaseRouteHandler] = [redact]
