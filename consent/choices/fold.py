"""Choices folded into state, and state folded over the tree of purposes. Pure: no clock, no database, no chance.

Four sentences of the design carry everything here:

- a no covers its purpose and all below, until a later grant names that lower purpose itself;
- late is not newer: a grant claimed to be from before a stored no loses whenever it arrives;
- a weaker assurance may tighten what a stronger one said, never loosen it;
- a grant reaches only those purposes below it that the notice shown had named.

`decide` turns acts into changes, by the catalogue of this moment. `advance` applies changes and knows no catalogue,
so that a record replayed years later gives the state that was.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from consent.choices.directives import hindrance, settled
from consent.choices.stood import put_back, shared_out
from consent.laws.minority import indicated
from consent.model import NOES, RANK, Act, Choice, Cover, Ignored, PersonState, Stood, Waiting
from sayso.kernel import DAY

if TYPE_CHECKING:
    from consent.catalogue.demands import Demands

CONFIRM_WITHIN: Final = 7 * DAY
"""How long a request waits for its confirmation."""


class Terms(Protocol):
    """What the fold must know of the purposes."""

    direct_marketing: frozenset[str]
    demands: "Demands"

    def version(self, purpose: str) -> int: ...

    def below(self, purpose: str) -> tuple[str, ...]: ...

    def expiry(self, purpose: str, given_at: int, state: PersonState) -> int: ...

    def opt_outs(self, purpose: str) -> frozenset[str]: ...


class Moment(Struct, frozen=True, gc=False):
    """When, how surely and on which notice choices are made. `since` orders them; `claimed` is at most `since`.

    `confirmed` says that a double opt-in is complete; `guardian` is who chose for a child.
    """

    since: int
    claimed: int
    assurance: int
    record: bytes = b""
    notice: str = ""
    notice_version: int = 0
    shown: tuple[str, ...] = ()
    conflict_shown: bool = False
    confirmed: bool = False
    guardian: bytes = b""


class Change(Struct, frozen=True, omit_defaults=True, gc=False):
    """What one act did, complete enough to be replayed without the catalogue of its day.

    `objections` are the purposes that it marks as objected (or clears, when it was `reconsidered`); `stood` is what an
    `undone` puts back.
    """

    purpose: str
    act: Act
    version: int = 0
    expires_at: int = 0
    covers: dict[str, Cover] = {}
    objections: tuple[str, ...] = ()
    ignored: Ignored | None = None
    stood: Stood | None = None


@lru_cache(maxsize=65_536)
def path(purpose: str) -> tuple[str, ...]:
    """The purpose and those above it, nearest first: `a.b.c`, `a.b`, `a`."""
    parts = purpose.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts), 0, -1))


def decide(
    state: PersonState, acts: Mapping[str, Act], terms: Terms, moment: Moment
) -> tuple[tuple[Change, ...], PersonState]:
    """What these acts change, and the state after them. Noes come first: of a tie the restrictive half wins."""
    noes = tuple([_denied(purpose, act, terms) for purpose, act in acts.items() if act in NOES])
    if noes:
        state = advance(state, noes, moment)
        if len(noes) == len(acts):
            return noes, state
    said = _noes(state)
    rest = tuple(
        [_loosened(state, said, purpose, act, terms, moment) for purpose, act in acts.items() if act not in NOES]
    )
    return noes + rest, advance(state, rest, moment)


def undo(
    state: PersonState, acts: Mapping[str, Act], stood: Stood, moment: Moment
) -> tuple[tuple[Change, ...], PersonState]:
    """The changes that put back what stood before an act on these purposes, and the state after them."""
    changes = []
    for purpose, part in shared_out(stood, acts).items():
        was = part.choices.get(purpose)
        version, ends = (was.purpose_version, was.expires_at) if was is not None else (0, 0)
        changes.append(Change(purpose, "undone", version, ends, stood=part))
    return tuple(changes), advance(state, changes, moment)


def advance(state: PersonState, changes: Collection[Change], moment: Moment) -> PersonState:
    """The state after `changes`, which were decided at `moment`."""
    choices, denials = dict(state.choices), dict(state.denials)
    requested = False
    undone: list[Stood] = []
    for change in changes:
        if change.ignored:
            _raise_assurance(choices, change.purpose, moment.assurance)
        elif change.act == "granted":
            _grant(choices, denials, change, moment)
        elif change.act == "reconsidered":
            for purpose in change.objections:
                _clear_objection(choices, denials, purpose, moment)
        elif change.act == "requested":
            requested = True
        elif change.act == "undone":
            undone.append(change.stood or Stood())
        elif change.act != "expired":
            _deny(choices, denials, change, moment)
    directives = state.directives and settled(state.directives, changes, moment)
    waiting, minority = state.waiting, state.minority
    if requested or waiting:
        waiting = _waiting(waiting, changes, moment)
    if moment.guardian and any(change.act == "granted" and not change.ignored for change in changes):
        minority = indicated(minority, moment.since, moment.guardian, choices)
    state = replace(state, choices=choices, denials=denials, directives=directives, waiting=waiting, minority=minority)
    for stood in undone:
        state = put_back(state, stood, moment.since)
    return state


@lru_cache(maxsize=4_096)
def _named_below(shown: tuple[str, ...], purpose: str) -> tuple[str, ...]:
    """Those of the purposes shown that lie below this one."""
    return tuple(each for each in shown if each.startswith(purpose + "."))


def _noes(state: PersonState) -> dict[str, Choice]:
    """The newest no of each place that has one, whether or not a grant has replaced it since. Mostly there is none."""
    noes = {place: choice for place, choice in state.choices.items() if choice.status in NOES}
    return {**state.denials, **noes} if state.denials else noes


def _denied(purpose: str, act: Act, terms: Terms) -> Change:
    marketing = terms.direct_marketing
    objections = [each for each in (purpose, *terms.below(purpose)) if each in marketing]
    if act == "objected" and purpose not in objections:
        objections.insert(0, purpose)
    return Change(purpose, act, terms.version(purpose), objections=tuple(objections))


def _loosened(
    state: PersonState, noes: dict[str, Choice], purpose: str, act: Act, terms: Terms, moment: Moment
) -> Change:
    demands = terms.demands
    if demands.any and act == "granted" and not moment.confirmed and demands.waits(purpose, state):
        version = terms.version(purpose)
        if not _stands(state, purpose, version, moment.since):
            return _requested(state, noes, purpose, terms, moment)
    ignored = _hindrance(state, noes, purpose, moment)
    if ignored is None and state.directives and act != "reconsidered":
        ignored = hindrance(state, purpose, terms.opt_outs(purpose), moment)
    version = terms.version(purpose)
    if ignored is not None:
        return Change(purpose, act, version, ignored=ignored)
    if act == "reconsidered":
        held = tuple(each for each in (purpose, *terms.below(purpose)) if _objected(state, each))
        return Change(purpose, act, version, objections=held)
    expires_at = terms.expiry(purpose, moment.claimed, state)
    covers: dict[str, Cover] = {}
    for each in _named_below(moment.shown, purpose):
        if demands.any and (each in demands.apart or demands.waits(each, state)):
            continue  # It wants a yes of its own.
        if _hindrance(state, noes, each, moment) is None:
            term = _sooner(expires_at, terms.expiry(each, moment.claimed, state))
            covers[each] = Cover(moment.since, terms.version(each), term)
    if not noes:
        return Change(purpose, act, version, expires_at, covers)
    # The no that this grant outdates stays an objection where direct marketing is concerned.
    marketing = [each for each in (purpose, *covers) if each in terms.direct_marketing]
    objections = tuple([each for each in marketing if any(node in noes for node in path(each))])
    return Change(purpose, act, version, expires_at, covers, objections)


def _requested(state: PersonState, noes: dict[str, Choice], purpose: str, terms: Terms, moment: Moment) -> Change:
    """A grant that waits for its confirmation. What would hinder it even when a code has confirmed it, hinders it now.

    A suppression does not: that is what the person lifts by confirming (design 6.4).
    """
    then = replace(moment, assurance=max(moment.assurance, RANK["code"]), confirmed=True)
    change = _loosened(replace(state, suppressed_until=0), noes, purpose, "granted", terms, then)
    if change.ignored:
        return change
    return replace(change, act="requested", expires_at=moment.since + CONFIRM_WITHIN, objections=())


def _stands(state: PersonState, purpose: str, version: int, at: int) -> bool:
    """Whether the purpose was granted by its own name and is so still: giving that again needs no second yes."""
    own = state.choices.get(purpose)
    return (
        own is not None
        and own.status == "granted"
        and own.purpose_version == version
        and own.since > state.unsure_at
        and (not own.expires_at or own.expires_at > at)
        and _alive(state.choices, state.denials, purpose, own.since)
    )


def _waiting(old: dict[str, Waiting], changes: Iterable[Change], moment: Moment) -> dict[str, Waiting]:
    """What waits after these changes: a no ends what waits there and below, a grant what waited at its place."""
    waiting = {purpose: each for purpose, each in old.items() if each.until > moment.since}
    for change in changes:
        if change.ignored or change.act in ("reconsidered", "expired", "undone"):
            continue
        if change.act == "requested":
            waiting[change.purpose] = Waiting(
                moment.record,
                moment.since,
                moment.claimed,
                moment.notice,
                moment.notice_version,
                change.version,
                change.covers,
                moment.assurance,
                change.expires_at,
                moment.guardian,
            )
        elif change.act == "granted":
            waiting.pop(change.purpose, None)
        else:
            waiting = {name: each for name, each in waiting.items() if change.purpose not in path(name)}
    return waiting


def _hindrance(state: PersonState, noes: dict[str, Choice], purpose: str, moment: Moment) -> Ignored | None:
    """Why nothing may be loosened at `purpose` now, or None."""
    if state.suppressed_until > moment.since:
        return "suppressed"
    own = state.choices.get(purpose)
    weaker = own is not None and own.assurance > moment.assurance
    if noes:
        for node in path(purpose):
            no = noes.get(node)
            if no is None:
                continue
            if moment.claimed <= no.since:
                return "late"
            weaker = weaker or no.assurance > moment.assurance
    return "weaker" if weaker else None


def _objected(state: PersonState, purpose: str) -> bool:
    choice = state.choices.get(purpose)
    return choice is not None and choice.objected_at != 0


def _raise_assurance(choices: dict[str, Choice], purpose: str, assurance: int) -> None:
    old = choices.get(purpose) or Choice("unasked")
    if assurance > old.assurance:
        choices[purpose] = replace(old, assurance=assurance)


def _deny(choices: dict[str, Choice], denials: dict[str, Choice], change: Change, moment: Moment) -> None:
    purpose, since = change.purpose, moment.since
    old = choices.get(purpose)
    if old is not None and change.act == "objected" and old.status in ("refused", "withdrawn"):
        # Taking the objection back must lead to this no, not past it.
        denials[purpose] = old
    choices[purpose] = Choice(
        change.act,  # type: ignore[arg-type]  # a no, by `decide`
        since,
        moment.notice,
        moment.notice_version,
        change.version,
        assurance=max(moment.assurance, old.assurance if old else 0),
        record=moment.record,
        objected_at=old.objected_at if old else 0,
    )
    _mark_objections(choices, change.objections, since)


def _grant(choices: dict[str, Choice], denials: dict[str, Choice], change: Change, moment: Moment) -> None:
    purpose, expires_at, covers = change.purpose, change.expires_at, change.covers
    old = choices.get(purpose)
    if old is not None:
        if old.status in NOES:
            denials[purpose] = old
        elif old.status == "granted":
            if old.purpose_version == change.version and _alive(choices, denials, purpose, old.since):
                expires_at = _later(expires_at, old.expires_at)
            if old.covers:
                covers = _merged(choices, denials, old.covers, covers)
    choices[purpose] = Choice(
        "granted",
        moment.since,
        moment.notice,
        moment.notice_version,
        change.version,
        covers,
        max(moment.assurance, old.assurance if old else 0),
        moment.record,
        expires_at,
        old.objected_at if old else 0,
    )
    if change.objections:
        _mark_objections(choices, change.objections, moment.since)


def _merged(
    choices: dict[str, Choice], denials: dict[str, Choice], old: dict[str, Cover], new: dict[str, Cover]
) -> dict[str, Cover]:
    """Giving again takes nothing away: what an earlier notice had shown stays covered, on its own time and term."""
    merged = dict(old)
    for purpose, cover in new.items():
        before = old.get(purpose)
        if before and before.version == cover.version and _alive(choices, denials, purpose, before.since):
            cover = replace(cover, expires_at=_later(cover.expires_at, before.expires_at))
        merged[purpose] = cover
    return merged


def _alive(choices: dict[str, Choice], denials: dict[str, Choice], purpose: str, since: int) -> bool:
    """Whether a grant of that instant is newer than every no on the path of the purpose."""
    for node in path(purpose):
        choice = choices.get(node)
        no = choice if choice is not None and choice.status in NOES else denials.get(node)
        if no is not None and no.since >= since:
            return False
    return True


def _mark_objections(choices: dict[str, Choice], purposes: tuple[str, ...], since: int) -> None:
    for purpose in purposes:
        old = choices.get(purpose) or Choice("unasked")
        if old.objected_at == 0:
            choices[purpose] = replace(old, objected_at=since)


def _clear_objection(choices: dict[str, Choice], denials: dict[str, Choice], purpose: str, moment: Moment) -> None:
    old = choices.get(purpose)
    if old is None:
        return
    if old.status != "objected":
        choices[purpose] = replace(old, objected_at=0)
        return
    # Whatever the objection blocked while it stood stays blocked: taking it back gives nobody a yes.
    assurance = max(old.assurance, moment.assurance)
    under = denials.pop(purpose, None)
    if under is not None and under.status in ("refused", "withdrawn"):
        choices[purpose] = replace(under, since=moment.since, objected_at=0, assurance=assurance)
    else:
        denials[purpose] = replace(old, since=moment.since, objected_at=0)
        choices[purpose] = Choice("unasked", moment.since, assurance=assurance)


def _later(one: int, other: int) -> int:
    """The later of two terms; 0 is no term."""
    return max(one, other) if one and other else 0


def _sooner(one: int, other: int) -> int:
    return min(one, other) if one and other else one or other
