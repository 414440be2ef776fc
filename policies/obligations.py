"""Obligations: what a permit asks of the caller, and how several permits' obligations become one set.

The names are fixed (AuthZEN obligations profile: a caller that does not understand one must treat the answer as a
deny). Merging follows one order, whatever order the rules were written in: the strongest mask, the largest group, the
shortest life, both guards where two rules ask for one each.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sayso.kernel import Obligation

MASKS: Final = ("mask_last4", "mask_year", "mask_hash", "redact")
"""From the weakest to the strongest; the strongest wins."""

LOGS: Final = ("log", "log_full")
"""Sayso's own doing: no caller needs to support them."""

PARAMETERS: Final = {"aggregate": ("k", 2), "ttl": ("seconds", 1)}
"""Types that carry a number: its name and the least it may be."""

SECOND_PERSON: Final = "second_person"
BREAK_GLASS: Final = "break_glass"
GUARDS: Final = (SECOND_PERSON, BREAK_GLASS)
"""Somebody else agrees first; or it is opened without, aloud. The vault sees to it where it opens values."""

OR: Final = "or"
"""The property of `second_person` that names the other guard where a rule takes either."""

TYPES: Final = (*MASKS, "aggregate", "ttl", *GUARDS, "step_up", "notify", *LOGS)

_FULFILLED_BY_SAYSO: Final = frozenset((*MASKS, *GUARDS, *LOGS))
_RANKED: Final = {name: rank for ranks in (MASKS, LOGS) for rank, name in enumerate(ranks)}
_PLACE: Final = {name: place for place, name in enumerate(TYPES)}


def merge(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """One obligation per kind, in the order of `TYPES`. The result does not depend on the order of what comes in."""
    strongest: dict[str, Obligation] = {}
    for obligation in obligations:
        kind = _kind(obligation.type)
        held = strongest.get(kind)
        if held is None or _strength(obligation) > _strength(held):
            strongest[kind] = obligation
    if BREAK_GLASS in strongest and OR in strongest.get(SECOND_PERSON, strongest[BREAK_GLASS]).properties:
        # One rule takes either and another the glass alone: who breaks it has done both.
        del strongest[SECOND_PERSON]
    return tuple(sorted(strongest.values(), key=lambda obligation: _PLACE[obligation.type]))


def either(obligations: Sequence[Obligation], rule: str) -> list[Obligation]:
    """A rule's own list, in which both guards are one obligation that either way meets."""
    if not {each.type for each in obligations}.issuperset(GUARDS):
        return list(obligations)
    both = Obligation(f"{rule}.{SECOND_PERSON}", SECOND_PERSON, {OR: BREAK_GLASS})
    return [both, *(each for each in obligations if each.type not in GUARDS)]


def unsupported(obligations: Iterable[Obligation], declared: Collection[str], action: str) -> tuple[str, ...]:
    """The types that nobody has said they will fulfil. For `reveal`, Sayso itself masks, logs and asks for the second
    person.
    """
    ours = _FULFILLED_BY_SAYSO if action == "reveal" else LOGS
    return tuple(o.type for o in obligations if o.type not in ours and o.type not in declared)


def _kind(name: str) -> str:
    return "mask" if name in MASKS else "log" if name in LOGS else name


def _strength(obligation: Obligation) -> tuple[int, str]:
    """Comparable within one kind. The id breaks ties, so that equal sets merge to equal answers."""
    name = obligation.type
    if name in _RANKED:
        return _RANKED[name], obligation.id
    if name == "aggregate":
        return int(obligation.properties["k"]), obligation.id
    if name == "ttl":
        return -int(obligation.properties["seconds"]), obligation.id
    if name == SECOND_PERSON:
        return int(OR not in obligation.properties), obligation.id
    return 0, obligation.id
