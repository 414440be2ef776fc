"""What it costs a data key to be used, and what a key that took a worn one's place has of it.

`renewal.py` makes the new key. Beside it lies what it carries on: the secret that tags of tokens are made with, sealed,
so that a value keeps the token it has; and the commitments of its forerunners, in clear, so that an erasure names them
too and a copy of the database from back then is known again.
"""

from hashlib import sha256
from typing import Any, Final

from msgspec import Struct, msgpack

from sayso.kernel import LOG, Tx, Values, Work
from vault import store
from vault.keys.keyring import Keyring
from vault.keys.wrapped import FORMER, WORN_SEALS, DataKey, used

CARRIED: Final = "-carried"
"""Stands where a token names its collection. None can be declared by that name."""

TOKEN: Final = "token"  # noqa: S105 - what is derived, no password

_NOT_RENEWED: Final = (LOG, "proof")


class Forerunner(Struct, frozen=True, array_like=True):
    """A key that was renewed: its version, the epoch it lay under last, its commitment."""

    version: int
    epoch: int
    commitment: bytes


_forerunners = msgpack.Decoder(tuple[Forerunner, ...]).decode


def renewable(cls: str) -> bool:
    """Whether keys of a class are renewed. What log and proof keys seal is bound to them for good."""
    return cls not in _NOT_RENEWED and not cls.startswith(FORMER)


def use(tx: Tx, subject: bytes, cls: str, row: tuple[Any, ...], seals: int) -> None:
    """Count so many more seals under a key, and note it when it is worn. Raises `KeyWorn` where no more are allowed.

    Whoever seals does this: an erasure on another node deletes the row, a sweep wraps it anew, a renewal replaces it,
    and then this unit loses the race and decides again.
    """
    tx.put(store.KEY, (subject, cls), used(row, cls, seals), was=row)
    if row[5] < WORN_SEALS <= row[5] + seals and renewable(cls):
        tx.once(store.WEAR, subject, cls, tx.context.at)


def settled(keyring: Keyring, tx: Tx, *keys: DataKey | None) -> Work[None]:
    """Give keys that took another's place what they carry on, and what still opens for them. Costs others nothing."""
    for key in keys:
        if key is None or key.version == 1:
            continue
        carried, former = yield (
            tx.get(store.TOKEN_OF, key.owner, carried_at(key.cls)),
            keyring.read(tx, key.owner, FORMER + key.cls),
        )
        secret = {} if carried is None else {TOKEN: key.open(CARRIED, key.cls, carried[-1])}
        key.takes_over(keyring.unwrap(tx.context.tenant, key.owner, FORMER + key.cls, former), secret)


def carried_at(cls: str) -> bytes:
    """Where what a key carries on lies among its owner's tokens. No tag is there: those are keyed."""
    return sha256(b"sayso.carried.v1" + cls.encode()).digest()[:16]


def carry(tx: Tx, key: DataKey, secret: bytes, forerunners: tuple[Forerunner, ...]) -> None:
    """Lay down what a new key carries on, in place of what its forerunner did."""
    at = carried_at(key.cls)
    tx.delete(store.TOKEN_OF, key.owner, at)
    sealed = key.seal(CARRIED, key.cls, secret)
    tx.insert(store.TOKEN_OF, key.owner, at, CARRIED, key.cls, msgpack.encode(forerunners), sealed)


def forerunners_in(row: Values | None) -> tuple[Forerunner, ...]:
    """The forerunners in a row of that place: collection, field, forerunners, secret."""
    return () if row is None else _forerunners(bytes(row[2]))
