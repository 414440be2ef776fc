"""A copy of the embedded database while it is in use."""

import os
from pathlib import Path

from sayso.kernel import Conflict, Invalid
from sayso.server.precautions import KeysBesideData, demand_store
from sayso.server.settings import Settings
from sayso.server.store import copy_embedded


class NotEmbedded(Invalid):
    """The database is PostgreSQL, which has tools of its own for this."""


class FileExists(Conflict):
    """Nothing is overwritten."""


def demand_away(settings: Settings, out: Path) -> None:
    """Raise `KeysBesideData`, `FileExists` unless a backup of the key table may be written to `out`: neither among the
    data, of which it is to be kept apart, nor in the key folder, without which it is worth nothing.
    """
    if out.exists():
        raise FileExists("file-exists", "There is a file of that name.")
    for folder in (settings.data_folder, settings.key_folder):
        if folder.resolve() in out.resolve().parents:
            raise KeysBesideData("keys-beside-data", "A copy of the key table lies apart from data and from root key.")


def copy_database(settings: Settings, out: Path) -> int:
    """Write a consistent copy to `out` (0600); returns its size in bytes.

    Raises `NotEmbedded`, `FileExists`, `KeysBesideData`.
    """
    demand_store(settings)
    if not settings.embedded:
        raise NotEmbedded("not-embedded", "This store is in PostgreSQL; use pg_dump or a base backup.")
    if out.exists():
        raise FileExists("file-exists", "There is a file of that name.")
    if settings.key_folder.resolve() in out.resolve().parents:
        raise KeysBesideData("keys-beside-data", "A copy of the data must not lie in the key folder.")
    os.close(os.open(out, os.O_CREAT | os.O_EXCL, 0o600))
    copy_embedded(Path(settings.database_url.removeprefix("sqlite:///")), out)
    return out.stat().st_size
