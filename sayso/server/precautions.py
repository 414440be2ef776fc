"""What must hold before anything is served: a store, its keys elsewhere, and a word of warning where one is due."""

from pathlib import Path

from sayso.kernel import Invalid, NotFound
from sayso.server.settings import FILE, Settings
from vault import KEY_FILES, Custody, PassphraseNeeded

ROOT_KEY = "root.key"

UNSEALED = "the root key is unsealed: whoever reads {path} can read everything. Give a passphrase with --passphrase-fd."


class KeysBesideData(Invalid):
    """Keys lie inside the data folder, or data inside the key folder (design 6, rule 6)."""


class NoStore(NotFound):
    """The folder holds no Sayso store."""


def demand_apart(data: Path, keys: Path) -> None:
    """Raise `KeysBesideData` unless neither folder lies inside the other and no root key lies among the data."""
    data, keys = data.resolve(), keys.resolve()
    if data == keys or data in keys.parents or keys in data.parents or _holds_keys(data):
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
    return data.is_dir() and any(any(data.rglob(name)) for name in KEY_FILES)
