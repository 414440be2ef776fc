"""The one read of a decision: a person's row, as the registry keeps it."""

from msgspec import Struct

from consent import PERSON, PersonState, unpack
from sayso.kernel import Get, Tx, Values


class Person(Struct, frozen=True, gc=False):
    """What is read of a person to decide: the number that stands for them in lists, and the state."""

    aid: int
    state: PersonState


def read(tx: Tx, subject: bytes) -> Get:
    """The read of one person's row, to be yielded."""
    return tx.get(PERSON, subject)


def person(row: Values | None) -> Person | None:
    """The person in the row; None for nobody, and for somebody erased, whose number is not to be used again."""
    if row is None:
        return None
    state = unpack(row[3])
    return None if state.erased_at else Person(row[1], state)
