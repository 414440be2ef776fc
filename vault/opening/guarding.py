"""What must stand beside a permit before a guarded value is opened: a second person, or the glass broken aloud.

    resident_id: {type: cn_resident_id, category: identity, guard: [second_person, break_glass]}
    - {id: R7, …, action: reveal, obligations: [second_person]}

A field's guards, and an obligation of a rule, are demands: each has to be met, and where one names both ways either
will do. So no rule loosens a field, and no second rule the first. Facts that a field declares need nothing of its
guards: they are there so that nobody has to open the value.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from sayso.kernel import Obligation

SECOND_PERSON: Final = "second_person"
BREAK_GLASS: Final = "break_glass"
GUARDS: Final = (SECOND_PERSON, BREAK_GLASS)


class Glass(Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody opens at once what another person should have approved. `ticket` is a case they will be asked by."""

    reason: str
    ticket: str = ""


def way(field: Iterable[str], obligations: Iterable[Obligation], *, approved: bool, glass: bool) -> str | None:
    """By which way a value may be opened: a guard's name, an empty text where there is none, None for not at all.

    `break_glass` where the second person alone would not have been enough.
    """
    by = ""
    for demand in _demands(field, obligations):
        if approved and SECOND_PERSON in demand:
            by = by or SECOND_PERSON
        elif glass and BREAK_GLASS in demand:
            by = BREAK_GLASS
        else:
            return None
    return by


def _demands(field: Iterable[str], obligations: Iterable[Obligation]) -> Iterator[frozenset[str]]:
    """What is to be met, each by any of its ways."""
    if ways := frozenset(field):
        yield ways
    for each in obligations:
        if each.type in GUARDS:
            yield frozenset((each.type, *(str(other) for other in each.properties.values())))
