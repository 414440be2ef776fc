"""In-memory keys that do what the vault's do: small true implementations of the kernel's protocols, for tests of the
log.
"""

import os
from hashlib import sha256
from hmac import digest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from audit.jws import thumbprint
from sayso.kernel import TENANT_OWNER, Get, Key, Tx
from vault.store import KEY


class MemoryKey:
    """One owner's log key."""

    def __init__(self, owner: bytes, secret: bytes) -> None:
        self.owner = owner
        self.version = 1
        self._secret = secret
        self._cipher = AESGCMSIV(secret)

    def seal(self, collection: str, field: str, value: bytes, version: int = 0) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, value, f"{collection}|{field}|{version}".encode())

    def open(self, collection: str, field: str, blob: bytes, version: int = 0) -> bytes:
        return self._cipher.decrypt(blob[:12], blob[12:], f"{collection}|{field}|{version}".encode())

    def derive(self, label: str) -> bytes:
        return digest(self._secret, label.encode(), "sha256")


class MemorySealer:
    """Keys by owner. A person's key must be made first and can be destroyed; standing owners always have one."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, bytes], MemoryKey] = {}
        self._standing: set[tuple[str, bytes]] = set()

    def person(self, tenant: str, owner: bytes) -> MemoryKey:
        return self._keys.setdefault((tenant, owner), MemoryKey(owner, os.urandom(32)))

    def client(self, tenant: str, owner: bytes) -> MemoryKey:
        self._standing.add((tenant, owner))
        return self.person(tenant, owner)

    def shred(self, tenant: str, owner: bytes) -> None:
        del self._keys[tenant, owner]

    def read(self, tx: Tx, owner: bytes, cls: str = "log") -> Get:
        """The row where the vault would keep it: there is none, and `unwrap` needs none."""
        return tx.get(KEY, owner, cls)

    def unwrap(self, tenant: str, owner: bytes, cls: str, row: tuple[object, ...] | None) -> Key | None:
        return self._keys.get((tenant, owner))

    def create(self, tx: Tx, owner: bytes, cls: str = "log") -> Key:
        return self.person(tx.context.tenant, owner)

    def standing(self, tenant: str, owner: bytes) -> Key:
        return self.client(tenant, owner if (tenant, owner) in self._standing else TENANT_OWNER)


class MemoryPair:
    """One Ed25519 key."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class MemorySigner:
    """Ed25519 keys that follow from a seed, one per tenant and use; `rotate` and `turn` as the vault's clock does."""

    def __init__(self, seed: bytes = b"tests") -> None:
        self._seed = seed
        self._current = 0
        self._newest = 0

    def rotate(self) -> None:
        """A next key waits."""
        self._newest += 1

    def turn(self) -> None:
        """The next key signs."""
        self._current = self._newest

    def current(self, tenant: str, use: str) -> MemoryPair:
        return self._pair(tenant, use, self._current)

    def sign(self, tenant: str, use: str, message: bytes) -> bytes:
        return self.current(tenant, use).sign(message)

    def public_key(self, tenant: str, use: str) -> bytes:
        return self.current(tenant, use).public

    def kid(self, tenant: str, use: str) -> str:
        return thumbprint(self.public_key(tenant, use))

    def pairs(self, tenant: str, use: str) -> tuple[MemoryPair, ...]:
        return tuple(self._pair(tenant, use, version) for version in range(self._current, self._newest + 1))

    def published(self, tenant: str, use: str) -> tuple[tuple[str, bytes], ...]:
        found = [self._pair(tenant, use, version).public for version in range(self._newest, -1, -1)]
        return tuple((thumbprint(public), public) for public in found)

    def _pair(self, tenant: str, use: str, version: int) -> MemoryPair:
        suffix = f"|{version}" if version else ""
        return MemoryPair(sha256(self._seed + f"{tenant}|{use}{suffix}".encode()).digest())
