"""Putting a backup back: into an empty place, checked before anything is served, and begun again wherever it died.

Rows go into the tables of their own release in one transaction, which also notes that a restore is under way: until it
is through nothing serves this store. Then the tables are brought up to this program, the key tables are put back, and
`settling.py` does the rest. What was begun is found by that note, and goes on.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from sayso.kernel import SYSTEM, Conflict, Context, new_id, now, open_database
from sayso.migrations import NewerStore, known, upgrade
from sayso.server.backups import description, rowfile, settling, store
from sayso.server.backups.description import DATA, KEY_TABLE, Description
from sayso.server.backups.settling import Settled, Ways
from sayso.server.running.laying import StoreExists
from sayso.server.running.local import locked
from sayso.server.running.precautions import demand_apart
from sayso.server.settings import FILE, Settings, remember
from sayso.server.tenancy import WORLD
from sayso.server.wiring import wire
from vault import Custody, keybackup

STEPS: Final = ("checking", "rows", "tables", "keys", "people", "log")

Step = Callable[[str], None]
"""Told which of the steps begins."""


class OtherRestore(Conflict):
    def __init__(self) -> None:
        super().__init__("restore-unfinished", "Another backup was begun to be put back here; go on with that one.")


class Restored(Struct, frozen=True):
    """What was put back, and how each brand stands now."""

    backup: str
    made_at: str
    release: str
    revision: str
    brands: dict[str, Settled]


def put_back(
    settings: Settings, passphrase: bytes | None, data: Path, keys: Path, ways: Ways, step: Step = lambda _: None
) -> Restored:
    """Put the backup in the folders `data` and `keys` where the settings say that the store lies.

    Raises `StoreExists` where there is one, `DamagedBackup`, `ForeignBackup`, `NewerStore`, `OtherRestore`,
    `KeysBesideData`, `RootKeyError`, `FolderBusy`, and what `settling.settle` raises. Whatever it raises, it may be
    done again: nothing serves the store before it is through.
    """
    told, jws = description.read(data)
    demand_apart(settings.data_folder, settings.key_folder)
    step("checking")
    description.demand_files(told, data, keys)
    if not known(told.facts.revision):
        raise NewerStore
    Custody.open(settings.key_folder, passphrase)
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = _as_it_was(settings, told)
    with locked(settings.data_folder, patience=2):
        _rows(settings, told, data, step)
        if not (settings.data_folder / FILE).exists():
            remember(settings)
        step("keys")
        asyncio.run(_keys(settings, told, keys))
        services = wire(settings, passphrase)
        for brand in told.facts.brands:
            file = keys / (brand.tenant + KEY_TABLE)
            services.revocation.remember(brand.tenant, keybackup.tombstones(file))
        brands = asyncio.run(settling.settle(services, told, jws, ways, step))
    return Restored(told.facts.backup, told.made_at, told.release, told.facts.revision, brands)


def _as_it_was(settings: Settings, told: Description) -> Settings:
    """The settings, with the names under which the logs are known for ever."""
    from msgspec.structs import replace

    if (settings.data_folder / FILE).exists():
        return settings
    return replace(settings, origin=told.origin, public_url=settings.public_url or told.public_url)


def _rows(settings: Settings, told: Description, data: Path, step: Step) -> None:
    url, backup = settings.database_url, told.facts.backup
    if store.holds_store(url):
        begun = store.unfinished(url)
        if begun is None:
            raise StoreExists("store-exists", "There is a Sayso store; a backup is put back into an empty place.")
        if begun != backup:
            raise OtherRestore
    else:
        step("rows")
        if settings.embedded:
            _clear(Path(url.removeprefix("sqlite:///")))
        upgrade(url, to=told.facts.revision)
        if settings.embedded:
            Path(url.removeprefix("sqlite:///")).chmod(0o600)
        store.put_all(url, rowfile.pages(data / DATA), (WORLD, backup, now(), 1, "begun"))
    step("tables")
    upgrade(url)


def _clear(path: Path) -> None:
    # What a lost database left beside itself is nothing of the new one's.
    if not path.exists():
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)


async def _keys(settings: Settings, told: Description, keys: Path) -> None:
    # By a database that loads no configuration: without its keys there is none.
    database = open_database(settings.database_url)
    await database.start()
    try:
        for brand in told.facts.brands:
            context = Context(brand.tenant, SYSTEM, now(), new_id("req"))
            await keybackup.put_back(database, context, keys / (brand.tenant + KEY_TABLE))
    finally:
        await database.stop()
