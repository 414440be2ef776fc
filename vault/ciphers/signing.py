"""Ed25519 (RFC 8032) for the log, receipts and certificates: one key per use, so that none can pass for another."""

import base64
from hashlib import sha256
from typing import Final, Never

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USES: Final = ("log", "receipt", "certificate")


class SigningKey:
    """A private key with what is published of it. `since` is the instant from which it signs; it verifies always."""

    __slots__ = ("_private", "kid", "public", "since")

    def __init__(self, seed: bytes, since: int = 0) -> None:
        self.since = since
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()
        self.kid = thumbprint(self.public)

    def __repr__(self) -> str:
        return f"<SigningKey {self.kid}>"

    def __reduce__(self) -> Never:
        raise TypeError("a key is not to be pickled")

    def sign(self, message: bytes) -> bytes:
        """64 bytes. The same message gives the same signature."""
        return self._private.sign(message)


def thumbprint(public: bytes) -> str:
    """The JWK thumbprint of an Ed25519 key: 43 characters (RFC 7638; members as in RFC 8037, section 2 and A.3)."""
    member = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{member}"}}'
    return base64.urlsafe_b64encode(sha256(jwk.encode()).digest()).rstrip(b"=").decode()
