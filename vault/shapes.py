"""Tokens that look like what they stand for, for systems whose columns take nothing else. None can be anybody's.

    phone   +999 | 11 random digits | check digit       999 is no country code (ITU-T E.164)
    card    9999 | 11 random digits | check digit       9999 is no issuer's number (ISO/IEC 7812), and Luhn fails
    email   25 characters of a-z0-9 | 7 of check | @token.invalid       no mail goes there (RFC 2606, section 2)

The check digit makes the Luhn sum 5 (modulo 10) instead of 0, so that a digit mistyped, or two neighbours swapped, is
seen before anything is looked up, as is the CRC-32 of an address. Drawn at random, never derived from a value. Final.
"""

import re
import secrets
from collections.abc import Callable
from typing import Final
from zlib import crc32

PHONE: Final = "phone"
CARD: Final = "card"
EMAIL: Final = "email"
_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_RANDOM_DIGITS: Final = 11
_OFF: Final = 5
_DOMAIN: Final = "@token.invalid"
_FORMS: Final = re.compile(r"\+999[0-9]{12}|9999[0-9]{12}|[0-9a-z]{32}@token\.invalid", re.ASCII)


def drawn(shape: str) -> str:
    """A token of this shape. Of digits there are 10^11: a unit that drew one which is taken is run again."""
    return _MAKERS[shape]()


def read(text: str) -> str | None:
    """The token as it was issued, or None when it is none of these. Mail programs may write addresses in capitals."""
    low = text.lower() if text.endswith(("d", "D")) else text
    if not _FORMS.fullmatch(low):
        return None
    if low.endswith(_DOMAIN):
        body = low[: -len(_DOMAIN)]
        return low if _checked(body[:25]) == body else None
    return low if _sum(low.lstrip("+")) == _OFF else None


def _phone() -> str:
    return "+" + _with_check("999" + _digits())


def _card() -> str:
    return _with_check("9999" + _digits())


def _email() -> str:
    return _checked(_base36(secrets.randbits(128), 25)) + _DOMAIN


_MAKERS: Final[dict[str, Callable[[], str]]] = {PHONE: _phone, CARD: _card, EMAIL: _email}
SHAPES: Final = tuple(_MAKERS)


def _digits() -> str:
    return f"{secrets.randbelow(10**_RANDOM_DIGITS):0{_RANDOM_DIGITS}}"


def _with_check(digits: str) -> str:
    return next(digits + check for check in _LETTERS[:10] if _sum(digits + check) == _OFF)


def _sum(digits: str) -> int:
    """The Luhn sum, modulo 10 (ISO/IEC 7812-1, annex B)."""
    doubled = (divmod(2 * int(digit), 10) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(tens + ones for tens, ones in doubled)) % 10


def _checked(body: str) -> str:
    return body + _base36(crc32((body + _DOMAIN).encode()), 7)


def _base36(number: int, length: int) -> str:
    chars = []
    for _ in range(length):
        number, rest = divmod(number, 36)
        chars.append(_LETTERS[rest])
    return "".join(reversed(chars))
