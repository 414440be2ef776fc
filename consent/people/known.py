"""What is known of a person besides choices, in words: the facts that decide, each with its source and time."""

from msgspec import Struct

from consent.laws.minority import Laws, grown_at, is_child
from consent.model import Minority, PersonState
from consent.receipts.receipt import printed
from sayso.kernel import text


class KnownJurisdiction(Struct, frozen=True):
    """A law that may apply to the person."""

    code: str
    source: str
    at: str


class KnownAge(Struct, frozen=True):
    """At `at` the person was `youngest` years old at least, and below `below` (None: nobody knows).

    `child` says whether somebody else must consent now, by the strictest law known; `of_age_at` until when.
    """

    youngest: int
    below: int | None
    source: str
    at: str
    child: bool
    of_age_at: str | None


class KnownGuardian(Struct, frozen=True):
    """Who may choose for the person, and how that was verified."""

    subject: str
    verified_by: str
    source: str
    at: str


class KnownRelation(Struct, frozen=True, rename={"start": "from"}):
    """A contract, case or public task. No purposes means all."""

    ref: str
    kind: str
    purposes: tuple[str, ...]
    start: str
    until: str | None
    source: str | None
    live: bool


class SubjectFacts(Struct, frozen=True):
    """Every fact about a person that decides besides their choices. `holds` counts legal holds,
    each once for every id of theirs that it is over. Of what was said until `unsure_at`, when an older copy of the
    store was put back, only noes count.
    """

    subject: str
    jurisdictions: list[KnownJurisdiction]
    age_band: KnownAge | None
    guardians: list[KnownGuardian]
    relations: list[KnownRelation]
    restricted_at: str | None
    holds: int
    suppressed_until: str | None
    unsure_at: str | None


def facts_of(subject: bytes, state: PersonState, at: int, laws: Laws) -> SubjectFacts:
    """The facts of a state, as they stand at an instant."""
    minority = state.minority or Minority()
    return SubjectFacts(
        text("sub", subject),
        [KnownJurisdiction(each.code, each.source, printed(each.at)) for each in state.jurisdictions],
        _age(state, at, laws),
        [
            KnownGuardian(text("sub", each.subject), each.verified_by, each.source, printed(each.at))
            for each in minority.guardians
        ],
        [
            KnownRelation(
                each.ref,
                each.kind,
                each.purposes,
                printed(each.start),
                printed(each.until) if each.until else None,
                each.source or None,
                each.live(at),
            )
            for each in state.relations
        ],
        printed(state.restricted_at) if state.restricted_at else None,
        state.held,
        printed(state.suppressed_until) if state.suppressed_until > at else None,
        printed(state.unsure_at) if state.unsure_at else None,
    )


def _age(state: PersonState, at: int, laws: Laws) -> KnownAge | None:
    age = state.minority.age if state.minority is not None else None
    if age is None:
        return None
    end = grown_at(state, laws)
    return KnownAge(
        age.youngest,
        age.below or None,
        age.source,
        printed(age.at),
        is_child(state, at, laws),
        printed(end) if end else None,
    )
