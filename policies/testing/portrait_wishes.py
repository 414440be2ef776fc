"""How a person of a test wants to be reached: the words of the preferences API, read from a manifest's nodes.

channels: {sms: false, email: {marketing.email: false}}
frequency: {email: {most: 2, per: week, used: 2}}      # used: messages of the last hour
quiet_hours: {from: "21:00", until: "08:00", zone: Europe/Dublin, days: [mon, tue]}
pause_until: P3D                                       # from now, or an instant
"""

import re
from collections.abc import Collection
from typing import Final
from zoneinfo import available_timezones

from consent import CHANNELS, RANK, Cap, Contact, Quiet, Use
from policies.testing.nodes import a_number, a_time, members, named, text_of, words
from sayso.kernel import SECOND, Map, Node, Problem, Scalar, problem

MEMBERS: Final = ("channels", "frequency", "quiet_hours", "pause_until")

_PERIODS: Final = ("day", "week", "month")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY: Final = 0b1111111
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_RANK: Final = RANK["session"]
_ALL: Final = "any"
_MOST: Final = 100


def read_contact(person: Map, at: int, purposes: Collection[str], problems: list[Problem]) -> Contact | None:
    """What of the person's block decides whether they may be reached; None where they said nothing of it."""
    pause = person.get("pause_until")
    caps, uses = _frequency(person.get("frequency"), at, problems)
    contact = Contact(
        off=_off(person.get("channels"), purposes, problems),
        caps=caps,
        quiet=_quiet(person.get("quiet_hours"), problems),
        pause_until=a_time(pause, at, 1, problems) if pause is not None else 0,
        uses=uses,
    )
    return contact if contact != Contact() else None


def _off(node: Node | None, purposes: Collection[str], problems: list[Problem]) -> dict[str, dict[str, int]]:
    off: dict[str, dict[str, int]] = {}
    for channel, said in _by_channel(node, problems):
        if isinstance(said, Map):
            for purpose, switch in said.items():
                named(switch, purpose, purposes, "purpose", problems)
                if not _switched_on(switch, problems):
                    off.setdefault(channel, {})[purpose] = _RANK
        elif not _switched_on(said, problems):
            off[channel] = {_ALL: _RANK}
    return off


def _switched_on(node: Node, problems: list[Problem]) -> bool:
    word = text_of(node)
    if word not in ("true", "false", "on", "off"):
        problems.append(problem(node, "A channel is true or false, or so for each purpose."))
    return word in ("true", "on")


def _frequency(
    node: Node | None, at: int, problems: list[Problem]
) -> tuple[dict[str, Cap], dict[str, tuple[Use, ...]]]:
    caps: dict[str, Cap] = {}
    uses: dict[str, tuple[Use, ...]] = {}
    for channel, said in _by_channel(node, problems):
        body = said if isinstance(said, Map) else Map({}, {}, said.file, said.line)
        members(body, "A frequency", ("most", "per", "used"), problems)
        most, used, per = a_number(body.get("most")), a_number(body.get("used")), text_of(body.get("per"))
        if most is None or not 1 <= most <= _MOST or per not in _PERIODS or (used or 0) > _MOST:
            problems.append(problem(said, "A frequency is {most: 2, per: week}, per day, week or month, 100 at most."))
            continue
        caps[channel] = Cap(most, per, _RANK)  # type: ignore[arg-type]  # one of _PERIODS
        if used:
            uses[channel] = tuple(Use(at - SECOND * each, bytes(16), "") for each in range(used, 0, -1))
    return caps, uses


def _quiet(node: Node | None, problems: list[Problem]) -> tuple[Quiet, ...]:
    if node is None:
        return ()
    body = node if isinstance(node, Map) else Map({}, {}, node.file, node.line)
    members(body, "Quiet hours", ("from", "until", "zone", "days"), problems)
    start, end = (_CLOCK.fullmatch(text_of(body.get(each))) for each in ("from", "until"))
    if start is None or end is None:
        problems.append(problem(node, 'Quiet hours are {from: "21:00", until: "08:00", zone: Europe/Dublin}.'))
        return ()
    zone = text_of(body.get("zone"))
    days = words(body.get("days"), "'days'", problems)
    sound = [named(body.get("zone") or node, zone, available_timezones(), "time zone", problems)]
    sound += [named(node, day, _DAYS, "day", problems) for day in days]
    if not all(sound):
        return ()
    bits = sum(1 << _DAYS.index(day) for day in set(days)) or _EVERY_DAY
    first, last = (int(clock[1]) * 60 + int(clock[2]) for clock in (start, end))
    return (Quiet(first, last, zone, bits, _RANK),)


def _by_channel(node: Node | None, problems: list[Problem]) -> list[tuple[str, Node]]:
    if node is None:
        return []
    if not isinstance(node, Map):
        problems.append(problem(node, "A mapping of channels: {email: …}."))
        return []
    return [
        (channel, said)
        for channel, said in node.items()
        if named(Scalar(None, "", node.file, node.lines[channel]), channel, CHANNELS, "channel", problems)
    ]
