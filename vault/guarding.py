"""What must stand beside a permit before a guarded value is opened: a second person, or the glass broken aloud.

    resident_id: {type: cn_resident_id, category: identity, guard: [second_person, break_glass]}

Either of the named ways will do. An obligation of the same name on a permit demands it too. Facts that a field declares
need neither: they are there so that nobody has to open the value.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

SECOND_PERSON: Final = "second_person"
BREAK_GLASS: Final = "break_glass"
GUARDS: Final = (SECOND_PERSON, BREAK_GLASS)


class Glass(Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody opens at once what another person should have approved. `ticket` is a case they will be asked by."""

    reason: str
    ticket: str = ""


def demanded(field: Iterable[str], obligations: Iterable[str]) -> frozenset[str]:
    """The guards that stand before a value: those of its field, and those that a permit's obligations name."""
    return frozenset((*field, *(name for name in obligations if name in GUARDS)))


def way(field: Iterable[str], obligations: Iterable[str], *, approved: bool, glass: bool) -> str | None:
    """By which way a value may be opened: a guard's name, an empty text where there is none, None for not at all."""
    asked = demanded(field, obligations)
    if not asked:
        return ""
    if approved and SECOND_PERSON in asked:
        return SECOND_PERSON
    return BREAK_GLASS if glass and BREAK_GLASS in asked else None
