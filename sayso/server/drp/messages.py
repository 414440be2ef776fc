"""What agents sign (Data Rights Protocol 1.0, sections 2.01, 2.04, 2.05 and 3.07), and the order of the checks. Pure.

A body is text: base64 of an Ed25519 signature (64 bytes) and behind it the JSON that was signed, as libsodium's
combined mode writes it.
"""

import binascii
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from sayso.kernel import SECOND, Conflict, Denied, Invalid, from_datetime

SIGNATURE: Final = 64
LONGEST: Final = 32_768
"""Characters of a body."""

LONGEST_WINDOW_S: Final = 3_600
"""How long a message may be good for: the protocol recommends ten minutes, and we remember each one until its end."""

VERSIONS: Final = frozenset(("1.0", "0.9.4", "0.9.3"))
"""1.0 is 0.9.4 with another number; 0.9.3 differs in words alone."""

T = TypeVar("T", bound="Claims")


class DrpRefused(Invalid):
    """The message is refused; `fatal` when it would be refused again however often it comes."""

    def __init__(self, message: str, *, fatal: bool = True) -> None:
        super().__init__("drp-refused", message, fatal=fatal or None)


class DrpForbidden(Denied):
    """Not signed by whoever it says, not meant for us, or about another agent's request."""

    def __init__(self, message: str) -> None:
        super().__init__("drp-forbidden", message)


class DrpReplayed(Conflict):
    """This very message was taken before: it stands for one act, once (section 3.07)."""

    def __init__(self) -> None:
        super().__init__("drp-replayed", "This message was taken before; sign a new one.", fatal=True)


class Claims(Struct, frozen=True, kw_only=True):
    """What every message says. What else stands in it is not ours to refuse."""

    agent: str = msgspec.field(name="agent-id")
    business: str = msgspec.field(name="business-id")
    issued_at: str = msgspec.field(name="issued-at")
    expires_at: str = msgspec.field(name="expires-at")
    version: str = msgspec.field(name="drp.version")


class Setup(Claims, frozen=True, kw_only=True):
    """An agent wants a token (2.05). A message that exercises a right is none, so one that was caught buys nothing."""

    exercise: None = None


class Exercise(Claims, frozen=True, kw_only=True):
    """A request that a person makes through the agent (2.01), with what the agent says about them (3.04)."""

    exercise: str
    regime: str | None = None
    agent_request: str | None = msgspec.field(name="agent-request-id", default=None)
    relationships: list[str] = []
    status_callback: str | None = None
    name: str | None = None
    email: str | None = None
    email_verified: bool = False
    phone_number: str | None = None
    phone_number_verified: bool = False
    address: Any = None
    address_verified: bool = False
    power_of_attorney: str | None = None


class Revocation(Struct, frozen=True):
    """The person does not want it any more (2.04)."""

    reason: str | None = None


class Signed(Struct, frozen=True):
    """A body taken apart: nothing of it is believed yet."""

    signature: bytes
    content: bytes

    @property
    def digest(self) -> bytes:
        """What is remembered of a message that was taken: its content, since a signature can be written otherwise."""
        return sha256(self.content).digest()


def opened(body: bytes) -> Signed:
    """The first check: base64. Raises `DrpRefused`."""
    try:
        if len(body) > LONGEST:
            raise ValueError
        raw = b64decode(b"".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise DrpRefused("The body is not base64 of a signed message.") from None
    if len(raw) <= SIGNATURE:
        raise DrpRefused("The body is too short to be signed.")
    return Signed(raw[:SIGNATURE], raw[SIGNATURE:])


def demand_signed(signed: Signed, verify_key: bytes) -> None:
    """The second: the signature, by the key of the agent whose token this is. Raises `DrpForbidden`."""
    try:
        Ed25519PublicKey.from_public_bytes(verify_key).verify(signed.signature, signed.content)
    except (InvalidSignature, ValueError):
        raise DrpForbidden("The message is not signed with the agent's key.") from None


def read(signed: Signed, kind: type[T], agent: str, business: str, at: int) -> tuple[T, int]:
    """The rest, in the protocol's order: agent, business, not before, not after. Returns the message and its end.

    Raises `DrpRefused`, `DrpForbidden`.
    """
    message = decoded(signed, kind)
    if message.agent != agent:
        raise DrpForbidden("The message is another agent's.")
    if message.business != business:
        raise DrpForbidden("The message is for another business.")
    begins, ends = _instant(message.issued_at), _instant(message.expires_at)
    if at < begins:
        raise DrpRefused("The message is from the future: a clock is wrong.", fatal=False)
    if at >= ends:
        raise DrpRefused("The message has expired.")
    if ends - begins > LONGEST_WINDOW_S * SECOND:
        raise DrpRefused("The message is good for longer than an hour.")
    if message.version not in VERSIONS:
        raise DrpRefused("This version of the protocol is not spoken here: it is 1.0.")
    return message, ends


def decoded(signed: Signed, kind: type[Any]) -> Any:
    """The signed JSON. Raises `DrpRefused`, which repeats nothing of it."""
    try:
        return msgspec.json.decode(signed.content, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        raise DrpRefused("The signed message is not the JSON that the protocol describes.") from None


def claimed(signed: Signed) -> tuple[str, str]:
    """Agent and business that an unverified message names: to find the key, and for nothing else."""
    message: Claims = decoded(signed, Claims)
    return message.agent, message.business


def _instant(text: str) -> int:
    """ISO 8601; a time without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return from_datetime(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise DrpRefused("A time is written as in 2026-11-21T23:05:30Z.") from None
