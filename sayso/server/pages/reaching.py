"""The parts of the preference page that tell how a person may be reached, and what they told about themselves."""

from functools import cache
from importlib.resources import files
from typing import Literal
from unicodedata import combining, normalize

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from msgspec import Struct

from .locales import babel_name, translate

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CAPS = ("3/week", "1/week", "2/month", "1/month")
"""The caps that the page offers; any other that stands is offered beside them."""


class Cell(Struct, frozen=True, kw_only=True):
    """One purpose on one channel. `locked`: part of the service; `none`: the brand does not use the channel for it.

    `counts` is false where the person has said no to the purpose, or nothing yet: then a tick alone allows nothing.
    """

    purpose: str
    title: str
    state: Literal["on", "off", "locked", "none"]
    counts: bool = True


class Channel(Struct, frozen=True, kw_only=True):
    """One row: the channel, a cell per purpose, and how often ("" or "2/month")."""

    name: str
    cells: tuple[Cell, ...]
    cap: str = ""


class Hours(Struct, frozen=True, kw_only=True):
    """Quiet hours, as clocks show them; `on` tells whether any are kept."""

    on: bool = False
    start: str = "21:00"
    end: str = "08:00"
    days: tuple[str, ...] = DAYS
    zone: str = ""


class Reaching(Struct, frozen=True, kw_only=True):
    """How the person may be reached. `locked` are title and reason of what belongs to the service."""

    channels: tuple[Channel, ...]
    locked: tuple[tuple[str, str], ...] = ()
    hours: Hours = Hours()
    pause_until: int | None = None


class Question(Struct, frozen=True, kw_only=True):
    """One question with the answer that stands. Texts are in the page's language.

    `options` are (name, text, whether it stands). `how`, `told_at` and `source` tell where the answer comes from.
    """

    name: str
    type: Literal["boolean", "choice", "multi", "number", "date", "text"]
    title: str
    description: str = ""
    gives: str = ""
    purpose: str = ""
    sensitive: bool = False
    options: tuple[tuple[str, str, bool], ...] = ()
    most: int = 0
    value: str = ""
    low: str = ""
    high: str = ""
    whole: bool = False
    longest: int = 0
    answered: bool = False
    how: Literal["declared", "recorded", "imported"] = "declared"
    told_at: int | None = None
    source: str = ""
    unfit: bool = False


@cache
def places(locale: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Time zones by part of the world, each (zone, city in the reader's language), cities in the order of the alphabet.

    The zones are those of the IANA database's `zone.tab`: one for every place that ever kept its own time.
    """
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8")
    zones = [line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#")]
    grouped = []
    for area, name in _areas(locale).items():
        cities = [(zone, city(zone, locale)) for zone in zones if zone.partition("/")[0] == area]
        grouped.append((name, tuple(sorted(cities, key=lambda each: _unaccented(each[1])))))
    return tuple(grouped)


@cache
def city(zone: str, locale: str) -> str:
    """The place of a time zone in the reader's language."""
    if "/" not in zone:
        return zone
    # CLDR keeps the first name of a zone that the IANA database has since moved (America/Buenos_Aires), Babel the last.
    named = Locale.parse(babel_name(locale)).time_zones
    for each in (zone, *(first for first, last in get_global("zone_aliases").items() if last == zone)):
        if found := named.get(each, {}).get("city"):
            return str(found)
    return get_timezone_location(zone, locale=babel_name(locale), return_city=True).rpartition("/")[2]


def _unaccented(name: str) -> str:
    """What a name is sorted by: Ámsterdam stands under A."""
    return "".join(each for each in normalize("NFD", name) if not combining(each)).casefold()


def _areas(locale: str) -> dict[str, str]:
    """Parts of the world by the first word of a zone's name."""
    return {
        "Europe": translate(locale, "Europe"),
        "Asia": translate(locale, "Asia"),
        "Africa": translate(locale, "Africa"),
        "America": translate(locale, "The Americas"),
        "Australia": translate(locale, "Australia"),
        "Pacific": translate(locale, "The Pacific"),
        "Atlantic": translate(locale, "The Atlantic"),
        "Indian": translate(locale, "The Indian Ocean"),
        "Antarctica": translate(locale, "Antarctica"),
    }
