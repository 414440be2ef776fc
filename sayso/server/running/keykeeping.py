"""What keeps the keys in order by itself: providers that are asked again, and epochs whose time has come.

Keys that a provider elsewhere has unwrapped are held in memory. Every `ASK_EVERY` seconds it is asked whether we still
may: a refusal drops them at once, silence after `key_lease` seconds. From then on whatever needs them is denied with
503. They are back, without anybody's doing, as soon as the provider says yes and whoever was erased, and is there again
in a copy that was put back meanwhile, is erased once more.
"""

import time
from typing import TYPE_CHECKING, Final

from sayso.kernel import SYSTEM, Context, SaysoError, Tx, Work, new_id, now
from sayso.server import store
from sayso.server.tenancy import WORLD
from vault import ProviderDown, RootKeyError, keybackup

if TYPE_CHECKING:
    from sayso.server.wiring import Services

ASK_EVERY: Final = 30.0
"""Seconds between two questions to a provider that answers."""

FINISH_EVERY: Final = 5.0
"""Seconds between two looks at epochs that are to be destroyed."""

EVERY: Final = 1.0


class DataWentBack(RootKeyError):
    """An erasure that this node knows of is not in the database any more: an older copy was put in its place."""

    def __init__(self) -> None:
        super().__init__(
            "data-went-back",
            "The database is an older one than a moment ago; whoever was erased since is being erased again.",
            retry_after=5,
        )


class KeyKeeper:
    """The keeper of one process."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._answered: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._looked = 0.0
        self._settled: dict[str, bytes | None] = {}

    async def start(self) -> None:
        """Before anything is served: whoever was erased and is there again, in a restored copy, is erased once more.

        Raises `RestoreUnfinished`.
        """
        services = self._services
        if await services.database.look(_context(WORLD), _under_way):
            raise keybackup.RestoreUnfinished("the store")
        for tenant in services.configurations.tenants():
            if await services.database.look(_context(tenant), keybackup.restoring):
                raise keybackup.RestoreUnfinished(f"the key table of {tenant}")
            await self._again(tenant)

    async def _again(self, tenant: str) -> None:
        services = self._services
        if services.keyring.holds(tenant):
            count = await services.again.enforce(services.database, _context(tenant))
            if count:
                services.log.warning("erased again", tenant=tenant, people=count)
            # What the database lacks by now is settled: it will never have it.
            self._settled[tenant] = services.revocation.newest(tenant)

    async def round(self) -> None:
        """Ask the providers of every brand that has one elsewhere; destroy what is due."""
        services, at = self._services, time.monotonic()
        look = at - self._looked >= FINISH_EVERY
        self._looked = at if look else self._looked
        for tenant in services.configurations.tenants():
            try:
                await self._keep(tenant, look=look)
            except SaysoError as error:
                # What is the matter with one brand's keys must not keep the others waiting.
                services.log.error("keys not kept", error, tenant=tenant)

    async def _keep(self, tenant: str, *, look: bool) -> None:
        services = self._services
        if services.keyring.lost(tenant) is not None:
            await self._win_back(tenant)
        elif services.keyring.custody.of(tenant).remote:
            await self._ask(tenant)
        if look and services.keyring.lost(tenant) is None:
            if await self._went_back(tenant):
                self._lose(tenant, DataWentBack())
                return
            await services.revocation.note(services.database, _context(tenant))
            await self._finish(tenant)

    async def _went_back(self, tenant: str) -> bool:
        services = self._services
        newest = services.revocation.newest(tenant)
        if newest is None or newest == self._settled.get(tenant):
            return False
        return await services.revocation.lacks(services.database, _context(tenant), newest)

    async def _ask(self, tenant: str) -> None:
        services, at = self._services, time.monotonic()
        self._answered.setdefault(tenant, at)
        if at - self._asked.get(tenant, at - ASK_EVERY) < ASK_EVERY:
            return
        self._asked[tenant] = at
        try:
            await services.keyring.demand(services.database, _context(tenant))
        except ProviderDown as error:
            # It may be back in a moment: asked again in the next round, and believed no longer than the lease.
            self._asked.pop(tenant)
            if at - self._answered[tenant] >= services.settings.key_lease:
                self._lose(tenant, error)
        except RootKeyError as error:
            self._lose(tenant, error)
        else:
            self._answered[tenant] = at

    def _lose(self, tenant: str, error: RootKeyError) -> None:
        self._services.keyring.lose(tenant, error)
        self._services.log.error("keys lost", error, tenant=tenant)

    async def _win_back(self, tenant: str) -> None:
        services = self._services
        try:
            await services.configurations.load(tenant)
        except RootKeyError:
            return
        if services.keyring.holds(tenant):
            # Nothing of this brand is opened before those who were erased are erased again.
            await self._again(tenant)
            services.keyring.release(tenant)
            self._answered[tenant] = self._asked[tenant] = time.monotonic()
            services.log.info("keys are back", tenant=tenant)

    async def _finish(self, tenant: str) -> None:
        services = self._services
        try:
            for epoch in await services.epochs.finish(services.database, _context(tenant)):
                services.log.info("epoch destroyed", tenant=tenant, epoch=epoch)
        except SaysoError as error:
            services.log.error("epoch not destroyed", error, tenant=tenant)


def _under_way(tx: Tx) -> Work[bool]:
    (rows,) = yield (tx.select(store.restores_under_way()),)
    return bool(rows)


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
