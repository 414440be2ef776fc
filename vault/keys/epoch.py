"""A tenant key of one epoch: its row, its states, and how it is laid down at the provider and opened again.

next       made and proved to open; not in use yet, so that every node can have it first
active     wraps what is wrapped now; one epoch of a tenant is
retiring   opens what still lies under it, which a sweep wraps anew
disabled   opens nothing any more; can be called back until its end has begun
destroying its provider is being asked to destroy it; nobody can call it back any more
destroyed  the provider's key for it is gone: no copy of it, in whatever backup, opens anything again
"""

import os
from typing import Any, Final

from msgspec import Struct

from vault.ciphers.derive import commitment
from vault.ciphers.suite import KEY_BYTES, Suite
from vault.keys.wrapped import WrappingKey
from vault.providers.custody import Custody

NEXT: Final = "next"
ACTIVE: Final = "active"
RETIRING: Final = "retiring"
DISABLED: Final = "disabled"
DESTROYING: Final = "destroying"
DESTROYED: Final = "destroyed"
OPENING: Final = (NEXT, ACTIVE, RETIRING)
"""States in which an epoch is held in memory."""


class Epoch(Struct, frozen=True):
    """The row of an epoch. `at` is when it was made, `changed_at` when its state last changed, `gone_at` the instant
    from which nobody can bring it back (0: there is none).
    """

    epoch: int
    version: int
    state: str
    wrapped: bytes
    commitment: bytes
    provider: str
    root: str
    ref: str
    at: int
    changed_at: int
    gone_at: int

    def __repr__(self) -> str:
        return f"<Epoch {self.epoch} {self.state}>"

    @property
    def sealed(self) -> tuple[Any, ...]:
        """All that decides which key this row opens to."""
        return (self.epoch, self.wrapped, self.commitment, self.provider, self.root, self.ref)

    @property
    def values(self) -> tuple[Any, ...]:
        """The row without its key, as it stands."""
        return tuple(getattr(self, name) for name in self.__struct_fields__[1:])

    def moved(self, state: str, at: int, **more: object) -> tuple[Any, ...]:
        """The row without its key, in another state."""
        held = {name: getattr(self, name) for name in self.__struct_fields__[1:]}
        return tuple((held | more | {"version": self.version + 1, "state": state, "changed_at": at}).values())


class Laid(Struct, frozen=True):
    """A new tenant key that the provider has wrapped, not stored yet."""

    key: bytes
    wrapped: bytes
    provider: str
    root: str
    ref: str

    def __repr__(self) -> str:
        return f"<Laid {self.ref}>"

    def row(self, epoch: int, state: str, at: int) -> tuple[Any, ...]:
        """As it is stored."""
        facts = (self.wrapped, commitment(self.key), self.provider, self.root, self.ref)
        return (epoch, 1, state, *facts, at, at, 0)


def lay(custody: Custody, tenant: str, epoch: int) -> Laid:
    """A new tenant key under a key of its own at the tenant's provider. It is opened once before anybody relies on it.

    May block, see `KeyProvider`. Repeating it leaves one key at the provider. Raises `RootKeyError`.
    """
    provider = custody.of(tenant)
    facts = provider.describe()
    ref = provider.make(f"{tenant}-{epoch}")
    key = os.urandom(KEY_BYTES)
    bound_to = _context(tenant, epoch, facts.provider, facts.key)
    wrapped = provider.wrap(key, bound_to, ref)
    provider.unwrap(wrapped, bound_to, commitment(key), ref)
    return Laid(key, wrapped, facts.provider, facts.key, ref)


def opened(custody: Custody, tenant: str, epoch: Epoch, suite: Suite) -> WrappingKey:
    """The tenant key in a row. May block. Raises `RootKeyError`, `BrokenSeal`."""
    provider = custody.holder(tenant, epoch.root)
    bound_to = _context(tenant, epoch.epoch, epoch.provider, epoch.root)
    return WrappingKey(provider.unwrap(epoch.wrapped, bound_to, epoch.commitment, epoch.ref), suite)


def _context(tenant: str, epoch: int, provider: str, root: str) -> dict[str, str]:
    return {"epoch": str(epoch), "provider": provider, "root": root, "tenant": tenant}
