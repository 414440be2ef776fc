"""Many entries at once, for what is counted over the log: leaves with what the standing keys open of them.

Nothing that a person's key seals is opened here, so that counting is no look at anybody.
"""

from collections.abc import Sequence

from msgspec import Struct

from audit import store
from audit.leaf.commitment import COLLECTION, OPENING_LABEL, actor_r, commit, split_opening
from audit.leaf.encoding import decode_leaf
from audit.leaf.entry import Leaf
from audit.reading import index_store
from audit.reading.search import Search, cursor_key, type_bounds
from audit.reading.selection import first_id
from sayso.kernel import TENANT_OWNER, Key, Sealer, Tx, Work, text

MOST: int = 1_000
"""Entries of one page."""


class Replayed(Struct, frozen=True, gc=False):
    """One entry: `actor` and `detail` are payloads (JSON) of what the tenant's and the actor's standing keys open,
    empty where they open nothing. `known`: it is about a person with a key, to whom the log still leads.
    """

    entry: str
    leaf: Leaf
    actor: bytes = b""
    detail: bytes = b""
    known: bool = False


def replay(tx: Tx, sealer: Sealer, search: Search) -> Work[tuple[list[Replayed], str | None]]:
    """A page of integrated entries, newest first, and the cursor of the next (None at the end). Raises `Invalid`."""
    limit = max(1, min(search.limit, MOST))
    (rows,) = yield (
        index_store.found_with_owners(
            tx,
            search.log,
            types=type_bounds(search.type),
            since=first_id(search.since),
            before=min(
                (bound for bound in (first_id(search.until), cursor_key(search.cursor)) if bound is not None),
                default=None,
            ),
            limit=limit + 1,
        ),
    )
    hits = rows[:limit]
    leaves = yield from store.leaves_in(tx, [(log, leaf) for _, leaf, log, _, _ in hits])
    owners = list(dict.fromkeys(actor for _, _, _, subject, actor in hits if actor != subject))
    stood = yield tuple(store.standings_of(tx, owner) for owner in owners)
    details = yield tuple(store.sealed_detail(tx, entry) for entry, _, _, subject, _ in hits if subject is None)
    sealed = iter(details)
    actors = {owner: _Actor(sealer, tx.context.tenant, owner, rows) for owner, rows in zip(owners, stood, strict=True)}
    tenant = sealer.standing(tx.context.tenant, TENANT_OWNER)
    found = []
    for entry, index, log, subject, actor in hits:
        leaf = decode_leaf(leaves[log, index])
        detail = next(sealed) if subject is None else None
        opened = tenant.open(COLLECTION, f"{leaf.id}/d", detail[0]) if detail is not None else b""
        found.append(
            Replayed(
                leaf.id,
                leaf,
                actors[actor].at(leaf, entry) if actor in actors else b"",
                split_opening(opened)[1] if opened else b"",
                subject is not None,
            )
        )
    return found, text("ent", hits[-1][0]) if len(rows) > limit else None


class _Actor:
    """The ways in which one actor ever stood, opened once."""

    def __init__(self, sealer: Sealer, tenant: str, owner: bytes, standings: Sequence[Sequence[bytes]]) -> None:
        key: Key | None = sealer.standing(tenant, owner)
        self._secret = key.derive(OPENING_LABEL) if key is not None else b""
        self._payloads = (
            [key.open(COLLECTION, f"{bytes(name).hex()}/a", sealed) for name, sealed in standings]
            if key is not None
            else []
        )

    def at(self, leaf: Leaf, entry: bytes) -> bytes:
        """How they stood when they made this entry: of all ways the one that the leaf committed to."""
        if not self._payloads:
            return b""
        r = actor_r(self._secret, entry)
        committed = leaf.c.a or b""
        return next((each for each in self._payloads if commit(r, b"a", entry, each) == committed), b"")
