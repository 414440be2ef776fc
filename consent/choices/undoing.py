"""Taking a withdrawal back soon after it: a choice of its own, with its own record (docs/decisions/0015).

An undo says nothing new. It gives back what the record kept of before, exactly, and only while everything which that
withdrawal changed still stands as it left it. So it can be left to whoever withdrew, however weakly they are known:
nothing can come of it that had not been said already, and more surely.
"""

from typing import Final

from msgspec import Struct

from consent import events
from consent.answers import Recorded
from consent.catalogue.catalogue import Catalogue, Shown
from consent.choices.fold import advance
from consent.choices.past import Past
from consent.choices.record import Payload
from consent.choices.recording import Recorder
from consent.choices.stood import put_back, untouched
from consent.errors import NoRecord, NothingToUndo
from consent.model import Assurance, PersonState, Stood, Submission
from consent.people.people import People, Person
from sayso.kernel import DAY, Tx, Work

UNDO_WITHIN: Final = DAY
"""How long a withdrawal can be undone."""


class Undoable(Struct, frozen=True):
    """A withdrawal that can still be undone: its record, what stood before, and until when."""

    record: bytes
    payload: Payload
    stood: Stood
    until: int


class Undoing:
    """Finds what can be undone, and undoes it."""

    def __init__(self, past: Past, people: People, recorder: Recorder) -> None:
        self._past = past
        self._people = people
        self._recorder = recorder

    def offered(self, tx: Tx, person: Person, record: bytes) -> Work[Undoable | None]:
        """What undoing a record would put back; None for one that cannot be undone, or not any more."""
        try:
            payload, subject = yield from self._past.opened(tx, record)
        except NoRecord:
            return None
        was, until = payload.stood, payload.at + UNDO_WITHIN
        if was is None or subject not in person.ids or until <= tx.context.at:
            return None
        before = put_back(PersonState(), was, 0)
        then = advance(before, payload.changes, payload.moment(record))
        return Undoable(record, payload, was, until) if untouched(person.state, then, was) else None

    def open_until(self, tx: Tx, subject: bytes, record: bytes) -> Work[int]:
        """Until when this very person can take the withdrawal of a record back; 0 when not. Raises `NoSubject`."""
        person = yield from self._people.find(tx, subject)
        found = yield from self.offered(tx, person, record)
        return found.until if found is not None else 0

    def undo(
        self, tx: Tx, catalogue: Catalogue, subject: bytes, record: bytes, *, method: str, assurance: Assurance
    ) -> Work[Recorded]:
        """Take the withdrawal of this record back. Raises `NoSubject`, `NothingToUndo`."""
        person = yield from self._people.find(tx, subject)
        found = yield from self.offered(tx, person, record)
        if found is None:
            raise NothingToUndo
        submission = Submission(
            choices={change.purpose: "undone" for change in found.payload.changes},
            method=method,
            assurance=assurance,
            subject=subject,
            undoes=record,
            stood=found.stood,
        )
        return self._recorder.enter(tx, catalogue, person, submission, Shown(), events.UNDONE)
