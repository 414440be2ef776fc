"""The evidence bundle: a zip that whoever holds it can check without us. `docs/formats/bundle.md` fixes its files.

It is written as it is sent. The list of its files, with their hashes, comes last and is signed.
"""

import asyncio
import base64
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, Final

import msgspec

from audit.exports.content import Content
from audit.exports.orders import LogHead
from audit.exports.paths import shared
from audit.exports.rows import Drain
from audit.jws import sign_jws
from audit.leaf.entry import Opening
from audit.offline import page as verifier_page
from audit.offline import program
from audit.reading.opening import Indexed
from sayso.kernel import iso

TYPE: Final = "evidence-bundle+jwt"
USE: Final = "certificate"
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
_FILE: Final = 0o644 << 16

_encode = msgspec.json.Encoder(order="deterministic").encode

README = """Evidence from a Sayso audit log
===============================

Nothing here has to be believed. To check it, in the folder of this file:

    python3 -I sayso_verify.py .                or the zip instead of the dot
    python3 -I sayso_verify.py . --trust KEYS   with the public keys that you got elsewhere, not with this bundle

or open verify.html in a browser and give it the zip; it asks no network. Exit code 0: sound. 1: broken, with the first
bad entry. 2: not something that can be judged. Read sayso_verify.py before you run it: it is one file, in plain Python.

entries.jsonl   the entries, one a line, exactly as they were hashed into the log
proofs.jsonl    for each, its index in the log and its inclusion proof under `checkpoint`
checkpoint      the signed head of the log (C2SP tlog-checkpoint); vkey is the key it was signed with
logs/           where entries are of several logs: these two and `stamped/` of each; a proof names its log
openings.jsonl  what of the entries' sealed parts you may see: r and payload of a commitment in the entry
stamped/        a head of the same log that a time-stamp authority stamped (RFC 3161), and the proof that joins the two
policies/       the rules that decided
keys.json       all public keys of the brand, to compare with those that you have from elsewhere
manifest.json   what was asked for and the hash of each file; manifest.jws is the same, signed

An entry says what happened and holds no personal data. Who it is about stands in it as a commitment and a blind tag; an
opening shows that a name belongs there, and can be destroyed while the entry and its proof stay valid.
"""


async def zipped(content: Content) -> AsyncIterator[bytes]:
    """The bundle's bytes, piece by piece."""
    sink, hashes, counts = Drain(), dict[str, str](), dict[str, int]()
    # A zip on a stream that cannot go back: sizes stand behind each file, as the format allows.
    archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED)
    async for name, pieces in _files(content, counts):
        held = zipfile.ZipInfo(name, _OLDEST)
        held.compress_type, held.external_attr = zipfile.ZIP_DEFLATED, _FILE
        total = sha256()
        with archive.open(held, "w", force_zip64=True) as file:
            async for piece in pieces:
                total.update(piece)
                await asyncio.to_thread(file.write, piece)
                yield sink.taken()
        hashes[name] = total.hexdigest()
    listed = _encode(_listed(content, hashes, counts))
    signed = sign_jws(content.signer.current(content.context.tenant, USE), TYPE, listed)
    for name, raw in (("manifest.json", listed), ("manifest.jws", signed.encode())):
        held = zipfile.ZipInfo(name, _OLDEST)
        held.external_attr = _FILE
        archive.writestr(held, raw)
    archive.close()
    yield sink.taken()


async def _files(content: Content, counts: dict[str, int]) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    yield "README.txt", _once(README.encode())
    yield "keys.json", _once(content.trust)
    for head in content.heads:
        async for name, raw in _head(content, head):
            yield f"logs/{head.log}/{name}" if len(content.heads) > 1 else name, _once(raw)
    yield "entries.jsonl", _entries(content, counts)
    yield "proofs.jsonl", _proofs(content)
    yield "openings.jsonl", _openings(content)
    for name, raw in content.policies.items():
        yield f"policies/{name}", _once(raw)
    async for name, raw in content.report.files(content):
        yield name, _once(raw)
    yield "sayso_verify.py", _once(program())
    yield "verify.html", _once(verifier_page())


async def _head(content: Content, head: LogHead) -> AsyncIterator[tuple[str, bytes]]:
    """What entries of one log are proven under."""
    yield "checkpoint", head.note
    yield "vkey", content.vkeys[head.log].line.encode() + b"\n"
    found = await content.stamped(head)
    if found is not None:
        yield "stamped/checkpoint", found.stamped.note
        yield "stamped/timestamp.tsr", found.stamped.response
        yield "stamped/consistency", b"".join(base64.b64encode(value) + b"\n" for value in found.proof)


async def _once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def _entries(content: Content, counts: dict[str, int]) -> AsyncIterator[bytes]:
    counts |= {head.log: 0 for head in content.heads}
    async for page in content.pages():
        for log, count in Counter(each.log for each in page).items():
            counts[log] += count
        yield b"".join(each.leaf + b"\n" for each in page)


async def _proofs(content: Content) -> AsyncIterator[bytes]:
    several, last = len(content.heads) > 1, dict[str, list[bytes]]()
    async for places, paths in content.proven():
        lines = []
        for place, path in zip(places, paths, strict=True):
            keep = shared(last.get(place.log, ()), path)
            own = [base64.b64encode(value).decode() for value in path[: len(path) - keep]]
            named = {"log": place.log} if several else {}
            lines.append(_encode({"hashes": own, "index": place.leaf, "keep": keep, **named}) + b"\n")
            last[place.log] = path
        yield b"".join(lines)


async def _openings(content: Content) -> AsyncIterator[bytes]:
    async for page, opened in content.opened():
        yield b"".join(
            _encode(_opening(each, one)) + b"\n" for each, parts in zip(page, opened, strict=True) for one in parts
        )


def _opening(each: Indexed, one: Opening) -> dict[str, str]:
    r = base64.b64encode(one.r).decode()
    return {"compartment": one.compartment, "entry": each.id, "payload": one.payload.decode(), "r": r}


def _listed(content: Content, hashes: dict[str, str], counts: dict[str, int]) -> dict[str, Any]:
    export, order, heads = content.export, content.order, content.heads
    logs = {
        head.log: {"entries": counts[head.log], "log": content.name_of(head.log), "size": head.size} for head in heads
    }
    one = logs[heads[0].log]
    return {
        "entries": sum(counts.values()),
        "entry": order.entry,
        "export": export.id,
        "files": hashes,
        "filter": order.told,
        "iss": str(one["log"]).rpartition("/")[0],
        **({"logs": logs} if len(logs) > 1 else {"log": one["log"], "size": one["size"]}),
        "made_at": iso(export.made_at),
        "opened_parts": order.parts,
        "tenant": content.context.tenant,
        "v": 1,
        "what": order.what,
    }
