"""The evidence pack of one rights request: what was asked, by when it was due and under which law, who made sure who
asks, what every system answered, the certificate, and each step's log entry with its proof. An evidence bundle
(docs/formats/bundle.md) like any other, so the same verifiers check it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from litestar.response import Stream
from msgspec import Struct
from msgspec.structs import replace

from audit import (
    AuditEvent,
    Content,
    EntryPruned,
    Export,
    Indexed,
    NotIntegrated,
    Opener,
    Order,
    Selection,
    print_trust,
    written,
)
from policies import AccessDenied, Answer, rights_question
from rights import EVIDENCE, NothingPlanned, NotShredded, RequestView, kind_named, law_named, row_of
from sayso.kernel import LOG, Key, Tx, Work, new_raw, raw
from sayso.server.call import Call
from sayso.server.own_entries import together

PATIENCE_S: Final = 10.0
"""How long a pack waits for the log to take its own entry in."""

_USES: Final = ("receipt", "certificate")

READING = """One rights request, with its evidence
=====================================

request.json     the request as it stands: kind, law, state, dates, how it was known who asks, rests, extension, appeal
law.json         what the law says about this kind of request: terms, longer term, for what the clock may rest, sources
plan.json        what an erasure would do, while it is not done
systems.json     what every other system answered; `waived` ones were closed without it, for the reason that is given
certificate.jws  the signed statement of what was erased, what stays and on which ground

pruned.json      where there are any: steps whose entries are no longer in the log, since their time there was over

Steps, in order, stand in entries.jsonl: received, asked to show who they are, known, extended or refused, answered.
Each entry's time is that of the log, which nobody can change afterwards. A deadline was kept when the entry of the
answer is not later than `due_on` in request.json, until 24:00 in the zone named there; law.json says how that day
follows from `received_at`. The last entry is the one of this very export.

To check: README.txt. The certificate can also be checked by itself: python3 sayso_verify.py certificate.jws
"""


class _Pack(Struct, frozen=True):
    """What goes in: files beside the entries, the entries, and the keys that open what may be seen."""

    files: dict[str, bytes]
    entries: tuple[str, ...]
    keys: dict[bytes, Key | None]
    entry: str


class _Head(Struct, frozen=True):
    size: int
    note: bytes
    indexes: list[int]


class _Files:
    """The files of a pack, as a report adds them to a bundle."""

    formats: tuple[str, ...] = ("bundle",)
    reads_leaves: bool = False
    types: tuple[str, ...] = ()

    def __init__(self, held: dict[str, bytes]) -> None:
        self._held = held

    def fitting(self, hits: Sequence[Indexed]) -> int:
        """All of them."""
        return len(hits)

    def gather(self, tx: Tx, hits: Sequence[Indexed]) -> Work[bytes]:
        """Nothing: the entries were chosen at once."""
        yield ()
        return b""

    async def files(self, content: Content) -> AsyncIterator[tuple[str, bytes]]:
        """The request, its law, its plan, its systems, its certificate."""
        for each in self._held.items():
            yield each

    async def written(self, content: Content) -> AsyncIterator[bytes]:
        """The bundle."""
        async for piece in written(content):
            yield piece


class _PackContent(Content):
    """A bundle whose entries were chosen at once."""

    chosen: list[int]

    async def parts(self) -> AsyncIterator[tuple[list[int], bytes]]:
        yield self.chosen, b""


async def evidence(call: Call, request: str) -> Stream:
    """The pack, once the log has the entry that says so. Raises `RequestNotFound`, `AccessDenied`, `NotIntegrated`."""
    gathered = await call.alone(lambda tx: _gathered(call, tx, request))
    if isinstance(gathered, Answer):
        raise AccessDenied(gathered.reason)
    heads = await _integrated(call, gathered.entries)
    bundles = []
    for log, head in heads.items():
        # What is not an entry lies beside those of the log that has the entry of this export.
        files = gathered.files if head is heads[next(iter(heads))] else {}
        bundles.append((log, await _bundle(call, replace(gathered, files=files), request, log, head)))
    content = together(bundles) if len(bundles) > 1 else bundles[0][1]
    headers = {"content-disposition": f'attachment; filename="{request}.zip"', "cache-control": "no-store"}
    return Stream(content, media_type="application/zip", headers=headers)


async def _bundle(call: Call, pack: _Pack, request: str, log: str, head: _Head) -> AsyncIterator[bytes]:
    services, at = call.services, call.context.at
    parts = "ads" if pack.keys else "ad"
    order = Order(
        "entries", "bundle", Selection(log), call.context.actor.id, pack.entry, parts, True, {"request": request}
    )
    made = Export(new_raw(), 0, "done", order, head.size, head.note, b"", b"", len(head.indexes), 0, "", at, at)
    vkey = await call.look(lambda tx: services.audit.vkey_of(tx, head.note, log))
    known = await call.look(services.audit.keys)
    signers = [public for use in _USES for _, public in services.keyring.published(call.tenant, use)]
    content = _PackContent(
        services.database,
        call.context,
        services.exports,
        made,
        lambda: Opener(services.keyring, call.tenant, parts, pack.keys),
        services.keyring,
        vkey,
        trust=print_trust(known, signers),
        policies={},
    )
    content.order = replace(order, what="rights_request")
    content.report = _Files(pack.files)
    content.chosen = head.indexes
    return content.report.written(content)


def _gathered(call: Call, tx: Tx, request: str) -> Work[_Pack | Answer]:
    """What the pack is made of, with the entry of this export in the same commit; or the rules' refusal."""
    desk, services = call.services.desk, call.services
    shown = yield from desk.request(tx, request)
    keys: dict[bytes, Key | None] = {}
    key: Key | None = None
    subject = raw(shown.subject, "sub") if shown.subject else None
    if subject is not None:
        (row,) = yield (services.keyring.read(tx, subject),)
        key = services.keyring.unwrap(call.tenant, subject, LOG, row)
    if subject is not None and key is not None:
        asked = rights_question(tx.context.actor, subject, "export")
        answer = yield from services.engine.evaluate(tx, call.configuration.policy, asked)
        if answer.permit is None:
            return answer
        keys[subject] = key
    files = yield from _files(call, tx, shown)
    event = AuditEvent(EVIDENCE, "ok", {"request": request, "kind": shown.kind}, subject)
    entry = services.audit.append(tx, event, key)
    steps = tuple(dict.fromkeys((*shown.entries, *(yield from desk.tasks.entries(tx, request)))))
    pruned = yield from _pruned(call, tx, steps)
    if pruned:
        files["pruned.json"] = _json(pruned)
    return _Pack(files, (*(each for each in steps if each not in pruned), entry), keys, entry)


def _pruned(call: Call, tx: Tx, entries: tuple[str, ...]) -> Work[list[str]]:
    """Those whose time in the log was over."""
    gone = []
    for each in entries:
        try:
            yield from call.services.audit.entry(tx, each)
        except EntryPruned:
            gone.append(each)
    return gone


def _files(call: Call, tx: Tx, shown: RequestView) -> Work[dict[str, bytes]]:
    desk, reach = call.services.desk, call.configuration.reach
    row, granted = row_of(law_named(shown.law), kind_named(shown.kind))
    law = {"law": shown.law, "kind": shown.kind, "granted_by_law": granted, "terms": row}
    files = {
        "REQUEST.txt": READING.encode(),
        "request.json": _json(shown),
        "law.json": _json(law),
        "systems.json": _json((yield from desk.tasks.certified(tx, shown.request))),
    }
    try:
        plan = yield from desk.planner.plan(tx, reach, shown.request)
        files["plan.json"] = _json(plan)
    except NothingPlanned:
        pass
    try:
        jws = yield from desk.certificate(tx, shown.request)
        files["certificate.jws"] = jws.encode()
    except NotShredded:
        pass
    return files


async def _integrated(call: Call, entries: tuple[str, ...]) -> dict[str, _Head]:
    """Where all of them stand, each log under one signed head, that of the last entry first. Waits for the integrator a
    while; raises `NotIntegrated`.
    """
    audit = call.services.audit

    def unit(tx: Tx) -> Work[dict[str, _Head] | None]:
        places: dict[str, list[int]] = {}
        for each in reversed(entries):
            found = yield from audit.entry(tx, each)
            if found.index is None:
                return None
            places.setdefault(found.log, []).append(found.index)
        heads = {}
        for log, indexes in places.items():
            size, note = yield from audit.head(tx, log)
            if max(indexes) >= size:
                return None
            heads[log] = _Head(size, note, sorted(indexes))
        return heads

    for _ in range(int(PATIENCE_S / 0.1)):
        heads = await call.look(unit)
        if heads is not None:
            return heads
        await asyncio.sleep(0.1)
    raise NotIntegrated


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"
