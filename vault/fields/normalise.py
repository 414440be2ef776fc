"""Normalisers: what makes two spellings one value, so that a blind index finds it again.

Every kind has a version, which goes into the key of its tags: a rule that changes under the same version would make
people unfindable without a word. What is stored is the value as given (`tidy`); its canonical form only feeds tags and
comparisons. No normaliser guesses at a provider's habits: dots and plus signs in an e-mail address are kept.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final

import idna
import phonenumbers
from msgspec import Struct
from stdnum import iban, luhn, numdb
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from sayso.kernel import Invalid, nearest

LONGEST_VALUE: Final = 8192
_LONGEST_NAME: Final = 256
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ASCII_EMAIL = re.compile(rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@(?:{_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
_COUNTRY = re.compile(r"[A-Z]{2}")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_ANY_POSTCODE = re.compile(r"(?=.*[0-9])[A-Z0-9]{3,10}")
_POSTCODES: Final = {
    region: re.compile(form)
    for form, regions in {
        r"[0-9]{4}": "AT BE BG CH CY DK HU LU NO SI AU NZ",
        r"[0-9]{5}": "DE ES FI FR HR IT EE GR CZ SE SK KR MX TR",
        r"[0-9]{6}": "CN IN RO SG",
        r"[0-9]{7}": "JP PT",
        r"[0-9]{8}": "BR",
        r"[0-9]{5}(?:[0-9]{4})?": "US",
        r"[0-9]{4}[A-Z]{2}": "NL",
        r"[0-9]{2}[0-9]{3}": "PL",
        r"LV[0-9]{4}|[0-9]{4}": "LV",
        r"LT[0-9]{5}|[0-9]{5}": "LT",
        r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}": "GB",
        r"[A-Z][0-9][0-9W][A-Z0-9]{4}": "IE",
        r"[A-Z][0-9][A-Z][0-9][A-Z][0-9]": "CA",
        r"[A-Z]{3}[0-9]{4}": "MT",
    }.items()
    for region in regions.split()
}
"""Forms of post codes without blanks and hyphens, as the postal services print them (UPU S42). Where a country is not
here, any three to ten letters and digits with a digit among them will do.
"""


class InvalidValue(Invalid):
    """A value that is none of its kind. The value itself is never in the message."""

    def __init__(self, kind: str, field: str | None = None) -> None:
        facts = {"kind": kind} if field is None else {"kind": kind, "field": field}
        super().__init__("invalid-value", f"The value given is not a valid {kind}.", **facts)


class Normaliser(Struct, frozen=True):
    """One kind of value. `canonical` raises `ValueError` (or a subclass) on a value that is none.

    `bits` is about how many values the kind really takes, as a logarithm to base 2; 0 for free text. See `planner.py`.
    """

    kind: str
    version: int
    bits: int
    canonical: Callable[[str, str | None], str]


def tidy(value: str) -> str:
    """The value as it is stored: NFC (Unicode Annex 15), without white space around it."""
    # ASCII is NFC already.
    return value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()


def canonical(kind: str, value: str, region: str | None = None) -> str:
    """The form of `value` that its tags are made of. Idempotent.

    `region` (ISO 3166, upper case) is where a telephone number without its country code belongs. Raises `InvalidValue`,
    or `Invalid` (`unknown-kind`) for a kind that is not declared here.
    """
    normaliser = normaliser_of(kind)
    if len(value) > LONGEST_VALUE:
        raise InvalidValue(kind)
    try:
        return normaliser.canonical(tidy(value), region)
    except (ValueError, ValidationError, idna.IDNAError, phonenumbers.NumberParseException):
        raise InvalidValue(kind) from None


def normaliser_of(kind: str) -> Normaliser:
    """The normaliser of `kind`. Raises `Invalid` (`unknown-kind`) with the nearest one."""
    found = NORMALISERS.get(kind)
    if found is None:
        raise Invalid("unknown-kind", "There is no such kind of value.", nearest=nearest(kind, NORMALISERS))
    return found


def _email(value: str, _region: str | None) -> str:
    lower = unicodedata.normalize("NFC", value.lower())
    if len(lower) > 254:
        raise ValueError
    if _ASCII_EMAIL.fullmatch(lower) and "--" not in lower.partition("@")[2]:
        return lower
    local, at, domain = lower.rpartition("@")
    if not at or not 1 <= len(local.encode()) <= 64 or not _plain(local) or any(char in local for char in '" @'):
        raise ValueError
    # UTS 46 maps full-width letters and dots first, as mail programs do (IDNA2008, RFC 5891).
    ascii_domain = idna.encode(domain, uts46=True).decode().lower()
    if "." not in ascii_domain:
        raise ValueError
    return f"{local}@{ascii_domain}"


def _phone(value: str, region: str | None) -> str:
    number = phonenumbers.parse(value, region)
    if number.extension or not phonenumbers.is_possible_number(number):
        raise ValueError
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # Leading zeros are real in Italy and a dialling habit elsewhere, where reading them again drops more of them.
    if number.italian_leading_zero and phonenumbers.parse(normal) != number:
        raise ValueError
    return normal


def _opaque(value: str, _region: str | None) -> str:
    """An identifier of somebody else's making: its spelling is its meaning."""
    if not value or len(value) > _LONGEST_NAME or not _plain(value):
        raise ValueError
    return value


def _name(value: str, _region: str | None) -> str:
    folded = " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold()).split())
    if not folded or len(folded) > _LONGEST_NAME or not _plain(folded):
        raise ValueError
    return folded


def _text(value: str, _region: str | None) -> str:
    if not value.encode() or "\0" in value:  # half of a surrogate pair does not encode
        raise ValueError
    return value


def _date(value: str, _region: str | None) -> str:
    day = date.fromisoformat(value)
    normal = day.isoformat()
    if value != normal and value != day.strftime("%Y%m%d"):
        raise ValueError
    return normal


def _cn_resident_id(value: str, _region: str | None) -> str:
    """GB 11643: area, day of birth, order, check digit.

    The area is that of the first registration, which may be decades after birth: a district that was founded in 1985
    has residents born in 1950. So the province alone has to exist; foreigners who stay for good have it behind a 9.
    """
    number: str = ric.compact(value.upper())
    if not _RESIDENT.fullmatch(number) or ric.calc_check_digit(number) != number[-1]:
        raise ValueError
    ric.get_birth_date(number)
    province = number[1:3] if number[0] == "9" else number[:2]
    ((_, known), *_) = numdb.get("cn/loc").info(province)
    if not known:
        raise ValueError
    return number


def _iban(value: str, _region: str | None) -> str:
    number: str = iban.validate(value)
    return number


def _card(value: str, _region: str | None) -> str:
    digits = value.replace(" ", "").replace("-", "")
    if not 12 <= len(digits) <= 19 or not (digits.isascii() and digits.isdigit()):
        raise ValueError
    number: str = luhn.validate(digits)
    return number


def _postcode(value: str, region: str | None) -> str:
    """Letters and digits alone, upper case; in the region's own form where that is known here."""
    folded = unicodedata.normalize("NFKC", value).upper()
    code = "".join(char for char in folded if char not in " -\u00a0\u2010\u2013")
    form = _POSTCODES.get(region or "", _ANY_POSTCODE)
    if not form.fullmatch(code):
        raise ValueError
    return code


def _year(value: str, _region: str | None) -> str:
    if len(value) != 4 or not (value.isascii() and value.isdigit()):
        raise ValueError
    return value


def _country(value: str, _region: str | None) -> str:
    if not _COUNTRY.fullmatch(value.upper()):
        raise ValueError
    return value.upper()


def _boolean(value: str, _region: str | None) -> str:
    if value.lower() not in {"true", "false"}:
        raise ValueError
    return value.lower()


def _plain(value: str) -> bool:
    """No control characters, no unassigned ones, no halves of pairs."""
    if value.isascii() and value.isprintable():
        return True
    return not any(unicodedata.category(char) in {"Cc", "Cs", "Cn", "Zl", "Zp"} for char in value)


NORMALISERS: Final = {
    normaliser.kind: normaliser
    for normaliser in (
        Normaliser("email", 1, 32, _email),
        Normaliser("phone", 1, 32, _phone),
        Normaliser("customer_id", 1, 20, _opaque),
        Normaliser("device", 1, 64, _opaque),
        Normaliser("name", 1, 20, _name),
        Normaliser("cn_resident_id", 1, 40, _cn_resident_id),
        Normaliser("iban", 1, 40, _iban),
        Normaliser("card", 1, 40, _card),
        Normaliser("postcode", 1, 14, _postcode),
        Normaliser("date", 1, 15, _date),
        Normaliser("year", 1, 7, _year),
        Normaliser("country", 1, 7, _country),
        Normaliser("boolean", 1, 1, _boolean),
        Normaliser("choice", 1, 4, _name),
        Normaliser("text", 1, 0, _text),
    )
}
"""Every kind there is."""
