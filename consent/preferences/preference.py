"""Preferences: what a brand asks of people beyond consent, and what may be answered. Pure.

A preference has a type, texts per language, the purpose that it serves and what the person gets for answering. Beside
the brand's own there are four that Sayso itself understands and enforces (`wishes.py`): `channels`, `frequency`,
`quiet_hours`, `pause_until`.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, Literal

from msgspec import Struct

from consent.catalogue.catalogue import Catalogue
from consent.catalogue.purpose import CHANNELS
from consent.choices.fold import path
from consent.errors import UnfitPreference

Kind = Literal["boolean", "choice", "multi", "number", "date", "text"]
KINDS: Final = ("boolean", "choice", "multi", "number", "date", "text")

BUILT_IN: Final = ("channels", "frequency", "quiet_hours", "pause_until")
"""Names that mean the same for every brand."""

LONGEST_TEXT: Final = 2_000
"""Characters of the longest text that any question may ask for."""

LARGEST: Final = 10.0**15
"""The largest number, either way: what every JSON reader keeps exactly."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Preference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question. `gives` is what the person gets for answering; `purpose` what the answer is used for.

    `options` are the answers of a choice, each with its texts; `most` how many a `multi` takes (0: all of them). `min`
    and `max` bound a number, `earliest` and `latest` (ISO dates) a date, `longest` a text in characters. A `sensitive`
    answer is handed out with a permit only.
    """

    name: str
    type: Kind
    title: dict[str, str]
    description: dict[str, str] = {}
    gives: dict[str, str] = {}
    purpose: str = ""
    sensitive: bool = False
    options: dict[str, dict[str, str]] = {}
    most: int = 0
    min: float | None = None
    max: float | None = None
    whole: bool = False
    earliest: str = ""
    latest: str = ""
    longest: int = 200

    def checked(self, value: Any) -> Any:
        """The answer as it is kept. Raises `UnfitPreference` that says what fits; never repeats the answer."""
        return _CHECKS[self.type](self, value)

    def fits(self, value: Any) -> bool:
        """Whether an answer given to an earlier version of the question still is one."""
        try:
            return bool(self.checked(value) == value)
        except UnfitPreference:
            return False


class Way(Struct, frozen=True):
    """What a channel is used for: purposes that the person may switch off there, and those that they may not."""

    offered: tuple[str, ...]
    locked: tuple[str, ...]


class Questionnaire:
    """All that one brand asks. Immutable; made with its catalogue. `named`: whether the brand names any channel itself;
    without that every channel may be spoken of, for every purpose.
    """

    __slots__ = ("channels", "named", "preferences")

    def __init__(self, preferences: Iterable[Preference], catalogue: Catalogue) -> None:
        self.preferences: Mapping[str, Preference] = {each.name: each for each in preferences}
        leaves = [name for name, each in catalogue.purposes.items() if not each.implied and catalogue.leaf(name)]
        by_purpose = {name: carried(catalogue, name) for name in leaves}
        used = {channel for channels in by_purpose.values() for channel in channels}
        self.named = bool(used)
        self.channels: Mapping[str, Way] = {
            channel: _way(catalogue, [name for name in leaves if not used or channel in by_purpose[name]])
            for channel in CHANNELS
            if channel in used or not used
        }


def carried(catalogue: Catalogue, purpose: str) -> tuple[str, ...]:
    """The channels by which a purpose reaches people: its own, else those of the nearest above. None declared: any."""
    for place in path(purpose):
        found = catalogue.purposes.get(place)
        if found is not None and found.channels:
            return found.channels
    return ()


def in_language(texts: Mapping[str, str], locale: str, otherwise: str = "") -> str:
    """The text that answers `locale` by RFC 4647, lookup; else the English one, else any, else `otherwise`."""
    known = {name.lower(): text for name, text in texts.items()}
    tag = locale.lower()
    while tag:
        if tag in known:
            return known[tag]
        tag = tag.rpartition("-")[0]
    return known.get("en") or next(iter(known.values()), otherwise)


def _way(catalogue: Catalogue, purposes: list[str]) -> Way:
    free = [name for name in purposes if catalogue.blockable(name)]
    return Way(tuple(free), tuple(name for name in purposes if name not in free))


def _boolean(asked: Preference, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnfitPreference(asked.name, "true or false")
    return value


def _choice(asked: Preference, value: Any) -> str:
    if not isinstance(value, str) or value not in asked.options:
        raise UnfitPreference(asked.name, f"one of: {', '.join(asked.options)}")
    return value


def _multi(asked: Preference, value: Any) -> list[str]:
    known = isinstance(value, list) and all(isinstance(each, str) and each in asked.options for each in value)
    most = asked.most or len(asked.options)
    if not known or len(set(value)) != len(value) or len(value) > most:
        raise UnfitPreference(asked.name, f"a list of at most {most}, none twice, of: {', '.join(asked.options)}")
    # In the order of the question: the same choice is then the same answer.
    return [option for option in asked.options if option in value]


def _number(asked: Preference, value: Any) -> int | float:
    low = -LARGEST if asked.min is None else asked.min
    high = LARGEST if asked.max is None else asked.max
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high or (asked.whole and value != int(value)):
        kind = "a whole number" if asked.whole else "a number"
        raise UnfitPreference(asked.name, f"{kind} from {low:g} to {high:g}")
    found: int | float = int(value) if asked.whole else value
    return found


def _date(asked: Preference, value: Any) -> str:
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        found = date.fromisoformat(value).isoformat()
    except ValueError:
        raise UnfitPreference(asked.name, "a date such as 2026-11-22") from None
    if (asked.earliest and found < asked.earliest) or (asked.latest and found > asked.latest):
        bounds = [f"from {asked.earliest}" if asked.earliest else "", f"until {asked.latest}" if asked.latest else ""]
        raise UnfitPreference(asked.name, f"a date {' '.join(filter(None, bounds))}")
    return found


def _text(asked: Preference, value: Any) -> str:
    found = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
    if not found or len(found) > asked.longest or _CONTROL.search(found):
        raise UnfitPreference(asked.name, f"a text of 1 to {asked.longest} characters without control characters")
    return found


_CHECKS: Final[dict[str, Any]] = {
    "boolean": _boolean,
    "choice": _choice,
    "multi": _multi,
    "number": _number,
    "date": _date,
    "text": _text,
}
