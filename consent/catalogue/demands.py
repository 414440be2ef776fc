"""What some purposes ask of a grant beyond the word: a consent of its own, an explicit act, a second yes.

Worked out once per catalogue. Most catalogues ask for none of it, and then a record pays for one look at `any`.
A flag on a purpose holds for all below it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from consent.catalogue.purpose import Purpose
from consent.choices.fold import path
from consent.errors import ExplicitMethodNeeded, SeparateConsentNeeded
from consent.laws.jurisdictions import ROOT, Regime, chain
from consent.model import PersonState, Submission

EXPLICIT_METHODS: Final = frozenset({"preference_centre", "staff", "phone", "paper", "double_opt_in"})
"""Methods that are an express statement by themselves. Through the API the statement stands in the evidence; a click
in a banner, or a row of an import, is none (GDPR Art. 9(2)(a); PIPL Art. 29).
"""

STATEMENT: Final = "statement"
"""The member of the evidence that holds the words which the person affirmed."""


class Demands:
    """What a catalogue's purposes demand. `apart` are those that no grant above them reaches, `advertising` those that
    must not be offered to the young.
    """

    __slots__ = ("_by_law", "_doubled", "_regimes", "advertising", "any", "apart", "sensitive", "separate")

    def __init__(
        self, purposes: Mapping[str, Purpose], opt_outs: Mapping[str, frozenset[str]], regimes: Mapping[str, Regime]
    ) -> None:
        """`opt_outs` tells what each purpose does that a person can opt out of as a kind."""
        self._regimes = regimes
        self.separate = _with_below(purposes, [each.name for each in purposes.values() if each.separate_consent])
        self.sensitive = _with_below(purposes, [each.name for each in purposes.values() if each.sensitive])
        mail = _with_below(purposes, [each.name for each in purposes.values() if each.direct_marketing])
        declared = {name: _declared(purposes, name) for name in purposes}
        self._doubled = {name: frozenset(laws) for name, laws in declared.items() if laws}
        self._by_law = frozenset(
            name
            for name, laws in declared.items()
            if laws is None and name in mail and "email" in purposes[name].channels
        )
        self.apart = self.separate | self.sensitive | self._doubled.keys()
        self.any = bool(self.apart or self._by_law)
        self.advertising = frozenset(name for name, kinds in opt_outs.items() if "targeted_ads" in kinds)

    def check(self, submission: Submission) -> None:
        """Raise `SeparateConsentNeeded` or `ExplicitMethodNeeded` for a grant that does not meet what is asked. A no is
        never hindered.
        """
        granted = [purpose for purpose, act in submission.choices.items() if act == "granted"]
        bundled = [purpose for purpose in granted if purpose in self.separate]
        if bundled and (len(granted) > 1 or submission.bundle):
            raise SeparateConsentNeeded(sorted(bundled))
        sensitive = [purpose for purpose in granted if purpose in self.sensitive]
        if sensitive and not _explicit(submission):
            raise ExplicitMethodNeeded(sorted(sensitive))

    def waits(self, purpose: str, state: PersonState) -> bool:
        """Whether a grant of this person waits for a confirmation.

        Where the purpose names laws, one of them must be known for the person, or none at all: nobody knows is strict.
        Where it leaves it to the law, a law known for the person must ask for it.
        """
        wanted = self._doubled.get(purpose)
        if wanted is None:
            return purpose in self._by_law and any(self._row(each.code).double_opt_in for each in state.jurisdictions)
        if ROOT in wanted or not state.jurisdictions:
            return True
        return any(not wanted.isdisjoint(chain(each.code) or (ROOT,)) for each in state.jurisdictions)

    def _row(self, code: str) -> Regime:
        return self._regimes.get(code) or self._regimes[ROOT]


def _declared(purposes: Mapping[str, Purpose], name: str) -> tuple[str, ...] | None:
    """The laws under which the purpose, or the nearest above that says so, asks for a confirmation. None: left to the
    law.
    """
    for place in path(name):
        wanted = purposes[place].double_opt_in if place in purposes else None
        if wanted is not None:
            return wanted if isinstance(wanted, tuple) else (ROOT,) if wanted else ()
    return None


def _explicit(submission: Submission) -> bool:
    if submission.method in EXPLICIT_METHODS or submission.confirmed is not None:
        return True
    return submission.method == "api" and bool(submission.evidence.get(STATEMENT))


def _with_below(purposes: Iterable[str], flagged: Sequence[str]) -> frozenset[str]:
    return frozenset(
        name for name in purposes if any(name == above or name.startswith(above + ".") for above in flagged)
    )
