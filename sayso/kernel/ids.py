"""Names for things: UUIDv7 (RFC 9562) made by the program, never by the database.

On the wire an id is a prefix, an underscore and 32 lower-case hex digits (`cns_0199…`); in the database it is the 16
raw bytes, since the column says which kind it is.
"""

import os
import time
from functools import lru_cache
from hashlib import blake2b

from sayso.kernel.errors import Invalid

BUCKETS = 1024
"""How many buckets spread the people of all tenants. Fixed for ever: it stands in every key."""

_LOW_BITS = BUCKETS - 1


def new_raw() -> bytes:
    """A fresh UUIDv7 as 16 bytes: the quarter of a microsecond it was made in (RFC 9562, section 6.2, method 3), by
    which it sorts, then 62 random bits.
    """
    millis, rest = divmod(time.time_ns(), 1_000_000)
    noise = bytearray(os.urandom(8))
    noise[0] = noise[0] & 0x3F | 0x80
    return millis.to_bytes(6, "big") + (0x7000 | (rest << 12) // 1_000_000).to_bytes(2, "big") + noise


def new_id(prefix: str) -> str:
    """A fresh id on the wire: `new_id("cns")` gives `cns_` and 32 hex digits."""
    return f"{prefix}_{new_raw().hex()}"


def new_raw_in(bucket: int) -> bytes:
    """A fresh UUIDv7 whose lowest ten bits are `bucket`, so that the row is found by its id alone."""
    fresh = int.from_bytes(new_raw(), "big")
    return ((fresh & ~_LOW_BITS) | bucket).to_bytes(16, "big")


def new_id_in(prefix: str, bucket: int) -> str:
    """A fresh id on the wire that carries its bucket."""
    return text(prefix, new_raw_in(bucket))


def bucket_in(raw_id: bytes) -> int:
    """The bucket that `new_raw_in` wrote into an id."""
    return ((raw_id[14] << 8) | raw_id[15]) & _LOW_BITS


@lru_cache(maxsize=16_384)
def bucket_of(tenant: str, owner: bytes) -> int:
    """Where the rows of `owner` (a person, or a blind tag) live: blake2b(tenant, 0, owner) mod 1024."""
    digest = blake2b(tenant.encode() + b"\0" + owner, digest_size=8).digest()
    return ((digest[6] << 8) | digest[7]) & _LOW_BITS


def text(prefix: str, raw_id: bytes) -> str:
    """16 raw bytes as they go on the wire."""
    return f"{prefix}_{raw_id.hex()}"


def raw(wire_id: str, prefix: str | None = None) -> bytes:
    """The 16 bytes behind an id on the wire. Raises `Invalid` (`malformed-id`) unless it has exactly that form."""
    kind, _, digits = wire_id.partition("_")
    if len(digits) == 32 and (prefix is None or kind == prefix) and digits.isascii() and digits == digits.lower():
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    raise Invalid("malformed-id", f"An id here is {prefix or 'a prefix'}, an underscore and 32 hex digits.")
