"""Files of the key folder: private, and overwritten when they go."""

import os
import stat
from pathlib import Path

from vault.providers.provider import RootKeyError


class ExposedRootKey(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__(
            "exposed-root-key", f"{path} may be read by others: its folder needs mode 0700, the file 0600."
        )


def demand_private(folder: Path, path: Path) -> None:
    """Raise `ExposedRootKey` when others may read the folder or the file."""
    for part in (folder, path):
        if part.exists() and stat.S_IMODE(part.stat().st_mode) & 0o077:
            raise ExposedRootKey(path)


def overwrite(path: Path) -> None:
    """Put zeros over a file's bytes before it goes. Disks and file systems that move blocks about may keep a copy."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
