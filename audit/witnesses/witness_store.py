"""The SQL of witnessing: what we cosigned for others, and what others cosigned for us."""

from typing import NamedTuple

from audit.tables import COSIGNED, WITNESSED, audit_cosigned, audit_witnessed
from sayso.kernel import Get, Tx, Values


class Seen(NamedTuple):
    """A head and the note it stands in, with its cosignatures."""

    size: int
    root: bytes
    note: bytes


def seen_of(tx: Tx, origin: str) -> Get:
    """The read of the largest head we cosigned of a log: size, root, note."""
    return tx.get(COSIGNED, origin)


def keep(tx: Tx, origin: str, was: Seen, seen: Seen) -> None:
    """What we are about to cosign, if nothing larger was kept meanwhile: who comes second is decided anew."""
    if not was.note:
        tx.insert(COSIGNED, origin, *seen, tx.context.at)
        return
    own = (audit_cosigned.c.origin == origin, audit_cosigned.c.size == was.size)
    changed = audit_cosigned.update().where(*own)
    tx.execute(changed.values(size=seen.size, root=seen.root, note=seen.note, at=tx.context.at), expect=1)


def witnessed_of(tx: Tx, log: str) -> Get:
    """The read of the last head of ours that enough witnesses cosigned: see `witnessed_from`."""
    return tx.get(WITNESSED, log)


def witnessed_from(row: Values | None) -> Seen | None:
    """The answer of `witnessed_of`."""
    return Seen(*row[:3]) if row is not None else None


def keep_witnessed(tx: Tx, log: str, was: Seen | None, seen: Seen) -> None:
    """A head that enough witnesses cosigned, in place of a smaller one."""
    if was is None:
        tx.insert(WITNESSED, log, *seen, tx.context.at)
        return
    own = (audit_witnessed.c.log == log, audit_witnessed.c.size == was.size)
    changed = audit_witnessed.update().where(*own)
    tx.execute(changed.values(size=seen.size, root=seen.root, note=seen.note, at=tx.context.at), expect=1)
