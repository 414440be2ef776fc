"""Masks: what is left of a value when an obligation says that not all of it may be shown.

The same rules as in Sayso's own vault, so that a value masked here and one revealed there look alike. `value` is the
normalised form (an e-mail address in lower case, a telephone number as `+8613800138000`), `kind` the field's type:
`email`, `phone`, `date`, `year`, `text` … A mask that does not fit the value hides all of it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

HIDDEN: Final = "****"
"""What stands for what is not shown. Always four stars: the length of a value is part of it."""

_SHOWN: Final = 4
_SHORTEST_SHOWN: Final = 8


def mask_last4(value: str) -> str:
    """Four stars and the last four characters; nothing of a value so short that four are most of it."""
    return HIDDEN + value[-_SHOWN:] if len(value) >= _SHORTEST_SHOWN else HIDDEN


def mask_year(value: str, kind: str) -> str:
    """The year of a date (ISO 8601); nothing of anything else."""
    return value[:4] if kind in {"date", "year"} else HIDDEN


def mask_hash(value: str, kind: str, key: bytes) -> str:
    """32 hex digits, equal for equal values under one key of 32 random bytes, which belongs to one reader."""
    if len(key) != 32:
        raise ValueError("a key for hashes has 32 bytes")
    name = kind.encode()
    message = len(name).to_bytes(2, "big") + name + value.encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:16].hex()


def redact(_value: str) -> str:
    """Nothing."""
    return HIDDEN
