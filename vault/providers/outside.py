"""A root key that lies outside: in an HSM or a key service, which uses it for us and never lets it out.

The key folder then holds `provider.json` (0600): which kind of provider, how it is reached, and a value sealed there
when it was set up. Opening that value tells the right provider from another one. Secrets are not in it: a PIN or a
token lies in a file that the settings name.
"""

import os
from collections.abc import Callable
from hmac import compare_digest
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, Protocol, Self

import msgspec
from msgspec import Struct

from sayso.kernel import Invalid
from sayso.kernel.files import write_whole
from vault.ciphers.derive import commitment
from vault.ciphers.suite import KEY_BYTES, BrokenSeal
from vault.keys.keyfiles import demand_private
from vault.providers.provider import KeyGone, ProviderFacts, Receipt, RootKeyError, WrongRootKey

FILE: Final = "provider.json"
TIMEOUT_S: Final = 5.0
"""Seconds after which a provider counts as down."""

KINDS: Final = {
    "aws-kms": ("vault.providers.aws_kms", "boto3", "sayso[aws]"),
    "pkcs11": ("vault.providers.pkcs11", "pkcs11", "sayso[pkcs11]"),
    "transit": ("vault.providers.transit", "httpx", "sayso"),
}
"""By kind: our module, the library that it needs, and what to install for it."""

_CHECK: Final = {"use": "check"}


class KeyStore(Protocol):
    """What a kind of provider must be able to do. Sealed bytes are its own business. See `KeyProvider` for errors."""

    def make(self, name: str) -> None:
        """Lay down an AES-256 key that nobody can take out, unless there is one of that name."""
        ...

    def seal(self, name: str, secret: bytes, context: dict[str, str]) -> bytes: ...

    def open(self, name: str, sealed: bytes, context: dict[str, str]) -> bytes:
        """Raises `BrokenSeal` unless it was sealed by this key under this context."""
        ...

    def destroy(self, name: str, at: int) -> int:
        """The instant from which the key cannot be brought back."""
        ...


class UnknownProvider(Invalid):
    def __init__(self, kind: str) -> None:
        super().__init__(
            "unknown-key-provider", f"There is no key provider of that kind; there are {', '.join(KINDS)}.", kind=kind
        )


class ProviderLibraryMissing(Invalid):
    def __init__(self, kind: str, library: str, extra: str) -> None:
        super().__init__(
            "provider-library-missing", f"The key provider {kind} needs the library {library}; install {extra}."
        )


class InvalidProvider(Invalid):
    """A setting of the provider is missing, unknown or unusable. The message names it, never its value."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__("invalid-key-provider", f"{kind}: {message}")


class UnreadableSecret(RootKeyError):
    def __init__(self, kind: str) -> None:
        super().__init__("unreadable-secret", f"The file with the PIN or token for {kind} cannot be read.")


class ProviderExists(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("root-key-exists", f"{path} exists. Overwriting it would lose the way to all its data.")


class DamagedProvider(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("damaged-provider", f"{path} is damaged. Restore it from its own backup.")


class _Filed(Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content. `name` is the root key's, 16 hex digits; bytes are hex."""

    format: Literal["sayso-provider-1"]
    provider: str
    name: str
    settings: dict[str, str]
    check: str
    committed: str


class OutsideKey:
    """A `KeyProvider` over a `KeyStore`."""

    remote = True

    def __init__(self, filed: _Filed, store: KeyStore) -> None:
        self._filed = filed
        self._store = store
        self._facts = ProviderFacts(filed.provider, filed.name, sealed=True)

    def __repr__(self) -> str:
        return f"<OutsideKey {self._filed.provider} {self._filed.name}>"

    @classmethod
    def create(cls, folder: Path, kind: str, settings: dict[str, str]) -> Self:
        """A new root key at the provider, and the file in `folder` that leads to it.

        Raises `UnknownProvider`, `ProviderLibraryMissing`, `InvalidProvider`, `RootKeyError`.
        """
        path = folder / FILE
        store = _store_of(kind, settings)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise ProviderExists(path)
        demand_private(folder, path)
        name, secret = os.urandom(8).hex(), os.urandom(KEY_BYTES)
        store.make(_root(name))
        sealed = store.seal(_root(name), secret, _CHECK | {"root": name})
        filed = _Filed("sayso-provider-1", kind, name, settings, sealed.hex(), commitment(secret).hex())
        made = cls(filed, store)
        made.health()
        write_whole(path, msgspec.json.format(msgspec.json.encode(filed), indent=2))
        return made

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The provider that `folder` leads to. It is not asked anything yet: `health` does that."""
        path = folder / FILE
        demand_private(folder, path)
        try:
            filed = msgspec.json.decode(path.read_bytes(), type=_Filed)
            bytes.fromhex(filed.check), bytes.fromhex(filed.committed), bytes.fromhex(filed.name)
        except OSError as error:
            raise RootKeyError("unreadable-root-key", f"{path} cannot be read: {error.strerror}.") from None
        except (ValueError, msgspec.DecodeError):
            raise DamagedProvider(path) from None
        return cls(filed, _store_of(filed.provider, filed.settings))

    def describe(self) -> ProviderFacts:
        return self._facts

    def make(self, name: str) -> str:
        ref = f"{_root(self._filed.name)}-{name}"
        self._store.make(ref)
        return ref

    def wrap(self, key: bytes, context: dict[str, str], ref: str = "") -> bytes:
        return self._store.seal(ref or _root(self._filed.name), key, context)

    def unwrap(self, wrapped: bytes, context: dict[str, str], commitment: bytes, ref: str = "") -> bytes:
        return self._opened(ref or _root(self._filed.name), wrapped, context, commitment)

    def destroy(self, ref: str, at: int) -> Receipt:
        return Receipt(self._filed.provider, ref, self._store.destroy(ref, at))

    def health(self) -> None:
        name = self._filed.name
        sealed, committed = bytes.fromhex(self._filed.check), bytes.fromhex(self._filed.committed)
        try:
            self._opened(_root(name), sealed, _CHECK | {"root": name}, committed)
        except (BrokenSeal, KeyGone):
            raise WrongRootKey(
                expected=name, found=f"none of that name at the {self._filed.provider} it leads to"
            ) from None

    def _opened(self, name: str, sealed: bytes, context: dict[str, str], committed: bytes) -> bytes:
        key = self._store.open(name, sealed, context)
        if len(key) != KEY_BYTES or not compare_digest(commitment(key), committed):
            raise BrokenSeal
        return key


def _root(name: str) -> str:
    return f"sayso-{name}"


def _store_of(kind: str, settings: dict[str, str]) -> KeyStore:
    known = KINDS.get(kind)
    if known is None:
        raise UnknownProvider(kind)
    module, library, extra = known
    try:
        import_module(library)
    except ImportError:
        raise ProviderLibraryMissing(kind, library, extra) from None
    store: Callable[[dict[str, str]], KeyStore] = import_module(module).store
    return store(settings)


class Wanted(Struct, frozen=True):
    """The settings that a kind of provider takes: those it needs, and the others with what they usually are."""

    kind: str
    needed: tuple[str, ...]
    usual: dict[str, str]

    def read(self, given: dict[str, str]) -> dict[str, str]:
        """All of them. Raises `InvalidProvider`."""
        for name in given:
            if name not in self.needed and name not in self.usual:
                known = ", ".join((*self.needed, *self.usual))
                raise InvalidProvider(self.kind, f"it has no setting of the name given; it has {known}.")
        missing = [name for name in self.needed if not given.get(name)]
        if missing:
            raise InvalidProvider(self.kind, f"it needs {', '.join(missing)}.")
        return {**self.usual, **given}


def secret_in(kind: str, path: str) -> str:
    """A PIN or token from its file, read each time: an agent may renew it. Raises `UnreadableSecret`."""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UnreadableSecret(kind) from None
