"""Children: until when somebody else must say yes for a person, and whether a grant was given by who may. Pure.

Age is a fact with a source and an instant, never a date of birth: at least so many years, perhaps below so many. The
person is taken for the youngest that the fact allows, under the highest threshold of the laws known for them (GDPR
Art. 8; COPPA; CCPA 1798.120(c); PIPL Art. 31; LGPD Art. 14; DPDP Act s. 9). Of somebody whose age nobody recorded,
nothing is assumed.

While a person is a child only a grant that a recorded guardian indicated holds. Once they are of age, whatever was
granted before is stale: they are asked themselves.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from msgspec.structs import replace

from consent.errors import GuardianNeeded, NoAdvertising, NotAGuardian
from consent.laws.jurisdictions import ROOT, Regime
from consent.model import AgeBand, Choice, Minority, PersonState, Standing, Status, Submission
from sayso.kernel import add_duration

if TYPE_CHECKING:
    from consent.catalogue.demands import Demands

OLDEST: Final = 150
"""No band begins or ends above this age."""

Threshold = Literal["child_below", "opt_in_below", "no_advertising_below"]
_THRESHOLDS: Final[tuple[str, ...]] = get_args(Threshold)


class Laws(Protocol):
    """What is needed of a catalogue: the rows of the laws, and which purposes are advertising."""

    regimes: Mapping[str, Regime]
    demands: "Demands"
    direct_marketing: frozenset[str]


def threshold(state: PersonState, laws: Laws, member: Threshold = "child_below") -> int:
    """An age in years: the highest of the laws known for the person, the strictest row's when none is known."""
    rows = [laws.regimes.get(each.code) or laws.regimes[ROOT] for each in state.jurisdictions]
    ages: list[int] = [getattr(row, member) for row in rows or [laws.regimes[ROOT]]]
    return max(ages)


def is_below(state: PersonState, at: int, years: int) -> bool:
    """Whether, as far as is known, the person is younger than this at an instant."""
    age = state.minority.age if state.minority is not None else None
    return age is not None and at < _turns(age, years)


def is_child(state: PersonState, at: int, laws: Laws) -> bool:
    """Whether, as far as is known, somebody else must consent for the person at this instant."""
    return is_below(state, at, threshold(state, laws))


def grown_at(state: PersonState, laws: Laws) -> int:
    """When a childhood recorded here ended or will end; 0 for a person who was never recorded as a child."""
    minority = state.minority
    if minority is None or minority.age is None:
        return 0
    end = _turns(minority.age, threshold(state, laws))
    return end if end > minority.age.at else minority.grown_at


def birthdays(age: AgeBand, laws: Laws) -> set[int]:
    """The instants at which some law may judge the person anew."""
    ages = {getattr(row, member) for row in laws.regimes.values() for member in _THRESHOLDS}
    return {_turns(age, years) for years in ages}


def aged(state: PersonState, age: AgeBand, laws: Laws) -> Minority:
    """What is known once a newer fact of the person's age is recorded at `age.at`.

    A fact that ends a childhood early (the person turns out to be older) ends it now: what was granted before is to be
    asked again.
    """
    old = state.minority or Minority()
    ended = age.at if is_child(state, age.at, laws) else min(grown_at(state, laws), age.at)
    return replace(old, age=age, grown_at=ended)


def demand_guardian(state: PersonState, submission: Submission, at: int, laws: Laws) -> None:
    """Raise `NotAGuardian` for one who is not recorded as such, `GuardianNeeded` for a child's own grant,
    `NoAdvertising` where no yes of anybody counts. A no always passes; a guardian is checked all the same, since the
    record will name them.
    """
    indicated, minority = submission.indicated_by, state.minority
    if indicated and not any(each.subject == indicated for each in (minority.guardians if minority else ())):
        raise NotAGuardian
    granted = [purpose for purpose, act in submission.choices.items() if act == "granted"]
    if not granted or minority is None:
        return
    if not indicated and is_child(state, at, laws):
        raise GuardianNeeded(threshold(state, laws))
    below = threshold(state, laws, "no_advertising_below")
    adverts = sorted(laws.demands.advertising.intersection(granted))
    if adverts and is_below(state, at, below):
        raise NoAdvertising(adverts, below)


def indicated(minority: Minority | None, since: int, guardian: bytes, choices: Mapping[str, Choice]) -> Minority:
    """With a guardian's grant of the instant `since`; what no choice of the person rests on any more is forgotten."""
    old = minority or Minority()
    living = {choice.since for choice in choices.values()}
    living.update(cover.since for choice in choices.values() for cover in choice.covers.values())
    kept = {each: who for each, who in old.indicated.items() if each in living}
    return replace(old, indicated={**kept, since: guardian})


def judged(found: Standing, state: PersonState, purpose: str, at: int, laws: Laws) -> Standing:
    """A standing, given what is known of the person's age."""
    minority = state.minority
    if minority is None or minority.age is None:
        return found
    granted, persuades = found.status == "granted", purpose in laws.demands.advertising
    if is_child(state, at, laws):
        lacking = not granted or found.since not in minority.indicated
    else:
        lacking = False
        if granted and found.since < grown_at(state, laws):
            found, granted = replace(found, status="stale"), False
    if persuades and is_below(state, at, threshold(state, laws, "no_advertising_below")):
        lacking = True
    if not lacking and (granted or not is_below(state, at, threshold(state, laws, "opt_in_below"))):
        return found
    # What persuades rests on nothing but a yes as long as the person is so young; no interest outweighs that.
    blocked = found.blocked or persuades or purpose in laws.direct_marketing
    status: Status = "stale" if granted else found.status
    return replace(found, status=status, guardian=lacking, young=True, blocked=blocked)


def _turns(age: AgeBand, years: int) -> int:
    """The instant from which the person is surely so many years old."""
    return add_duration(age.at, f"P{years - age.youngest}Y") if age.youngest < years else age.at
