"""Languages: which one a visitor gets, its catalogue, and dates, lists and terms in it.

English stands in the templates; every other language is a gettext catalogue in `sayso/server/locales`, read from its
`.po` file at first use so that no compiled file can be out of step with it. `en-XA` is a pseudo-locale for tests.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit
from markupsafe import Markup, escape

FOLDER = Path(__file__).parent.parent / "locales"
LOCALES: dict[str, str] = {  # each named in its own language
    "en": "English",
    "zh-CN": "简体中文",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt-BR": "Português (Brasil)",
    "ja": "日本語",
    "ar": "العربية",
}
PSEUDO = "en-XA"
RTL = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "ug", "ur", "yi"})

_UNITS = ("year", "month", "week", "day")
_SHORT = {"zh": _UNITS, "ja": _UNITS, "ar": _UNITS, "pt": ("year", "month", "day")}
"""Units whose whole words CLDR files under "short": Babel does not follow the alias from "long"."""

_DURATION = re.compile(r"P(?:(?P<year>\d+)Y)?(?:(?P<month>\d+)M)?(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?")
_LATIN, _DIGIT, _RTL = re.compile("[A-Za-z\u00c0-\u024f]"), re.compile("[0-9]"), re.compile("[\u0590-\u08ff]")
_SOUNDS_I = re.compile(r"h?[ií](?![ae])", re.I)
_ACCENTED = str.maketrans("aeiouyncsAEIOUNCS", "áéíóúýñçšÁÉÍÓÚÑÇŠ")


def negotiate(cookie: str | None, accept_language: str | None) -> str:
    """The locale for a visitor.

    The cookie's if it is one of ours, else the best of `Accept-Language` (RFC 9110, 12.5.4), else English.
    """
    if cookie in LOCALES:
        return cookie
    return best(accept_language or "", tuple(LOCALES)) or "en"


def best(accept_language: str, offered: Sequence[str]) -> str | None:
    """The one of the offered languages that `Accept-Language` asks for first (RFC 9110, 12.5.4).

    A tag is matched whole, then shortened (RFC 4647, 3.4), then by its language alone, so that who wants Portuguese
    of Portugal gets that of Brazil rather than English. A language with the weight 0 is not given. None when none fits.
    """
    known = {each.lower(): each for each in offered}
    weighed = _by_weight(accept_language)
    refused = {wanted for wanted, quality in weighed if not quality}
    for wanted, quality in weighed:
        if quality:
            near = [each for each in known if _language(each) == _language(wanted)]
            for each in (*_shortened(wanted), *near):
                if each in known and each not in refused:
                    return known[each]
    return None


def translate(locale: str, message: str) -> str:
    """The interface text `message` in `locale`; English when the catalogue does not hold it."""
    return translations(locale).gettext(message)


def direction(locale: str) -> Literal["ltr", "rtl"]:
    """The writing direction of a locale."""
    return "rtl" if _language(locale) in RTL else "ltr"


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
    return _moment(instant - instant % _MINUTE, locale)


_MINUTE: Final = 60_000_000


@lru_cache(maxsize=4096)
def _moment(instant: int, locale: str) -> str:
    # Many lines of a timeline are of one minute, and Babel takes as long for each as for the rest of the line.
    known, at = Locale.parse(babel_name(locale)), _utc(instant)
    on = format_date(at.date(), known.datetime_skeletons["yMMMd"].pattern, locale=known)
    joint = str(known.datetime_formats["medium"])
    return joint.replace("{1}", on).replace("{0}", f"{clock(instant, locale)} UTC")


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


def isolated(text: str, locale: str) -> str:
    """A name, an address or a number among words that run from right to left: it keeps its own order (UAX 9, 2.4)."""
    if direction(locale) == "ltr" or not (_LATIN.search(text) or (_DIGIT.search(text) and not _RTL.search(text))):
        return text
    return f"\u2068{text}\u2069"


def joined(items: Iterable[str], locale: str) -> str:
    """A list in words: "a, b and c". Items that bring their own markup keep it, and the others are escaped then."""
    listed = list(items)
    if not listed:
        return ""
    if any(hasattr(each, "__html__") for each in listed):
        return Markup(_listed([str(escape(each)) for each in listed], locale))  # noqa: S704 - every item is escaped
    return _listed([isolated(each, locale) for each in listed], locale)


def duration(iso: str, locale: str) -> str:
    """An ISO 8601 duration in years, months, weeks and days (`P24M`, `P30D`, `P1Y6M`) in words.

    Other forms are given back as they came.
    """
    found = _DURATION.fullmatch(iso)
    if found is None:
        return iso
    parts = [_measured(int(count), unit, locale) for unit, count in found.groupdict().items() if count]
    if not parts:
        return iso
    return "".join(parts) if _language(locale) in ("zh", "ja") else joined(parts, locale)


def own_name(locale: str) -> str:
    """A language in its own words; its code where nobody has told us."""
    try:
        named = Locale.parse(locale, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        named = None
    return LOCALES.get(locale) or named or locale


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


def _by_weight(header: str) -> list[tuple[str, float]]:
    """The languages of the header with their weights, best first, lower case; malformed weights count as nothing."""
    weighed: list[tuple[str, float]] = []
    for part in header.split(",")[:20]:
        language, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        weighed.append((language.strip().lower(), quality if quality > 0 else 0.0))
    return sorted(weighed, key=lambda item: -item[1])


def _shortened(tag: str) -> Iterator[str]:
    """A language tag and what is left of it as its last parts are taken away."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def _language(tag: str) -> str:
    return tag.partition("-")[0].lower()


def _measured(count: int, unit: str, locale: str) -> str:
    """A number with its unit in full."""
    short = unit in _SHORT.get(_language(locale), ())
    worded = format_unit(count, f"duration-{unit}", length="short" if short else "long", locale=babel_name(locale))
    return worded.replace(" ", "") if _language(locale) == "ja" else worded


def _listed(items: list[str], locale: str) -> str:
    # Spanish says "e" before the sound of i, which CLDR leaves to the program.
    if _language(locale) == "es" and len(items) > 1 and _SOUNDS_I.match(items[-1]):
        return f"{', '.join(items[:-1])} e {items[-1]}"
    return format_list(items, style="standard", locale=babel_name(locale))


@cache
def babel_name(locale: str) -> str:
    """What Babel calls a locale of ours; that of English for a language that it does not know."""
    known = {"zh-CN": "zh", PSEUDO: "en_GB", "en": "en_GB"}.get(locale)
    if known is None:
        try:
            known = str(Locale.parse(locale, sep="-"))
        except (UnknownLocaleError, ValueError):
            known = "en_GB"
    return known


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1_000_000, UTC)
