"""The log's SQL. Each function is part of a unit of work: it yields its reads and returns Structs or bytes."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    LargeBinary,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    select,
)

from audit.errors import EntryPruned
from audit.leaf.encoding import index_of
from audit.outbox import Pending
from audit.outbox import forget as forget_pending
from audit.outbox import unpack as unpack_pending
from audit.tables import (
    BUNDLE,
    CHECKPOINT,
    DETAIL,
    INDEX,
    OUTBOX,
    SUBJECT,
    TILE,
    TREE,
    audit_actor,
    audit_bundle,
    audit_checkpoint,
    audit_index,
    audit_outbox,
    audit_subject,
    audit_tile,
    audit_tree,
)
from audit.tlog.tiles import WIDTH, unpack
from sayso.kernel import TENANT_OWNER, Get, Prepared, Query, Tx, Values, Work, bucket_of, raw

TileKey = tuple[int, int]
"""Level and number."""

# What every round of the integrator asks, four times a second for each log. The offset is written out because SQLite's
# dialect would make it a parameter of its own.
_of_log = bindparam("log", type_=Text)
_most = bindparam("most", type_=BigInteger)
_none: ColumnElement[int] = literal_column("0")
_TREE_TO_LOCK = Prepared(
    select(audit_tree.c.origin, audit_tree.c.size, audit_tree.c.root, audit_tree.c.opened, audit_tree.c.ended)
    .where(audit_tree.c.log == _of_log)
    .with_for_update(skip_locked=True),
    brief=True,
)
_LAST_SIGNED = Prepared(
    select(audit_checkpoint.c.size, audit_checkpoint.c.root, audit_checkpoint.c.note)
    .where(audit_checkpoint.c.log == _of_log)
    .order_by(audit_checkpoint.c.size.desc())
    .limit(_most)
    .offset(_none),
    brief=True,
)
_PENDING_SIZES = Prepared(
    select(audit_outbox.c.first, audit_outbox.c.count)
    .where(audit_outbox.c.log == _of_log)
    .order_by(audit_outbox.c.first)
    .limit(_most)
    .offset(_none),
    brief=True,
)
# Locked: an erasure that takes a person out of a waiting row must not be overtaken by the integrator.
_PENDING_UNTIL = Prepared(
    select(audit_outbox.c.bucket, audit_outbox.c.first, audit_outbox.c.entries)
    .where(audit_outbox.c.log == _of_log, audit_outbox.c.first <= bindparam("until", type_=LargeBinary))
    .with_for_update(),
    brief=True,
)
_ANY_PENDING = Prepared(
    select(audit_outbox.c.first).where(audit_outbox.c.log == _of_log).limit(_most).offset(_none), brief=True
)
_BACKLOG = Prepared(
    select(func.coalesce(func.sum(audit_outbox.c.count), 0), func.min(audit_outbox.c.first)).select_from(audit_outbox)
)
_ADVANCE = Prepared(
    audit_tree.update()
    .where(audit_tree.c.log == _of_log)
    .where(audit_tree.c.size == bindparam("was", type_=BigInteger), audit_tree.c.ended == 0)
    .values(size=bindparam("now", type_=BigInteger), root=bindparam("top", type_=LargeBinary))
)
_PENDING_BETWEEN = Prepared(
    select(audit_outbox.c.log, audit_outbox.c.entries).where(
        audit_outbox.c.first <= bindparam("newest"), audit_outbox.c.last >= bindparam("oldest")
    ),
    brief=True,
)
_bucket: BindParameter[int] = bindparam("bucket")
_person: BindParameter[bytes] = bindparam("person")
_OWN = audit_subject.c.bucket == _bucket, audit_subject.c.subject == _person
_newest = select(audit_subject.c.entry).where(*_OWN).order_by(audit_subject.c.entry.desc()).limit(_most).offset(_none)
_NEWEST = Prepared(_newest, brief=True)
_NEWEST_BEFORE = Prepared(_newest.where(audit_subject.c.entry < bindparam("before")), brief=True)


class Tree(NamedTuple):
    """A log's row: what it is called for ever, where it stands, when `open_tree` opened it, whether it is closed."""

    origin: str
    size: int
    root: bytes
    opened: int = 0
    ended: int = 0


class Signed(NamedTuple):
    """A head that was signed."""

    size: int
    root: bytes
    note: bytes


class Located(NamedTuple):
    """Where an integrated entry stands."""

    log: str
    leaf: int


class Waiting(NamedTuple):
    """The oldest entries that wait, in id order, and the rows they lie in: (bucket, first id)."""

    rows: list[Values]
    entries: list[Pending]


class Link(NamedTuple):
    """Whose keys open an entry: the person it is about, if there is a key, and the actor."""

    subject: bytes | None
    actor: bytes


def tree_of(tx: Tx, log: str) -> Get:
    """The read of the log's row: see `Tree`."""
    return tx.get(TREE, log)


def tree_to_lock(tx: Tx, log: str) -> Query:
    """The same, locked for this transaction; no row when another integrator holds it. SQLite has one writer and no row
    locks.
    """
    return tx.query(_TREE_TO_LOCK, log=log)


def last_signed(tx: Tx, log: str) -> Query:
    """The head with the greatest size that was signed."""
    return tx.query(_LAST_SIGNED, log=log, most=1)


def signed_from(rows: list[Any]) -> Signed | None:
    """The answer of `last_signed`."""
    return Signed(*rows[0]) if rows else None


def oldest_pending(tx: Tx, log: str, limit: int, far: int) -> Work[Waiting]:
    """The entries that wait longest, about `limit` of them, or `far` where so many wait: whole rows, one at least."""
    (sizes,) = yield (tx.query(_PENDING_SIZES, log=log, most=max(limit, far)),)
    if not sizes:
        return Waiting([], [])
    if sum(count for _, count in sizes) >= far:
        limit = max(limit, far)
    until, total = sizes[0][0], 0
    for first, count in sizes:
        total += count
        if total > limit and first != until:
            break
        until = first
    (rows,) = yield (tx.query(_PENDING_UNTIL, log=log, until=until),)
    entries = sorted(each for _, _, contents in rows for each in unpack_pending(contents))
    return Waiting([(bucket, first) for bucket, first, _ in rows], entries)


def any_pending(tx: Tx, log: str) -> Query:
    """One row if anything waits, whichever comes first: nothing is sorted for it."""
    return tx.query(_ANY_PENDING, log=log, most=1)


def backlog(tx: Tx) -> Query:
    """How many entries wait, and the id of the oldest."""
    return tx.query(_BACKLOG)


def all_trees(tx: Tx) -> Query:
    """Name, origin, size, instant of opening, and 1 if closed, of the tenant's logs, oldest first."""
    c = audit_tree.c
    return tx.select(select(c.log, c.origin, c.size, c.opened, c.ended).order_by(c.opened, c.log))


def tiles_at(tx: Tx, log: str, keys: Collection[TileKey]) -> Work[dict[TileKey, bytes]]:
    """Those of the tiles that exist, by point reads."""
    wanted = list(dict.fromkeys(keys))
    rows = yield tuple(tx.get(TILE, log, *key) for key in wanted)
    return {key: row[0] for key, row in zip(wanted, rows, strict=True) if row is not None}


def bundle_at(tx: Tx, log: str, number: int) -> Get:
    """The read of one bundle."""
    return tx.get(BUNDLE, log, number)


def tile_range(tx: Tx, log: str, level: int, first: int, end: int) -> Query:
    """Number and hashes of the tiles of one level from `first` to `end` (exclusive)."""
    columns = (audit_tile.c.number, audit_tile.c.hashes)
    chosen = select(*columns).where(audit_tile.c.log == log, audit_tile.c.level == level)
    return tx.select(chosen.where(audit_tile.c.number >= first, audit_tile.c.number < end))


def bundle_range(tx: Tx, log: str, first: int, end: int) -> Query:
    """Number and entries of the bundles from `first` to `end` (exclusive)."""
    columns = (audit_bundle.c.number, audit_bundle.c.entries)
    chosen = select(*columns).where(audit_bundle.c.log == log)
    return tx.select(chosen.where(audit_bundle.c.number >= first, audit_bundle.c.number < end))


def leaves_at(tx: Tx, log: str, indexes: Collection[int]) -> Work[dict[int, bytes]]:
    """The entries at these indexes, out of their bundles. Raises `EntryPruned`."""
    numbers = list(dict.fromkeys(index // WIDTH for index in indexes))
    rows = yield tuple(bundle_at(tx, log, number) for number in numbers)
    if None in rows:
        raise EntryPruned
    bundles = {number: unpack(row[0]) for number, row in zip(numbers, rows, strict=True)}
    return {index: bundles[index // WIDTH][index % WIDTH] for index in indexes}


def leaves_in(tx: Tx, places: Collection[tuple[str, int]]) -> Work[dict[tuple[str, int], bytes]]:
    """The same of several logs: the entries at these logs and indexes."""
    found: dict[tuple[str, int], bytes] = {}
    for log in dict.fromkeys(log for log, _ in places):
        leaves = yield from leaves_at(tx, log, [index for each, index in places if each == log])
        found |= {(log, index): leaf for index, leaf in leaves.items()}
    return found


def locate(tx: Tx, entry: bytes) -> Get:
    """The read of where an integrated entry stands: see `located_from`."""
    return tx.get(INDEX, entry)


def located_from(row: Values | None) -> Located | None:
    """The answer of `locate`."""
    return Located(*row[:2]) if row is not None else None


def waiting(tx: Tx, entries: Collection[bytes]) -> Work[dict[bytes, tuple[str, Pending]]]:
    """Those of the entries that lie in the outbox, each with its log."""
    (rows,) = yield (tx.query(_PENDING_BETWEEN, newest=max(entries), oldest=min(entries)),)
    wanted = frozenset(entries)
    return {
        each.entry: (log, each) for log, contents in rows for each in unpack_pending(contents) if each.entry in wanted
    }


def entries_about(tx: Tx, subject: bytes, before: bytes | None, limit: int) -> Query:
    """Ids of the entries about a person, newest first."""
    whose = {"bucket": bucket_of(tx.context.tenant, subject), "person": subject, "most": limit}
    return tx.query(_NEWEST, **whose) if before is None else tx.query(_NEWEST_BEFORE, **whose, before=before)


def link_of(tx: Tx, entry: bytes, *, waits: bool = True) -> Work[Link | None]:
    """Whose keys open an entry; None when there is none of that id. `waits`: it may wait for the integrator still."""
    if not waits:
        (row,) = yield (locate(tx, entry),)
        return Link(*row[-2:]) if row is not None else None
    # The outbox first: an entry moves from there to the index, so that this order cannot miss it.
    held = (yield from waiting(tx, [entry])).get(entry)
    (row,) = yield (locate(tx, entry),)
    if row is not None:
        return Link(*row[-2:])
    return Link(held[1].subject, held[1].actor) if held is not None else None


def sealed_about(tx: Tx, subject: bytes, entry: bytes) -> Get:
    """The read of the sealed opening of subject and detail."""
    return tx.get(SUBJECT, subject, entry)


_STANDINGS = Prepared(
    select(audit_actor.c.standing, audit_actor.c.sealed).where(
        audit_actor.c.bucket == bindparam("bucket"), audit_actor.c.actor == bindparam("actor")
    )
)


def standings_of(tx: Tx, actor: bytes) -> Query:
    """Name and sealed payload of every way an actor ever stood."""
    return tx.query(_STANDINGS, bucket=bucket_of(tx.context.tenant, actor), actor=actor)


def sealed_detail(tx: Tx, entry: bytes) -> Get:
    """The read of the sealed opening of a detail that no person's key sealed."""
    return tx.get(DETAIL, entry)


# writes


def open_tree(tx: Tx, log: str, tree: Tree) -> None:
    """The first row of a log."""
    tx.insert(TREE, log, tree.origin, tree.size, tree.root, tx.context.at, 0)


def advance_tree(tx: Tx, log: str, was: Tree, moved: Tree) -> None:
    """The log's row moves on, if it still stands where it was read. The fence: a second integrator loses here."""
    tx.execute(_ADVANCE, expect=1, log=log, was=was.size, now=moved.size, top=moved.root)


def end_tree(tx: Tx, log: str, was: Tree) -> None:
    """The log takes no more entries, if it still stands where it was read."""
    c = audit_tree.c
    tx.execute(audit_tree.update().where(c.log == log, c.size == was.size, c.ended == 0).values(ended=1), expect=1)


def store_tiles(tx: Tx, log: str, tiles: Iterable[tuple[TileKey, bytes]]) -> None:
    """Tiles, each replacing the narrower one of its place."""
    for (level, number), hashes in tiles:
        tx.delete(TILE, log, level, number)
        tx.insert(TILE, log, level, number, hashes)


def store_bundles(tx: Tx, log: str, bundles: Iterable[tuple[int, bytes]]) -> None:
    """Bundles, each replacing the shorter one of its place."""
    for number, entries in bundles:
        tx.delete(BUNDLE, log, number)
        tx.insert(BUNDLE, log, number, entries)


def move_to_index(tx: Tx, log: str, start: int, waiting: Waiting) -> None:
    """Entries leave the outbox and get their index, from `start` on. The unique entry id stops a second time."""
    if waiting.rows:
        tx.delete_many(OUTBOX, waiting.rows)
    rows = []
    for leaf, (entry, raw_leaf, subject, actor) in enumerate(waiting.entries, start):
        head = index_of(raw_leaf)
        rows.append((entry, log, leaf, head.type, head.out, subject, actor))
    tx.insert_many(INDEX, rows)


def store_checkpoint(tx: Tx, log: str, signed: Signed) -> None:
    """A signed head. A second root for one size cannot be stored."""
    tx.insert(CHECKPOINT, log, *signed, tx.context.at)


_ENTRIES_OF = Prepared(select(audit_subject.c.entry).where(*_OWN), brief=True)
_FORGET_ENTRIES = Prepared(audit_subject.delete().where(*_OWN))
_FORGET_ACTOR = Prepared(audit_actor.delete().where(audit_actor.c.bucket == _bucket, audit_actor.c.actor == _person))
_ALL_PENDING = Prepared(select(audit_outbox.c.bucket, audit_outbox.c.first, audit_outbox.c.entries), brief=True)
_REWRITE_PENDING = Prepared(
    audit_outbox.update()
    .where(audit_outbox.c.bucket == bindparam("row"), audit_outbox.c.first == bindparam("oldest"))
    .values(entries=bindparam("contents"))
)
_OWN_ENTRIES = select(audit_subject.c.entry).where(audit_subject.c.tenant == bindparam("own"), *_OWN)
_UNLINK = Prepared(
    audit_index.update()
    .where(audit_index.c.entry.in_(_OWN_ENTRIES))
    .values(
        subject=None,
        actor=case((audit_index.c.actor == _person, bindparam("nobody", type_=LargeBinary)), else_=audit_index.c.actor),
    )
)


def forget(tx: Tx, subject: bytes) -> Work[int]:
    """Delete what leads from entries to a person, and the openings of those entries; returns how many there were."""
    whose: dict[str, Any] = {"bucket": bucket_of(tx.context.tenant, subject), "person": subject}
    entries, waiting = yield (tx.query(_ENTRIES_OF, **whose), tx.query(_ALL_PENDING))
    for bucket, first, contents in waiting:
        kept = forget_pending(contents, subject, TENANT_OWNER)
        if kept != contents:
            # Where the integrator was faster the row is gone, and this unit runs again and finds it in the index.
            tx.execute(_REWRITE_PENDING, expect=1, row=bucket, oldest=first, contents=kept)
    tx.execute(_UNLINK, **whose, own=tx.context.tenant, nobody=TENANT_OWNER)
    tx.execute(_FORGET_ENTRIES, **whose)
    tx.execute(_FORGET_ACTOR, **whose)
    return len(entries)


def entry_key(entry: str) -> bytes:
    """The raw id of an entry on the wire. Raises `Invalid` when it is malformed."""
    return raw(entry, "ent")
