"""The log for those who may read it: logs, entries, proofs."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from audit import (
    MAIN,
    Entry,
    NotIntegrated,
    NotWitnessed,
    Opening,
    Search,
    VerifierKey,
    WitnessKey,
    decode_leaf,
    folder_of,
    leaf_hash,
    print_trust,
)
from sayso.kernel import Tx, Work, iso
from sayso.server.call import Call
from sayso.server.callers.auth import OPERATOR
from sayso.server.logkeeping import exporting
from sayso.server.routes.gate import admits

PATIENCE_S = 2.0
"""How long `?wait=integrated` waits."""

WITNESS_PATIENCE_S = 15.0
"""How long `?wait=witnessed` waits."""

_POLL_S = 0.05

READERS = ("auditor", "officer")


class LogView(Struct, frozen=True, omit_defaults=True):
    """A log as it is announced. `log` stands in the addresses under /log, `vkey` checks its checkpoints. `ended`: it
    was closed, and the next shard of its class goes on. Entries below `pruned_below` are no longer here.
    """

    name: str
    log: str
    origin: str
    vkey: str
    size: int
    ended: bool = False
    pruned_below: int = 0


class Logs(Struct, frozen=True):
    logs: list[LogView]


class EntryView(Struct, frozen=True, omit_defaults=True):
    """An entry. `leaf` is what was hashed, byte for byte; `leaf_hash` SHA-256(0x00 || leaf), hex; no `index`: it waits.

    `actor` is the name of the client or user who acted; the acts of people name nobody.
    """

    entry: str
    log: str
    type: str
    outcome: str
    at: str
    actor_class: str
    res: dict[str, str]
    leaf: msgspec.Raw
    leaf_hash: str
    index: int | None = None
    actor: str | None = None


class Entries(Struct, frozen=True):
    """A page, newest first; `next` is the cursor of the page after it."""

    entries: list[EntryView]
    next: str | None


class ExportRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server writes the logs: a folder on its own machine. `main` lies in it, others below `logs`. With `log`
    that one alone.
    """

    out: str
    log: str | None = None


class Exported(Struct, frozen=True):
    """How many entries were written: of `main`, or of the one that was asked for, and of each by name."""

    size: int
    logs: dict[str, int]


@get("/v1/audit/logs", opt=admits(*READERS), operation_id="audit.logs", tags=["Audit"])
async def logs(call: NamedDependency[Call]) -> Logs:
    """Name, origin, key and size of each log of the brand."""
    found = await call.look(call.services.audit.logs)
    shown = [(each.name, each.log, each.origin, each.vkey, each.size, each.ended, each.pruned) for each in found]
    return Logs([LogView(*each) for each in shown])


@get("/v1/audit/entries", opt=admits(*READERS), operation_id="audit.entries", tags=["Audit"])
async def entries(
    call: NamedDependency[Call],
    entry_type: Annotated[
        str | None, QueryParameter(name="type", description="One type, or a prefix such as `consent.*`.")
    ] = None,
    outcome: FromQuery[Literal["ok", "permit", "deny", "fail"] | None] = None,
    since: Annotated[str | None, QueryParameter(description="RFC 3339; included.")] = None,
    until: Annotated[str | None, QueryParameter(description="RFC 3339; excluded.")] = None,
    actor: Annotated[str | None, QueryParameter(description="A client by name, or `key_…`.")] = None,
    subject: Annotated[str | None, QueryParameter(description="A person (`sub_…`); for officers.")] = None,
    purpose: Annotated[
        str | None, QueryParameter(description="One purpose, or a prefix such as `marketing.*`.")
    ] = None,
    category: Annotated[str | None, QueryParameter(description="One category, or a prefix.")] = None,
    log: Annotated[str | None, QueryParameter(description="One log by name, such as `main`; else all.")] = None,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> Entries:
    """Integrated entries that match, newest first by claimed time. A page may be short, or empty, though more follow:
    `next` says. A look at one person's entries needs a permit and is an entry itself.
    """
    asked = exporting.Filter(entry_type, outcome, actor, subject, purpose, category, since, until, log or "")
    found = await call.alone(lambda tx: exporting.permitted_people(call, tx, subject, "read")) if subject else ()
    people = exporting.demand_permit(found)

    def unit(tx: Tx) -> Work[Entries]:
        wanted = exporting.selection_of(call, asked, people)
        search = Search.of(wanted, cursor=cursor, limit=limit)
        page = yield from call.services.audit.entries(tx, search)
        shown = []
        for found in page.entries:
            shown.append((yield from _shown(call, tx, found)))
        return Entries(shown, page.next)

    return await call.look(unit)


@get("/v1/audit/entries/{entry:str}", opt=admits(*READERS), operation_id="audit.entry", tags=["Audit"])
async def entry(call: NamedDependency[Call], entry: FromPath[str]) -> EntryView:
    """One entry, from the moment an answer named it."""

    def unit(tx: Tx) -> Work[EntryView]:
        found = yield from call.services.audit.entry(tx, entry)
        return (yield from _shown(call, tx, found))

    return await call.look(unit)


@get(
    "/v1/audit/entries/{entry:str}/proof",
    opt=admits(*READERS),
    operation_id="audit.proof",
    tags=["Audit"],
    media_type="text/plain",
)
async def proof(
    call: NamedDependency[Call], entry: FromPath[str], wait: FromQuery[Literal["integrated", "witnessed"] | None] = None
) -> Response[bytes]:
    """The entry's inclusion proof under a signed checkpoint, as C2SP tlog-proof text; with `wait=witnessed` under one
    that enough witnesses cosigned.
    """
    content = await proved(call, entry, wait=wait is not None, witnessed=wait == "witnessed")
    return Response(content, media_type="text/plain; charset=utf-8")


@get("/v1/audit/keys", opt=admits(*READERS), operation_id="audit.keys", tags=["Audit"])
async def keys(call: NamedDependency[Call]) -> Response[bytes]:
    """The keys that logs, receipts and certificates verify with, as `sayso audit verify --trust` reads them."""
    services = call.services

    def unit(tx: Tx) -> Work[bytes]:
        lines: list[VerifierKey | WitnessKey] = [*(yield from services.audit.keys(tx)), *services.witnesses.keys]
        signers = [
            public for use in ("receipt", "certificate") for _, public in services.keyring.published(call.tenant, use)
        ]
        return print_trust(lines, signers)

    return Response(await call.look(unit), media_type="application/json")


@post("/v1/audit/exports/local", opt=admits(OPERATOR), operation_id="audit.export", tags=["Operator"], status_code=200)
async def export(call: NamedDependency[Call], data: JSONBody[ExportRequest]) -> Exported:
    """Write the logs as C2SP tile directories on this machine. Only through the local socket."""
    services, out = call.services, Path(data.out)
    if data.log is None:
        sizes = await services.audit.export_all(services.database, call.tenant, out)
        return Exported(sizes[MAIN], sizes)
    size = await services.audit.export(services.database, call.tenant, folder_of(out, data.log), data.log)
    return Exported(size, {data.log: size})


async def proved(call: Call, entry_id: str, *, wait: bool = False, witnessed: bool = False) -> bytes:
    """The proof text. Raises `NotIntegrated` or `NotWitnessed`: at once, or after `PATIENCE_S` or
    `WITNESS_PATIENCE_S` seconds of waiting.
    """
    services = call.services
    patience = WITNESS_PATIENCE_S if witnessed and services.witnesses.witnessing is not None else PATIENCE_S
    until = asyncio.get_running_loop().time() + (patience if wait else 0)
    while True:
        try:
            return await call.look(lambda tx: services.audit.tlog_proof(tx, entry_id, witnessed=witnessed))
        except (NotIntegrated, NotWitnessed):
            if asyncio.get_running_loop().time() >= until:
                raise
            if witnessed:
                services.witnesses.hurry()
        await asyncio.sleep(_POLL_S)


def _shown(call: Call, tx: Tx, found: Entry) -> Work[EntryView]:
    leaf = decode_leaf(found.leaf)
    opened = yield from call.services.audit.openings(tx, found.id)
    return EntryView(
        entry=found.id,
        log=f"{tx.context.tenant}.{found.log}",
        type=leaf.type,
        outcome=leaf.out,
        at=iso(leaf.ts),
        actor_class=leaf.actor_class,
        res=leaf.res,
        leaf=msgspec.Raw(found.leaf),
        leaf_hash=leaf_hash(found.leaf).hex(),
        index=found.index,
        actor=actor_of(opened),
    )


def actor_of(opened: list[Opening]) -> str | None:
    """The name in the opening of the actor, if it was opened."""
    for opening in opened:
        if opening.compartment == "a":
            payload: dict[str, Any] = msgspec.json.decode(opening.payload)
            return str(payload.get("name", "")) or None
    return None


handlers: list[BaseRouteHandler] = [logs, entries, entry, proof, keys, export]
