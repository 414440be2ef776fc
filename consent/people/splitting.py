"""Taking a merge back, and giving an identifier away. What is given back, and what both keep.

Undoing a merge, each of the two gets the state it had before, and on top of it what was recorded by its own ids since.
A no that was said while they were one stays with both, since nobody can tell whose it was. An identifier that only ever
was this person's gets a person of its own, who keeps every no and no yes. Neither can turn a no into a yes.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consent.choices.past import replay
from consent.choices.record import Payload
from consent.model import NOES, Choice, Directive, Family, PersonState, Relation
from consent.people.identity_log import Event
from consent.people.joined_facts import joined_facts
from consent.people.merging import Merging, merge

_END: Final = 2**62


class Step(Struct, frozen=True):
    """One thing that happened after the merge, in order of `at`: a record, or a later merge (the state that joined).

    `own`: it was recorded by an id of the side that is rebuilt. Of the others' records only what tightens counts.
    """

    at: int
    own: bool
    record: bytes = b""
    payload: Payload | None = None
    joined: PersonState | None = None


def rebuilt(before: PersonState, steps: Iterable[Step], terms: Merging) -> PersonState:
    """The choices of one side: as they were before the merge, and what happened since."""
    state = before
    for step in sorted(steps, key=lambda each: each.at):
        if step.joined is not None:
            state = merge(state, step.joined, terms, step.at)
        elif step.payload is not None:
            state = _counted(state, step.payload, step.record, own=step.own)
    return state


def _counted(state: PersonState, payload: Payload, record: bytes, *, own: bool) -> PersonState:
    # What an undone withdrawal put back was of both; whose it was nobody can tell, so its no stays.
    kept = tuple(each for each in payload.changes if (each.act != "undone" if own else each.act in NOES))
    payload = replace(payload, changes=kept)
    return replay([(record, payload)], _END, state)


def parted(
    now: PersonState,
    mine: PersonState,
    theirs: PersonState,
    choices: PersonState,
    ids: tuple[bytes, ...],
    *,
    keeps: bool,
) -> PersonState:
    """The whole state of the side that these `ids` are, the one that stands for it first: its rebuilt `choices`, and
    what is known of it besides.

    A fact that changed while the two were one stays with both; a relation recorded since only with the side that
    `keeps`. Legal holds are counted by id.
    """
    merged = joined_facts(mine, theirs)
    changed = {
        name: getattr(now, name)
        for name in ("suppressed_until", "restricted_at", "jurisdictions", "minority", "contact", "unsure_at")
        if getattr(now, name) != getattr(merged, name)
    }
    kept = replace(mine, **changed)
    held = {each: count for each, count in now.family.held.items() if each in ids} if now.family is not None else {}
    return replace(
        kept,
        choices=choices.choices,
        denials=choices.denials,
        waiting=choices.waiting,
        directives=choices.directives,
        relations=_relations_of(now, mine, theirs, keeps=keeps),
        held=sum(held.values()),
        family=Family(ids[0], ids[1:], held) if len(ids) > 1 else None,
    )


def _relations_of(now: PersonState, mine: PersonState, theirs: PersonState, *, keeps: bool) -> tuple[Relation, ...]:
    own = {each.ref: each for each in mine.relations}
    current = {each.ref: each for each in now.relations}
    foreign = {each.ref for each in theirs.relations} - own.keys()
    found = [_ended(each, current[each.ref]) for each in mine.relations if each.ref in current]
    if keeps:
        found += [each for ref, each in current.items() if ref not in own and ref not in foreign]
    return tuple(found)


def _ended(before: Relation, now: Relation) -> Relation:
    """A relation that ended, or was to end sooner, since the merge stays so."""
    if not now.until or (before.until and before.until <= now.until):
        return before
    return replace(before, until=now.until)


def noes_of(state: PersonState) -> PersonState:
    """What of a person's state tightens: for the person that an identifier given away becomes."""
    choices = {}
    for name, choice in state.choices.items():
        # Without the grant that replaced it, a no stands again.
        no = choice if choice.status in NOES else state.denials.get(name)
        if no is not None:
            choices[name] = replace(no, objected_at=max(no.objected_at, choice.objected_at))
        elif choice.objected_at:
            choices[name] = Choice("unasked", choice.since, assurance=choice.assurance, objected_at=choice.objected_at)
    return PersonState(
        choices=choices,
        restricted_at=state.restricted_at,
        suppressed_until=state.suppressed_until,
        jurisdictions=state.jurisdictions,
        minority=replace(state.minority, indicated={}) if state.minority is not None else None,
        directives=_unlifted(state.directives),
        contact=state.contact,
        unsure_at=state.unsure_at,
    )


def _unlifted(directives: Mapping[str, Directive]) -> dict[str, Directive]:
    return {kind: replace(each, lifted={}) for kind, each in directives.items()}


def latest_merge(told: Iterable[Event], owner: bytes) -> Event | None:
    """The newest merge, not undone, that brought the id `owner` to the person whose events these are."""
    undone: set[bytes] = set()
    for event in sorted(told, key=lambda each: -each.at):
        if event.what == "split":
            undone.add(event.other)
        elif event.what == "merged" and event.other not in undone and owner in group_of(event):
            return event
    return None


class Later(Struct, frozen=True):
    """A merge that matters for rebuilding. `until`: when it was undone, 0 while it stands."""

    event: Event
    ids: frozenset[bytes]
    until: int


def merges_of(told: Iterable[Event]) -> list[Later]:
    """Every merge of the person, oldest first."""
    order = sorted(told, key=lambda each: each.at)
    found: list[Later] = []
    for event in order:
        if event.what == "merged":
            ends = (each.at for each in order if each.what == "split" and each.other == event.other)
            found.append(Later(event, group_of(event), next((end for end in ends if end >= event.at), 0)))
    return found


def origin(merges: Iterable[Later], merged: Event) -> Event:
    """The merge before which the person's own state is untouched by whoever has left them since.

    What was kept at `merged` may hold the answers of somebody who joined before it and left after it.
    """
    known = list(merges)
    found = merged
    while earlier := [each.event for each in known if each.event.at < found.at < each.until]:
        found = min(earlier, key=lambda each: each.at)
    return found


def group_of(event: Event) -> frozenset[bytes]:
    """The ids that a merge brought."""
    family = event.before[1].family
    return frozenset((event.other, *family.aliases)) if family is not None else frozenset((event.other,))
