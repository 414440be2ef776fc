"""The sealed value as it is stored.

    suite (1) | data key version (4, big-endian) | nonce (12) | ciphertext | tag (16)

The value is padded to a multiple of its bucket before it is sealed: without that, gender, a yes or a no, and the length
of a name could be read from a dump. 33 bytes stand around the padded value. Final: old blobs open for ever.
"""

import os
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag

from vault.ciphers.suite import NONCE_BYTES, TAG_BYTES, BrokenSeal, Cipher, Suite

BUCKET: Final = 32
LARGEST_BUCKET: Final = 4096
_HEAD: Final = 5
_BODY: Final = _HEAD + NONCE_BYTES
AROUND: Final = _BODY + TAG_BYTES
"""Bytes around the padded value."""

_SHORTEST: Final = _BODY + BUCKET + TAG_BYTES
_END: Final = 0x80


def pad(value: bytes, bucket: int = BUCKET) -> bytes:
    """`value`, one byte 0x80, then zeros up to a multiple of `bucket` (ISO/IEC 7816-4): readable without the bucket."""
    return value + b"\x80" + bytes(-(len(value) + 1) % bucket)


def unpad(padded: bytes) -> bytes:
    """What `pad` was given. Raises `BrokenSeal` when it did not come from there."""
    value = padded.rstrip(b"\0")
    if not value or value[-1] != _END or len(padded) % BUCKET:
        raise BrokenSeal
    return value[:-1]


def seal(
    cipher: Cipher, head: bytes, aad: bytes, value: bytes, bucket: int = BUCKET, nonce: bytes | None = None
) -> bytes:
    """A blob. `head` comes from `head_of`; the nonce is drawn from the kernel unless a test vector fixes it."""
    if nonce is None:
        nonce = os.urandom(NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, pad(value, bucket), aad)


def open_body(cipher: Cipher, aad: bytes, blob: bytes) -> bytes:
    """The value in `blob`, whose head the caller has compared. Raises `BrokenSeal`."""
    if len(blob) < _SHORTEST:
        raise BrokenSeal
    try:
        return unpad(cipher.decrypt(blob[_HEAD:_BODY], blob[_BODY:], aad))
    except InvalidTag:
        raise BrokenSeal from None


@lru_cache(maxsize=64)
def head_of(suite: Suite, key_version: int) -> bytes:
    """The five bytes before the nonce."""
    return bytes((suite,)) + key_version.to_bytes(4, "big")


def suite_of(blob: bytes) -> Suite:
    """The suite that a blob names. Raises `BrokenSeal` when there is none of that number."""
    try:
        return Suite(blob[0])
    except (IndexError, ValueError):
        raise BrokenSeal from None
