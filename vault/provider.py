"""Who holds the root key: the seam behind which a file, an HSM or a key service may stand."""

from typing import Protocol

from msgspec import Struct

from sayso.kernel import Unavailable


class RootKeyError(Unavailable):
    """The root key cannot be used. Nothing is served without it."""


class WrongRootKey(RootKeyError):
    """This root key works, but the store was made under another one."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            "wrong-root-key",
            f"The store was made under root key {expected}; the key folder holds root key {found}.",
        )


class ProviderFacts(Struct, frozen=True):
    """What may be said about a root key.

    `provider` names the kind (`sealed-file`), `key` which root key it is (no secret: 16 hex digits), `sealed` whether
    reading what is stored is not enough to use it.
    """

    provider: str
    key: str
    sealed: bool


class KeyProvider(Protocol):
    """Wraps and unwraps tenant keys, a handful per tenant. Never called for a single person's data.

    `context` is authenticated, not encrypted: what was wrapped under one context does not unwrap under another.
    """

    def describe(self) -> ProviderFacts: ...

    def wrap(self, key: bytes, context: dict[str, str]) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: dict[str, str], commitment: bytes) -> bytes:
        """The key. Raises `BrokenSeal` unless it was wrapped here, under this context, and is the committed one."""
        ...

    def health(self) -> None:
        """Raise `RootKeyError` unless the provider answers and still holds this root key."""
        ...
