"""`sayso init`: folders, root key, tables, the brand `default` and its first administrator."""

import asyncio
from pathlib import Path

from msgspec import Struct

from sayso.kernel import Conflict
from sayso.server.running.founding import Founded, NewTenant, found
from sayso.server.running.local import locked
from sayso.server.running.precautions import demand_apart
from sayso.server.settings import FILE, Settings, remember
from sayso.server.tenancy import DEFAULT
from vault import SUITES, OutsideKey, SealedFile, holds_root


class StoreExists(Conflict):
    """The folder holds a store already."""


class Outside(Struct, frozen=True):
    """Where the root key shall lie instead of in a sealed file: the kind of provider and its settings."""

    kind: str
    settings: dict[str, str]


def lay(
    settings: Settings, controller: str, passphrase: bytes | None = None, outside: Outside | None = None
) -> Founded:
    """Make a store. Raises `StoreExists`, `KeysBesideData`, `RootKeyError`; what was begun may be begun again.

    The settings file comes last: a folder without it holds no store.
    """
    data, keys = settings.data_folder, settings.key_folder
    if (data / FILE).exists():
        raise StoreExists("store-exists", "There is a Sayso store in this folder.")
    demand_apart(data, keys)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(data, patience=2):
        if not holds_root(keys):
            if outside is None:
                SealedFile.create(keys, passphrase, suite=SUITES[settings.cipher])
            else:
                OutsideKey.create(keys, outside.kind, outside.settings)
        _lay_tables(settings)
        made = asyncio.run(_found(settings, controller, passphrase))
        remember(settings)
    return made


def _lay_tables(settings: Settings) -> None:
    # Alembic is large, and nothing that serves needs it.
    from sayso.migrations import upgrade

    upgrade(settings.database_url)
    if settings.embedded:
        Path(settings.database_url.removeprefix("sqlite:///")).chmod(0o600)


async def _found(settings: Settings, controller: str, passphrase: bytes | None) -> Founded:
    from sayso.server.app import running
    from sayso.server.wiring import wire

    services = wire(settings, passphrase)
    async with running(services):
        made = await found(services, NewTenant(DEFAULT, controller))
        await services.settle()
    return made
