"""The preferences that Sayso enforces itself, between the words of the API and the state that decides. Pure.

    channels     {"sms": false, "email": {"marketing.email": true}}
    frequency    {"email": {"most": 1, "per": "week"}}
    quiet_hours  {"from": "21:00", "until": "08:00", "zone": "Europe/Dublin", "days": ["mon", …]}
    pause_until  "2027-01-01T00:00:00Z"

Inside, what is said of each channel is a preference of its own: `channels.sms`, `frequency.email`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from consent.errors import UnfitPreference, UnknownPreference
from consent.preferences.contact import ALL, MOST_MESSAGES, PERIODS, Cap, Contact
from consent.preferences.preference import Questionnaire
from consent.preferences.quiet import EVERY_DAY, Quiet, zones
from consent.preferences.reach import capped, hushed, paused, switched
from sayso.kernel import Invalid, iso, nearest, parse_instant

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_QUIET_MEMBERS: Final = ("from", "until", "zone", "days")
_ENDS: Final = 253_402_300_800_000_000
"""The first instant of the year 10000, which no calendar here can tell."""


def read_wishes(asked: Questionnaire, name: str, value: Any, at: int) -> Iterator[tuple[str, Any]]:
    """What a built-in member of a body says, each by its inner name, None for what is taken back.

    Raises `UnknownPreference`, `UnfitPreference`.
    """
    match name:
        case "channels" | "frequency":
            if value is not None and not isinstance(value, dict):
                raise UnfitPreference(name, "a mapping of channels")
            read = _channel if name == "channels" else _cap
            for channel in asked.channels if value is None else value:
                if channel not in asked.channels:
                    raise UnknownPreference(nearest(channel, asked.channels))
                said = None if value is None else value[channel]
                yield f"{name}.{channel}", None if said is None else read(asked, channel, said)
        case "quiet_hours":
            yield name, None if value is None else _quiet(value)
        case _:
            yield name, None if value is None else _pause(value, at)


def wished(contact: Contact, asked: Questionnaire, name: str, said: Any, rank: int, at: int) -> Contact | None:
    """The state once this was said with that rank of assurance; None when it would loosen what a stronger one said."""
    member, _, channel = name.partition(".")
    match member:
        case "channels":
            way = asked.channels.get(channel)
            return switched(contact, channel, True if said is None else said, rank, way.offered if way else ())
        case "frequency":
            cap = Cap(said["most"], said["per"], rank) if said is not None else None
            return capped(contact, channel, cap, rank)
        case "quiet_hours":
            return hushed(contact, _window(said, rank) if said is not None else None, rank)
        case _:
            return paused(contact, said or 0, rank, at)


def told(contact: Contact, asked: Questionnaire, said: Mapping[str, Any], at: int) -> dict[str, Any]:
    """The state in the words of the API; of channels, those that were spoken of. A pause that is over is not told."""
    values: dict[str, Any] = {}
    spoken = {name.partition(".")[2] for name in said if name.startswith("channels.")} | contact.off.keys()
    channels = {
        channel: _told_channel(contact.off.get(channel, {}), way.offered)
        for channel, way in asked.channels.items()
        if channel in spoken
    }
    if channels:
        values["channels"] = channels
    caps = {name: {"most": cap.most, "per": cap.per} for name, cap in contact.caps.items() if name in asked.channels}
    if caps:
        values["frequency"] = caps
    if contact.quiet:
        windows = [told_quiet(window) for window in contact.quiet]
        values["quiet_hours"] = windows[0] if len(windows) == 1 else windows
    if contact.pause_until > at:
        values["pause_until"] = iso(contact.pause_until)
    return values


def told_quiet(window: Quiet) -> dict[str, Any]:
    """Quiet hours in the words of the API."""
    days = [day for place, day in enumerate(DAYS) if window.days >> place & 1]
    return {"from": _clock(window.start), "until": _clock(window.end), "zone": window.zone, "days": days}


def _told_channel(off: Mapping[str, int], offered: tuple[str, ...]) -> bool | dict[str, bool]:
    if ALL in off:
        return False
    return {purpose: purpose not in off for purpose in dict.fromkeys((*offered, *off))} if off else True


def _channel(asked: Questionnaire, channel: str, said: Any) -> bool | dict[str, bool]:
    offered = asked.channels[channel].offered
    member = f"channels.{channel}"
    if isinstance(said, bool):
        return said
    if not isinstance(said, dict) or not said or not all(isinstance(each, bool) for each in said.values()):
        raise UnfitPreference(member, "true, false, or true or false for each purpose")
    for purpose in said:
        if purpose in asked.channels[channel].locked:
            raise UnfitPreference(member, "no purpose whose messages are part of the service")
        if purpose not in offered:
            raise UnknownPreference(nearest(purpose, offered))
    return dict(said)


def _cap(_: Questionnaire, channel: str, said: Any) -> dict[str, Any]:
    expects = f'{{"most": 1 to {MOST_MESSAGES}, "per": one of {", ".join(PERIODS)}}}'
    if not isinstance(said, dict) or said.keys() != {"most", "per"} or said["per"] not in PERIODS:
        raise UnfitPreference(f"frequency.{channel}", expects)
    most = said["most"]
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_MESSAGES:
        raise UnfitPreference(f"frequency.{channel}", expects)
    return dict(said)


def _quiet(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise UnfitPreference("quiet_hours", '{"from": "21:00", "until": "08:00", "zone": "Europe/Dublin"}')
    for member in said:
        if member not in _QUIET_MEMBERS:
            raise UnknownPreference(nearest(member, _QUIET_MEMBERS))
    for member in ("from", "until"):
        if not isinstance(said.get(member), str) or not _TIME.fullmatch(said[member]):
            raise UnfitPreference(f"quiet_hours.{member}", "a time such as 21:00")
    if said["from"] == said["until"]:
        raise UnfitPreference("quiet_hours.until", "another time than 'from'; to hear nothing at all, pause")
    zone = said.get("zone")
    if not isinstance(zone, str) or zone not in zones():
        hint = nearest(zone, zones()) if isinstance(zone, str) and len(zone) <= 64 else None
        meant = f"; did you mean {hint}?" if hint else ""
        raise UnfitPreference("quiet_hours.zone", f"a time zone such as Europe/Dublin (IANA){meant}")
    days = said.get("days", list(DAYS))
    if not isinstance(days, list) or not days or not all(day in DAYS for day in days) or len(set(days)) != len(days):
        raise UnfitPreference("quiet_hours.days", f"a list, none twice, of: {', '.join(DAYS)}")
    return told_quiet(_window({**said, "days": days}, 0))


def _pause(said: Any, at: int) -> int:
    expects = "an instant that lies ahead, such as 2027-01-01T00:00:00Z"
    try:
        until = parse_instant(said) if isinstance(said, str) else 0
    except Invalid:
        raise UnfitPreference("pause_until", expects) from None
    if not at < until < _ENDS:
        raise UnfitPreference("pause_until", expects)
    return until


def _window(said: Mapping[str, Any], rank: int) -> Quiet:
    days = sum(1 << place for place, day in enumerate(DAYS) if day in said["days"])
    return Quiet(_minute(said["from"]), _minute(said["until"]), said["zone"], days & EVERY_DAY, rank)


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
