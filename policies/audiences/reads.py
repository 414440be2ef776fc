"""What is read for questions about many people: units that only look."""

from collections.abc import Sequence
from typing import Final

from consent import AID, PERSON
from policies.audiences.columns import Row
from policies.audiences.store import CHANGED_AFTER, PEOPLE_BETWEEN
from sayso.kernel import Tx, Unit, Values, Work

CHANGES: Final = 1_000
"""Changes that are read at a time."""


def as_row(subject: bytes, row: Values | None) -> Row | None:
    """A row of the registry's; None for nobody, and for somebody erased, who has no number."""
    return (subject, row[1], row[3]) if row is not None and row[1] else None


def head(tx: Tx) -> Work[int]:
    """How far the changes go."""
    yield ()
    return tx.head.position


def changes(position: int) -> Unit[tuple[int, list[Values]]]:
    """How far the changes go, and the first of those behind a position: position, subject."""

    def unit(tx: Tx) -> Work[tuple[int, list[Values]]]:
        if tx.head.position == position:
            return position, []
        (rows,) = yield (tx.query(CHANGED_AFTER, after=position, most=CHANGES),)
        return tx.head.position, rows

    return unit


def people(first: int, last: int) -> Unit[list[Row]]:
    """Everybody in buckets `first` to `last` - 1."""

    def unit(tx: Tx) -> Work[list[Row]]:
        (rows,) = yield (tx.query(PEOPLE_BETWEEN, first=first, last=last),)
        return [(bytes(subject), aid, bytes(state)) for subject, aid, state in rows]

    return unit


def owners(aids: Sequence[bytes]) -> Unit[list[Values | None]]:
    """Whose numbers these are (8 bytes, big-endian), in order."""

    def unit(tx: Tx) -> Work[list[Values | None]]:
        (rows,) = yield (tx.get_each(AID, aids),)
        return rows  # type: ignore[no-any-return]

    return unit


def persons(subjects: Sequence[bytes]) -> Unit[list[Values | None]]:
    """The rows of these people, in order."""

    def unit(tx: Tx) -> Work[list[Values | None]]:
        (rows,) = yield (tx.get_each(PERSON, subjects),)
        return rows  # type: ignore[no-any-return]

    return unit
