"""Directives: one word of a person about every purpose of a kind at once (an opt-out signal, an opt-out link). Pure.

A directive is kept as what it is and never turned into choices: it reaches purposes by what they do (sell, share,
target, use sensitive data), also those that are declared later. While it stands over a purpose, that is objected to.
Only a later choice that names the purpose itself, made after the conflict was shown, lifts it there (design 6.3;
11 CCR 7025(c)); a later no, or a directive given anew, ends that again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consent.catalogue.purpose import Purpose
from consent.laws.law import laws
from consent.model import NOES, Choice, Directive, Given, Ignored, PersonState, Signal
from sayso.kernel import Invalid, nearest

if TYPE_CHECKING:
    from consent.catalogue.catalogue import Catalogue
    from consent.choices.fold import Change, Moment

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "gpc": ("sale", "share", "targeted_ads"),
    "opt_out": ("sale", "share", "targeted_ads"),
    "limit_sensitive": ("sensitive",),
}
"""Each directive and what it reaches: Global Privacy Control (W3C), and the two links of CCPA 1798.135(a)."""

STANDING: Final = frozenset({"gpc"})
"""Directives that a machine repeats for the person with every request."""

ORIGINS_KEPT: Final = 32
"""Browsers remembered per directive. One that is forgotten gives its signal anew, which can only tighten."""

_ADVERTISING: Final = ("share", "targeted_ads")
BY_DPV: Final[dict[str, tuple[str, ...]]] = {
    "Advertising": _ADVERTISING,
    "PersonalisedAdvertising": _ADVERTISING,
    "TargetedAdvertising": _ADVERTISING,
    "SocialMediaMarketing": _ADVERTISING,
    "RecruitmentAdvertising": _ADVERTISING,
    "RecruitmentTargetedAdvertising": _ADVERTISING,
    "SellDataToThirdParties": ("sale",),
    "SellInsightsFromData": ("sale",),
}
_BY_NAME: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("ad", "ads", "adverts", "advertising", "retargeting", "remarketing", "targeting"), _ADVERTISING),
    **dict.fromkeys(("sale", "sell", "selling"), ("sale",)),
    **dict.fromkeys(("share", "sharing"), ("share",)),
}


def opt_outs_of(purpose: Purpose) -> frozenset[str]:
    """What of `OPT_OUTS` this purpose does: as declared, else by its DPV purpose, and where it has none by its name.

    The last is a guess on the careful side: a purpose called `ads` that nobody has described is advertising.
    """
    if purpose.opt_out is not None:
        return frozenset(purpose.opt_out)
    if purpose.dpv:
        found = set(BY_DPV.get(purpose.dpv.rpartition(":")[2], ()))
    else:
        found = {each for part in purpose.name.split(".") for each in _BY_NAME.get(part, ())}
    if purpose.sensitive:
        found.add("sensitive")
    return frozenset(found)


def over(
    directives: Mapping[str, Directive], purpose: str, opt_outs: frozenset[str]
) -> Iterator[tuple[str, Directive]]:
    """The directives, by kind, that stand over a purpose which does `opt_outs`."""
    for kind, directive in directives.items():
        if directive.lifted.get(purpose, 0) <= directive.at and not opt_outs.isdisjoint(directive.reach):
            yield kind, directive


def hindrance(state: PersonState, purpose: str, opt_outs: frozenset[str], moment: "Moment") -> Ignored | None:
    """Why a grant made at this moment does not count under the directives of the person, or None."""
    found: set[Ignored] = set()
    for _, directive in over(state.directives, purpose, opt_outs):
        if moment.claimed <= directive.at:
            found.add("late")
        elif directive.assurance > moment.assurance:
            found.add("weaker")
        elif not moment.conflict_shown:
            found.add("signal")
    return next((why for why in ("late", "weaker", "signal") if why in found), None)


def direct(state: PersonState, given: Iterable[Given], moment: "Moment") -> PersonState:
    """The state after directives that were given at `moment`; their objections are marked as those of any no."""
    directives, choices = dict(state.directives), dict(state.choices)
    for each in given:
        old = directives.get(each.kind)
        origins = tuple(origin for origin in (old.origins if old else ()) if origin != each.origin)
        directives[each.kind] = Directive(
            # A signal is older than the choice it came with, which may be made against it.
            at=moment.since - 1,
            reach=each.reach,
            since=old.since if old else moment.since,
            assurance=max(moment.assurance, old.assurance if old else 0),
            source=each.source,
            record=moment.record,
            origins=(*origins, each.origin)[-ORIGINS_KEPT:],
            lifted=old.lifted if old else {},
        )
        for purpose in each.objections:
            choice = choices.get(purpose) or Choice("unasked")
            if not choice.objected_at:
                choices[purpose] = replace(choice, objected_at=moment.since)
    return replace(state, choices=choices, directives=directives)


def settled(directives: dict[str, Directive], changes: Iterable["Change"], moment: "Moment") -> dict[str, Directive]:
    """The directives after choices: a no ends what was lifted there and below, a grant made with the conflict shown
    lifts.
    """
    lifts: dict[str, int] = {}
    ended: list[str] = []
    for change in changes:
        if change.act in NOES:
            ended.append(change.purpose)
        elif change.act == "granted" and moment.conflict_shown and not change.ignored:
            lifts[change.purpose] = moment.since
    if not lifts and not ended:
        return directives
    return {kind: _settled(directive, lifts, ended, moment) for kind, directive in directives.items()}


def check(signals: Sequence[Signal]) -> None:
    """Raises `Invalid` for a kind of directive there is not."""
    for signal in signals:
        if signal.kind not in KINDS:
            hint = nearest(signal.kind, KINDS)
            raise Invalid(
                "unknown-directive",
                "This is no kind of directive.",
                kinds=list(KINDS),
                **({"nearest": hint} if hint else {}),
            )


def given(catalogue: "Catalogue", state: PersonState, signals: Sequence[Signal]) -> tuple[Given, ...]:
    """Those of the signals that are new to this person and to be honoured, as their record keeps them."""
    found: dict[str, Given] = {}
    for signal in signals:
        origin = mark(signal.origin)
        old = state.directives.get(signal.kind)
        repeated = signal.kind in STANDING and old is not None and origin in old.origins
        if repeated or (signal.only_required and not required(state)):
            continue
        reach = KINDS[signal.kind]
        objections = [
            name for name in sorted(catalogue.direct_marketing) if not catalogue.opt_outs(name).isdisjoint(reach)
        ]
        found[signal.kind] = Given(signal.kind, reach, signal.source, origin, tuple(objections))
    return tuple(found.values())


def reached(catalogue: "Catalogue", kind: str) -> list[str]:
    """The purposes that a directive of this kind says no to, in the order of their names."""
    reach = KINDS[kind]
    return [
        name
        for name, purpose in catalogue.purposes.items()
        if not purpose.implied and not catalogue.opt_outs(name).isdisjoint(reach)
    ]


def required(state: PersonState) -> bool:
    """Whether a law that may apply to the person asks for Global Privacy Control to be honoured."""
    return any(law.gpc == "required" for law in laws(state.jurisdictions))


def mark(origin: bytes) -> bytes:
    """A browser or client as the person's state remembers it: enough to know it again, nothing to find it by."""
    return blake2b(origin, digest_size=16, person=b"sayso.signal").digest()


def _settled(directive: Directive, lifts: Mapping[str, int], ended: list[str], moment: "Moment") -> Directive:
    lifted = {
        name: at
        for name, at in directive.lifted.items()
        if not any(name == no or name.startswith(no + ".") for no in ended)
    }
    if directive.assurance <= moment.assurance:
        lifted.update(lifts)
    return replace(directive, lifted=lifted)
