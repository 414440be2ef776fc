"""What the console shows of the log: its health, entries with a checked proof, and one entry in full."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from audit import (
    MAIN,
    Checkpoint,
    Entry,
    LogNotFound,
    Search,
    declared,
    decode_leaf,
    leaf_hash,
    open_checkpoint,
    verify_inclusion,
)
from sayso.kernel import Invalid, SaysoError, Tx, Work, from_datetime
from sayso.server.call import Call
from sayso.server.pages import EntriesPage, EntryDetails, EntryFilter, EntryRow, Frame, LogHealth, Operator
from sayso.server.routes.audit import actor_of

PAGE = 40
"""Entries on a page: each has its proof checked for it."""

Member = Literal["type", "outcome", "from", "to", "cursor", "entry"]


class Wanted(Struct, frozen=True):
    """The query of the page, as given."""

    filter: EntryFilter
    cursor: str | None
    entry: str | None


def entries_page(call: Call, tx: Tx, wanted: Wanted, frame: Frame, operator: Operator) -> Work[EntriesPage]:
    """The page, in one unit that only looks. A filter that cannot be understood is named, and the page is empty."""
    audit = call.services.audit
    health, head = yield from _health(call, tx)
    heads = {MAIN: head}
    search, problem = _search(wanted)
    rows: list[EntryRow] = []
    older = None
    if search is not None:
        try:
            page = yield from audit.entries(tx, search)
        except SaysoError:
            problem = "cursor"
        else:
            older = page.next
            for log in {found.log for found in page.entries} - heads.keys():
                heads[log] = yield from _head(call, tx, log)
            for found in page.entries:
                rows.append((yield from _row(call, tx, found, heads[found.log])))
    details = None
    if wanted.entry:
        try:
            found = yield from audit.entry(tx, wanted.entry)
        except SaysoError:
            problem = problem or "entry"
        else:
            if found.log not in heads:
                heads[found.log] = yield from _head(call, tx, found.log)
            row = yield from _row(call, tx, found, heads[found.log])
            details = EntryDetails(row=row, leaf=found.leaf.decode(), leaf_hash=leaf_hash(found.leaf).hex())
    return EntriesPage(
        frame=frame,
        operator=operator,
        health=health,
        rows=tuple(rows),
        types=tuple(sorted(declared())),
        filter=wanted.filter,
        older=older,
        cursor=wanted.cursor,
        details=details,
        problem=problem,
    )


def _health(call: Call, tx: Tx) -> Work[tuple[LogHealth, Checkpoint | None]]:
    audit = call.services.audit
    logs = yield from audit.logs(tx)
    main = next((log for log in logs if log.name == MAIN), None)
    backlog = yield from audit.backlog(tx)
    if main is None:
        health = LogHealth(
            origin="", size=0, pending=backlog.pending, checkpoint_size=0, checkpoint_at=None, root="", vkey=""
        )
        return health, None
    head = yield from _head(call, tx, MAIN)
    health = LogHealth(
        origin=main.origin,
        size=main.size,
        pending=backlog.pending,
        checkpoint_size=head.size if head is not None else 0,
        checkpoint_at=None,
        root=head.root.hex() if head is not None else "",
        vkey=main.vkey,
    )
    return health, head


def _head(call: Call, tx: Tx, log: str) -> Work[Checkpoint | None]:
    """The signed head of a log, by one of the brand's keys; None while there is none."""
    audit = call.services.audit
    try:
        note = yield from audit.checkpoint(tx, log)
    except LogNotFound:
        return None
    return open_checkpoint(note, (yield from audit.keys(tx)))


def _row(call: Call, tx: Tx, found: Entry, head: Checkpoint | None) -> Work[EntryRow]:
    """One entry, its inclusion proof checked here and now against the signed head."""
    audit = call.services.audit
    leaf = decode_leaf(found.leaf)
    opened = yield from audit.openings(tx, found.id)
    proof: Any = "pending"
    outcome: Any = leaf.out
    if found.index is not None and head is not None and found.index < head.size:
        hashes = yield from audit.inclusion_proof(tx, found.index, head.size, found.log)
        try:
            verify_inclusion(found.index, head.size, leaf_hash(found.leaf), hashes, head.root)
            proof = "verified"
        except ValueError:
            proof = "failed"
    return EntryRow(
        entry=found.id,
        at=leaf.ts,
        type=leaf.type,
        outcome=outcome,
        actor=actor_of(opened) or leaf.actor_class,
        facts=tuple(leaf.res.items()),
        index=found.index,
        proof=proof,
    )


def _search(wanted: Wanted) -> tuple[Search | None, Member | None]:
    """The search behind the query, or the member that cannot be understood."""
    asked = wanted.filter
    outcome: Any = asked.outcome or None
    if outcome not in (None, "ok", "permit", "deny", "fail"):
        return None, "outcome"
    try:
        since = _day(asked.from_)
    except (ValueError, Invalid):
        return None, "from"
    try:
        until = _day(asked.to)
    except (ValueError, Invalid):
        return None, "to"
    end = until + timedelta(days=1) if until is not None else None
    search = Search(
        type=asked.type or None,
        outcome=outcome,
        since=from_datetime(since) if since is not None else None,
        until=from_datetime(end) if end is not None else None,
        cursor=wanted.cursor,
        limit=PAGE,
    )
    return search, None


def _day(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
