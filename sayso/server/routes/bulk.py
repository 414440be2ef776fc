"""Opening tokens by the thousand: lines in, lines out, in the same order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.response import Stream

from sayso.kernel import Invalid, TooLarge, Tx, Work
from sayso.server.call import Call
from sayso.server.calls.revealing import REVEALERS, RevealItem, RevealResult, Wanted, granted, judged_each
from sayso.server.routes.gate import admits
from vault import token_in

T = TypeVar("T")

MOST_LINES: Final = 50_000
"""Tokens in one call."""

CHUNK: Final = 250
"""Tokens that are opened side by side and share an entry."""

NDJSON: Final = "application/x-ndjson"
"""The media type of lines of JSON."""

_head = msgspec.json.Decoder(Wanted).decode
_item = msgspec.json.Decoder(RevealItem).decode
_lines = msgspec.json.Encoder().encode_lines

Named = tuple[RevealItem, str | None]
"""An item and the token that it names, None where that is none."""


@post("/v1/vault/bulk", opt=admits(*REVEALERS), operation_id="vault.bulk", tags=["Vault"], status_code=200)
async def bulk(request: Request[Any, Any, Any], call: NamedDependency[Call]) -> Stream:
    """Open many tokens. NDJSON: the first line says purpose and reason as a reveal does, each further one is an item.

    The answer has a line for each item, in order, with its value or `unresolvable`, and the entry of its chunk. A
    `grant` covers all tokens of the call.
    """
    wanted, items = _read(await request.body())
    first = await _opened(call, wanted, items, _chunks(items))
    return Stream(first, media_type=NDJSON)


async def _opened(
    call: Call, wanted: Wanted, items: list[RevealItem], chunks: Iterator[list[Named]]
) -> AsyncIterator[bytes]:
    """The lines of the answer. The first chunk is opened before it begins: what is wrong is told by a status."""
    approved = await call.run(lambda tx: granted(call, tx, wanted, items)) if wanted.grant else False
    start = await _chunk(call, wanted, next(chunks), approved)
    if approved:
        # What a second person approved of opens once, now: not whenever a slow reader comes to it.
        start += b"".join([await _chunk(call, wanted, chunk, approved) for chunk in chunks])

    async def lines() -> AsyncIterator[bytes]:
        ready: asyncio.Future[bytes] | None = None
        try:
            yield start
            for chunk in chunks:
                # While one is written down and sent, the next is decided.
                before, ready = ready, asyncio.ensure_future(_chunk(call.later(), wanted, chunk, approved))
                if before is not None:
                    yield await before
            if ready is not None:
                yield await ready
        finally:
            # Whoever went away leaves a chunk behind that nobody waits for.
            if ready is not None:
                ready.cancel()

    return lines()


async def _chunk(call: Call, wanted: Wanted, items: list[Named], approved: bool) -> bytes:
    def unit(tx: Tx) -> Work[list[RevealResult]]:
        asked = yield from judged_each(call, tx, wanted, items, approved)
        values, entry = yield from call.services.vault.reveal_many(tx, asked)
        return [
            RevealResult(entry, code="unresolvable") if value is None else RevealResult(entry, value=value)
            for value in values
        ]

    return _lines(await call.run(unit))


def _read(body: bytes) -> tuple[Wanted, list[RevealItem]]:
    """Raises `Invalid` (`malformed`), which names the line, and `TooLarge`."""
    lines = body.split(b"\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    if len(lines) - 1 > MOST_LINES:
        raise TooLarge("too-many-items", f"One call opens {MOST_LINES} tokens at most.", limit=MOST_LINES)
    wanted = parsed(_head, lines[0], 1)
    items = all_parsed(_item, lines[1:], 2)
    if not items:
        raise Invalid("malformed", "There is no token behind the first line.", at="line 2")
    return wanted, items


def all_parsed(decode: Callable[[bytes], T], lines: list[bytes], first: int) -> list[T]:
    """Many lines of a body, the first of which has this number. Raises as `parsed` does."""
    try:
        return [decode(line) for line in lines]
    except msgspec.DecodeError:
        # Which one it was is looked for only now.
        return [parsed(decode, line, number) for number, line in enumerate(lines, first)]


def parsed(decode: Callable[[bytes], T], line: bytes, number: int) -> T:
    """A line of a body. Raises `Invalid` (`malformed`), which names the line."""
    try:
        return decode(line)
    except msgspec.DecodeError:
        raise Invalid("malformed", "A line has not the declared shape.", at=f"line {number}") from None


def _chunks(items: list[RevealItem]) -> Iterator[list[Named]]:
    """Chunks in which no token comes twice: one that ends with its use is not opened twice side by side."""
    chunk: list[Named] = []
    seen: set[str] = set()
    for item in items:
        token = token_in(item.token)
        name = token or item.token
        if len(chunk) == CHUNK or name in seen:
            yield chunk
            chunk, seen = [], set()
        chunk.append((item, token))
        seen.add(name)
    yield chunk


handlers: list[BaseRouteHandler] = [bulk]
