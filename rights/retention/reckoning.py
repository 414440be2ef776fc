"""When the data of one person end, category by category. Pure: no clock, no database.

Data end when the last purpose that is live for them ends, and go after a grace. What was never covered by a live
purpose ends when it is stored. Repeating a no, or storing the same data again, does not begin the grace anew.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from consent import PersonState, Serving
from policies import Life, Policy, life
from rights.retention.terms import EndTerms
from sayso.kernel import add_duration
from vault import Collections, Held

NEVER: Final = 2**62
KEPT: Final = 2**61
"""Stands for the end of data that have ended and are kept on a ground, so that these are found among all others."""

UNDECLARED: Final = "(undeclared)"
"""Stands for the category of data whose field the manifest no longer declares: no purpose covers those."""

ANSWERS: Final = "(answers)"
"""Stands for the collection of what people answered. The category of an answer is `answers:` and its purpose."""

_SERVING: Final = "answers:"
_DUTIES: Final = frozenset({"legal_obligation", "vital_interest"})
RESTRICTED: Final = "restriction (GDPR, Art. 18)"


class Place(Struct, frozen=True, array_like=True, gc=False):
    """One stored value, without the value. `first_at`: since when something has been stored there.

    An answer to a question is one too: its field is the question, and only the purpose that it was given for counts.
    """

    collection: str
    field: str
    category: str
    first_at: int


class End(Struct, frozen=True, array_like=True, gc=False):
    """How it stands with a category of a person's data.

    `ended_at`: when its last live purpose ended (0: it never had one), of a category that has none. `ends_at`: when the
    live ones end by themselves, 0 where that is open. `seen_at`: when this was first found so. `ground`: what keeps the
    data; empty where nothing does.
    """

    live: bool
    ended_at: int
    ends_at: int
    seen_at: int
    ground: str = ""


class Facts(Struct, frozen=True, array_like=True):
    """What the calendar remembers of a person. `told` are the terms of grants whose end is recorded, by purpose;
    `known` says that more than a device leads to the person: until that is looked up, they may be anonymous.
    """

    places: tuple[Place, ...] = ()
    ends: dict[str, End] = {}
    told: dict[str, int] = {}
    known: bool = False


class Entry(Struct, frozen=True):
    """A person's place in the calendar: when to look at them next, and when the first of their data ends."""

    due: int
    ends: int
    facts: Facts


class Holding(Struct, frozen=True):
    """A live legal hold over a person: `categories` of their data, none means all."""

    hold: str
    categories: frozenset[str] = frozenset()

    def covers(self, category: str) -> bool:
        """Whether the hold reaches a category: it, or one above it, is named."""
        return not self.categories or not self.categories.isdisjoint(_upwards(category))


class Rules(Struct, frozen=True):
    """What of a tenant's configuration decides when data end. `mark` differs when that was changed."""

    policy: Policy
    collections: Collections
    terms: EndTerms
    mark: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Facts).decode


def pack(facts: Facts) -> bytes:
    """The facts as they lie in `rights_due.facts`."""
    return _encode(facts)


def unpack(blob: bytes) -> Facts:
    """The facts in a row."""
    return _decode(blob)


def places_of(
    held: Iterable[Held], answers: Iterable[Serving], collections: Collections, before: tuple[Place, ...]
) -> tuple[Place, ...]:
    """What is stored now; a place that was there before keeps its first instant, an answer while it serves the same."""
    known = {(each.collection, each.field, each.category): each.first_at for each in before}
    stored = {(each.collection, each.field): each.first_at for each in before}
    values = [
        Place(
            each.collection,
            each.field,
            _category(collections, each.collection, each.field),
            stored.get((each.collection, each.field), each.at),
        )
        for each in held
    ]
    for each in answers:
        category = _SERVING + each.purpose
        values.append(Place(ANSWERS, each.name, category, known.get((ANSWERS, each.name, category), each.at)))
    return tuple(values)


def reckon(
    rules: Rules,
    state: PersonState,
    places: tuple[Place, ...],
    before: Mapping[str, End],
    holds: tuple[Holding, ...],
    at: int,
    *,
    anew: bool,
) -> dict[str, End]:
    """How it stands with each category that something is stored in.

    `anew`: the person may have had a live purpose since `before` was reckoned, and lost it again.
    """
    return {
        category: _end(rules.policy, state, category, stored_at, before.get(category), holds, at, anew=anew)
        for category, stored_at in sorted(_newest(places).items())
    }


def ends_at(place: Place, end: End, grace: str) -> int:
    """When a stored value is to be deleted, by what is known: `NEVER` while a purpose is live that does not end by
    itself, `KEPT` while a ground keeps what no purpose does.
    """
    if end.live and not end.ends_at:
        return NEVER
    if end.ground and not end.live:
        return KEPT
    return add_duration(max(end.ends_at if end.live else end.ended_at, place.first_at), grace)


def first_end(facts: Facts, grace: str) -> int:
    """When the first of a person's data are to be deleted."""
    return min((ends_at(each, facts.ends[each.category], grace) for each in facts.places), default=NEVER)


def over(facts: Facts, grace: str, at: int) -> list[Place]:
    """What is to be deleted at this instant: it has ended, its grace is over, and nothing keeps it."""
    found = []
    for place in facts.places:
        end = facts.ends[place.category]
        if not end.live and not end.ground and ends_at(place, end, grace) <= at:
            found.append(place)
    return found


def _end(
    policy: Policy,
    state: PersonState,
    category: str,
    stored_at: int,
    before: End | None,
    holds: tuple[Holding, ...],
    at: int,
    *,
    anew: bool,
) -> End:
    lives = {purpose: _life(policy, state, purpose, stored_at, at) for purpose in purposes_for(policy, category)}
    living = {purpose: each for purpose, each in lives.items() if each.live}
    if living:
        purpose, longest = max(living.items(), key=lambda item: (item[1].until or NEVER, item[0]))
        seen_at = before.seen_at if before is not None and before.live else at
        return End(True, 0, longest.until, seen_at, f"{longest.basis}: {purpose}")
    ended_at = max((each.ended_at for each in lives.values()), default=0)
    ended_at = _known(ended_at, lives, before, at, anew=anew)
    seen_at = before.seen_at if before is not None and not before.live else at
    reached = _reached(policy, category)
    held = next((hold for hold in holds if any(hold.covers(each) for each in reached)), None)
    ground = f"legal hold: {held.hold}" if held is not None else RESTRICTED if state.restricted_at else ""
    return End(False, ended_at, 0, seen_at, ground)


def _life(policy: Policy, state: PersonState, purpose: str, stored_at: int, at: int) -> Life:
    """As `policies.life`; a duty, which nothing about the person ends, lasts for the retention its purpose tells."""
    found = life(policy, state, purpose, at)
    term = policy.catalogue.purposes[purpose].retention
    if not found.live or term is None or not _DUTIES.issuperset(found.basis.split("+")):
        return found
    until = add_duration(stored_at, term)
    return replace(found, until=until) if at < until else Life(False, ended_at=until)


def _newest(places: tuple[Place, ...]) -> dict[str, int]:
    """For each category, when the youngest of its values was first stored."""
    newest: dict[str, int] = {}
    for each in places:
        newest[each.category] = max(each.first_at, newest.get(each.category, 0))
    return newest


def _known(ended_at: int, lives: Mapping[str, Life], before: End | None, at: int, *, anew: bool) -> int:
    """When the last live purpose ended, by the state and by what was seen before."""
    if before is None:
        return min(ended_at, at)
    if before.live:
        # What kept the data then must have ended since. Where the state cannot tell when (the purpose is no longer
        # declared, or for other data), it ended now, as far as anybody knows.
        own = lives.get(before.ground.partition(": ")[2])
        told = own is not None and before.seen_at <= own.ended_at
        return min(ended_at, at) if told else at
    # The state knows nothing of a purpose that is no longer declared: what was seen to end then ended no sooner.
    return min(max(ended_at, before.ended_at), at) if anew else before.ended_at


@lru_cache(maxsize=256)
def purposes_for(policy: Policy, category: str) -> tuple[str, ...]:
    """The declared purposes that use data of a category: they name it, or one above it. Of answers, the purpose that
    they were given for, and those below it.
    """
    if category.startswith(_SERVING):
        served = category.removeprefix(_SERVING)
        own = policy.catalogue.purposes.items()
        return tuple(name for name, each in own if not each.implied and f"{name}.".startswith(f"{served}."))
    above = frozenset(_upwards(category))
    found = policy.catalogue.purposes.items()
    return tuple(name for name, each in found if not each.implied and not above.isdisjoint(each.categories))


def _reached(policy: Policy, category: str) -> tuple[str, ...]:
    """The categories by which a legal hold covers data. Answers have none of their own: those of what they serve."""
    if not category.startswith(_SERVING):
        return (category,)
    own = policy.catalogue.purposes
    named = {each for purpose in purposes_for(policy, category) for each in own[purpose].categories}
    return (category, *sorted(named))


@lru_cache(maxsize=4_096)
def _upwards(category: str) -> tuple[str, ...]:
    parts = category.split(".")
    return ("any", *(".".join(parts[:length]) for length in range(1, len(parts) + 1)))


def _category(collections: Collections, collection: str, field: str) -> str:
    found = collections.get(collection)
    declared = found.fields.get(field) if found is not None else None
    return declared.category if declared is not None else UNDECLARED
