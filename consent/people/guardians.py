"""Who chose for a child: the guardian as recorded, though they may go by another id since they were merged."""

from msgspec.structs import replace

from consent.model import PersonState, Submission
from consent.packing import unpack
from consent.people.people import ids_of
from consent.store import PERSON
from sayso.kernel import Tx, Work


def as_recorded(tx: Tx, state: PersonState, submission: Submission) -> Work[Submission]:
    """The submission with its guardian named by the id that is recorded with the child, if any of theirs is."""
    guardian = submission.indicated_by
    known = {each.subject for each in state.minority.guardians} if state.minority is not None else set()
    if not guardian or not known or guardian in known:
        return submission
    (row,) = yield (tx.get(PERSON, guardian),)
    ids = ids_of(guardian, unpack(row[3])) if row is not None else ()
    return replace(submission, indicated_by=next((each for each in ids if each in known), guardian))
