"""Proofs and tiles out of the tables, always under a signed checkpoint, as units of work."""

from collections.abc import Sequence

from audit import store
from audit.errors import EntryPruned, LogNotFound, NotIntegrated, NotWitnessed, SizeNotInLog, TileNotFound
from audit.reading.search import absent
from audit.tlog.merkle import Plan, consistency_plan, inclusion_plan, prove, root_plan
from audit.tlog.note import SignedNote, VerifierKey
from audit.tlog.proof import TlogProof, pack_extra
from audit.tlog.strict import HASH_SIZE, Malformed
from audit.tlog.tiles import ENTRIES_LEVEL, TileReader, parse_path, place_of, prefix, root, width_at
from audit.witnesses import witness_store
from sayso.kernel import Signer, Tx, Work

LOG_KEY = "log"
"""The signer's use for checkpoints."""


def verifier_key(signer: Signer, tenant: str, origin: str) -> VerifierKey:
    """The key a tenant's logs are signed with, under the name of one log's origin."""
    return VerifierKey(origin, signer.public_key(tenant, LOG_KEY))


def log_key(tx: Tx, signer: Signer, log: str) -> Work[VerifierKey]:
    """The key that checks the checkpoints of a log. Raises `LogNotFound`."""
    (row,) = yield (store.tree_of(tx, log),)
    if row is None:
        raise LogNotFound
    return verifier_key(signer, tx.context.tenant, store.Tree(*row).origin)


def signed(tx: Tx, log: str) -> Work[store.Signed]:
    """The newest signed head. Raises `LogNotFound` when there is none."""
    (rows,) = yield (store.last_signed(tx, log),)
    head = store.signed_from(rows)
    if head is None:
        raise LogNotFound
    return head


def root_at(tx: Tx, log: str, size: int) -> Work[bytes]:
    """The root of the log's first `size` entries, computed from its tiles. Raises `Malformed` without them."""
    tiles = yield from store.tiles_at(tx, log, [place_of(node) for node in root_plan(size)])
    return root(size, tiles)


def inclusion_proof(tx: Tx, log: str, index: int, size: int | None = None) -> Work[list[bytes]]:
    """Hashes that prove the entry at `index` in the tree of `size` (the signed one by default), lowest first.

    Raises `SizeNotInLog`.
    """
    head = yield from signed(tx, log)
    size = head.size if size is None else size
    if not 0 <= index < size <= head.size:
        raise SizeNotInLog(head.size)
    return (yield from _prove(tx, log, inclusion_plan(index, size)))


def consistency_proof(tx: Tx, log: str, old: int, new: int) -> Work[list[bytes]]:
    """Hashes that prove that the tree of size `new` begins with that of size `old`. Raises `SizeNotInLog`."""
    head = yield from signed(tx, log)
    if not 0 <= old <= new <= head.size:
        raise SizeNotInLog(head.size)
    return (yield from _prove(tx, log, consistency_plan(old, new)))


def keys_of(tx: Tx, signer: Signer, log: str, opened_as: str) -> Work[list[VerifierKey]]:
    """Every key that ever signed a log. One that is not there has the name `opened_as`, so that a database that lost a
    log finds what others saw of it.
    """
    (row,) = yield (store.tree_of(tx, log),)
    origin = store.Tree(*row).origin if row is not None else opened_as
    return [VerifierKey(origin, public) for _, public in signer.published(tx.context.tenant, LOG_KEY)]


def signer_of(tx: Tx, signer: Signer, log: str, note: bytes) -> Work[VerifierKey]:
    """The key that signed a checkpoint of a log. Raises `LogNotFound`."""
    key = yield from log_key(tx, signer, log)
    return signing_key(signer, tx.context.tenant, key.name, note)


def signing_key(signer: Signer, tenant: str, origin: str, note: bytes) -> VerifierKey:
    """Of the keys that ever signed a tenant's logs the first that signed this note."""
    keys = [VerifierKey(origin, public) for _, public in signer.published(tenant, LOG_KEY)]
    return SignedNote.parse(note).verify(keys)[0]


def tlog_proof(tx: Tx, signer: Signer, entry_id: str, *, witnessed: bool = False) -> Work[bytes]:
    """The entry's receipt as C2SP tlog-proof text, with the entry itself in `extra`; `witnessed`: under the last
    checkpoint that enough witnesses cosigned.

    Raises `NotIntegrated` while no such checkpoint covers it, `EntryNotFound`.
    """
    key = store.entry_key(entry_id)
    waiting = yield from store.waiting(tx, [key])
    (row,) = yield (store.locate(tx, key),)
    place = store.located_from(row)
    if place is None:
        raise NotIntegrated() if key in waiting else (yield from absent(tx, key))
    log, index = place
    tree, rows, row = yield (
        store.tree_of(tx, log),
        store.last_signed(tx, log),
        witness_store.witnessed_of(tx, log),
    )
    seen = witness_store.witnessed_from(row)
    head = (store.Signed(*seen) if seen is not None else None) if witnessed else store.signed_from(rows)
    if head is None or index >= head.size:
        raise NotWitnessed if witnessed else NotIntegrated
    hashes = yield from _prove(tx, log, inclusion_plan(index, head.size))
    leaves = yield from store.leaves_at(tx, log, [index])
    key_line = signing_key(signer, tx.context.tenant, store.Tree(*tree).origin, head.note)
    extra = pack_extra(key_line, leaves[index])
    return TlogProof(index, tuple(hashes), head.note, extra).print()


def tlog_proofs(tx: Tx, signer: Signer, entry_ids: Sequence[str]) -> Work[dict[str, bytes]]:
    """The receipts of many entries as `tlog_proof` makes them, by the entry's id; what is not under a signed checkpoint
    yet, or unknown, is left out. The checkpoint is checked and each tile read once for all.
    """
    rows = yield tuple(store.locate(tx, store.entry_key(each)) for each in entry_ids)
    logs: dict[str, dict[str, int]] = {}
    for each, row in zip(entry_ids, rows, strict=True):
        place = store.located_from(row)
        if place is not None:
            logs.setdefault(place[0], {})[each] = place[1]
    found: dict[str, bytes] = {}
    for log, places in logs.items():
        tree, heads = yield store.tree_of(tx, log), store.last_signed(tx, log)
        head = store.signed_from(heads)
        covered = {each: index for each, index in places.items() if head is not None and index < head.size}
        if head is None or not covered:
            continue
        key_line = signing_key(signer, tx.context.tenant, store.Tree(*tree).origin, head.note)
        plans = {each: inclusion_plan(index, head.size) for each, index in covered.items()}
        needed = [place_of(node) for plan in plans.values() for nodes in plan for node in nodes]
        tiles = TileReader((yield from store.tiles_at(tx, log, needed)))
        leaves = yield from store.leaves_at(tx, log, list(covered.values()))
        for each, index in covered.items():
            extra = pack_extra(key_line, leaves[index])
            found[each] = TlogProof(index, tuple(prove(plans[each], tiles)), head.note, extra).print()
    return found


def tile(tx: Tx, log: str, path: str) -> Work[bytes]:
    """The bytes at a C2SP path such as `tile/0/x001/067.p/8` or `tile/entries/000`, as far as the log is signed.

    Any narrower tile is a prefix of the one that is stored. Raises `TileNotFound`.
    """
    try:
        place = parse_path(path)
    except Malformed:
        raise TileNotFound from None
    head = yield from signed(tx, log)
    if place.width > width_at(place.level, place.number, head.size):
        raise TileNotFound
    if place.level == ENTRIES_LEVEL:
        (row,) = yield (store.bundle_at(tx, log, place.number),)
        if row is None:
            raise EntryPruned
        return prefix(row[0], place.width)
    tiles = yield from store.tiles_at(tx, log, [(place.level, place.number)])
    return tiles[place.level, place.number][: place.width * HASH_SIZE]


def _prove(tx: Tx, log: str, plan: Plan) -> Work[list[bytes]]:
    needed: Sequence[store.TileKey] = [place_of(node) for nodes in plan for node in nodes]
    tiles = yield from store.tiles_at(tx, log, needed)
    return prove(plan, TileReader(tiles))
