"""A brand's side of signing in: its keys as it declares them, and the tokens that it makes."""

import secrets
from base64 import urlsafe_b64encode
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sayso.kernel import now

EDWARDS = Ed25519PrivateKey.from_private_bytes(b"\x15" * 32)
CURVE = derive_private_key(0x5A150, SECP256R1())


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


X = b64(EDWARDS.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
POINT = CURVE.public_key().public_numbers()
JWKS = (
    f'{{keys: [{{kty: OKP, crv: Ed25519, kid: shop-1, x: "{X}"}}, {{kty: EC, crv: P-256, kid: shop-2, '
    f'x: "{b64(POINT.x.to_bytes(32, "big"))}", y: "{b64(POINT.y.to_bytes(32, "big"))}"}}]}}'
)
"""As it stands in a manifest."""


def signed(header: dict[str, Any], claims: dict[str, Any], signature: Any) -> str:
    """A token with whatever `signature` makes of what is signed."""
    text = f"{b64(msgspec.json.encode(header))}.{b64(msgspec.json.encode(claims))}"
    return f"{text}.{b64(signature(text.encode()))}"


def claims_of(**changes: Any) -> dict[str, Any]:
    """Claims that hold now; a change to None leaves one out."""
    second = now() // 1_000_000
    claims = {
        "iss": "shop",
        "aud": "sign-in:default",
        "identifier": {"type": "customer_id", "value": "c-1"},
        "iat": second,
        "exp": second + 120,
        "jti": secrets.token_urlsafe(16),
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def by_curve(key: EllipticCurvePrivateKey, text: bytes) -> bytes:
    """ES256: `r` and `s`, 32 bytes each."""
    r, s = decode_dss_signature(key.sign(text, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def a_sign_in(*, curve: bool = False, **changes: Any) -> str:
    """A token of the client `shop` for the customer `c-1`."""
    if curve:
        return signed({"alg": "ES256", "kid": "shop-2"}, claims_of(**changes), lambda text: by_curve(CURVE, text))
    return signed({"alg": "EdDSA", "kid": "shop-1", "typ": "JWT"}, claims_of(**changes), EDWARDS.sign)
