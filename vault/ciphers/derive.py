"""Subkeys: one HKDF-Expand block per label, and the injective encoding that labels and associated data share.

A 32-byte random key is already a pseudorandom key, so the Extract step of HKDF is not needed (RFC 5869, section 3.3),
and 32 bytes of output are exactly one block: HMAC-SHA256(key, label | 0x01).
"""

from hashlib import sha256

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_BLOCK = 64


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) under a key of at most 64 bytes.

    Written out because a data key lives for one request: setting up a library's HMAC object costs more than the two
    hashes it then computes.
    """
    if len(key) > _BLOCK:
        raise ValueError("the key is longer than a block of SHA-256")
    padded = key.ljust(_BLOCK, b"\0")
    return sha256(padded.translate(_OUTER) + sha256(padded.translate(_INNER) + message).digest()).digest()


def expand(key: bytes, label: bytes) -> bytes:
    """32 bytes for the use that `label` names, from a key of 32. HKDF-Expand with SHA-256, first block (RFC 5869,
    section 2.3).
    """
    padded = key.ljust(_BLOCK, b"\0")
    inner = sha256(padded.translate(_INNER) + label + b"\x01").digest()
    return sha256(padded.translate(_OUTER) + inner).digest()


def commitment(key: bytes) -> bytes:
    """16 bytes that fix which key this is and say nothing else about it.

    GCM and GCM-SIV are not key-committing: without this check one ciphertext could be made to open under two keys.
    """
    return expand(key, b"commit")[:16]


def parts(*values: bytes) -> bytes:
    """The values, each behind its length as two bytes, big-endian. No two lists of values encode alike.

    Raises `ValueError` when a value is longer than 65,535 bytes.
    """
    try:
        return b"".join([piece for value in values for piece in (len(value).to_bytes(2, "big"), value)])
    except OverflowError:
        raise ValueError("a part is longer than 65,535 bytes") from None


def pair(one: bytes, other: bytes) -> bytes:
    """`parts` of two values, written out: every seal asks for it."""
    try:
        return _LENGTHS[len(one)] + one + _LENGTHS[len(other)] + other
    except IndexError:
        return parts(one, other)


_LENGTHS = [length.to_bytes(2, "big") for length in range(256)]
