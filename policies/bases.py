"""Each legal basis as a formula over one person's state.

A formula answers None when the basis holds, or the reason why it does not. A no (refusal, withdrawal, objection) blocks
every basis except contract, legal obligation, vital interest and public task; those stand on facts of their own.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from consent import NOES, RANK, PersonState, Standing
from policies.questions import Question, Reason

_GRANTED: Final = "granted"

_WITHOUT_CONSENT: Final[dict[str, Reason]] = {
    "refused": "refused",
    "withdrawn": "withdrawn",
    "expired": "expired",
    "objected": "objected",
    "stale": "stale_notice",
    "unasked": "no_consent",
    "pending": "no_consent",
}

_EXPLICIT: Final = RANK["code"]
"""Assurance of a one-time code, the least that an explicit consent may rest on."""


class Asked(Struct, frozen=True):
    """What a formula needs of the question: the claims of the caller, the purpose with those above it, and whether a
    published notice names it.
    """

    question: Question
    purpose: str
    above: frozenset[str]
    noticed: bool


Formula = Callable[[str, Asked, PersonState, Standing, int], Reason | None]
"""(need, asked, person, standing of the purpose, instant): None, or why the basis does not hold."""


def _consent(need: str, asked: Asked, person: PersonState, folded: Standing, at: int) -> Reason | None:
    # GDPR Art. 18(2): a consent given after the restriction was placed is consent to use the data all the same.
    if person.restricted_at and folded.since <= person.restricted_at:
        return "restricted"
    if person.suppressed_until > at:
        return "suppressed"
    if folded.status != _GRANTED:
        # A child's own yes is none, whatever else became of it.
        return "guardian" if folded.guardian and folded.status == "stale" else _WITHOUT_CONSENT[folded.status]
    if need == "explicit":
        own = person.choices.get(asked.purpose)
        if own is None or own.status != _GRANTED or own.assurance < _EXPLICIT:
            return "no_consent"
    return None


def _unless_no(_need: str, _asked: Asked, person: PersonState, folded: Standing, at: int) -> Reason | None:
    """Legitimate interest: holds until the person says no."""
    if person.restricted_at:
        return "restricted"
    if person.suppressed_until > at:
        return "suppressed"
    if folded.objected:
        return "objected"
    if not folded.no:
        return None
    return "guardian" if folded.guardian and folded.status not in NOES else _WITHOUT_CONSENT[folded.status]


def _notice(need: str, asked: Asked, person: PersonState, folded: Standing, at: int) -> Reason | None:
    """Opt-out regimes: as legitimate interest, and a published notice must have told people of the purpose."""
    reason = _unless_no(need, asked, person, folded, at)
    if reason is None and folded.young:
        # CCPA 1798.120(c): the young, or those who speak for them, are asked first.
        return "guardian" if folded.guardian else "no_consent"
    return reason or (None if asked.noticed else "no_consent")


def _relation_of(*kinds: str) -> Formula:
    def formula(_need: str, asked: Asked, person: PersonState, _folded: Standing, at: int) -> Reason | None:
        if person.restricted_at:
            return "restricted"
        return None if related(asked, person, at, kinds) else "no_relation"

    return formula


def _duty(need: str, asked: Asked, person: PersonState, _folded: Standing, at: int) -> Reason | None:
    """Legal obligation and vital interest: nothing a person says stops them; some rules ask for a recorded case."""
    return "no_relation" if need == "case" and not related(asked, person, at, ("case",)) else None


def related(asked: Asked, person: PersonState, at: int, kinds: tuple[str, ...]) -> bool:
    """Whether a live recorded relation of one of these kinds covers the purpose.

    A relation or case that the caller names must itself be live and cover the purpose: a wrong name is not overlooked.
    """
    live = [
        relation
        for relation in person.relations
        if relation.live(at) and (not relation.purposes or not asked.above.isdisjoint(relation.purposes))
    ]
    question = asked.question
    named = [name for name in (question.relation, question.case) if name is not None]
    if not named:
        return any(relation.kind in kinds for relation in live)
    if question.case is not None and not any(r.ref == question.case and r.kind == "case" for r in live):
        return False
    if any(all(relation.ref != name for relation in live) for name in named):
        return False
    return any(relation.ref in named and relation.kind in kinds for relation in live)


FORMULAS: Final[dict[str, Formula]] = {
    "consent": _consent,
    "legitimate_interest": _unless_no,
    "notice": _notice,
    "contract": _relation_of("contract", "case"),
    "public_task": _relation_of("public_task", "case"),
    "legal_obligation": _duty,
    "vital_interest": _duty,
}
