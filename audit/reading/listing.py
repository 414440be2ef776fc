"""Which logs a tenant has: announced to its own people, shown to the world, and looked for behind a filter."""

from collections.abc import Collection

from msgspec import Struct

from audit import store
from audit.retention import class_store, prune_store, shards
from audit.retention.classes import MAIN, Classes
from audit.tree import proving
from sayso.kernel import Signer, Tx, Work


class LogInfo(Struct, frozen=True):
    """A log as it is announced: `log` is its name on the wire (`default.main`), `size` what is integrated. `ended`: it
    was closed, and another of its class goes on; its entries below `pruned` are no longer here. `opened` is an instant.
    """

    name: str
    log: str
    origin: str
    vkey: str
    size: int
    opened: int = 0
    ended: bool = False
    pruned: int = 0


def logs(tx: Tx, signer: Signer) -> Work[list[LogInfo]]:
    """Every log of the tenant, oldest first."""
    rows, pruned = yield (store.all_trees(tx), prune_store.all_pruned(tx))
    heads = yield tuple(store.last_signed(tx, name) for name, *_ in rows)
    tenant, below = tx.context.tenant, {log: number for log, number, _, _ in pruned}
    found = []
    for (name, origin, size, opened, ended), signed in zip(rows, heads, strict=True):
        key, last = proving.verifier_key(signer, tenant, origin), store.signed_from(signed)
        if ended and last is not None:
            # What was closed is signed no more: its checkpoint is checked by the key of its time.
            key = proving.signing_key(signer, tenant, origin, last.note)
        wire = f"{tenant}.{name}"
        found.append(LogInfo(name, wire, origin, key.line, size, opened, bool(ended), below.get(name, 0)))
    return found


def shown(tx: Tx) -> Work[list[tuple[str, bool]]]:
    """The logs that the world is to see, and whether each was closed under its last checkpoint: those that entries go
    into, and the shards before. What a new epoch left behind contradicts what was seen of it: it is not shown.
    """
    rows, turned = yield (store.all_trees(tx), class_store.turned(tx))
    turns = dict(turned)
    current = {turns.get(each, each) for each in (shards.class_of(name) for name, *_ in rows)}
    return [(name, name not in current) for name, _, _, _, ended in rows if ended or name in current]


def holding(tx: Tx, classes: Classes, types: Collection[str], since: int, *, external: bool) -> Work[list[str]]:
    """Names of the logs that may hold entries of these types made at or after an instant; `external`: and those of
    other systems.
    """
    (rows,) = yield (store.all_trees(tx),)
    wanted = {classes.of(each) for each in types} | (classes.external | {MAIN} if external else set())
    return shards.holding([(row[0], row[3]) for row in rows], wanted, since)
