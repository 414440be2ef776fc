"""What stood before an act of choosing, kept with its record so that the act can be taken back. Pure.

Only what the act changed is kept: the choices, the noes beside them, the requests that waited, and where a directive
had been lifted. Put back, each stands as it stood, with its own notice, term, assurance and time.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from consent.model import Act, PersonState, Stood

T = TypeVar("T")


def stood(before: PersonState, after: PersonState) -> Stood:
    """What the step from one state to the next changed, as it was before."""
    return Stood(
        _changed(before.choices, after.choices),
        _changed(before.denials, after.denials),
        {name: each for name, each in before.waiting.items() if name not in after.waiting},
        {
            kind: lost
            for kind, old in before.directives.items()
            if (new := after.directives.get(kind)) is not None
            and (lost := {name: at for name, at in old.lifted.items() if name not in new.lifted})
        },
    )


def put_back(state: PersonState, was: Stood, at: int) -> PersonState:
    """The state with everything of `was` as it stood. A request whose term has passed by `at` waits no more."""
    waiting, directives = state.waiting, state.directives
    if was.waiting:
        waiting = {**waiting, **{name: each for name, each in was.waiting.items() if each.until > at}}
    if was.lifted:
        # A directive given anew since stands: it is later than what is put back here.
        directives = {
            kind: replace(each, lifted={**each.lifted, **was.lifted.get(kind, {})}) for kind, each in directives.items()
        }
    return replace(
        state,
        choices=_restored(state.choices, was.choices),
        denials=_restored(state.denials, was.denials),
        waiting=waiting,
        directives=directives,
    )


def untouched(state: PersonState, then: PersonState, was: Stood) -> bool:
    """Whether everything that `was` would put back still stands in `state` as the act left it in `then`."""
    return all(state.choices.get(name) == then.choices.get(name) for name in was.choices) and all(
        state.denials.get(name) == then.denials.get(name) for name in was.denials
    )


def shared_out(was: Stood, acts: Mapping[str, Act]) -> dict[str, Stood]:
    """`was` among the purposes of one act: to each its own choice, to the first everything else."""
    parts = {name: Stood({name: was.choices[name]}) if name in was.choices else Stood() for name in acts}
    first = next(iter(acts))
    rest = {name: each for name, each in was.choices.items() if name not in acts or name == first}
    return {**parts, first: replace(was, choices=rest)}


def _changed(before: Mapping[str, T], after: Mapping[str, T]) -> dict[str, T | None]:
    return {name: before.get(name) for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)}


def _restored(now: Mapping[str, T], was: Mapping[str, T | None]) -> dict[str, T]:
    found = {name: each for name, each in now.items() if name not in was}
    return {**found, **{name: each for name, each in was.items() if each is not None}}
