"""Keys that are stored wrapped under another: a wrapping key, and the data key of one owner and class.

    wrapped key = suite (1) | nonce (12) | ciphertext (32) | tag (16)

A data key is never used as it is. What seals values, what commits to the key and what callers derive from it come from
it under labels that differ (`derive.expand`).
"""

import os
from hmac import compare_digest
from typing import Any, Final, Never

from cryptography.exceptions import InvalidTag

from sayso.kernel import Conflict
from vault.ciphers import aad, blob
from vault.ciphers.derive import commitment, expand
from vault.ciphers.suite import KEY_BYTES, NONCE_BYTES, TAG_BYTES, BrokenSeal, Cipher, Suite

WRAPPED_BYTES: Final = 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES
MOST_SEALS: Final = 1 << 24
WORN_SEALS: Final = 1 << 23
"""From here on a new key is made in this one's place, long before it may seal no more."""

FORMER: Final = "~"
"""Stands before the class of a key that still opens what has not been sealed anew. No class is declared like that."""
_ENCRYPT: Final = {suite: b"encrypt" + bytes((suite,)) for suite in Suite}
"""The label of the key that seals values, for each suite."""


class KeyWorn(Conflict):
    """So much was sealed under one data key that nonces drawn at random could soon meet."""

    def __init__(self, cls: str) -> None:
        super().__init__(
            "key-worn", "Values of this person were changed so often that their key takes no more.", retention=cls
        )


def used(row: tuple[Any, ...], cls: str, seals: int) -> tuple[Any, ...]:
    """The row of a data key after so many more seals. Raises `KeyWorn` where no more are allowed.

    With 96-bit nonces drawn at random, 2^24 messages under one key meet with a chance of 2^-49; NIST SP 800-38D,
    section 8.3 allows 2^32.
    """
    version, key_version, epoch, wrapped, committed, uses = row
    if uses + seals > MOST_SEALS:
        raise KeyWorn(cls)
    return (version + 1, key_version, epoch, wrapped, committed, uses + seals)


class WrappingKey:
    """A key that only wraps other keys: the root key, or a tenant key of one epoch."""

    __slots__ = ("_ciphers", "_key", "suite")

    def __init__(self, key: bytes, suite: Suite) -> None:
        self._key = key
        self._ciphers: dict[int, Cipher] = {}
        self.suite = suite
        self._cipher(suite)

    def __repr__(self) -> str:
        return "<WrappingKey>"

    def __reduce__(self) -> Never:
        raise TypeError("a key is not to be pickled")

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """`key` (32 bytes) wrapped, bound to associated data."""
        nonce = os.urandom(NONCE_BYTES)
        return bytes((self.suite,)) + nonce + self._ciphers[self.suite].encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes, committed: bytes) -> bytes:
        """The key inside. Raises `BrokenSeal` unless it was wrapped here for just that and is the committed one."""
        if len(wrapped) != WRAPPED_BYTES:
            raise BrokenSeal
        cipher = self._ciphers.get(wrapped[0]) or self._cipher(blob.suite_of(wrapped))
        try:
            key = cipher.decrypt(wrapped[1:13], wrapped[13:], bound_to)
        except InvalidTag:
            raise BrokenSeal from None
        if not compare_digest(commitment(key), committed):
            raise BrokenSeal
        return key

    def _cipher(self, suite: Suite) -> Cipher:
        cipher = self._ciphers[suite] = suite.cipher(expand(self._key, b"wrap" + bytes((suite,))))
        return cipher


class DataKey:
    """The key of one owner and class, unwrapped for one unit of work. The kernel's `Key`.

    Its cipher is made when it is first needed: many decisions only derive a tag from it.
    """

    __slots__ = ("_carried", "_cipher", "_former", "_head", "_key", "_suite", "cls", "owner", "tenant", "version")

    def __init__(self, tenant: str, owner: bytes, cls: str, version: int, key: bytes, suite: Suite) -> None:
        self.tenant = tenant
        self.owner = owner
        self.cls = cls
        self.version = version
        self._key = key
        self._suite = suite
        self._cipher: Cipher | None = None
        self._head = b""
        self._former: DataKey | None = None
        self._carried: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"<DataKey {self.cls} version {self.version}>"

    def __reduce__(self) -> Never:
        raise TypeError("a key is not to be pickled")

    def seal(self, collection: str, field: str, value: bytes, version: int = 0, bucket: int = blob.BUCKET) -> bytes:
        """`value` as a blob that opens only under this key, for this collection, field and version of the value."""
        cipher = self._cipher or self._own_cipher()
        bound_to = aad.field(self.tenant, collection, self.owner, field, self.version, version)
        return blob.seal(cipher, self._head, bound_to, value, bucket)

    def open(self, collection: str, field: str, sealed: bytes, version: int = 0) -> bytes:
        """The value inside `sealed`. Raises `BrokenSeal` when anything it was bound to differs."""
        cipher = self._cipher or self._own_cipher()
        if sealed[:5] != self._head:
            if self._former is not None and sealed[1:5] == self._former.version.to_bytes(4, "big"):
                return self._former.open(collection, field, sealed, version)
            cipher = self._cipher_of(sealed)
        bound_to = aad.field(self.tenant, collection, self.owner, field, self.version, version)
        return blob.open_body(cipher, bound_to, sealed)

    def derive(self, label: str) -> bytes:
        """32 bytes for another use. A key that took another's place gives what that one gave, where it was told so."""
        return self._carried.get(label) or expand(self._key, b"derive:" + label.encode())

    def takes_over(self, former: "DataKey | None", carried: dict[str, bytes]) -> None:
        """Open what `former` has sealed, and derive what it derived: this key stands in its place."""
        self._former, self._carried = former, carried

    def successor(self) -> "DataKey":
        """A new key of the next version for the same owner and class."""
        return DataKey(self.tenant, self.owner, self.cls, self.version + 1, os.urandom(KEY_BYTES), self._suite)

    def called(self, cls: str) -> "DataKey":
        """This very key under another class."""
        return DataKey(self.tenant, self.owner, cls, self.version, self._key, self._suite)

    @property
    def commitment(self) -> bytes:
        """16 bytes that name this key and nothing else: what a certificate of its destruction lists."""
        return commitment(self._key)

    def wrapped_by(self, wrapping: WrappingKey, epoch: int) -> bytes:
        """This key as it is stored."""
        return wrapping.wrap(self._key, aad.data_key(self.tenant, self.owner, self.cls, self.version, epoch))

    def _own_cipher(self) -> Cipher:
        self._head = blob.head_of(self._suite, self.version)
        self._cipher = self._suite.cipher(expand(self._key, _ENCRYPT[self._suite]))
        return self._cipher

    def _cipher_of(self, sealed: bytes) -> Cipher:
        """For a blob of the other suite. A blob of another key version is none of ours."""
        suite = blob.suite_of(sealed)
        if sealed[:5] != blob.head_of(suite, self.version):
            raise BrokenSeal
        return suite.cipher(expand(self._key, _ENCRYPT[suite]))
