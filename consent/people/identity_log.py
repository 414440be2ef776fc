"""What happened to a person's identifiers: linked, unlinked, merged, split. Append-only, sealed under the log key of
the id that it happened to, never with a value.

A merge keeps what both were just before it: that is what undoing it starts from.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from consent import store
from consent.model import PersonState
from consent.packing import unpack
from sayso.kernel import Key, Sealer, Tx, Work, new_raw, text

What = Literal["linked", "unlinked", "merged", "merged_into", "split", "split_from"]

_COLLECTION: Final = "consent_identity"
_encode = msgspec.msgpack.Encoder().encode


class Event(Struct, frozen=True, omit_defaults=True):
    """One event. `other` is the other person's id (16 raw bytes) where two are concerned, `kind` the type of the
    identifier, `proof` how the link was shown to be true. `mine` and `theirs` are packed states: before a merge those
    of both, after a split `mine` alone.
    """

    at: int
    what: What
    actor: str
    entry: str
    kind: str = ""
    proof: str = ""
    handle: bytes = b""
    other: bytes = b""
    mine: bytes = b""
    theirs: bytes = b""

    @property
    def before(self) -> tuple[PersonState, PersonState]:
        """Of a merge: the person that stayed and the one that joined, just before."""
        return unpack(self.mine), unpack(self.theirs)


_decode = msgspec.msgpack.Decoder(Event).decode


def write(tx: Tx, subject: bytes, key: Key, event: Event) -> None:
    """Add an event to the history of `subject`, whose log key is `key`."""
    raw_id = new_raw()
    tx.insert(store.IDENTITY, subject, raw_id, event.at, key.seal(_COLLECTION, text("idv", raw_id), _encode(event)))


def read(tx: Tx, keys: Iterable[tuple[bytes, Key]]) -> Work[list[tuple[bytes, Event]]]:
    """The events of these ids, each under its key: id and event, oldest first. Cold."""
    held = tuple(keys)
    rows = yield tuple(tx.select(store.identity_events_of(tx.context.tenant, subject)) for subject, _ in held)
    found = [
        (subject, _decode(key.open(_COLLECTION, text("idv", bytes(raw_id)), bytes(sealed))))
        for (subject, key), events in zip(held, rows, strict=True)
        for raw_id, sealed in events
    ]
    return sorted(found, key=lambda each: each[1].at)


def keys_of(tx: Tx, sealer: Sealer, ids: Iterable[bytes]) -> Work[dict[bytes, Key]]:
    """The log keys of these ids, of those that have one."""
    wanted = tuple(ids)
    rows = yield tuple(sealer.read(tx, each) for each in wanted)
    found = {each: sealer.unwrap(tx.context.tenant, each, "log", row) for each, row in zip(wanted, rows, strict=True)}
    return {each: key for each, key in found.items() if key is not None}
