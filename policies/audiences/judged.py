"""What came of a question about many people, and the making of it. Pure."""

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from policies.audiences.aids import Aids
from policies.audiences.columns import READ, Codes, Places
from policies.policy import Policy
from policies.questions import Decision, Question
from sayso.kernel import SECOND

TERM: Final = 15 * 60 * SECOND
"""How long the answer about many people may be used, in microseconds."""


class Judged(Struct, frozen=True):
    """What came of a question about many people, before anything is written.

    `codes` stand beside `aids`, each the place of a decision in `table`. `capped` are those permitted whose limit a
    message counts against: place, id, channel. `position` is that of the registry which this is as new as, `until` the
    first moment at which time alone changes an answer. `read` tells how many people were read row by row, `unknown` how
    many more were asked about who are nobody and have no number: their decision is the first of the table.
    """

    policy: Policy
    question: Question
    aids: Aids
    codes: NDArray[np.uint16]
    table: list[Decision]
    capped: list[tuple[int, bytes, str]]
    at: int
    position: int
    until: int
    read: int
    places: Places | None = None
    unknown: int = 0

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """For each person whether they are permitted."""
        return np.array([decision.allowed for decision in self.table], np.bool_)[self.codes]


class Answers:
    """A `Judged` in the making."""

    def __init__(self, policy: Policy, question: Question, aids: Aids, found: Codes, at: int) -> None:
        self.policy = policy
        self.question = question
        self.at = at
        self.until = at + TERM if not policy.good_until > at else min(at + TERM, policy.good_until)
        self.capped: list[tuple[int, bytes, str]] = []
        self._aids = aids
        self._codes = found.codes
        self._table = found.table
        self._known = {_name(each): nth for nth, each in enumerate(found.table) if nth != READ}
        self._count = 0

    def put(self, place: int, decision: Decision) -> None:
        """The decision about one person."""
        name = _name(decision)
        code = self._known.get(name)
        if code is None:
            code = self._known[name] = len(self._table)
            self._table.append(decision)
        self._codes[place] = code
        self._count += 1

    def whole(self, position: int, places: Places | None, unknown: int = 0) -> Judged:
        """All of it."""
        return Judged(
            self.policy,
            self.question,
            self._aids,
            self._codes,
            self._table,
            self.capped,
            self.at,
            position,
            self.until,
            self._count,
            places,
            unknown,
        )


def _name(decision: Decision) -> tuple[object, ...]:
    return decision.allowed, decision.reason, decision.rule, decision.basis
