"""Commitments and blind tags: what stands in a leaf instead of a person. Pure.

commitment = HMAC-SHA256(r, label || 0 || compartment || entry id || payload), with r of exactly 32 random bytes: HMAC
pads shorter keys with zeroes, so keys of two lengths could collide. The entry id inside stops an opening from being
moved to another entry; all before the payload has a fixed length, so no two inputs run together.

tag = HMAC-SHA256(tag key, n)[:16], with n the leaf's own nonce. Tags of one person are unequal to everyone but the
holder of the tag key, who finds all of them by scanning the log.
"""

from hashlib import sha256
from hmac import compare_digest

from sayso.kernel import Key

LABEL = b"sayso.audit.commitment.v1\x00"
TAG_LABEL = "sayso.audit.tag.v1"
"""The label under which a log key derives its tag key."""

OPENING_LABEL = "sayso.audit.opening.v1"
"""The label under which a log key derives the keys of its actor's commitments."""

COLLECTION = "audit"
"""The collection that sealed openings are bound to; their field is `<entry id>/<compartment>`, their version 0."""

R_SIZE = 32
TAG_SIZE = 16


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_PADDING = bytes(64 - R_SIZE)


class OpeningInvalid(ValueError):
    """An opening that is not what the leaf committed to."""


def commit(r: bytes, compartment: bytes, entry: bytes, payload: bytes) -> bytes:
    """The 32-byte commitment to `payload` in a compartment (b"a", b"d", b"s") of the entry (16 raw bytes)."""
    return _hmac(r, LABEL + compartment + entry + payload)


def tag(tag_key: bytes, nonce: bytes) -> bytes:
    """The 16-byte blind tag of the holder of `tag_key` in the leaf with this nonce."""
    return _hmac(tag_key, nonce)[:TAG_SIZE]


def tag_key_of(key: Key) -> bytes:
    """The tag key of a log key's owner: finds all entries about them, and opens none."""
    return key.derive(TAG_LABEL)


def actor_r(secret: bytes, entry: bytes) -> bytes:
    """The key of an actor's commitment in an entry: a pseudo-random function of the entry's id under the actor's
    `OPENING_LABEL` secret, so that it need not be kept and dies with the actor's key.
    """
    return _hmac(secret, b"r" + entry)


def standing_name(secret: bytes, payload: bytes) -> bytes:
    """16 bytes that name one payload of an actor, meaningless without the secret."""
    return _hmac(secret, b"p" + payload)[:TAG_SIZE]


def split_opening(opening: bytes) -> tuple[bytes, bytes]:
    """Key and payload of an opening. Raises `OpeningInvalid` when it is too short."""
    if len(opening) < R_SIZE:
        raise OpeningInvalid("an opening shorter than its key")
    return opening[:R_SIZE], opening[R_SIZE:]


def verify_opening(commitment: bytes, r: bytes, compartment: bytes, entry: bytes, payload: bytes) -> None:
    """Raise `OpeningInvalid` unless `payload` is what the leaf committed to."""
    if len(r) != R_SIZE or not compare_digest(commit(r, compartment, entry, payload), commitment):
        raise OpeningInvalid("the opening is not what the leaf committed to")


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) under a key of 32 bytes.

    Written out because each key is used once: setting up a library's object costs more than the two hashes it computes.
    """
    padded = key + _PADDING
    return sha256(padded.translate(_OUTER) + sha256(padded.translate(_INNER) + message).digest()).digest()
