"""The key hierarchy, and what it gives to every other package: `Sealer`, `Indexer`, `Signer`.

    root key (provider) -> tenant key of an epoch -> data key of one owner and class -> value
                                                  -> index root, token root, signing seeds

A tenant's own keys are unwrapped once, by `load`, and held in memory. A person's key is not: its wrapped row comes with
the caller's other reads, so a key that another node destroyed a moment ago cannot be served here.
"""

import os
from collections.abc import Collection
from functools import partial
from typing import Any, Final

from msgspec import Struct

from sayso.kernel import LOG, TENANT_OWNER, Conflict, Context, Database, Get, NotFound, Tx, Work, now
from vault import store
from vault.ciphers import aad
from vault.ciphers.decoy import Decoy
from vault.ciphers.derive import commitment
from vault.ciphers.index import IndexKeys, TokenKeys
from vault.ciphers.signing import USES, SigningKey
from vault.ciphers.suite import KEY_BYTES, BrokenSeal, Suite
from vault.keys import epoch
from vault.keys.epoch import ACTIVE, NEXT, OPENING, Epoch, Laid
from vault.keys.keybackup import RestoreUnfinished, restoring
from vault.keys.lending import lent_to_whom_asks
from vault.keys.wrapped import DataKey, WrappingKey
from vault.providers.custody import Custody, in_time
from vault.providers.provider import KeyGone, KeyProvider, RootKeyError

INDEX_ROOT: Final = "index"
TOKEN_ROOT: Final = "token"  # noqa: S105 - a purpose, no password
_FIRST: Final = 1


class UnknownTenant(NotFound):
    def __init__(self) -> None:
        super().__init__("unknown-tenant", "There is no such tenant here.")


class RotationPending(Conflict):
    """The next signing key was made already and does not sign yet."""

    def __init__(self) -> None:
        super().__init__("rotation-pending", "The next key is published already and waits for its time.")


class SignerState(Struct, frozen=True):
    """A signing key: `next` is published and does not sign yet, `retired` signs no more and verifies for ever. `since`
    is the instant from which it signs, in microseconds.
    """

    kid: str
    state: str
    since: int


class TenantKeys(Struct, frozen=True):
    """A tenant's keys, unwrapped. Replaced whole when one of them changes."""

    epochs: dict[int, WrappingKey]
    epoch: int
    index: IndexKeys
    token: TokenKeys
    signing: dict[str, tuple[SigningKey, ...]]
    standing: dict[bytes, DataKey]
    decoy: Decoy

    def __repr__(self) -> str:
        return f"<TenantKeys epoch {self.epoch}>"


class Keyring:
    """The keys of all tenants of this process. Implements the kernel's `Sealer`, `Indexer` and `Signer`."""

    def __init__(self, provider: KeyProvider | Custody, *, suite: Suite = Suite.GCM_SIV) -> None:
        """Raises `MissingCipher` when this machine has no such cipher."""
        suite.demand()
        self.custody = provider if isinstance(provider, Custody) else Custody(provider)
        self._suite = suite
        self._tenants: dict[str, TenantKeys] = {}
        self._opened: dict[str, dict[tuple[Any, ...], WrappingKey]] = {}
        self._laid: dict[tuple[str, int], Laid] = {}
        self._lost: dict[str, RootKeyError] = {}

    @property
    def provider(self) -> KeyProvider:
        """The installation's own."""
        return self.custody.default

    # what a provider in another place is asked, off the event loop

    async def prepare(self, tenant: str, number: int) -> None:
        """Have the provider lay down the key of an epoch to be: `found` and `Epochs` then find it. Raises
        `RootKeyError`.
        """
        laid = await in_time(self.custody.of(tenant), lambda: epoch.lay(self.custody, tenant, number))
        self._laid[tenant, number] = laid

    async def fetch(self, database: Database, context: Context) -> None:
        """Unwrap the epochs that `load` will want and that are not held: to be awaited before it, where a provider may
        be slow. Raises `RootKeyError`, and then `of` raises it too until the keys are released again.
        """
        tenant = context.tenant
        try:
            for row in await database.look(context, epochs_of):
                if row.state in OPENING and row.sealed not in self._held(tenant):
                    provider = self.custody.holder(tenant, row.root)
                    await in_time(provider, partial(self._open, tenant, row))
        except RootKeyError as error:
            self.lose(tenant, error)
            raise

    async def demand(self, database: Database, context: Context) -> None:
        """Have the provider unwrap the active epoch once more: it may have been forbidden meanwhile. Raises
        `RootKeyError`.
        """
        for row in await database.look(context, epochs_of):
            if row.state == ACTIVE:
                provider = self.custody.holder(context.tenant, row.root)
                await in_time(provider, partial(epoch.opened, self.custody, context.tenant, row, self._suite))

    def lose(self, tenant: str, error: RootKeyError) -> None:
        """Drop a tenant's keys from memory, because of `error`, which whoever asks for them is told. Once they are
        loaded again they are held back, but from what they are `lent` to, until they are released.
        """
        self._tenants.pop(tenant, None)
        self._opened.pop(tenant, None)
        self._lost[tenant] = error

    def release(self, tenant: str) -> None:
        """Whoever was erased is erased again: the tenant's keys are for everybody."""
        self._lost.pop(tenant, None)

    def holds(self, tenant: str) -> bool:
        """Whether the tenant's keys are loaded, perhaps held back."""
        return tenant in self._tenants

    def lost(self, tenant: str) -> RootKeyError | None:
        """Why nobody has the tenant's keys, if they are lost or held back."""
        return self._lost.get(tenant)

    def all_lost(self, tenants: Collection[str]) -> bool:
        """Whether nobody has any tenant's keys."""
        return bool(tenants) and all(tenant in self._lost for tenant in tenants)

    # a tenant's own keys

    def found(self, tx: Tx) -> Work[None]:
        """Make the keys of a new tenant. A cold unit; does nothing for a tenant that has them."""
        (first,) = yield (tx.get(store.EPOCH, _FIRST),)
        if first is not None:
            return
        wrapping = self.add_epoch(tx, _FIRST, ACTIVE)
        for purpose in (INDEX_ROOT, TOKEN_ROOT):
            wrapped, committed = _new_secret(wrapping, tx.context.tenant, purpose, _FIRST)
            tx.insert(store.INDEX_KEY, purpose, _FIRST, _FIRST, wrapped, committed, tx.context.at)
        for use in USES:
            seed = os.urandom(KEY_BYTES)
            wrapped = wrapping.wrap(seed, aad.secret(tx.context.tenant, use, _FIRST, _FIRST))
            public = SigningKey(seed).public
            tx.insert(store.SIGNING_KEY, use, _FIRST, _FIRST, wrapped, commitment(seed), public, tx.context.at)
        self._new_standing(tx, wrapping, _FIRST, TENANT_OWNER)
        tx.configure()

    def load(self, tx: Tx) -> Work[None]:
        """Unwrap the tenant's keys into memory, in place of those held. A unit that only looks.

        Raises `UnknownTenant`, `RestoreUnfinished`, `WrongRootKey`, or `BrokenSeal` when a row was tampered with. Then
        nothing changes.
        """
        tenant = tx.context.tenant
        rows, roots, seeds, standing = yield (
            tx.select(store.epochs()),
            tx.select(store.index_roots()),
            tx.select(store.signing_seeds()),
            tx.select(store.standing_keys()),
        )
        if not rows:
            if (yield from restoring(tx)):
                raise RestoreUnfinished(f"the key table of {tenant}")
            raise UnknownTenant
        epochs = [Epoch(*row) for row in rows]
        wrapping = self._wrapping(tenant, epochs)
        root_of = {(row[0], row[1]): _secret(wrapping, tenant, *row) for row in roots}
        signing: dict[str, list[SigningKey]] = {use: [] for use in USES}
        for row in seeds:
            *sealed, since = row
            signing[row[0]].append(SigningKey(_secret(wrapping, tenant, *sealed), since))
        active = [each.epoch for each in epochs if each.state == ACTIVE]
        if len(active) != 1:
            raise BrokenSeal
        newest = active[0]
        self._tenants[tenant] = TenantKeys(
            epochs=wrapping,
            epoch=newest,
            index=IndexKeys(*_newest(root_of, INDEX_ROOT)),
            token=TokenKeys(*_newest(root_of, TOKEN_ROOT)),
            signing={use: tuple(reversed(keys)) for use, keys in signing.items()},
            standing={row[0]: self._data_key(wrapping, tenant, row[0], LOG, row[1:]) for row in standing},
            decoy=Decoy(tenant, wrapping[newest], self._suite),
        )
        stored = {row.sealed for row in epochs if row.state in OPENING}
        self._opened[tenant] = {row: key for row, key in self._held(tenant).items() if row in stored}
        self._laid = {place: laid for place, laid in self._laid.items() if place[0] != tenant}

    def forget(self, tenant: str) -> None:
        """Drop a tenant's keys from memory."""
        self._tenants.pop(tenant, None)
        self._opened.pop(tenant, None)

    def provision(self, tx: Tx, owner: bytes) -> Work[None]:
        """Make the standing log key of a client or site (16 raw bytes of its id). A cold unit, idempotent.

        It is in force once the tenant's keys are loaded again, which `tx.configure()` asks of every node.
        """
        (row,) = yield (tx.get(store.STANDING_KEY, owner),)
        if row is None:
            keys = self.of(tx.context.tenant)
            self._new_standing(tx, keys.epochs[keys.epoch], keys.epoch, owner)
            tx.configure()

    def of(self, tenant: str) -> TenantKeys:
        """The tenant's keys. Raises `UnknownTenant` unless they were loaded, `RootKeyError` while they are lost."""
        keys = self._tenants.get(tenant)
        if keys is None or (tenant in self._lost and not lent_to_whom_asks(tenant)):
            raise self._lost.get(tenant) or UnknownTenant()
        return keys

    # Sealer

    def read(self, tx: Tx, owner: bytes, cls: str = LOG) -> Get:
        return tx.get(store.KEY, owner, cls)

    def unwrap(self, tenant: str, owner: bytes, cls: str, row: tuple[Any, ...] | None) -> DataKey | None:
        """The key in `row`, or None without one. Raises `BrokenSeal` when the row was altered or moved here."""
        return None if row is None else self._data_key(self.of(tenant).epochs, tenant, owner, cls, row[1:5])

    def create(self, tx: Tx, owner: bytes, cls: str = LOG) -> DataKey:
        tenant = tx.context.tenant
        keys = self.of(tenant)
        key, row = self._new_key(tenant, keys.epochs[keys.epoch], keys.epoch, owner, cls)
        tx.insert(store.KEY, owner, cls, 1, *row, 0)
        return key

    def destroy(self, tx: Tx, owner: bytes, cls: str) -> None:
        tx.delete(store.KEY, owner, cls)

    def standing(self, tenant: str, owner: bytes) -> DataKey:
        standing = self.of(tenant).standing
        return standing.get(owner) or standing[TENANT_OWNER]

    # Indexer

    def tag(self, tenant: str, kind: str, value: str, scope: str = "identifier") -> bytes:
        return self.of(tenant).index.tag(scope, "", kind, value)

    # Signer

    def current(self, tenant: str, use: str) -> SigningKey:
        """The key that signs now: the newest whose time has come."""
        keys = self.of(tenant).signing[use]
        if len(keys) == 1:
            return keys[0]
        at = now()
        return next((key for key in keys if key.since <= at), keys[-1])

    def sign(self, tenant: str, use: str, message: bytes) -> bytes:
        return self.current(tenant, use).sign(message)

    def public_key(self, tenant: str, use: str) -> bytes:
        return self.current(tenant, use).public

    def kid(self, tenant: str, use: str) -> str:
        return self.current(tenant, use).kid

    def pairs(self, tenant: str, use: str) -> tuple[SigningKey, ...]:
        """The key that signs now, then the next while it waits: the log signs with both meanwhile."""
        current = self.current(tenant, use)
        return (current, *(key for key in self.of(tenant).signing[use] if key.since > current.since))

    def published(self, tenant: str, use: str) -> tuple[tuple[str, bytes], ...]:
        """Every public key of a use as (kid, 32 bytes), newest first: old signatures still verify."""
        return tuple((key.kid, key.public) for key in self.of(tenant).signing[use])

    def signing_keys(self, tenant: str, use: str) -> tuple[SignerState, ...]:
        """Every key of a use with where it stands, newest first."""
        current = self.current(tenant, use)
        return tuple(
            SignerState(key.kid, "active" if key is current else "next" if key.since > now() else "retired", key.since)
            for key in self.of(tenant).signing[use]
        )

    def rotate(self, tx: Tx, use: str, since: int) -> Work[SignerState]:
        """Make the next signing key of a use, published at once and signing from `since` on. A cold unit.

        Raises `RotationPending` while an earlier next key still waits.
        """
        tenant = tx.context.tenant
        seeds = yield (tx.select(store.signing_seeds()),)
        rows = [row for row in seeds[0] if row[0] == use]
        if any(row[5] > tx.context.at for row in rows):
            raise RotationPending
        keys, version, seed = self.of(tenant), rows[-1][1] + 1, os.urandom(KEY_BYTES)
        wrapped = keys.epochs[keys.epoch].wrap(seed, aad.secret(tenant, use, version, keys.epoch))
        made = SigningKey(seed, since)
        tx.insert(store.SIGNING_KEY, use, version, keys.epoch, wrapped, commitment(seed), made.public, since)
        tx.configure()
        return SignerState(made.kid, "next", since)

    # making and unwrapping

    def add_epoch(self, tx: Tx, number: int, state: str) -> WrappingKey:
        """The row of a new epoch, which `prepare` has laid down; a provider at hand does it now."""
        tenant = tx.context.tenant
        laid = self._laid.get((tenant, number)) or epoch.lay(self.custody, tenant, number)
        self._laid[tenant, number] = laid
        tx.insert(store.EPOCH, *laid.row(number, state, tx.context.at))
        return WrappingKey(laid.key, self._suite)

    def with_epoch(self, tenant: str, row: Epoch) -> dict[int, WrappingKey]:
        """The epochs that are held, and one that is stored and may not have been loaded yet."""
        return {**self.of(tenant).epochs, row.epoch: self._open(tenant, row)}

    def _held(self, tenant: str) -> dict[tuple[Any, ...], WrappingKey]:
        """Tenant keys by the row that they were unwrapped from: one that was destroyed has no such row any more."""
        return self._opened.setdefault(tenant, {})

    def _open(self, tenant: str, row: Epoch) -> WrappingKey:
        held = self._held(tenant)
        if row.sealed not in held:
            held[row.sealed] = epoch.opened(self.custody, tenant, row, self._suite)
        return held[row.sealed]

    def _wrapping(self, tenant: str, rows: list[Epoch]) -> dict[int, WrappingKey]:
        found: dict[int, WrappingKey] = {}
        for row in rows:
            if row.state in OPENING:
                try:
                    found[row.epoch] = self._open(tenant, row)
                except KeyGone:
                    # What is to come may not have been brought to this node yet.
                    if row.state != NEXT:
                        raise
        return found

    def _new_key(
        self, tenant: str, wrapping: WrappingKey, epoch: int, owner: bytes, cls: str
    ) -> tuple[DataKey, tuple[Any, ...]]:
        key = DataKey(tenant, owner, cls, _FIRST, os.urandom(KEY_BYTES), self._suite)
        return key, (_FIRST, epoch, key.wrapped_by(wrapping, epoch), key.commitment)

    def _new_standing(self, tx: Tx, wrapping: WrappingKey, epoch: int, owner: bytes) -> None:
        _, row = self._new_key(tx.context.tenant, wrapping, epoch, owner, LOG)
        tx.insert(store.STANDING_KEY, owner, *row)

    def _data_key(
        self, epochs: dict[int, WrappingKey], tenant: str, owner: bytes, cls: str, row: tuple[Any, ...]
    ) -> DataKey:
        version, epoch, wrapped, committed = row
        wrapping = epochs.get(epoch)
        if wrapping is None or not 0 <= version < 1 << 32:
            raise BrokenSeal
        key = wrapping.unwrap(wrapped, aad.data_key(tenant, owner, cls, version, epoch), committed)
        return DataKey(tenant, owner, cls, version, key, self._suite)


def epochs_of(tx: Tx) -> Work[list[Epoch]]:
    """Every epoch of the tenant, oldest first. Cold."""
    (rows,) = yield (tx.select(store.epochs()),)
    return [Epoch(*row) for row in rows]


def _new_secret(wrapping: WrappingKey, tenant: str, purpose: str, epoch: int) -> tuple[bytes, bytes]:
    secret = os.urandom(KEY_BYTES)
    return wrapping.wrap(secret, aad.secret(tenant, purpose, _FIRST, epoch)), commitment(secret)


def _secret(
    epochs: dict[int, WrappingKey],
    tenant: str,
    purpose: str,
    version: int,
    epoch: int,
    wrapped: bytes,
    committed: bytes,
) -> bytes:
    wrapping = epochs.get(epoch)
    if wrapping is None:
        raise BrokenSeal
    return wrapping.unwrap(wrapped, aad.secret(tenant, purpose, version, epoch), committed)


def _newest(roots: dict[tuple[str, int], bytes], purpose: str) -> tuple[bytes, int]:
    version = max((version for name, version in roots if name == purpose), default=0)
    if not version:
        raise BrokenSeal
    return roots[purpose, version], version
