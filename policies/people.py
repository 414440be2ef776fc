"""The one read of a decision: a person's row, as the registry keeps it."""

from msgspec import Struct

from consent import PERSON, PersonState, unpack
from sayso.kernel import Get, Tx, Values


class Person(Struct, frozen=True):
    """What is read of a person to decide: the number that stands for them in lists, and the state."""

    aid: int
    state: PersonState


def read(tx: Tx, subject: bytes) -> Get:
    """The read of one person's row, to be yielded."""
    return tx.get(PERSON, subject)


def person(row: Values | None) -> Person | None:
    """The person in the row; None for nobody."""
    return None if row is None else Person(row[1], unpack(row[3]))
