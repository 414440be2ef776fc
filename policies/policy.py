"""One tenant's policy: the snapshot of its rules together with its catalogue of purposes. Swapped as one value."""

from typing import Final

from consent import Catalogue
from policies.decide import Inquiry
from policies.questions import Question
from policies.ruleset.snapshot import Snapshot

INQUIRY_LIMIT: Final = 4_096
"""Prepared questions kept. Their text comes from outside, so the oldest goes when there is one too many."""


class Policy:
    """Decides with the rules and purposes of one version of the configuration. Never changed once built.

    `good_until` is the instant from which it permits nothing any more, since newer rules are in force elsewhere; 0 for
    none.
    """

    __slots__ = ("_inquiries", "catalogue", "good_until", "snapshot")

    def __init__(self, snapshot: Snapshot, catalogue: Catalogue, *, good_until: int = 0) -> None:
        self.snapshot = snapshot
        self.catalogue = catalogue
        self.good_until = good_until
        self._inquiries: dict[Question, Inquiry] = {}

    @property
    def version(self) -> str:
        """The hash that answers and entries name."""
        return self.snapshot.version

    def inquiry(self, question: Question) -> Inquiry:
        """The question, prepared for any number of people."""
        inquiry = self._inquiries.get(question)
        if inquiry is None:
            if len(self._inquiries) >= INQUIRY_LIMIT:
                self._inquiries.pop(next(iter(self._inquiries)), None)
            inquiry = self._inquiries[question] = Inquiry(
                self.snapshot, self.catalogue, question, good_until=self.good_until
            )
        return inquiry
