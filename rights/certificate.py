"""The certificate of an erasure: a signed statement of what was destroyed, and of what stays on which ground.

A compact JWS (RFC 7515) that anybody can check offline. It names nobody: the person stands in it as a salted
commitment, which only someone who already has the id can recompute. The log holds the statement's hash, so a
certificate that no erasure stands behind has no entry to point at. Format: docs/formats/certificate.md.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final, Literal

import msgspec
from msgspec import Struct

from sayso.kernel import Conflict, Signer

TYPE: Final = "erasure-certificate+jwt"
USE: Final = "certificate"
VERSION: Final = 1
SALT_BYTES: Final = 32
_LABEL: Final = b"sayso.erasure.subject.v1\0"

NOTHING_HELD: Final = "Nothing was held under this id, so nothing remains to be destroyed."

PENDING_FINAL: Final = (
    "The keys named here are gone from the live store. A copy of the key table that was taken before (a backup, a "
    "database journal, a replica) may still hold them, wrapped under the key epochs named here. It becomes useless "
    "when those epochs are destroyed or the last such copy has been discarded. Until then this is not final."
)


class Subject(Struct, frozen=True):
    """Whose data it was, without saying so: commitment = HMAC-SHA256(salt, label || id), both base64url."""

    commitment: str
    salt: str


class ShreddedKey(Struct, frozen=True):
    """A data key that was destroyed: `id` is its public commitment in hex, `epoch` the tenant key it was wrapped by."""

    class_: str = msgspec.field(name="class")
    epoch: int
    id: str
    version: int


class Gone(Struct, frozen=True):
    """How many of one kind of thing were deleted or made unreadable."""

    count: int
    what: str


class Kept(Struct, frozen=True):
    """What stays: how many, on which ground, for what (`scope`), and until when (RFC 3339; empty: see ground)."""

    count: int
    ground: str
    scope: str
    until: str
    what: str


class Destroyed(Struct, frozen=True):
    """A tenant key that was destroyed: its epoch, from when on nobody can bring it back, the key at the provider."""

    epoch: int
    gone_at: str
    key: str
    provider: str


class Finality(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is still between `shredded` and `final` (`pending`), or when and by what it became final: `destroyed` is
    what the providers said of the epochs, `horizon` how long a copy from before is kept at most (ISO 8601).
    """

    at: str = ""
    destroyed: tuple[Destroyed, ...] = ()
    epochs: tuple[int, ...]
    horizon: str = ""
    pending: str


class Statement(Struct, frozen=True):
    """What the certificate says. Fields stand in the order in which they print: sorted, so the JSON is canonical."""

    completed_at: str
    controller: str
    final: Finality
    gone: tuple[Gone, ...]
    kept: tuple[Kept, ...]
    keys: tuple[ShreddedKey, ...]
    law: str
    received_at: str
    request: str
    stage: Literal["shredded", "final"]
    subject: Subject


class SystemAnswer(Struct, frozen=True):
    """What one other system says, or does not. `status`: `acknowledged`, `waiting`, `failed` or `closed_without` (for
    `reason`). `told_at` and `settled_at` are RFC 3339, `entry` the log entry of the last step. In order of printing.
    """

    count: int
    entry: str
    reason: str
    settled_at: str
    status: Literal["acknowledged", "waiting", "failed", "closed_without"]
    system: str
    told_at: str


class Claims(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The JWS's payload. `entry` is the log entry that holds the statement's hash, `proof` its C2SP tlog-proof.

    `systems` are the other systems concerned, in the order of their names. Once all have settled, `systems_entry` is
    the entry that holds the hash of `systems`, and `systems_proof` its tlog-proof.
    """

    certificate: Statement
    entry: str
    iat: int
    iss: str
    jti: str
    proof: str = ""
    systems: tuple[SystemAnswer, ...] = ()
    systems_entry: str = ""
    systems_proof: str = ""
    v: int


class NotShredded(Conflict):
    """There is nothing to certify yet, or nothing of this kind ever."""

    def __init__(self, kind: str, status: str) -> None:
        message = "A certificate is issued when an erasure has been carried out."
        super().__init__("not-shredded", message, kind=kind, status=status)


_encode = msgspec.json.Encoder().encode
_claims = msgspec.json.Decoder(Claims).decode


def commit(subject: bytes, salt: bytes) -> Subject:
    """The person's place in a certificate; `salt` is 32 random bytes."""
    return Subject(_base64url(hmac.digest(salt, _LABEL + subject, "sha256")), _base64url(salt))


def statement_hash(statement: Statement) -> str:
    """SHA-256 over the statement's canonical JSON (RFC 8785), in hex: what the log entry holds."""
    return sha256(_encode(statement)).hexdigest()


def answers_hash(answers: tuple[SystemAnswer, ...]) -> str:
    """SHA-256 over the canonical JSON of `systems`, in hex: what the entry `rights.systems.answered` holds."""
    return sha256(_encode(answers)).hexdigest()


def encode(claims: Claims) -> bytes:
    """The claims as they are stored and signed."""
    return _encode(claims)


def decode(claims: bytes) -> Claims:
    """What `encode` gave. Raises `ValueError` for claims of another version."""
    found = _claims(claims)
    if found.v != VERSION:
        raise ValueError("a certificate of another version")
    return found


def sign(signer: Signer, tenant: str, claims: Claims) -> str:
    """The certificate: compact JWS with `alg: Ed25519` (RFC 9864) and the public key in the header.

    Ed25519 is deterministic, so the same claims give the same certificate each time it is asked for.
    """
    header = {
        "alg": "Ed25519",
        "jwk": {"crv": "Ed25519", "kty": "OKP", "x": _base64url(signer.public_key(tenant, USE))},
        "kid": signer.kid(tenant, USE),
        "typ": TYPE,
    }
    signing_input = f"{_base64url(_encode(header))}.{_base64url(encode(claims))}"
    return f"{signing_input}.{_base64url(signer.sign(tenant, USE, signing_input.encode()))}"


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
