"""Cursors of the feed: a position that only we can write, so that nobody learns to compute with it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final

from sayso.kernel import TENANT_OWNER, Invalid, Sealer

_TAG: Final = 10
_LABEL: Final = "feed.cursor"


def written(sealer: Sealer, tenant: str, position: int) -> str:
    """24 characters that stand for everything up to `position`."""
    raw = position.to_bytes(8, "big")
    return urlsafe_b64encode(raw + _tag(sealer, tenant, raw)).decode()


def read(sealer: Sealer, tenant: str, cursor: str) -> int:
    """The position behind a cursor of this brand. Raises `Invalid` (`invalid-cursor`)."""
    try:
        raw = urlsafe_b64decode(cursor.encode())
    except (Error, ValueError):
        raw = b""
    if len(raw) == 8 + _TAG and compare_digest(raw[8:], _tag(sealer, tenant, raw[:8])):
        return int.from_bytes(raw[:8], "big")
    raise Invalid("invalid-cursor", "This is no cursor of ours.")


def _tag(sealer: Sealer, tenant: str, raw: bytes) -> bytes:
    return digest(sealer.standing(tenant, TENANT_OWNER).derive(_LABEL), raw, sha256)[:_TAG]
