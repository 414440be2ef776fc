"""Cursors of audiences: what a client was told of who left, in words that only we can write."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final, NamedTuple

from sayso.kernel import TENANT_OWNER, Invalid, Sealer

_TAG: Final = 10
_POLICY: Final = 8
_LENGTH: Final = 16 + _POLICY + _TAG
_LABEL: Final = "audience.cursor"


class Told(NamedTuple):
    """Up to where a client knows: a position of the feed, an instant, and under what (any text: audience, policy)."""

    position: int
    at: int
    policy: str


class Cursor(NamedTuple):
    """A cursor that came back."""

    position: int
    at: int
    policy: bytes

    def under(self, policy: str) -> bool:
        """Whether this policy was in force then."""
        return self.policy == _short(policy)


def written(sealer: Sealer, tenant: str, told: Told) -> str:
    """56 characters that stand for it."""
    raw = told.position.to_bytes(8, "big") + told.at.to_bytes(8, "big") + _short(told.policy)
    return urlsafe_b64encode(raw + _tag(sealer, tenant, raw)).decode().rstrip("=")


def read(sealer: Sealer, tenant: str, cursor: str) -> Cursor:
    """What stands behind a cursor of this brand. Raises `Invalid` (`invalid-cursor`)."""
    try:
        raw = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    except (Error, ValueError):
        raw = b""
    body = raw[:-_TAG]
    if len(raw) == _LENGTH and compare_digest(raw[-_TAG:], _tag(sealer, tenant, body)):
        return Cursor(int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:16], "big"), body[16:])
    raise Invalid("invalid-cursor", "This is no cursor of ours.")


def _short(policy: str) -> bytes:
    return sha256(policy.encode()).digest()[:_POLICY]


def _tag(sealer: Sealer, tenant: str, raw: bytes) -> bytes:
    return digest(sealer.standing(tenant, TENANT_OWNER).derive(_LABEL), raw, sha256)[:_TAG]
