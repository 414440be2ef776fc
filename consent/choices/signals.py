"""Directives as they reach us: which of them are new, which the law or the site honours, and the record they make.

A browser sends its signal with every request. The first one is recorded; what the same browser repeats is the same
standing signal and costs nothing. A link that is pressed again is said again.
"""

from collections.abc import Sequence

from msgspec import Struct

from consent import events
from consent.answers import DirectiveState, Recorded, directives_of
from consent.catalogue.catalogue import Catalogue, Shown
from consent.choices.directives import check, given
from consent.choices.recording import Recorder, check_form
from consent.model import Assurance, Identifier, Signal, Submission
from consent.people.people import People, Person
from sayso.kernel import Tx, Work, text


class Directed(Struct, frozen=True):
    """What came of a directive. `recorded` is None where it stood already, from the same browser or client."""

    subject: str
    directives: list[DirectiveState]
    recorded: Recorded | None


class Signals:
    """Records directives that come without choices."""

    def __init__(self, people: People, recorder: Recorder) -> None:
        self._people = people
        self._recorder = recorder

    def give(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        signals: Sequence[Signal],
        *,
        method: str = "api",
        assurance: Assurance = "session",
    ) -> Work[Directed]:
        """Record directives of this person. Raises `NoSubject`, `Invalid` for a kind there is not."""
        person = yield from self._people.find(tx, subject)
        return self._given(tx, catalogue, person, signals, method, assurance)

    def give_as(
        self,
        tx: Tx,
        catalogue: Catalogue,
        identifier: Identifier,
        signals: Sequence[Signal],
        *,
        method: str,
        assurance: Assurance,
    ) -> Work[Directed | None]:
        """The same for whoever has this identifier. Nobody has it: None, and nobody is made (design 6.7)."""
        check(signals)
        person = yield from self._people.known(tx, identifier)
        return None if person is None else self._given(tx, catalogue, person, signals, method, assurance)

    def _given(
        self,
        tx: Tx,
        catalogue: Catalogue,
        person: Person,
        signals: Sequence[Signal],
        method: str,
        assurance: Assurance,
    ) -> Directed:
        check(signals)
        state = person.state
        recorded = None
        if given(catalogue, state, signals):
            submission = Submission(
                choices={}, method=method, assurance=assurance, subject=person.subject, signals=tuple(signals)
            )
            check_form(submission, tx.context.at)
            recorded = self._recorder.enter(tx, catalogue, person, submission, Shown(), events.DIRECTED)
            return Directed(text("sub", person.subject), recorded.directives or [], recorded)
        return Directed(text("sub", person.subject), directives_of(state, catalogue), None)
