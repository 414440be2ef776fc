"""Tokens that look like what they stand for, for systems whose columns take nothing else. None can be anybody's.

    phone   +999 | 11 random digits | check digit       999 is no country code (ITU-T E.164)
    card    9999 | 11 random digits | check digit       9999 is no issuer's number (ISO/IEC 7812), and Luhn fails
    email   25 characters of a-z0-9 | 7 of check | @token.invalid       no mail goes there (RFC 2606, section 2)
    iban    ZZ | 2 check digits | 18 random digits     ZZ is no country (ISO 3166-1, 8.1.3), and modulo 97 fails
    cn_resident_id   99 | 4 digits | a day from 1800 to 1899 | 3 digits | check
                     99 is no province (GB/T 2260), nobody alive was born then, and ISO 7064 fails

The check digit makes the Luhn sum 5 (modulo 10) instead of 0, so that a digit mistyped, or two neighbours swapped, is
seen before anything is looked up, as is the CRC-32 of an address; an IBAN leaves 50 (modulo 97) instead of 1, and the
sum of a resident number is 6 (modulo 11) instead of 1. Drawn at random, never derived from a value. Final.
"""

import re
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final
from zlib import crc32

PHONE: Final = "phone"
CARD: Final = "card"
EMAIL: Final = "email"
IBAN: Final = "iban"
RESIDENT: Final = "cn_resident_id"
_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_RANDOM_DIGITS: Final = 11
_OFF: Final = 5
_DOMAIN: Final = "@token.invalid"
_DIGITS: Final = re.compile(r"\+999[0-9]{12}|9999[0-9]{12}", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9a-z]{32}@token\.invalid", re.ASCII)
_IBAN: Final = re.compile(r"ZZ[0-9]{20}", re.ASCII)
_RESIDENT: Final = re.compile(r"99[0-9]{4}18[0-9]{2}[0-9]{7}[0-9X]", re.ASCII)
_REST: Final = 50
_SUM: Final = 6
_FIRST_DAY: Final = date(1800, 1, 1)
_DAYS: Final = (date(1900, 1, 1) - _FIRST_DAY).days


def drawn(shape: str) -> str:
    """A token of this shape. Of digits there are 10^11 at least: a unit that drew one which is taken is run again."""
    return _MAKERS[shape]()


def read(text: str) -> str | None:
    """The token as it was issued, or None when it is none of these. Programs may change capitals."""
    if text[-1:] in "dD":
        low = text.lower()
        body = low[: -len(_DOMAIN)]
        return low if _ADDRESS.fullmatch(low) and _checked(body[:25]) == body else None
    if _DIGITS.fullmatch(text):
        return text if _sum(text.lstrip("+")) == _OFF else None
    high = text.upper()
    if _IBAN.fullmatch(high):
        # 00, 01 and 99 are not drawn: they leave what 97, 98 and 02 leave (ISO 13616-1, annex A).
        return high if _rest(high) == _REST and high[2:4] not in ("00", "01", "99") else None
    return high if _RESIDENT.fullmatch(high) and _weighed(high) == _SUM else None


def _phone() -> str:
    return "+" + _with_check("999" + _digits())


def _card() -> str:
    return _with_check("9999" + _digits())


def _iban() -> str:
    digits = _digits(18)
    check = (_REST - _rest(f"ZZ00{digits}")) % 97
    return f"ZZ{check if check > 1 else check + 97:02}{digits}"


def _resident() -> str:
    day = _FIRST_DAY + timedelta(days=secrets.randbelow(_DAYS))
    body = f"99{_digits(4)}{day:%Y%m%d}{_digits(3)}"
    return next(body + check for check in "0123456789X" if _weighed(body + check) == _SUM)


def _email() -> str:
    return _checked(_base36(secrets.randbits(128), 25)) + _DOMAIN


_MAKERS: Final[dict[str, Callable[[], str]]] = {
    PHONE: _phone,
    CARD: _card,
    EMAIL: _email,
    IBAN: _iban,
    RESIDENT: _resident,
}
SHAPES: Final = tuple(_MAKERS)


def _digits(count: int = _RANDOM_DIGITS) -> str:
    return f"{secrets.randbelow(10**count):0{count}}"


def _with_check(digits: str) -> str:
    return next(digits + check for check in _LETTERS[:10] if _sum(digits + check) == _OFF)


def _sum(digits: str) -> int:
    """The Luhn sum, modulo 10 (ISO/IEC 7812-1, annex B)."""
    doubled = (divmod(2 * int(digit), 10) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(tens + ones for tens, ones in doubled)) % 10


def _rest(number: str) -> int:
    """What an IBAN leaves, modulo 97; 1 for a real one (ISO 13616-1, annex A)."""
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97


def _weighed(number: str) -> int:
    """The weighted sum of a resident number, modulo 11; 1 for a real one (GB 11643, ISO 7064 MOD 11-2)."""
    return sum((10 if char == "X" else int(char)) << (17 - place) for place, char in enumerate(number)) % 11


def _checked(body: str) -> str:
    return body + _base36(crc32((body + _DOMAIN).encode()), 7)


def _base36(number: int, length: int) -> str:
    chars = []
    for _ in range(length):
        number, rest = divmod(number, 36)
        chars.append(_LETTERS[rest])
    return "".join(reversed(chars))
