"""`sayso vault restore`: the key table of a backup under data of an older copy."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from msgspec import Struct

from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now, open_database
from sayso.server.running.local import locked
from sayso.server.running.precautions import demand_store
from sayso.server.settings import Settings
from sayso.server.wiring import Services, wire
from vault import keybackup


class Restored(Struct, frozen=True):
    """How many keys were put back, and how many people who were erased since are erased again."""

    keys: int
    erased: int


def put_back(
    settings: Settings, passphrase: bytes | None, tenant: str, file: Path, report: Callable[[int], None]
) -> Restored:
    """Put the key table in `file` into the database, which nobody else may be at work on.

    Raises `FolderBusy`, `DamagedKeyBackup`, `ForeignKeyBackup`, `RootKeyError`.
    """
    demand_store(settings)
    services = wire(settings, passphrase)
    with locked(settings.data_folder, patience=2) if settings.embedded else nullcontext():
        return asyncio.run(_put_back(services, tenant, file, report))


async def _put_back(services: Services, tenant: str, file: Path, report: Callable[[int], None]) -> Restored:
    copied = await _replace(services.settings, tenant, file)
    services.revocation.remember(tenant, keybackup.tombstones(file))
    await services.database.start()
    try:
        # This brand alone: others may wait for their own key table.
        await services.configurations.load(tenant)
        again = services.again
        erased = await again.enforce(services.database, _context(tenant))
        seen = 0

        def told(buckets: int) -> None:
            nonlocal seen
            report(buckets - seen)
            seen = buckets

        erased += await again.sweep(services.database, _context(tenant), told)
        await services.database.run_alone(
            _context(tenant), partial(_told, services, epoch=copied.epoch, keys=copied.keys, destroyed=erased)
        )
    finally:
        await services.database.stop()
    return Restored(copied.keys, erased)


async def _replace(settings: Settings, tenant: str, file: Path) -> keybackup.KeyTableCopy:
    # By a database that loads no configuration: the keys that are in there may not open any more.
    database = open_database(settings.database_url)
    await database.start()
    try:
        return await keybackup.put_back(database, _context(tenant), file)
    finally:
        await database.stop()


def _told(services: Services, tx: Tx, *, epoch: int, keys: int, destroyed: int) -> Work[None]:
    services.epochs.restored(tx, epoch, keys=keys, destroyed=destroyed)
    keybackup.finished(tx)
    yield ()


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
