"""Finding entries and, with the right key in hand, opening them. Every function is a unit of work, or part of one."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from audit import store
from audit.errors import EntryNotFound, EntryPruned
from audit.leaf.commitment import (
    COLLECTION,
    OPENING_LABEL,
    OpeningInvalid,
    actor_r,
    split_opening,
    verify_opening,
)
from audit.leaf.encoding import decode_leaf, encode_subject
from audit.leaf.entry import Entry, Opening
from audit.reading import index_store
from audit.reading.selection import HIGHEST, Selection, before, first_id
from audit.retention import prune_store
from sayso.kernel import TENANT_OWNER, Key, SaysoError, Sealer, Tx, Work, text

PAGE_LIMIT = 200
_LOOKED_AT = 1_000
_LOOKS = 10


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for among integrated entries, of one log or of all. `type` is one, or a prefix such as `consent.*`.

    `since` (inclusive) and `until` (exclusive) are instants, compared to the millisecond with the time in the entry's
    id. `cursor` is the `next` of an earlier page. `actor` is the owner of an actor's entries, `subjects` are the ids a
    person goes by; with these, a purpose or a category a page may be short though more follow.
    """

    log: str | None = None
    type: str | None = None
    outcome: Literal["ok", "permit", "deny", "fail"] | None = None
    since: int | None = None
    until: int | None = None
    cursor: str | None = None
    limit: int = 50
    actor: bytes | None = None
    subjects: tuple[bytes, ...] = ()
    purpose: str | None = None
    category: str | None = None

    @classmethod
    def of(cls, wanted: Selection, *, cursor: str | None = None, limit: int = 50) -> "Search":
        """The search for what a filter means."""
        outcome: Any = wanted.outcome
        return cls(
            wanted.log or None,
            wanted.type,
            outcome,
            wanted.since,
            wanted.until,
            cursor,
            limit,
            wanted.actor,
            wanted.subjects,
            wanted.purpose,
            wanted.category,
        )

    @property
    def selection(self) -> Selection:
        """The filter alone."""
        return Selection(
            self.log or "",
            self.type,
            self.outcome,
            self.actor,
            self.subjects,
            self.purpose,
            self.category,
            self.since,
            self.until,
        )


class Page(Struct, frozen=True):
    """Entries, newest first, and the cursor of the page after them (None at the end)."""

    entries: list[Entry]
    next: str | None


def entry(tx: Tx, entry_id: str) -> Work[Entry]:
    """One entry, from the moment its commit was answered. Raises `EntryNotFound`, `EntryPruned`."""
    key = store.entry_key(entry_id)
    found = yield from by_id(tx, [key])
    if not found:
        raise (yield from absent(tx, key))
    return found[0]


def absent(tx: Tx, key: bytes) -> Work[SaysoError]:
    """Why there is no entry of an id: it was pruned, as far as its age can tell, or there never was one."""
    (rows,) = yield (prune_store.all_pruned(tx),)
    gone = any(first <= key <= last for _, _, first, last in rows)
    return EntryPruned() if gone else EntryNotFound()


def by_id(tx: Tx, keys: Sequence[bytes]) -> Work[list[Entry]]:
    """Those of the entries that exist, in the order asked for, integrated or waiting."""
    # The outbox first: an entry moves from there to the index, so that this order cannot miss it.
    waiting = yield from store.waiting(tx, keys)
    rows = yield tuple(store.locate(tx, key) for key in keys)
    found: dict[bytes, Entry] = {}
    places: dict[str, dict[bytes, int]] = {}
    for key, row in zip(keys, rows, strict=True):
        place = store.located_from(row)
        if place is not None:
            places.setdefault(place.log, {})[key] = place.leaf
        elif key in waiting:
            log, held = waiting[key]
            found[key] = Entry(text("ent", key), log, None, held.leaf)
    for log, here in places.items():
        leaves = yield from store.leaves_at(tx, log, list(here.values()))
        found |= {key: Entry(text("ent", key), log, leaf, leaves[leaf]) for key, leaf in here.items()}
    return [found[key] for key in keys if key in found]


def entries(tx: Tx, search: Search) -> Work[Page]:
    """A page of the integrated entries that match, newest first. Raises `Invalid` on a cursor that is none."""
    limit = max(1, min(search.limit, PAGE_LIMIT))
    if search.subjects or search.actor is not None or search.purpose or search.category:
        return (yield from _sifted(tx, search, limit))
    until = first_id(search.until)
    cursor = cursor_key(search.cursor)
    (rows,) = yield (
        index_store.found_by(
            tx,
            search.log,
            types=type_bounds(search.type),
            outcome=search.outcome,
            since=first_id(search.since),
            before=min((bound for bound in (until, cursor) if bound is not None), default=None),
            limit=limit + 1,
        ),
    )
    hits = rows[:limit]
    leaves = yield from store.leaves_in(tx, [(log, leaf) for _, leaf, log in hits])
    listed = [Entry(text("ent", entry), log, leaf, leaves[log, leaf]) for entry, leaf, log in hits]
    return Page(listed, listed[-1].id if len(rows) > limit else None)


def _sifted(tx: Tx, search: Search, limit: int) -> Work[Page]:
    """The same where the index alone cannot answer: look at some thousand entries, newest first, and keep what fits."""
    selection = search.selection
    low, high = selection.bounds()
    high = before(high, store.entry_key(search.cursor) if search.cursor else None)
    found: list[Entry] = []
    for _ in range(_LOOKS):
        if search.subjects:
            reads = tuple(index_store.rows_about(tx, each, low, high, _LOOKED_AT) for each in search.subjects)
            chunks = yield reads
            rows = sorted((row for chunk in chunks for row in chunk), reverse=True)[:_LOOKED_AT]
        else:
            (rows,) = yield (index_store.rows_before(tx, search.log, low, high, _LOOKED_AT),)
        fitting = [row for row in rows if selection.admits(*row[2:6]) and search.log in (None, row[6])]
        leaves = yield from store.leaves_in(tx, [(row[6], row[1]) for row in fitting])
        for row in fitting:
            leaf = leaves[row[6], row[1]]
            if selection.admits_leaf(leaf):
                found.append(Entry(text("ent", row[0]), row[6], row[1], leaf))
                if len(found) > limit:
                    return Page(found[:limit], found[limit - 1].id)
        if len(rows) < _LOOKED_AT:
            return Page(found, None)
        high = rows[-1][0]
    return Page(found, text("ent", high))


def entries_about(tx: Tx, subject: bytes, cursor: str | None = None, limit: int = 50) -> Work[Page]:
    """A page of the entries about one person, newest first, waiting ones included. Raises `Invalid` on a foreign
    cursor.
    """
    limit = max(1, min(limit, PAGE_LIMIT))
    before = store.entry_key(cursor) if cursor else None
    (rows,) = yield (store.entries_about(tx, subject, before, limit + 1),)
    keys = [key for (key,) in rows[:limit]]
    if not keys:
        return Page([], None)
    found = yield from by_id(tx, keys)
    return Page(found, text("ent", keys[-1]) if len(rows) > limit else None)


def places_about(tx: Tx, subjects: Sequence[bytes]) -> Work[list[tuple[str, int]]]:
    """Where all integrated entries about a person stand (log, index), in the order in which they were made."""
    found: list[tuple[bytes, str, int]] = []
    for subject in subjects:
        high = HIGHEST
        while True:
            (rows,) = yield (index_store.rows_about(tx, subject, b"", high, _LOOKED_AT),)
            found += [(row[0], row[6], row[1]) for row in rows]
            if len(rows) < _LOOKED_AT:
                break
            high = rows[-1][0]
    return [(log, index) for _, log, index in sorted(found)]


def subject_of(tx: Tx, entry_id: str) -> Work[bytes | None]:
    """The person an entry is about, while the log still knows: the caller reads that person's key to open it."""
    link = yield from store.link_of(tx, store.entry_key(entry_id))
    return link.subject if link is not None else None


def openings(tx: Tx, sealer: Sealer, entry_id: str, subject_key: Key | None) -> Work[list[Opening]]:
    """What the keys at hand open of an entry, each checked against the leaf. Raises `EntryNotFound`, `OpeningInvalid`.

    `subject_key` is the log key of the person it is about; without it the subject's compartments stay closed. The
    actor's and the tenant's keys are standing ones. A person's own act opens with that person's key alone.
    """
    return (yield from openings_of(tx, sealer, (yield from entry(tx, entry_id)), subject_key))


def openings_of(tx: Tx, sealer: Sealer, shown: Entry, subject_key: Key | None) -> Work[list[Opening]]:
    """The same of an entry that was read already."""
    entry_id, key = shown.id, store.entry_key(shown.id)
    link = (yield from store.link_of(tx, key, waits=shown.index is None)) or store.Link(None, TENANT_OWNER)
    found: list[Opening] = []
    if link.subject is not None and subject_key is not None and subject_key.owner == link.subject:
        (about,) = yield (store.sealed_about(tx, link.subject, key),)
        if about is not None:
            found += _open_subject(subject_key, entry_id, about[0])
    standings, detail = yield (store.standings_of(tx, link.actor), store.sealed_detail(tx, key))
    # A person's own act opens with that person's key alone; an act without an opening left none.
    actor_key = subject_key if link.actor == link.subject else sealer.standing(tx.context.tenant, link.actor)
    if actor_key is not None:
        found += _open_actor(actor_key, shown, key, standings)
    if detail is not None:
        tenant = sealer.standing(tx.context.tenant, TENANT_OWNER)
        found.append(_opening("d", tenant.open(COLLECTION, f"{entry_id}/d", detail[0])))
    check_openings(shown, found)
    return found


def check_openings(shown: Entry, found: Iterable[Opening]) -> None:
    """Raise `OpeningInvalid` unless each opening is what the leaf committed to."""
    commitments = decode_leaf(shown.leaf).c
    key = store.entry_key(shown.id)
    for opening in found:
        committed = getattr(commitments, opening.compartment)
        verify_opening(committed or b"", opening.r, opening.compartment.encode(), key, opening.payload)


def _open_subject(key: Key, entry_id: str, sealed: bytes) -> list[Opening]:
    r, detail = split_opening(key.open(COLLECTION, f"{entry_id}/s", sealed))
    found = [Opening("s", r, encode_subject(key.owner))]
    return [*found, _opening("d", detail)] if detail else found


def _open_actor(key: Key, shown: Entry, entry: bytes, standings: Iterable[Sequence[bytes]]) -> list[Opening]:
    """The actor as they stood then: of all the ways they ever stood the one that the leaf committed to."""
    committed = decode_leaf(shown.leaf).c.a or b""
    r = actor_r(key.derive(OPENING_LABEL), entry)
    for name, sealed in standings:
        payload = key.open(COLLECTION, f"{name.hex()}/a", sealed)
        try:
            verify_opening(committed, r, b"a", entry, payload)
        except OpeningInvalid:
            continue
        return [Opening("a", r, payload)]
    return []


def _opening(compartment: Literal["a", "d", "s"], opened: bytes) -> Opening:
    return Opening(compartment, *split_opening(opened))


def type_bounds(wanted: str | None) -> tuple[str, str] | str | None:
    """One type as it is, or the bounds of the prefix in `consent.*`."""
    if wanted is None or not wanted.endswith(".*"):
        return wanted
    prefix = wanted.removesuffix("*")
    # "/" follows "." in ASCII: all types that begin with the prefix lie between the two.
    return prefix, prefix[:-1] + "/"


def cursor_key(cursor: str | None) -> bytes | None:
    """The id before which a page begins. Raises `Invalid` on a cursor that is none."""
    return store.entry_key(cursor) if cursor else None
