"""The digits that a person gets and types back, to show that a request is theirs.

What is kept of them is keyed by the person's own log key and sealed with the request: neither a stolen database nor a
patient guesser has them. Somebody whom nobody knows gets digits too, which nobody sends: the work is the same.
"""

import hmac
from secrets import randbelow
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sayso.kernel import SECOND, Key

DIGITS: Final = 8
ATTEMPTS: Final = 5
"""Tries at one code."""

TERM_S: Final = 900
"""How long a code lasts: a quarter of an hour."""

_LABEL: Final = "sayso.rights.code.v1"


class Check(Struct, frozen=True, array_like=True):
    """A code that was sent: its keyed hash, when it ends, how many tries are left."""

    secret: bytes
    expires_at: int
    left: int = ATTEMPTS


class Sent(Struct, frozen=True):
    """A code to be sent. It stands in no answer and in no log."""

    code: str
    expires_at: int

    def __repr__(self) -> str:
        return "Sent(…)"


def issue(key: Key, request: str, at: int) -> tuple[Sent, Check]:
    """New digits for a request, and what is kept of them."""
    sent = Sent(f"{randbelow(10**DIGITS):0{DIGITS}}", at + TERM_S * SECOND)
    return sent, Check(_keyed(key, request, sent.code), sent.expires_at)


def tried(check: Check | None, key: Key, request: str, digits: str, at: int) -> tuple[bool, Check]:
    """Whether these are the digits, and what is kept after the try: a code is spent by the right one, and by five
    wrong ones. The same work whether there is a code or not.
    """
    held = check or Check(bytes(32), 0, 0)
    same = hmac.compare_digest(held.secret, _keyed(key, request, digits.strip()))
    live = held.left > 0 and held.expires_at > at
    if live and same:
        return True, replace(held, left=0)
    return False, replace(held, left=held.left - 1) if live else held


def _keyed(key: Key, request: str, digits: str) -> bytes:
    return hmac.digest(key.derive(_LABEL), f"{request}\0{digits}".encode(), "sha256")
