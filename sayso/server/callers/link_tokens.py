"""Link tokens: a client's signed word that an identifier is a person's, carried by somebody whom nobody need trust.

A compact JWS (RFC 7515) with `alg` EdDSA or Ed25519 (RFC 9864), under the Ed25519 key that the manifest declares for
the client:

    clients:
      shop: {roles: [recorder], link_key: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

Claims: `iss` the client's name, `aud` the tenant, `sub` the person's id, `identifier` {type, value}, `iat`, `exp` (an
hour at most) and `jti` (16 to 128 characters): each token links once.
"""

import binascii
import re
from base64 import urlsafe_b64decode
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from sayso.kernel import SECOND, Invalid
from sayso.server.callers.auth import Profile

LONGEST: Final = 4_096
LONGEST_TERM_S: Final = 3_600
CLOCKS_APART_S: Final = 60

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_JTI = re.compile(r"[\x21-\x7e]{16,128}")


class LinkTokenRefused(Invalid):
    """A link token that does not hold: malformed, not signed by that client, for somebody else, or out of time."""

    def __init__(self) -> None:
        super().__init__("link-token-refused", "This link token does not hold.")


class Named(Struct, frozen=True):
    """An identifier as a token names it."""

    type: str
    value: str


class LinkClaims(Struct, frozen=True):
    """What a link token says. Times are seconds since the epoch (RFC 7519, NumericDate)."""

    iss: str
    aud: str
    sub: str
    identifier: Named
    iat: int
    exp: int
    jti: str


class _Header(Struct, frozen=True):
    alg: str
    crit: list[str] | None = None


def read_link_token(token: str, clients: dict[str, Profile], tenant: str, at: int) -> LinkClaims:
    """The claims of a token that holds at this instant. Raises `LinkTokenRefused`, whatever is wrong with it."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        raise LinkTokenRefused
    try:
        header = msgspec.json.decode(_decoded(parts[0]), type=_Header)
        claims = msgspec.json.decode(_decoded(parts[1]), type=LinkClaims)
        signature = _decoded(parts[2])
    except (msgspec.MsgspecError, ValueError):
        raise LinkTokenRefused from None
    client = clients.get(claims.iss)
    if client is None or not client.link_key or header.alg not in ("EdDSA", "Ed25519") or header.crit:
        raise LinkTokenRefused
    try:
        _public(client.link_key).verify(signature, f"{parts[0]}.{parts[1]}".encode())
    except (InvalidSignature, ValueError):
        raise LinkTokenRefused from None
    if claims.aud != tenant or not _JTI.fullmatch(claims.jti) or not _in_time(claims, at // SECOND):
        raise LinkTokenRefused
    return claims


def is_link_key(text: Any) -> bool:
    """Whether this is an Ed25519 public key as base64url."""
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        return False
    try:
        _public(text)
    except ValueError:
        return False
    return True


def _in_time(claims: LinkClaims, second: int) -> bool:
    lasts = claims.exp - claims.iat
    return 0 < lasts <= LONGEST_TERM_S and claims.iat <= second + CLOCKS_APART_S and second < claims.exp


def _public(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_decoded(text))


def _decoded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError from error
