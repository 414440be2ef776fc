"""Signatures of messages: Standard Webhooks 1.0, symmetric (`v1`), several at once while a secret is replaced.

webhook-signature: v1,BASE64(HMAC-SHA256(secret, ID "." SECONDS "." BODY)) v1,…
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest, digest
from secrets import token_bytes
from typing import Final

from sayso.kernel import Invalid

PREFIX: Final = "whsec_"
TOLERANCE: Final = 300
"""Seconds by which a receiver's clock and the sender's may differ."""


class ForgedMessage(Invalid):
    """A message that was not signed with a secret we hold, or is too old."""


def new_secret() -> str:
    """A fresh secret: 32 random bytes."""
    return PREFIX + b64encode(token_bytes(32)).decode()


def signatures(secrets: Iterable[str], message: str, seconds: int, body: bytes) -> str:
    """The header's value: one signature for each secret, the newest first."""
    signed = f"{message}.{seconds}.".encode() + body
    return " ".join("v1," + b64encode(digest(_key(secret), signed, sha256)).decode() for secret in secrets)


def verify(secret: str, message: str, seconds: str, signature: str, body: bytes, now: int) -> None:
    """What a receiver does. `now` in seconds. Raises `ForgedMessage`."""
    if not seconds.isdecimal() or abs(int(seconds) - now) > TOLERANCE:
        raise ForgedMessage("forged-message", "The message's time is missing or too far from ours.")
    wanted = signatures((secret,), message, int(seconds), body)
    if not any(compare_digest(each.encode(), wanted.encode()) for each in signature.split(" ")):
        raise ForgedMessage("forged-message", "The message is not signed with our secret.")


def _key(secret: str) -> bytes:
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except Error:
        raise Invalid("invalid-secret", "A secret is whsec_ and base64.") from None
