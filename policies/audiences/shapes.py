"""What of a person's state decides, without what is theirs alone: people of one shape get one answer. Pure.

Deciding compares instants with each other and with now, and looks at nothing else of them. So instants become their
order among each other, a term that lies ahead becomes `FAR`, and records, origins and ranks of who said something go.
A shape holds until the first of the terms that were made `FAR`: then the person is looked at anew.

A state is cut in two, so that few shapes do for many people: the *frame* (laws, relations, wishes of the channel …) and
for each purpose its *stand* (the choices there and above). Two things have no shape and are always read from the row:
what was sent to someone who set a limit, and the age of someone who is, or was recorded as, a child.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from consent import (
    REGIMES,
    Cap,
    Choice,
    Contact,
    Cover,
    Directive,
    Jurisdiction,
    PersonState,
    Quiet,
    Relation,
    Waiting,
)

FAR: Final = 2**62
"""Stands for every instant that lies ahead."""

_PAST: Final = 1
_GROWN: Final = max(max(row.child_below, row.opt_in_below, row.no_advertising_below) for row in REGIMES.values())
"""No law asks whether somebody is younger than this."""

_CAP: Final = Cap(1, "day")
"""Stands for any limit: whoever has one on the channel of the question is read."""

FrameKey = tuple[Any, ...]
StandKey = tuple[Any, ...]


class Shape(NamedTuple):
    """A person's shape: the frame, a stand for each purpose in the order asked, and until when they hold."""

    frame: FrameKey
    stands: tuple[StandKey, ...]
    until: int


NOTHING: Final[StandKey] = ((), (), 0, 0, 0)
"""The stand of whoever never chose anything there, nor is restricted, nor unsure."""


def shape(state: PersonState, paths: Sequence[tuple[str, ...]], at: int) -> Shape | None:
    """The shape of a living person; None for one who has none. `paths` are purposes, each with those above it."""
    if not _grown(state, at) or (state.directives and state.restricted_at):
        return None
    ends = _Ends(at)
    frame = _frame(state, ends)
    if not (state.choices or state.denials or state.waiting or state.restricted_at or state.unsure_at):
        return Shape(frame, (NOTHING,) * len(paths), ends.first)
    stands = tuple([_stand(state, nodes, ends) for nodes in paths])
    return Shape(frame, stands, ends.first)


def joined(frame: PersonState, stand: PersonState) -> PersonState:
    """Somebody of this frame and this stand."""
    return replace(
        frame,
        choices=stand.choices,
        denials=stand.denials,
        waiting=stand.waiting,
        restricted_at=stand.restricted_at,
        unsure_at=stand.unsure_at,
    )


class _Ends:
    """Terms as shapes have them; `first` is the earliest that lies ahead."""

    __slots__ = ("_at", "first")

    def __init__(self, at: int) -> None:
        self._at = at
        self.first = FAR

    def term(self, until: int) -> int:
        """0 for none, `FAR` for one ahead."""
        if not until:
            return 0
        if until <= self._at:
            return _PAST
        self.first = min(self.first, until)
        return FAR

    def live(self, relation: Relation) -> bool:
        """Whether a relation is live; when that changes is a term too."""
        if relation.start > self._at:
            self.term(relation.start)
            return False
        return self.term(relation.until) != _PAST


def _grown(state: PersonState, at: int) -> bool:
    """Whether nothing depends on the person's age."""
    minority = state.minority
    if minority is None or minority.age is None:
        return True
    return minority.age.youngest >= _GROWN and minority.age.at <= at and not minority.grown_at


# frames


def _frame(state: PersonState, ends: _Ends) -> FrameKey:
    contact = state.contact
    return (
        state.held > 0,
        ends.term(state.suppressed_until) == FAR if state.suppressed_until else False,
        tuple([known.code for known in state.jurisdictions]) if state.jurisdictions else (),
        tuple(sorted({(each.kind, each.purposes) for each in state.relations if ends.live(each)}))
        if state.relations
        else (),
        tuple(_directive(kind, each) for kind, each in sorted(state.directives.items())) if state.directives else (),
        _contact(contact, ends) if contact is not None else (),
    )


def _directive(kind: str, each: Directive) -> tuple[Any, ...]:
    return kind, each.reach, tuple(sorted(name for name, since in each.lifted.items() if since > each.at))


def _contact(contact: Contact, ends: _Ends) -> tuple[Any, ...]:
    return (
        tuple(sorted((channel, tuple(sorted(places))) for channel, places in contact.off.items())),
        tuple(sorted(contact.caps)),
        tuple((each.start, each.end, each.zone, each.days) for each in contact.quiet),
        ends.term(contact.pause_until) == FAR,
    )


def framed(key: FrameKey) -> PersonState:
    """Somebody of this frame, who never chose anything."""
    held, suppressed, codes, relations, directives, contact = key
    return PersonState(
        held=1 if held else 0,
        suppressed_until=FAR if suppressed else 0,
        jurisdictions=tuple(Jurisdiction(code, "", 0) for code in codes),
        relations=tuple(Relation("", kind, purposes) for kind, purposes in relations),
        directives={kind: Directive(1, reach, lifted=dict.fromkeys(lifted, 2)) for kind, reach, lifted in directives},
        contact=_contacted(contact) if contact else None,
    )


def _contacted(key: tuple[Any, ...]) -> Contact:
    off, caps, quiet, paused = key
    return Contact(
        off={channel: dict.fromkeys(places, 0) for channel, places in off},
        caps=dict.fromkeys(caps, _CAP),
        quiet=tuple(Quiet(*each) for each in quiet),
        pause_until=FAR if paused else 0,
    )


# stands


def _stand(state: PersonState, nodes: tuple[str, ...], ends: _Ends) -> StandKey:
    """(choices, denials, request that waits, restriction, unsure since): of each node that has any, with its place."""
    purpose, choices, denials = nodes[0], state.choices, state.denials
    said = [(place, choices[node]) for place, node in enumerate(nodes) if node in choices]
    noes = [(place, denials[node]) for place, node in enumerate(nodes) if node in denials] if denials else []
    request = state.waiting.get(purpose) if state.waiting else None
    if request is not None and ends.term(request.until) != FAR:
        request = None
    restricted, unsure = state.restricted_at, state.unsure_at
    if len(said) == 1 and not noes and request is None and not (restricted or unsure or said[0][1].covers):
        # Nearly everybody: one instant, which is the first.
        place, choice = said[0]
        return ((_choice(place, choice, None, {choice.since: 1, 0: 0}, ends),), (), 0, 0, 0)
    if not said and not noes and request is None and not restricted and not unsure:
        return NOTHING
    covers = [choice.covers.get(purpose) for _, choice in said]
    times = {choice.since for _, choice in said}
    times.update(choice.since for _, choice in noes)
    times.update(cover.since for cover in covers if cover is not None)
    times.update((restricted, unsure, request.since if request is not None else 0))
    order = {0: 0} | {time: place for place, time in enumerate(sorted(times - {0}), 1)}
    return (
        tuple(
            [_choice(place, choice, cover, order, ends) for (place, choice), cover in zip(said, covers, strict=True)]
        ),
        tuple([(place, choice.status, order[choice.since]) for place, choice in noes]),
        order[request.since] if request is not None else 0,
        order[restricted],
        order[unsure],
    )


def _choice(place: int, choice: Choice, cover: Cover | None, order: dict[int, int], ends: _Ends) -> tuple[Any, ...]:
    return (
        place,
        choice.status,
        order[choice.since],
        choice.purpose_version,
        choice.assurance,
        ends.term(choice.expires_at),
        choice.objected_at != 0,
        None if cover is None else (order[cover.since], cover.version, ends.term(cover.expires_at)),
    )


def stood(key: StandKey, nodes: tuple[str, ...]) -> PersonState:
    """Somebody of this stand, of whom nothing else is known."""
    said, noes, request, restricted, unsure = key
    purpose = nodes[0]
    choices = {}
    for place, status, since, version, assurance, expires_at, objected, cover in said:
        covers = {} if cover is None else {purpose: Cover(*cover)}
        choices[nodes[place]] = Choice(
            status,
            since,
            purpose_version=version,
            covers=covers,
            assurance=assurance,
            expires_at=expires_at,
            objected_at=1 if objected else 0,
        )
    return PersonState(
        choices=choices,
        restricted_at=restricted,
        denials={nodes[place]: Choice(status, since) for place, status, since in noes},
        waiting={purpose: Waiting(b"", request, 0, "", 0, 0, until=FAR)} if request else {},
        unsure_at=unsure,
    )
