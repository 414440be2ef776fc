"""The two ciphers that values and keys are sealed with. Each blob names its own in its first byte.

*AES-256-GCM-SIV* (RFC 8452) is the default: a nonce used twice, by a cloned machine or a broken random source, reveals
no more than that two messages were equal. *AES-256-GCM* (NIST SP 800-38D) is for those who must use approved
algorithms. Both take nonces of 96 bits and nothing else, and both give a tag of 128 bits. A store may hold both: what
was sealed before the other was chosen opens as it did.
"""

from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from sayso.kernel import Conflict, Unavailable

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

Cipher = AESGCMSIV | AESGCM


class Suite(IntEnum):
    """The first byte of a blob."""

    GCM_SIV = 1
    GCM = 2

    def cipher(self, key: bytes) -> Cipher:
        """A cipher under `key` (32 bytes). Raises `MissingCipher` when this OpenSSL has none."""
        if len(key) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        if self is Suite.GCM:
            return AESGCM(key)
        try:
            return AESGCMSIV(key)
        except UnsupportedAlgorithm:
            raise MissingCipher from None

    def demand(self) -> None:
        """Raise `MissingCipher` unless this suite works here. Asked at start, so that no later call finds out."""
        self.cipher(bytes(KEY_BYTES))

    def seal(self, key: bytes, nonce: bytes, aad: bytes, message: bytes) -> bytes:
        """Ciphertext and tag. `nonce` has 12 bytes."""
        _demand_nonce(nonce)
        return self.cipher(key).encrypt(nonce, message, aad)

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        """The message. Raises `BrokenSeal` when anything differs from what was sealed."""
        _demand_nonce(nonce)
        try:
            return self.cipher(key).decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise BrokenSeal from None


SUITES: Final = {"aes-256-gcm-siv": Suite.GCM_SIV, "aes-256-gcm": Suite.GCM}
"""The suites by the names that an operator chooses them by."""


class MissingCipher(Unavailable):
    """This build of OpenSSL lacks AES-256-GCM-SIV."""

    def __init__(self) -> None:
        super().__init__(
            "missing-cipher",
            "AES-256-GCM-SIV needs OpenSSL 3.2 or newer. Install the `cryptography` wheel from PyPI, which brings its "
            'own, or choose the other suite: `cipher = "aes-256-gcm"` in the settings.',
        )


class BrokenSeal(Conflict):
    """Something stored does not open: it was damaged, or moved from where it belongs. Repeating cannot help."""

    def __init__(self) -> None:
        super().__init__("broken-seal", "Stored data does not open under its key. An operator has to look at it.")


def _demand_nonce(nonce: bytes) -> None:
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 12 bytes")
