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


class ProviderDown(RootKeyError):
    """The provider does not answer, or not in time. Nothing is lost; it is asked again by itself."""

    def __init__(self, provider: str) -> None:
        super().__init__(
            "key-provider-down", f"The key provider ({provider}) does not answer; nothing was done.", retry_after=5
        )


class ProviderRefuses(RootKeyError):
    """The provider answers, and does not let us use the key: revoked, disabled, wrong PIN or token."""

    def __init__(self, provider: str) -> None:
        super().__init__(
            "key-provider-refuses", f"The key provider ({provider}) refuses to use the key; nothing was done."
        )


class KeyGone(RootKeyError):
    """The provider has no such key: it was destroyed there, or this is another provider than the store's."""

    def __init__(self, provider: str, name: str) -> None:
        super().__init__("key-gone", f"The key provider ({provider}) holds no key {name}.")


class ProviderFacts(Struct, frozen=True):
    """What may be said about a root key.

    `provider` names the kind (`sealed-file`), `key` which root key it is (no secret: 16 hex digits), `sealed` whether
    reading what is stored is not enough to use it.
    """

    provider: str
    key: str
    sealed: bool


class Receipt(Struct, frozen=True):
    """What a provider says of a key that it destroyed: which, and from which instant on nobody can bring it back."""

    provider: str
    key: str
    gone_at: int


class KeyProvider(Protocol):
    """Wraps and unwraps tenant keys, a handful per tenant. Never called for a single person's data.

    `make` lays down a key of its own for one epoch of one tenant, which can be destroyed alone. `context` is
    authenticated, not encrypted: what was wrapped under one context does not unwrap under another. Calls may block: the
    server makes those of a `remote` provider in a thread. Besides what is said below all raise `ProviderDown`,
    `ProviderRefuses` and `KeyGone`.
    """

    @property
    def remote(self) -> bool:
        """Whether a call may take long, or fail because something else is down."""
        ...

    def describe(self) -> ProviderFacts: ...

    def make(self, name: str) -> str:
        """Lay down the key `name` unless it is there; what `wrap` and the rest call it."""
        ...

    def wrap(self, key: bytes, context: dict[str, str], ref: str = "") -> bytes:
        """`key` (32 bytes) wrapped under the key `ref`."""
        ...

    def unwrap(self, wrapped: bytes, context: dict[str, str], commitment: bytes, ref: str = "") -> bytes:
        """The key. Raises `BrokenSeal` unless it was wrapped here, under this context, and is the committed one."""
        ...

    def destroy(self, ref: str, at: int) -> Receipt:
        """Destroy the key `ref` for good; `at` is now. Twice is no error."""
        ...

    def health(self) -> None:
        """Raise `RootKeyError` unless the provider answers and still holds this root key."""
        ...
