"""Languages: which one a visitor gets, its catalogue, and dates, lists and terms in it.

English stands in the templates; every other language is a gettext catalogue in `sayso/server/locales`, read from its
`.po` file at first use so that no compiled file can be out of step with it. `en-XA` is a pseudo-locale for tests.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel.dates import format_date, format_datetime, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

FOLDER = Path(__file__).parent.parent / "locales"
LOCALES: dict[str, str] = {"en": "English", "zh-CN": "简体中文"}  # each named in its own language
PSEUDO = "en-XA"
RTL = frozenset({"ar", "he", "fa", "ur"})
_ACCENTED = str.maketrans("aeiouyncsAEIOUNCS", "áéíóúýñçšÁÉÍÓÚÑÇŠ")


def negotiate(cookie: str | None, accept_language: str | None) -> str:
    """The locale for a visitor.

    The cookie's if it is one of ours, else the best of `Accept-Language` (RFC 9110, 12.5.4), else English.
    """
    if cookie in LOCALES:
        return cookie
    for wanted in _by_weight(accept_language or ""):
        for locale in LOCALES:
            if wanted == locale.lower() or wanted.split("-")[0] == locale.lower().split("-")[0]:
                return locale
    return "en"


def translate(locale: str, message: str) -> str:
    """The interface text `message` in `locale`; English when the catalogue does not hold it."""
    return translations(locale).gettext(message)


def direction(locale: str) -> Literal["ltr", "rtl"]:
    """The writing direction of a locale."""
    return "rtl" if locale.split("-", maxsplit=1)[0] in RTL else "ltr"


@cache
def translations(locale: str) -> NullTranslations:
    """The catalogue of a locale."""
    if locale == PSEUDO:
        return _Pseudo()
    path = FOLDER / locale.replace("-", "_") / "LC_MESSAGES" / "sayso.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=babel_name(locale)))
    compiled.seek(0)
    return GNUTranslations(compiled)


def moment(instant: int, locale: str) -> str:
    """An instant (microseconds, UTC) as date and time to the minute, with the zone named."""
    return format_datetime(_utc(instant), _pattern(locale), locale=babel_name(locale))


def second(instant: int) -> str:
    """An instant for tables that are read like a ledger: ISO date and time of day, to the second, UTC."""
    return _utc(instant).strftime("%Y-%m-%d %H:%M:%S")


def number(value: int, locale: str) -> str:
    """A count with the separators of the locale."""
    return format_decimal(value, locale=babel_name(locale))


def exact(instant: int) -> str:
    """An instant for machines and for evidence, to the millisecond, UTC."""
    return _utc(instant).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def day(instant: int, locale: str) -> str:
    """The day of an instant, in UTC."""
    return format_date(_utc(instant).date(), "long", locale=babel_name(locale))


def date_in_words(iso: str, locale: str) -> str:
    """A local date (`2026-12-21`) in words."""
    return format_date(date.fromisoformat(iso), "long", locale=babel_name(locale))


def clock(instant: int, locale: str) -> str:
    """The time of day of an instant, in UTC, to the minute."""
    return format_time(_utc(instant), "HH:mm", locale=babel_name(locale))


def joined(items: Sequence[str], locale: str) -> str:
    """A list in words: "a, b and c"."""
    return format_list(list(items), style="standard", locale=babel_name(locale)) if items else ""


def duration(iso: str, locale: str) -> str:
    """An ISO 8601 duration of one unit (`P24M`, `P30D`, `P2Y`, `P6W`) in words.

    Other forms are given back as they came.
    """
    unit = {"Y": "year", "M": "month", "W": "week", "D": "day"}.get(iso[-1:])
    if unit is None or not iso[1:-1].isdecimal():
        return iso
    # Chinese has one form, which CLDR files under "short"; Babel does not follow the alias from "long".
    length: Literal["short", "long"] = "short" if locale.startswith("zh") else "long"
    return format_unit(int(iso[1:-1]), f"duration-{unit}", length=length, locale=babel_name(locale))


class _Pseudo(NullTranslations):
    """English made foreign: accented and four tenths longer, so that untranslated or cramped text shows."""

    def gettext(self, message: str) -> str:
        return f"[{_accented(message)}{' ·' * (len(message) // 5)}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


def _accented(message: str) -> str:
    """Accent the words and leave `%(name)s` and `{name}` alone."""
    parts: list[str] = []
    depth = 0
    after_name = False
    for char in message:
        if char in "({" and (char == "{" or parts[-1:] == ["%"]):
            depth += 1
        parts.append(char if depth or after_name else char.translate(_ACCENTED))
        after_name = depth == 1 and char == ")"
        if depth and char in ")}":
            depth -= 1
    return "".join(parts)


def _by_weight(header: str) -> list[str]:
    """The languages of the header, best first, lower case; malformed weights count as nothing."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        language, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            weighed.append((-quality, language.strip().lower()))
    return [language for _, language in sorted(weighed, key=lambda item: item[0])]


def babel_name(locale: str) -> str:
    """What Babel calls a locale of ours."""
    return {"zh-CN": "zh", PSEUDO: "en_GB", "en": "en_GB"}.get(locale, locale.replace("-", "_"))


def _pattern(locale: str) -> str:
    return "y年M月d日 HH:mm 'UTC'" if locale.startswith("zh") else "d MMM y, HH:mm 'UTC'"


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1_000_000, UTC)
