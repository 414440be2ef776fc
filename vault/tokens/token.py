"""Tokens: what other systems hold instead of a value.

    tok_ | 128 random bits in base62 (22 characters) | CRC-32 of all before in base62 (6 characters)

Drawn at random, never derived from a value: without this store a token says nothing. The prefix lets secret scanners
find one in the wrong place; the checksum lets a typing error die before anything is looked up. Final.
"""

import os
from typing import Final
from zlib import crc32

PREFIX: Final = "tok_"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
_RANDOM_CHARS: Final = 22
_CHECK_CHARS: Final = 6
LENGTH: Final = len(PREFIX) + _RANDOM_CHARS + _CHECK_CHARS
_BODY: Final = slice(len(PREFIX), -_CHECK_CHARS)
_CHECK: Final = slice(-_CHECK_CHARS, None)


def new_token() -> str:
    """A token that nobody has seen."""
    return written(os.urandom(16))


def written(drawn: bytes) -> str:
    """The token made of 16 random bytes."""
    body = PREFIX + _base62(int.from_bytes(drawn, "big"), _RANDOM_CHARS)
    return body + _check(crc32(body.encode()))


def is_token(text: str) -> bool:
    """Whether a text is a token: its length, prefix, characters, range and checksum."""
    if len(text) != LENGTH or not text.startswith(PREFIX) or not (text.isascii() and text[_BODY].isalnum()):
        return False
    # The alphabet stands in the order of its codes, so texts of one length compare as the numbers that they write.
    return text[_BODY] <= _LAST and _check(crc32(text[:-_CHECK_CHARS].encode())) == text[_CHECK]


def _check(number: int) -> str:
    """A CRC-32 in six characters: `_base62` written out, since each token of a long list is asked for it."""
    rest, low = divmod(number, 3844)
    high, middle = divmod(rest, 3844)
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]


def _base62(number: int, length: int) -> str:
    """`number` in `length` characters, an even count. Two at a time: half the divisions."""
    chars = []
    for _ in range(length // 2):
        chars.append(_PAIRS[number % 3844])
        number //= 3844
    return "".join(reversed(chars))


_LAST: Final = _base62((1 << 128) - 1, _RANDOM_CHARS)
