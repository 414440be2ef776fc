"""`PersonState` as it lies in `consent_person.state`: MessagePack, arrays in field order; whole, or in part.

A decision reads the choices at one purpose and above. Unpacking is the dearest part of it, and most of what is packed
is choices about other purposes: `unpack_at` leaves those as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from consent.model import Choice, Directive, Jurisdiction, Minority, PersonState, Relation, Waiting
from consent.preferences.contact import Contact


class Packed(Struct, frozen=True, array_like=True):
    """The layout of `PersonState` with every choice still packed."""

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
    unsure_at: int = 0


def pack(state: PersonState) -> bytes:
    """The state as a row keeps it."""
    return _encode(state)


def unpack(blob: bytes) -> PersonState:
    """The state in a row."""
    return _whole(blob)


def unpack_at(blob: bytes, purposes: Sequence[str]) -> PersonState:
    """The state with the choices at `purposes` alone, and without its family: all that deciding about them reads."""
    packed = _part(blob)
    denials, waiting = packed.denials, packed.waiting
    return PersonState(
        _choices(packed.choices, purposes),
        packed.restricted_at,
        packed.erased_at,
        packed.suppressed_until,
        packed.held,
        packed.jurisdictions,
        packed.relations,
        _choices(denials, purposes) if denials else {},
        {purpose: _request(waiting[purpose]) for purpose in purposes if purpose in waiting} if waiting else {},
        packed.minority,
        packed.directives,
        packed.contact,
        None,
        packed.unsure_at,
    )


def _choices(packed: Mapping[str, Raw], purposes: Sequence[str]) -> dict[str, Choice]:
    return {purpose: _choice(packed[purpose]) for purpose in purposes if purpose in packed}


_encode: Final = msgspec.msgpack.Encoder().encode
_whole: Final = msgspec.msgpack.Decoder(PersonState).decode
_part: Final = msgspec.msgpack.Decoder(Packed).decode
_choice: Final = msgspec.msgpack.Decoder(Choice).decode
_request: Final = msgspec.msgpack.Decoder(Waiting).decode
