"""The one read of a decision: a person's row, as the registry keeps it."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from consent import PERSON, Choice, Contact, Directive, Jurisdiction, Minority, PersonState, Relation, Waiting, unpack
from sayso.kernel import Get, GetEach, Tx, Values


class Person(Struct, frozen=True, gc=False):
    """What is read of a person to decide: the number that stands for them in lists, and the state."""

    aid: int
    state: PersonState


class Packed(Struct, frozen=True, array_like=True):
    """The layout of `PersonState` with every choice still packed: few of them bear on one question."""

    choices: dict[str, Raw] = {}
    restricted_at: int = 0
    erased_at: int = 0
    suppressed_until: int = 0
    held: int = 0
    jurisdictions: tuple[Jurisdiction, ...] = ()
    relations: tuple[Relation, ...] = ()
    denials: dict[str, Raw] = {}
    waiting: dict[str, Raw] = {}
    minority: Minority | None = None
    directives: dict[str, Directive] = {}
    contact: Contact | None = None
    family: Raw = Raw(b"\xc0")


def read(tx: Tx, subject: bytes) -> Get:
    """The read of one person's row, to be yielded."""
    return tx.get(PERSON, subject)


def read_each(tx: Tx, subjects: Iterable[bytes]) -> GetEach:
    """The reads of many people's rows, in order."""
    return tx.get_each(PERSON, subjects)


def person(row: Values | None) -> Person | None:
    """The person in the row; None for nobody, and for somebody erased, whose number is not to be used again."""
    if row is None:
        return None
    state = unpack(row[3])
    return None if state.erased_at else Person(row[1], state)


def state_at(row: Values | None, purposes: Sequence[str]) -> PersonState | None:
    """The state in the row, with the choices at `purposes` alone: all that the standing of a purpose depends on is the
    choices there and above. None as in `person`.

    Unpacking is the dearest part of a decision, and most of what is packed is choices about other purposes.
    """
    if row is None:
        return None
    packed = _decode(row[3])
    if packed.erased_at:
        return None
    denials = packed.denials
    return PersonState(
        _choices(packed.choices, purposes),
        packed.restricted_at,
        0,
        packed.suppressed_until,
        packed.held,
        packed.jurisdictions,
        packed.relations,
        _choices(denials, purposes) if denials else {},
        _waiting(packed.waiting, purposes) if packed.waiting else {},
        packed.minority,
        packed.directives,
        packed.contact,
    )


def _choices(packed: dict[str, Raw], purposes: Sequence[str]) -> dict[str, Choice]:
    found = {}
    for purpose in purposes:
        if purpose in packed:
            found[purpose] = _choice(packed[purpose])
    return found


def _waiting(packed: dict[str, Raw], purposes: Sequence[str]) -> dict[str, Waiting]:
    return {purpose: _request(packed[purpose]) for purpose in purposes if purpose in packed}


_decode: Final = msgspec.msgpack.Decoder(Packed).decode
_choice: Final = msgspec.msgpack.Decoder(Choice).decode
_request: Final = msgspec.msgpack.Decoder(Waiting).decode
