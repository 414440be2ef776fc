"""What must hold before anything is served: a store, its keys elsewhere, and a word of warning where one is due."""

from pathlib import Path

from sayso.kernel import Conflict, Invalid, NotFound
from sayso.server.settings import FILE, Settings
from vault import KEY_FILES, Custody, PassphraseNeeded

ROOT_KEY = "root.key"

UNSEALED = "the root key is unsealed: whoever reads {path} can read everything. Give a passphrase with --passphrase-fd."


class KeysBesideData(Invalid):
    """Keys lie inside the data folder, or data inside the key folder (design 6, rule 6)."""


class FileExists(Conflict):
    """Nothing is overwritten."""

    def __init__(self) -> None:
        super().__init__("file-exists", "There is something of that name.")


class NoStore(NotFound):
    """The folder holds no Sayso store."""


def inside(path: Path, folder: Path) -> bool:
    """Whether a path is the folder, or lies in it."""
    path, folder = path.resolve(), folder.resolve()
    return path == folder or folder in path.parents


def demand_away(settings: Settings, out: Path) -> None:
    """Raise `KeysBesideData`, `FileExists` unless a backup of the key table may be written to `out`: neither among the
    data, of which it is to be kept apart, nor in the key folder, without which it is worth nothing.
    """
    if out.exists():
        raise FileExists
    for folder in (settings.data_folder, settings.key_folder):
        if inside(out, folder):
            raise KeysBesideData("keys-beside-data", "A copy of the key table lies apart from data and from root key.")


def demand_apart(data: Path, keys: Path) -> None:
    """Raise `KeysBesideData` unless neither folder lies inside the other, no root key or copy of a key table lies among
    the data, and no backup of the data lies among the keys.
    """
    if inside(data, keys) or inside(keys, data) or _holds_keys(data) or _holds_data(keys):
        raise KeysBesideData(
            "keys-beside-data",
            "Keys and data must lie in folders of their own: a copy of one must never hold the other.",
        )


def demand_store(settings: Settings) -> list[str]:
    """Raise what forbids serving this folder; return warnings.

    Raises `NoStore`, `KeysBesideData`, or a `RootKeyError` that says what is the matter with the root key.
    """
    if not (settings.data_folder / FILE).is_file():
        raise NoStore("no-store", "There is no Sayso store in this folder; sayso init makes one.")
    demand_apart(settings.data_folder, settings.key_folder)
    try:
        sealed = Custody.open(settings.key_folder, None).sealed
    except PassphraseNeeded:
        return []
    return [] if sealed else [UNSEALED.format(path=settings.key_folder / ROOT_KEY)]


def _holds_keys(data: Path) -> bool:
    return data.is_dir() and any(any(data.rglob(name)) for name in (*KEY_FILES, "*.keytable"))


def _holds_data(keys: Path) -> bool:
    return keys.is_dir() and any(any(keys.rglob(name)) for name in ("data.rows", "sayso.db"))
