"""Finding people by a stored value: the bodies, one look at the index for many searches, the unit that answers one.

Who may be found is looked up beside the flushes, once for all searches that wait. The unit then reads by key alone:
the sealed values of those few, which must be the ones asked for, and whether the rules let them be used.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from policies import Access
from sayso.kernel import Tx, Unit, Work, text
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY
from sayso.server.calls.revealing import RevealContext, Word, question_of
from sayso.server.calls.storing import Value
from sayso.server.idempotency import Answer
from vault import Sought, Term

FINDERS = ("vault_writer", "officer", POLICY)
"""Who may look for people by value."""


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


class FoundPerson(Struct, frozen=True):
    subject: str


class SearchResults(Struct, frozen=True):
    """Who was found and may be used; never a value."""

    results: list[FoundPerson]
    entry: str


_search = msgspec.json.Decoder(Search).decode
_encode = msgspec.json.Encoder().encode


async def found(call: Call, body: bytes) -> Answer:
    """`POST /v1/vault/search`, from the body's bytes to the answer's."""
    data = _search(body)
    candidates = await call.services.looks.having(call.context, _sought(call, data))
    return Answer(200, _encode(await call.run(_finding(call, data, candidates))))


def _sought(call: Call, data: Search) -> Sought:
    terms = [Term(term.field, term.value, term.index) for term in data.all]
    return call.services.vault.sought(call.tenant, call.configuration.collections, data.collection, terms, data.limit)


def _finding(call: Call, data: Search, candidates: list[bytes]) -> Unit[SearchResults]:
    def unit(tx: Tx) -> Work[SearchResults]:
        configuration, services = call.configuration, call.services
        # As it is meant under what is in force now; whom the index named is checked against their values anyway.
        sought = _sought(call, data)
        hits = yield from services.vault.search(tx, sought, candidates, purpose=data.purpose, reason=data.reason)
        seq = data.context.at_least_seq
        asks = [
            Access(question_of(call, data.purpose, data.context, "use", category), subject=subject, at_least_seq=seq)
            for subject in hits.subjects
            for category in hits.categories
        ]
        allowed = set(hits.subjects)
        if asks:
            answers = yield from services.engine.evaluate_many(tx, configuration.policy, asks)
            allowed -= {ask.subject for ask, answer in zip(asks, answers, strict=True) if not answer.decision.allowed}
        people = [FoundPerson(text("sub", subject)) for subject in hits.subjects if subject in allowed]
        return SearchResults(people, hits.entry)

    return unit
