"""Whether a purpose is live for a person: whether any basis lets somebody use data for it. Pure.

The rules are not asked, since they say who may, and not whether. The formulas are those that decide: nothing is kept on
a ground on which it could not be used, and nothing is deleted that could. A restriction of processing is left out here:
data under one are not used, and kept all the more (GDPR, Art. 18).
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consent import NOES, PersonState, Standing, standing
from policies.bases import FORMULAS, Asked
from policies.policy import Policy
from policies.questions import Question
from policies.ruleset.trees import ROOT

_RELATIONS: Final = {"contract": ("contract", "case"), "public_task": ("public_task", "case")}
_QUESTION: Final = Question(roles=frozenset(), action="use", category=ROOT, purpose=None)
_OPEN: Final = 2**62


class Life(Struct, frozen=True):
    """What of one purpose and one person. Instants; 0 for none.

    `until`: when it ends by itself, as far as is known today. `ended_at`: of one that is not live, when it last was, as
    far as the state tells.
    """

    live: bool
    basis: str = ""
    until: int = 0
    ended_at: int = 0


def life(policy: Policy, state: PersonState, purpose: str, at: int) -> Life:
    """Whether `purpose` is live for the person: under every jurisdiction known of them, by what it declares there or by
    their consent.
    """
    catalogue = policy.catalogue
    free = replace(state, restricted_at=0) if state.restricted_at else state
    folded = standing(free, purpose, catalogue, at)
    above = policy.snapshot.trees.purposes.up.get(purpose, frozenset((purpose,)))
    asked = Asked(replace(_QUESTION, purpose=purpose), purpose, above, policy.snapshot.noticed(purpose))
    codes = [each.code for each in state.jurisdictions] or [ROOT]
    bases = sorted({catalogue.basis(purpose, code) for code in codes})
    ends: list[int] = []
    for basis in bases:
        holding = [each for each in {basis, "consent"} if FORMULAS[each]("", asked, free, folded, at) is None]
        end = max((_end(each, free, folded, above, at) for each in holding), default=0)
        end = max(end, _awaited(basis, free, folded, above, at))
        if not end:
            return Life(False, ended_at=_ended(policy, free, purpose, folded, above, at))
        ends.append(end)
    until = min(ends)
    return Life(True, "+".join(bases), until if until < _OPEN else 0)


def _awaited(basis: str, state: PersonState, folded: Standing, above: frozenset[str], at: int) -> int:
    """What is agreed and has not begun keeps data as well: when that ends. 0 when nothing is awaited."""
    if folded.status == "pending":
        return folded.expires_at or _OPEN
    later = _covering(state, above, _RELATIONS.get(basis, ()))
    return max((until for start, until in later if start > at), default=0)


def _end(basis: str, state: PersonState, folded: Standing, above: frozenset[str], at: int) -> int:
    """When a basis that holds ends by itself."""
    if basis == "consent":
        return folded.expires_at or _OPEN
    kinds = _RELATIONS.get(basis)
    if kinds is None:
        return _OPEN
    live = [each for each in _covering(state, above, kinds) if each[0] <= at < each[1]]
    return max((until for _, until in live), default=_OPEN)


def _ended(policy: Policy, state: PersonState, purpose: str, folded: Standing, above: frozenset[str], at: int) -> int:
    """The last instant at which the state knows that the purpose ended."""
    ended = [until for _, until in _covering(state, above, ("contract", "case", "public_task")) if until <= at]
    if folded.status in NOES:
        ended.append(folded.since)
    elif folded.status == "expired":
        ended.append(folded.expires_at)
    elif state.unsure_at:
        ended.append(state.unsure_at)
    elif folded.status == "stale":
        ended.append(policy.catalogue.purposes[purpose].published_at)
    return max(ended, default=0)


def _covering(state: PersonState, above: frozenset[str], kinds: tuple[str, ...]) -> list[tuple[int, int]]:
    """From and until of the relations of these kinds that cover the purpose."""
    return [
        (each.start, each.until or _OPEN)
        for each in state.relations
        if each.kind in kinds and (not each.purposes or not above.isdisjoint(each.purposes))
    ]
