"""What lower floors need from the vault, as the shape they need it in. The vault alone implements these."""

from typing import Any, Protocol

from sayso.kernel.tx import Get, Tx

TENANT_OWNER = b"\0" * 16
"""Owner of the data keys that belong to the tenant itself."""

LOG = "log"
"""The class of the key that seals what the log and the registry keep about a person. Made with the person, never
rotated, shredded by a full erasure."""


class Key(Protocol):
    """A data key of one owner and class, unwrapped for the length of one unit of work."""

    @property
    def owner(self) -> bytes: ...

    @property
    def version(self) -> int: ...

    def seal(self, collection: str, field: str, value: bytes, version: int = 0) -> bytes:
        """`value` as a versioned blob that opens only under this key, for this collection, field and version."""
        ...

    def open(self, collection: str, field: str, blob: bytes, version: int = 0) -> bytes:
        """The value inside `blob`. Raises when anything it was bound to differs."""
        ...

    def derive(self, label: str) -> bytes:
        """32 bytes for another use, by HKDF-Expand (RFC 5869, section 2.3) under `label`."""
        ...


class Sealer(Protocol):
    """Encrypts under keys that can be destroyed one person at a time."""

    def read(self, tx: Tx, owner: bytes, cls: str = LOG) -> Get:
        """The read of the wrapped key, to be yielded together with the caller's other reads."""
        ...

    def unwrap(self, tenant: str, owner: bytes, cls: str, row: tuple[Any, ...] | None) -> Key | None:
        """The key in `row`, or None when there is none (never made, or destroyed)."""
        ...

    def create(self, tx: Tx, owner: bytes, cls: str = LOG) -> Key:
        """A new key; its wrapped row is added to `tx`."""
        ...

    def destroy(self, tx: Tx, owner: bytes, cls: str) -> None:
        """Delete a key that `create` made; none there is no error. After the commit await `database.tidy()`."""
        ...

    def standing(self, tenant: str, owner: bytes) -> Key:
        """The log key of a client, a site or the tenant itself, from memory. An unknown owner has the tenant's."""
        ...


class Indexer(Protocol):
    """Turns identifiers into tags that say nothing without the key."""

    def tag(self, tenant: str, kind: str, value: str, scope: str = "identifier") -> bytes:
        """16 bytes, equal for equal normalised values of one kind and scope. Raises `Invalid` on what is no value."""
        ...


class SigningPair(Protocol):
    """One Ed25519 key (RFC 8032): what is published of it, and its signature."""

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


class Signer(Protocol):
    """Ed25519 signatures (RFC 8032) under the tenant's keys: use `log`, `receipt` or `certificate`."""

    def current(self, tenant: str, use: str) -> SigningPair:
        """The key that signs now; to be held where signature and public key must be of one, though it is rotated."""
        ...

    def sign(self, tenant: str, use: str, message: bytes) -> bytes: ...

    def public_key(self, tenant: str, use: str) -> bytes: ...

    def kid(self, tenant: str, use: str) -> str: ...

    def pairs(self, tenant: str, use: str) -> tuple[SigningPair, ...]:
        """The key that signs now and, while a rotation is under way, the next: the log signs with both meanwhile."""
        ...

    def published(self, tenant: str, use: str) -> tuple[tuple[str, bytes], ...]:
        """Every public key that ever signed for a use, as (kid, 32 bytes), newest first."""
        ...
