"""A message as it leaves, and what one attempt to hand it over comes to."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

from msgspec import Struct

TIMEOUT: Final = 10.0
"""Seconds within which an attempt ends, whatever the other side does."""


class Message(Struct, frozen=True):
    """What leaves: `id` stays the same however often it is sent, `signature` is made anew."""

    id: str
    seconds: int
    signature: str
    kind: str
    body: bytes


class Outcome(Struct, frozen=True, array_like=True):
    """What an attempt came to. `code` is the status, or a short word; `ms` how long it took."""

    at: int
    code: str
    ms: int

    @property
    def delivered(self) -> bool:
        """Acknowledged: a 2xx and nothing else. A redirect is a failure: it would leave by an unchecked door."""
        return len(self.code) == 3 and self.code[0] == "2"

    @property
    def gone(self) -> bool:
        """The receiver says that it wants no more messages."""
        return self.code == "410"


def headers_of(message: Message) -> dict[str, str]:
    """The message's headers: Standard Webhooks 1.0; RFC 9530 for the digest; CloudEvents 1.0, structured mode."""
    digest = b64encode(sha256(message.body).digest()).decode()
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "content-digest": f"sha-256=:{digest}:",
        "webhook-id": message.id,
        "webhook-timestamp": str(message.seconds),
        "webhook-signature": message.signature,
    }
