"""Compact JWS (RFC 7515, section 7.1) with Ed25519 (RFC 9864) and the public key in the header.
Pure.
"""

from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.tlog.note import SignatureInvalid
from audit.tlog.strict import HASH_SIZE, Malformed, base64url, print_base64url
from sayso.kernel import SigningPair

ALGORITHM = "Ed25519"


class _Jwk(msgspec.Struct, frozen=True):
    kty: str
    crv: str
    x: str


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str
    jwk: _Jwk
    typ: str = ""
    crit: list[str] | None = None


class Jws(NamedTuple):
    """A JWS taken apart: the key it names and carries, its type, its claims. Not verified by being parsed."""

    kid: str
    typ: str
    public_key: bytes
    payload: bytes
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> "Jws":
        """Raises `Malformed` unless `text` is a compact JWS with `alg: Ed25519` whose `kid` is its key's thumbprint."""
        parts = text.split(".")
        if len(parts) != 3:
            raise Malformed("not a compact JWS")
        header_bytes, payload, signature = (base64url(part, "a part of the JWS") for part in parts)
        try:
            header = msgspec.json.decode(header_bytes, type=_Header)
            claims = msgspec.json.decode(payload, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed("the JWS does not hold the JSON it should") from error
        if header.alg != ALGORITHM or header.crit is not None:
            raise Malformed("a JWS of another kind than Ed25519 without critical extensions")
        public_key = parse_jwk(header.jwk.kty, header.jwk.crv, header.jwk.x)
        if thumbprint(public_key) != header.kid:
            raise Malformed("the JWS names another key than it carries")
        return cls(header.kid, header.typ, public_key, payload, claims, f"{parts[0]}.{parts[1]}".encode(), signature)

    def verify(self, public_key: bytes) -> None:
        """Raise `SignatureInvalid` unless `public_key` (32 bytes) signed it. RFC 8032."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self.signing_input)
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid("the signature of the JWS does not fit it") from error


def sign_jws(pair: SigningPair, typ: str, payload: bytes) -> str:
    """A compact JWS over `payload`, with the public key in its header."""
    jwk = f'{{"crv":"{ALGORITHM}","kty":"OKP","x":"{print_base64url(pair.public)}"}}'
    header = f'{{"alg":"{ALGORITHM}","jwk":{jwk},"kid":"{thumbprint(pair.public)}","typ":"{typ}"}}'
    signed = f"{print_base64url(header.encode())}.{print_base64url(payload)}"
    return f"{signed}.{print_base64url(pair.sign(signed.encode()))}"


def parse_jwk(kty: str, crv: str, x: str) -> bytes:
    """The 32 bytes of an Ed25519 key in JWK form (RFC 8037, section 2). Raises `Malformed` on any other key."""
    raw = base64url(x, "the key's x")
    if kty != "OKP" or crv != ALGORITHM or len(raw) != HASH_SIZE:
        raise Malformed("not an Ed25519 key")
    return raw


def thumbprint(public_key: bytes) -> str:
    """The key's name by RFC 7638 and RFC 8037, appendix A.3."""
    canonical = f'{{"crv":"{ALGORITHM}","kty":"OKP","x":"{print_base64url(public_key)}"}}'
    return print_base64url(sha256(canonical.encode()).digest())
