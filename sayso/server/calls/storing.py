"""Storing identity data: the bodies, and the units that do it for one person or for many."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sayso.kernel import Invalid, Tx, Work, nearest, raw
from sayso.server.call import Call
from sayso.server.calls.revealing import Word
from sayso.server.idempotency import Answer
from sayso.server.manifests.configuration import Configuration
from sayso.server.wiring import Services
from vault import ANY, SubjectFacts

WRITERS = ("vault_writer",)
"""Who may store values."""

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


_record = msgspec.json.Decoder(StoreRecord).decode


async def stored(call: Call, body: bytes) -> Answer:
    """`POST /v1/vault/records`, from the body's bytes to the answer's."""
    data = _record(body)
    person = raw(data.subject, "sub")

    def unit(tx: Tx) -> Work[StoredRecord]:
        return stored_record(call, tx, data, person)

    return await call.create(unit, body)


def stored_record(call: Call, tx: Tx, data: StoreRecord, person: bytes) -> Work[StoredRecord]:
    """Seal the values of one person, and tell the log."""
    configuration = call.configuration
    demand_audience(configuration, data.audience)
    facts = yield from facts_of(call.services, tx, person)
    made = yield from call.services.vault.store(
        tx, configuration.collections, facts, data.collection, data.fields, data.audience
    )
    return StoredRecord(data.subject, made.tokens, made.entry)


def demand_audience(configuration: Configuration, audience: str) -> None:
    """Raises `Invalid` (`unknown-audience`) unless it names a client, or all of them."""
    if audience != ANY and configuration.client(audience) is None:
        near = nearest(audience, configuration.registered)
        raise Invalid("unknown-audience", "The audience names no client.", nearest=near)


def facts_of(services: Services, tx: Tx, person: bytes) -> Work[SubjectFacts]:
    """What the registry knows of whom a value is to be stored for."""
    known = yield from services.registry.person(tx, person)
    return SubjectFacts(person, known is not None, known is not None and known.erased_at > 0)
