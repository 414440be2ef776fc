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
    Indexed,
    LogHead,
    LogPlace,
    NotIntegrated,
    Order,
    Selection,
    written,
)
from policies import AccessDenied, Answer, rights_question
from rights import EVIDENCE, NothingPlanned, NotShredded, RequestView, kind_named, law_named, row_of
from sayso.kernel import LOG, Key, Tx, Work, raw
from sayso.server.call import Call
from sayso.server.logkeeping.exporting import chosen

PATIENCE_S: Final = 10.0
"""How long a pack waits for the log to take its own entry in."""

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


async def evidence(call: Call, request: str) -> Stream:
    """The pack, once the log has the entry that says so. Raises `RequestNotFound`, `AccessDenied`, `NotIntegrated`."""
    gathered = await call.alone(lambda tx: _gathered(call, tx, request))
    if isinstance(gathered, Answer):
        raise AccessDenied(gathered.reason)
    heads, places = await _integrated(call, gathered.entries)
    by, parts = call.context.actor.id, "ads" if gathered.keys else "ad"
    order = Order("entries", "bundle", Selection(), by, gathered.entry, parts, True, {"request": request})
    content = await chosen(call, order, heads, places, gathered.keys)
    content.order = replace(order, what="rights_request")
    content.report = _Files(gathered.files)
    headers = {"content-disposition": f'attachment; filename="{request}.zip"', "cache-control": "no-store"}
    return Stream(content.report.written(content), media_type="application/zip", headers=headers)


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


async def _integrated(call: Call, entries: tuple[str, ...]) -> tuple[list[LogHead], list[LogPlace]]:
    """Where all of them stand, in the order of time, and under which heads. Waits for the integrator a while; raises
    `NotIntegrated`.
    """

    def unit(tx: Tx) -> Work[tuple[list[LogHead], list[LogPlace]] | None]:
        places = []
        for each in entries:
            found = yield from call.services.audit.entry(tx, each)
            if found.index is None:
                return None
            # An id begins with its millisecond; within one the log's own order decides.
            places.append((raw(each, "ent")[:6], LogPlace(found.log, found.index)))
        heads, held = yield from call.services.exports.under(tx, [place for _, place in sorted(places)])
        return (heads, held) if len(held) == len(places) else None

    for _ in range(int(PATIENCE_S / 0.1)):
        found = await call.look(unit)
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    raise NotIntegrated


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"
