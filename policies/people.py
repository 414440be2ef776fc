"""The one read of a decision: a person's row, as the registry keeps it."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from consent import PERSON, PersonState, unpack, unpack_at
from sayso.kernel import Get, GetEach, Tx, Values


class Person(Struct, frozen=True, gc=False):
    """What is read of a person to decide: the number that stands for them in lists, and the state."""

    aid: int
    state: PersonState


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
    """
    if row is None:
        return None
    state = unpack_at(row[3], purposes)
    return None if state.erased_at else state
