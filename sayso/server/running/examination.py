"""What `sayso doctor` looks at, beside starting the program."""

import stat
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Literal

from msgspec import Struct

from sayso.kernel import SaysoError
from sayso.server.running.precautions import UNSEALED, demand_apart
from sayso.server.settings import FILE, Settings
from vault import Custody, OutsideKey, own_folders

OURS = ("audit", "consent", "policies", "reports", "rights", "sayso", "vault")


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    level: Literal["fine", "warning", "wrong"]
    name: str
    text: str


def examine(settings: Settings, passphrase: bytes | None) -> list[Finding]:
    """Everything that can be told without opening the store."""
    found = [_store(settings)]
    if found[0].level == "wrong":
        return found
    found += [
        _apart(settings),
        _private(settings.data_folder, "data folder"),
        _private(settings.key_folder, "key folder"),
    ]
    found += [_root_key(settings, passphrase), *_own_providers(settings), _tables(settings), _names()]
    return found


def _store(settings: Settings) -> Finding:
    if (settings.data_folder / FILE).is_file():
        return Finding("fine", "store", f"There is a store in {settings.data_folder}.")
    return Finding("wrong", "store", "There is no Sayso store in this folder; sayso init makes one.")


def _apart(settings: Settings) -> Finding:
    try:
        demand_apart(settings.data_folder, settings.key_folder)
    except SaysoError as error:
        return Finding("wrong", "keys apart from data", error.message)
    return Finding("fine", "keys apart from data", f"Keys lie in {settings.key_folder}.")


def _private(folder: Path, name: str) -> Finding:
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        return Finding("wrong", name, f"It cannot be read: {error.strerror}.")
    if mode & 0o077:
        return Finding("warning", name, f"Others on this machine may enter it (mode {mode:04o}); chmod 700 it.")
    return Finding("fine", name, "Only its owner may enter it.")


def _root_key(settings: Settings, passphrase: bytes | None) -> Finding:
    try:
        custody = Custody.open(settings.key_folder, passphrase)
        custody.default.health()
    except SaysoError as error:
        return Finding("wrong", "root key", error.message)
    if not custody.sealed:
        warning = UNSEALED.format(path=settings.key_folder / "root.key")
        return Finding("warning", "root key", warning[0].upper() + warning[1:])
    facts = custody.default.describe()
    if custody.default.remote:
        return Finding("fine", "root key", f"Root key {facts.key} lies in {facts.provider}, which answers.")
    return Finding("fine", "root key", "It is sealed and opens.")


def _own_providers(settings: Settings) -> list[Finding]:
    """The providers of brands that bring their own."""
    found = []
    for folder in own_folders(settings.key_folder):
        name = f"root key of {folder.name}"
        try:
            provider = OutsideKey.open(folder)
            provider.health()
        except SaysoError as error:
            found.append(Finding("wrong", name, error.message))
        else:
            facts = provider.describe()
            found.append(Finding("fine", name, f"Root key {facts.key} lies in {facts.provider}, which answers."))
    return found


def _tables(settings: Settings) -> Finding:
    from sayso.migrations import current, known, newest

    try:
        stands, wanted = current(settings.database_url), newest()
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own; any of them is the finding
        return Finding("wrong", "tables", f"The database does not answer ({type(error).__name__}).")
    if stands == wanted:
        return Finding("fine", "tables", f"They are at revision {stands}.")
    if stands is not None and not known(stands):
        return Finding("wrong", "tables", f"They are at revision {stands}, of a newer release than this program.")
    return Finding("wrong", "tables", f"They are at revision {stands}, this program needs {wanted}; run sayso upgrade.")


def _names() -> Finding:
    """Our packages have plain names; another distribution that brings one of them would overwrite ours in silence."""
    owners = packages_distributions()
    clashing = sorted(name for name in OURS if set(owners.get(name, [])) - {"sayso"})
    if clashing:
        return Finding("wrong", "packages", f"Another distribution brings {', '.join(clashing)}; install Sayso alone.")
    return Finding("fine", "packages", "No other distribution brings packages of our names.")
