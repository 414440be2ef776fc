"""Which provider keeps whose root key: the installation's, and of a brand that brings its own, theirs.

    KEYDIR/root.key                     the sealed file, or
    KEYDIR/provider.json                an HSM or key service; it goes before a sealed file that is there as well
    KEYDIR/tenants/NAME/provider.json   the brand NAME's own

A provider that was replaced is asked as long as an epoch names it: a roll moves everything to the new one.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final, Self, TypeVar

from vault.keys import epochfile
from vault.providers import outside
from vault.providers.outside import OutsideKey
from vault.providers.provider import KeyProvider, ProviderDown, WrongRootKey
from vault.providers.root import FILE as ROOT_KEY
from vault.providers.root import SealedFile

T = TypeVar("T")

TENANTS: Final = "tenants"
KEY_FILES: Final = (ROOT_KEY, epochfile.FILE, outside.FILE)
"""What must never lie among the data."""

LONGEST_S: Final = 2 * outside.TIMEOUT_S
"""Seconds for which a provider is waited for: two calls that each just made it."""


class Custody:
    """The providers of one installation."""

    def __init__(self, default: KeyProvider, former: tuple[KeyProvider, ...] = (), folder: Path | None = None) -> None:
        self._default = default
        self._former = former
        self._folder = folder
        self._own: dict[str, OutsideKey] = {}

    @classmethod
    def open(cls, folder: Path, passphrase: bytes | None) -> Self:
        """What the key folder holds. Raises a `RootKeyError` that says exactly what is the matter.

        The installation's own provider is asked whether it has our key; one that does not answer is no reason not to
        start, see `Keyring.fetch`.
        """
        if not (folder / outside.FILE).exists():
            return cls(SealedFile.open(folder, passphrase), folder=folder)
        former = (SealedFile.open(folder, passphrase),) if (folder / ROOT_KEY).exists() else ()
        return cls(OutsideKey.open(folder), former, folder)

    @property
    def sealed(self) -> bool:
        """Whether reading the key folder is not enough to use the keys."""
        return self._default.describe().sealed

    @property
    def default(self) -> KeyProvider:
        return self._default

    def of(self, tenant: str) -> KeyProvider:
        """Who keeps the tenant's new keys."""
        own = self._own.get(tenant)
        if own is None and self._folder is not None and (own_folder(self._folder, tenant) / outside.FILE).exists():
            own = self._own[tenant] = OutsideKey.open(own_folder(self._folder, tenant))
        return own or self._default

    def brings_own(self, tenant: str) -> bool:
        """Whether the tenant's provider is its own."""
        return self.of(tenant) is not self._default

    def holder(self, tenant: str, root: str) -> KeyProvider:
        """Who keeps the root key that an epoch of the tenant names. Raises `WrongRootKey`."""
        found = self.of(tenant)
        for provider in self._asked(found):
            if provider.describe().key == root:
                return provider
        raise WrongRootKey(expected=root, found=found.describe().key)

    def _asked(self, first: KeyProvider) -> Iterator[KeyProvider]:
        yield first
        if first is not self._default:
            yield self._default
        yield from self._former


def holds_root(folder: Path) -> bool:
    """Whether there is a root key, or the way to one, in a key folder."""
    return (folder / ROOT_KEY).exists() or (folder / outside.FILE).exists()


def own_folders(folder: Path) -> list[Path]:
    """The folders of all brands that bring their own provider."""
    return sorted(path.parent for path in (folder / TENANTS).glob(f"*/{outside.FILE}"))


def own_folder(folder: Path, tenant: str) -> Path:
    """Where a brand's own provider is filed."""
    return folder / TENANTS / tenant


async def in_time(provider: KeyProvider, call: Callable[[], T]) -> T:
    """`call` to a provider, in a thread and for so long at most. Raises `ProviderDown` when it takes longer."""
    if not provider.remote:
        return call()
    try:
        threads = _threads(provider.describe().key)
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(threads, call), LONGEST_S)
    except TimeoutError:
        raise ProviderDown(provider.describe().provider) from None


@cache
def _threads(_root: str) -> ThreadPoolExecutor:
    # Of each provider its own: calls that hang at one must not take the threads that another needs.
    return ThreadPoolExecutor(2, thread_name_prefix="sayso-provider")
