"""Whether a person may be reached now, and how their wishes change. Pure; `reachable` is asked on hot calls.

The rule of every change: a weaker assurance may tighten what a stronger one said, never loosen it (design 6.3). A
change that would loosen is answered with None.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from consent.choices.fold import path
from consent.preferences.contact import ALL, PERIODS, UNTIMED, Cap, Contact
from consent.preferences.quiet import Quiet, covers, quiet_until
from consent.preferences.uses import below_cap, joined_uses

# How many of the shorter period may touch one of the longer.
_TOUCHING: Final = {("day", "week"): 7, ("day", "month"): 30, ("week", "month"): 5}


class Reach(NamedTuple):
    """Whether a person may be reached now: `later` not before `until`, an instant."""

    verdict: Literal["ok", "off", "later"]
    until: int = 0


OK: Final = Reach("ok")
OFF: Final = Reach("off")


def reachable(contact: Contact | None, channel: str, purpose: str, at: int) -> Reach:
    """Whether the person's wishes let anyone reach them by `channel` for `purpose` at the instant `at`.

    `later` tells the first instant at which, by what is known now, it is `ok`.
    """
    if contact is None:
        return OK
    off = contact.off.get(channel)
    if off and (ALL in off or any(place in off for place in path(purpose))):
        return OFF
    until = max(at, contact.pause_until, below_cap(contact, channel, at))
    if channel not in UNTIMED and contact.quiet:
        until = quiet_until(contact.quiet, until) or until
    return Reach("later", until) if until > at else OK


def switched(
    contact: Contact, channel: str, on: bool | dict[str, bool], rank: int, offered: Iterable[str]
) -> Contact | None:
    """The channel on or off, whole or for some of the purposes `offered` there."""
    stood = contact.off.get(channel, {})
    kept: dict[str, int] | None
    if isinstance(on, dict):
        kept = _switched(dict(stood), on, rank, tuple(offered))
    elif on:
        kept = None if any(said > rank for said in stood.values()) else {}
    else:
        kept = {**stood, ALL: max(rank, stood.get(ALL, 0))}
    if kept is None:
        return None
    off = {name: places for name, places in contact.off.items() if name != channel}
    if kept:
        off[channel] = kept
    return replace(contact, off=off)


def _switched(kept: dict[str, int], on: dict[str, bool], rank: int, offered: tuple[str, ...]) -> dict[str, int] | None:
    for purpose, wanted in on.items():
        if not wanted:
            kept[purpose] = max(rank, kept.get(purpose, 0))
            continue
        ways = path(purpose)
        for place in (*ways, ALL):
            said = kept.pop(place, None)
            if said is None:
                continue
            if said > rank:
                return None
            if place != purpose:
                # One purpose comes back to what was off as a whole: the others stay off, each by itself.
                beside = (each for each in offered if place == ALL or place in path(each))
                for each in beside:
                    if each not in ways and not on.get(each):
                        kept[each] = max(said, kept.get(each, 0))
    return kept


def capped(contact: Contact, channel: str, cap: Cap | None, rank: int) -> Contact | None:
    """At most so many messages by the channel; None lifts the cap."""
    stood = contact.caps.get(channel)
    if stood is not None and stood.assurance > rank:
        if cap is None or not tighter(cap, stood):
            return None
        rank = stood.assurance
    caps = {name: each for name, each in contact.caps.items() if name != channel}
    if cap is not None:
        caps[channel] = replace(cap, assurance=rank)
    return replace(contact, caps=caps)


def hushed(contact: Contact, quiet: Quiet | None, rank: int) -> Contact | None:
    """Quiet hours in place of those before; None ends them."""
    stronger = [window for window in contact.quiet if window.assurance > rank]
    if stronger:
        if quiet is None or not all(covers(quiet, window) for window in stronger):
            return None
        rank = max(window.assurance for window in stronger)
    return replace(contact, quiet=(replace(quiet, assurance=rank),) if quiet is not None else ())


def paused(contact: Contact, until: int, rank: int, at: int) -> Contact | None:
    """Nothing before `until`; 0 ends a pause. A pause that is over binds nobody."""
    stood = contact.pause_until > at
    if stood and contact.pause_assurance > rank:
        if until < contact.pause_until:
            return None
        rank = contact.pause_assurance
    return replace(contact, pause_until=until, pause_assurance=rank if until else 0)


def tighter(one: Cap, other: Cap) -> bool:
    """Whether whoever keeps `one` keeps `other` too, whenever the periods begin."""
    return one.most * _TOUCHING.get((one.per, other.per), 1) <= other.most


def merged(one: Contact | None, other: Contact | None) -> Contact | None:
    """The wishes of two people who turn out to be one: whatever either of them kept away stays away."""
    if one is None or other is None:
        return one or other
    off = {
        channel: _stricter(one.off.get(channel, {}), other.off.get(channel, {}))
        for channel in sorted(one.off.keys() | other.off.keys())
    }
    uses = joined_uses(one, other)
    caps = {
        channel: _meet(one.caps.get(channel), other.caps.get(channel), counted=channel in uses)
        for channel in {**one.caps, **other.caps}
    }
    quiet = list(one.quiet)
    for window in other.quiet:
        if not any(covers(each, window) and each.assurance >= window.assurance for each in quiet):
            quiet = [each for each in quiet if not (covers(window, each) and window.assurance >= each.assurance)]
            quiet.append(window)
    windows = tuple(sorted(quiet, key=lambda each: (each.zone, each.start, each.end, each.days, each.assurance)))
    # Of the longer pause by the surer word: a weak one must not end what a strong one would have kept for a while.
    pause_until, assurance = max(one.pause_until, other.pause_until), max(one.pause_assurance, other.pause_assurance)
    return Contact(off, caps, windows, pause_until, assurance, uses)


def _stricter(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {place: max(one.get(place, 0), other.get(place, 0)) for place in sorted(one.keys() | other.keys())}


def _meet(one: Cap | None, other: Cap | None, *, counted: bool) -> Cap:
    """One cap that keeps both. `counted`: there are messages, of which the tighter cap might overlook those that count
    towards the other.
    """
    if one is None or other is None:
        found = one or other
        assert found is not None
        return found
    rank = max(one.assurance, other.assurance)
    if tighter(one, other) and not counted:
        return replace(one, assurance=rank)
    if tighter(other, one) and not counted:
        return replace(other, assurance=rank)
    longer = max(one.per, other.per, key=PERIODS.index)
    return Cap(min(one.most, other.most), longer, rank)
