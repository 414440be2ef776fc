"""Storing records by the hundred: lines in, lines out, in the same order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Final

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.response import Stream
from msgspec import UNSET, Struct, UnsetType

from sayso.kernel import Invalid, SaysoError, TooLarge, raw
from sayso.server.call import Call
from sayso.server.calls.revealing import Word
from sayso.server.calls.storing import WRITERS, StoredRecord, StoreRecord, Value, demand_audience, stored_record
from sayso.server.routes.bulk import NDJSON, all_parsed, parsed
from sayso.server.routes.gate import admits
from vault import ANY, collection_of

MOST_LINES: Final = 50_000
"""Records in one call."""

CHUNK: Final = 256
"""Records that go into a flush side by side."""


class RecordsHead(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: what all records of the call have in common."""

    collection: Word
    audience: Word = ANY


class RecordLine(Struct, frozen=True, forbid_unknown_fields=True):
    """Each further line: one person's values."""

    subject: str
    fields: dict[Word, Value]


class RecordResult(Struct, frozen=True):
    """The tokens and the entry of a record, or the slug of what was wrong with it."""

    subject: str
    tokens: dict[str, str] | UnsetType = UNSET
    entry: str | UnsetType = UNSET
    code: str | UnsetType = UNSET


_head = msgspec.json.Decoder(RecordsHead).decode
_record = msgspec.json.Decoder(RecordLine).decode
_encode_lines = msgspec.json.Encoder().encode_lines


@post("/v1/vault/records/bulk", opt=admits(*WRITERS), operation_id="vault.store_many", tags=["Vault"], status_code=200)
async def store_many(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Stream:
    """Store many records. NDJSON: the first line names the collection and the audience, each further one a person and
    their values. The answer has a line for each, in order: tokens and entry, or what was wrong with that line; the
    others are stored all the same. Sent again, a record gets the tokens that it has.
    """
    head, records = _read(await request.body())
    configuration = call.configuration
    collection_of(configuration.collections, head.collection)
    demand_audience(configuration, head.audience)
    return Stream(_lines(call, head, records), media_type=NDJSON)


async def _lines(call: Call, head: RecordsHead, records: list[RecordLine]) -> AsyncIterator[bytes]:
    for first in range(0, len(records), CHUNK):
        chunk, part = records[first : first + CHUNK], call.later()
        made = await asyncio.gather(*[_stored(part, head, record) for record in chunk], return_exceptions=True)
        yield _encode_lines([_told(record, outcome) for record, outcome in zip(chunk, made, strict=True)])


def _stored(call: Call, head: RecordsHead, record: RecordLine) -> Awaitable[StoredRecord]:
    """One record in a unit of its own, which shares its flush with the others: a bad one fails alone."""
    try:
        person = raw(record.subject, "sub")
        data = StoreRecord(record.subject, head.collection, record.fields, head.audience)
        return call.run(lambda tx: stored_record(call, tx, data, person))
    except SaysoError as error:
        refused: asyncio.Future[StoredRecord] = asyncio.get_running_loop().create_future()
        refused.set_exception(error)
        return refused


def _told(record: RecordLine, outcome: StoredRecord | BaseException) -> RecordResult:
    """The line about a record. Raises what is no refusal but a fault of ours."""
    if isinstance(outcome, SaysoError):
        return RecordResult(record.subject, code=outcome.slug)
    if isinstance(outcome, BaseException):
        raise outcome
    return RecordResult(record.subject, outcome.tokens, outcome.entry)


def _read(body: bytes) -> tuple[RecordsHead, list[RecordLine]]:
    """Raises `Invalid` (`malformed`), which names the line, and `TooLarge`."""
    lines = body.split(b"\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    if len(lines) - 1 > MOST_LINES:
        raise TooLarge("too-many-items", f"One call stores {MOST_LINES} records at most.", limit=MOST_LINES)
    if len(lines) == 1:
        raise Invalid("malformed", "There is no record behind the first line.", at="line 2")
    head = parsed(_head, lines[0], 1)
    return head, all_parsed(_record, lines[1:], 2)


handlers: list[BaseRouteHandler] = [store_many]
