"""Finding identity data in what people write: chats, letters, tickets. Patterns and check digits, no model.

Each rule proposes a stretch of the text, and what is found must then be a value of its kind: an address that is one, a
number whose check digit holds. Numbers that any nine digits could be count only where a word beside them says what they
are. Names and street addresses are not found; docs/guides/vault.md says so.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from importlib import import_module
from ipaddress import ip_address
from typing import Final

import phonenumbers
from msgspec import Struct
from stdnum.exceptions import ValidationError

from vault.fields.normalise import InvalidValue, canonical
from vault.tokens.rows import token_in

MOST_FOUND: Final = 1000
_BESIDE: Final = 40
"""Characters before a number in which a word may say what it is."""


class Finding(Struct, frozen=True):
    """Characters `start` to `end` are a value of `kind`; `canonical` is its normalised form."""

    start: int
    end: int
    kind: str
    canonical: str

    def __repr__(self) -> str:
        return f"<Finding {self.kind} {self.start}-{self.end}>"


def find(text: str, region: str | None = None) -> list[Finding]:
    """What is in `text`, in order, without overlaps. Our own tokens are left alone.

    `region` (ISO 3166) is where telephone numbers without a country code belong; without it those are not found.
    """
    found: list[Finding] = []
    ends: list[int] = []
    for rule in _RULES:
        for start, end, kind, normal in rule(text, region):
            place = bisect_left(ends, start + 1)
            if (place == len(found) or found[place].start >= end) and len(found) < MOST_FOUND:
                found.insert(place, Finding(start, end, kind, normal))
                ends.insert(place, end)
    return found


_Proposed = Iterator[tuple[int, int, str, str]]

_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}"
_ADDRESS: Final = re.compile(rf"{_LOCAL}[@＠][A-Za-z0-9](?:[A-Za-z0-9.-]{{0,251}}[A-Za-z0-9])?")
_FOREIGN_ADDRESS: Final = re.compile(r"(?<!\S)[^\s<>()\[\],;:\"@＠]{1,64}[@＠][^\s<>()\[\],;:\"@＠]{3,253}")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_RESIDENT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_CARD: Final = re.compile(r"(?<![0-9+])[2-6][0-9]?(?:[ -]?[0-9]){10,17}(?![0-9])")
_ISSUED: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|3[0689][0-9]{12,14}|35[0-9]{14}"
    r"|5[06-9][0-9]{10,17}|6[0-9]{15,18}"
)
"""Issuers' first digits and the lengths that go with them: one number of ten passes Luhn by chance."""

_V4: Final = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])")
_V6: Final = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,43}(?![0-9A-Za-z:])")


def _emails(text: str, _region: str | None) -> _Proposed:
    for pattern in (_ADDRESS, _FOREIGN_ADDRESS):
        for match in pattern.finditer(text):
            given = match[0].rstrip(".!?。！？")
            # A dot or a quotation mark before the address belongs to the sentence.
            lead = len(given) - len(given.lstrip(".'`*_"))
            plain = given[lead:].replace("＠", "@")
            if token_in(plain) is None and (normal := _canonical("email", plain)):
                yield match.start() + lead, match.start() + len(given), "email", normal


def _ibans(text: str, _region: str | None) -> _Proposed:
    for match in _IBAN.finditer(text):
        # The next word may have run into it: the longest beginning that holds is it.
        for end in range(len(match[0]), 14, -1):
            given = match[0][:end]
            if given[-1] not in " -" and (normal := _canonical("iban", given)):
                yield match.start(), match.start() + end, "iban", normal
                break


def _residents(text: str, _region: str | None) -> _Proposed:
    for match in _RESIDENT.finditer(text):
        if normal := _canonical("cn_resident_id", match[0]):
            yield match.start(), match.end(), "cn_resident_id", normal


def _cards(text: str, _region: str | None) -> _Proposed:
    for match in _CARD.finditer(text):
        if (normal := _canonical("card", match[0])) and _ISSUED.fullmatch(normal):
            yield match.start(), match.end(), "card", normal


def _phones(text: str, region: str | None) -> _Proposed:
    # 999 and 9999, where our own tokens lie, are nobody's numbers: the library does not propose them.
    for match in phonenumbers.PhoneNumberMatcher(text, region or "ZZ"):
        normal = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        yield match.start, match.end, "phone", normal


def _addresses(text: str, _region: str | None) -> _Proposed:
    for pattern in (_V4, _V6):
        for match in pattern.finditer(text):
            given = match[0].rstrip(".")
            try:
                yield match.start(), match.start() + len(given), "ip", ip_address(given).compressed
            except ValueError:
                continue


class _Number(Struct, frozen=True):
    """A country's number: where python-stdnum has its check, what it looks like, which words name it.

    Without words it is told by its look and its check alone.
    """

    module: str
    kind: str
    look: re.Pattern[str]
    words: re.Pattern[str] | None = None


def _number(module: str, kind: str, look: str, words: str = "") -> _Number:
    whole = re.compile(rf"(?<![0-9A-Za-z])(?:{look})(?![0-9A-Za-z])", re.IGNORECASE)
    return _Number(module, kind, whole, re.compile(words, re.IGNORECASE) if words else None)


_NUMBERS: Final = (
    _number("it.codicefiscale", "national_id", r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]"),
    _number("fr.nir", "national_id", r"[1-478] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
    _number("es.dni", "national_id", r"[0-9]{8}[- ]?[A-HJ-NP-TV-Z]"),
    _number("es.nie", "national_id", r"[XYZ][- ]?[0-9]{7}[- ]?[A-HJ-NP-TV-Z]"),
    _number("fi.hetu", "national_id", r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]"),
    _number("se.personnummer", "national_id", r"(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}"),
    _number("be.nn", "national_id", r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}"),
    _number("ie.pps", "national_id", r"[0-9]{7}[A-W][A-IW]?", r"\bpps"),
    _number("gb.nino", "national_id", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]"),
    _number("de.idnr", "national_id", r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}", r"steuer|\bidnr|tax"),
    _number("nl.bsn", "national_id", r"[0-9]{4}[ .]?[0-9]{2}[ .]?[0-9]{3}", r"\bbsn|burgerservice|sofi"),
    _number("pl.pesel", "national_id", r"[0-9]{11}", r"pesel"),
    _number("dk.cpr", "national_id", r"[0-9]{6}[- ]?[0-9]{4}", r"\bcpr|personnummer"),
    _number("pt.nif", "national_id", r"[0-9]{3} ?[0-9]{3} ?[0-9]{3}", r"\bnif|contribuinte"),
    _number("eu.vat", "vat", r"(?:ATU?|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)"
            r"[ -]?[0-9A-Z]{7,12}"),
)  # fmt: skip


def _numbers(text: str, _region: str | None) -> _Proposed:
    for number in _NUMBERS:
        for match in number.look.finditer(text):
            beside = text[max(0, match.start() - _BESIDE) : match.start()]
            if number.words is not None and not number.words.search(beside):
                continue
            normal = _checked(number.module, match[0])
            if normal:
                yield match.start(), match.end(), number.kind, f"{number.module[:2]}:{normal}"


def _checked(module: str, given: str) -> str:
    try:
        normal: str = import_module(f"stdnum.{module}").validate(given)
    except (ValidationError, ValueError):
        return ""
    return normal


def _canonical(kind: str, given: str) -> str:
    try:
        return canonical(kind, given)
    except InvalidValue:
        return ""


_RULES: Final[tuple[Callable[[str, str | None], _Proposed], ...]] = (
    _emails,
    _ibans,
    _residents,
    _numbers,
    _cards,
    _phones,
    _addresses,
)
"""In the order of precedence: who comes first has the stretch."""

KINDS: Final = ("email", "iban", "cn_resident_id", "national_id", "vat", "card", "phone", "ip")
