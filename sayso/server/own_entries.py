"""All entries about one person, for that person: with the openings they may see, each with its proof.

Who acted stands in an opening with a name and an id; a person sees roles, so that part stays closed but for their own
acts. The tag key finds all their entries in the exported log: whoever holds it can check that none was left out.
"""

import asyncio
import base64
import zipfile
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from audit import (
    MAIN,
    TAG_KEY_HANDED_OUT,
    AuditEvent,
    Content,
    Drain,
    Export,
    Opener,
    Order,
    Selection,
    print_trust,
    tag_key_of,
    written,
)
from policies import Answer, rights_question
from sayso.kernel import LOG, Key, NotFound, Tx, Work, new_raw, text
from sayso.server.call import Call

_PARTS: Final = "ds"
_BLOCK: Final = 4_096
_USES: Final = ("receipt", "certificate")


class TagKey(Struct, frozen=True):
    """What finds all entries about a person in a log: 32 bytes in base64, and how to use them."""

    subject: str
    tag_key: str
    how: str = "python3 -I sayso_verify.py LOG --tag-key FILE"


class OwnLog(Struct, frozen=True):
    """Where in one log the entries about a person stand, oldest first."""

    indexes: list[int]
    export: Export


class Own(Struct, frozen=True):
    """The keys of every id the person goes by, and the logs that hold entries about them."""

    keys: dict[bytes, Key]
    logs: dict[str, OwnLog]


class _OwnContent(Content):
    """A bundle whose entries were chosen at once."""

    chosen: list[int]

    async def parts(self) -> AsyncIterator[tuple[list[int], bytes]]:
        for start in range(0, len(self.chosen), _BLOCK):
            yield self.chosen[start : start + _BLOCK], b""


def own_entries(call: Call, tx: Tx, subject: bytes) -> Work[Own | Answer]:
    """What there is, after a permit to export it, which is an entry; without one the refusal."""
    services = call.services
    answer = yield from _asked(call, tx, subject)
    if answer.permit is None:
        return answer
    keys = yield from _keys(call, tx, subject)
    told, by, at = {"subject": text("sub", subject)}, tx.context.actor.id, tx.context.at
    found: dict[str, OwnLog] = {}
    for log, (size, note, indexes) in (yield from services.audit.indexes_about(tx, tuple(keys))).items():
        order = Order("entries", "bundle", Selection(log, subjects=tuple(keys)), by, "", _PARTS, True, told)
        made = Export(new_raw(), 0, "done", order, size, note, b"", b"", len(indexes), 0, "", at, at)
        found[log] = OwnLog(indexes, made)
    return Own(keys, found)


async def bundle(call: Call, own: Own) -> AsyncIterator[bytes]:
    """The evidence bundle of a person's own entries. Where they lie in several logs, a zip of one bundle for each."""
    if len(own.logs) == 1:
        return await _bundle(call, own.keys, MAIN, own.logs[MAIN])
    return together([(log, await _bundle(call, own.keys, log, each)) for log, each in own.logs.items()])


async def together(bundles: list[tuple[str, AsyncIterator[bytes]]]) -> AsyncIterator[bytes]:
    """One zip of the bundles of several logs."""
    sink = Drain()
    archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED)
    for log, pieces in bundles:
        with archive.open(f"{log}.zip", "w", force_zip64=True) as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
                yield sink.taken()
    archive.close()
    yield sink.taken()


async def _bundle(call: Call, keys: dict[bytes, Key], log: str, own: OwnLog) -> AsyncIterator[bytes]:
    services = call.services
    vkey = await call.look(lambda tx: services.audit.vkey_of(tx, own.export.note, log))
    known = await call.look(services.audit.keys)
    signers = [public for use in _USES for _, public in services.keyring.published(call.tenant, use)]
    content = _OwnContent(
        services.database,
        call.context,
        services.exports,
        own.export,
        lambda: Opener(services.keyring, call.tenant, _PARTS, keys),
        services.keyring,
        vkey,
        trust=print_trust(known, signers),
        policies={},
    )
    content.chosen = own.indexes
    return written(content)


def tag_key(call: Call, tx: Tx, subject: bytes) -> Work[TagKey | Answer]:
    """The person's tag key, after a permit to export, with an entry that says so. Raises `NotFound` without a key."""
    services = call.services
    answer = yield from _asked(call, tx, subject)
    if answer.permit is None:
        return answer
    key = (yield from _keys(call, tx, subject)).get(subject)
    if key is None:
        raise NotFound("not-found", "There is no such person.")
    services.audit.append(tx, AuditEvent(TAG_KEY_HANDED_OUT, "ok", {}, subject), key)
    return TagKey(text("sub", subject), base64.b64encode(tag_key_of(key)).decode())


def _asked(call: Call, tx: Tx, subject: bytes) -> Work[Answer]:
    """A person reads what is theirs; whoever does it for them exports it."""
    actor = tx.context.actor
    question = rights_question(actor, subject, "read" if actor.kind == "person" else "export")
    return (yield from call.services.engine.evaluate(tx, call.configuration.policy, question))


def _keys(call: Call, tx: Tx, subject: bytes) -> Work[dict[bytes, Key]]:
    services = call.services
    ids = (yield from services.registry.ids(tx, subject)) or (subject,)
    rows = yield tuple(services.keyring.read(tx, each) for each in ids)
    held = {each: services.keyring.unwrap(call.tenant, each, LOG, row) for each, row in zip(ids, rows, strict=True)}
    return {each: key for each, key in held.items() if key is not None}
