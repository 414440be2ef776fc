"""A signer with a key that stands in the source: certificates are then equal from run to run."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class FixedSigner:
    """The kernel's `Signer`, for any tenant and use."""

    def __init__(self, seed: bytes = b"\x07" * 32) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, tenant: str, use: str, message: bytes) -> bytes:
        return self._key.sign(message)

    def public_key(self, tenant: str, use: str) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def kid(self, tenant: str, use: str) -> str:
        x = urlsafe_b64encode(self.public_key(tenant, use)).rstrip(b"=").decode()
        jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
        return urlsafe_b64encode(sha256(jwk.encode()).digest()).rstrip(b"=").decode()
