"""Where a customer database is, and by which account: `SAYSO_SYSTEM_<NAME>`, or a file beside the keys.

Whoever may change a manifest can so choose among the databases that the operator gave the server, and add none.
"""

import os
from pathlib import Path
from typing import Final

PREFIX: Final = "SAYSO_SYSTEM_"
FOLDER: Final = "systems"
_LONGEST: Final = 4_096


def url_of(tenant: str, system: str, key_folder: Path) -> str | None:
    """The database URL of a system, None without one. Of another tenant than `default` only the file counts: in the
    environment the names of two tenants' systems could come to one variable.
    """
    name = system if tenant == "default" else f"{tenant}.{system}"
    found = os.environ.get(PREFIX + system.upper().replace("-", "_").replace(".", "_")) if name == system else None
    if found:
        return found
    file = key_folder / FOLDER / name
    if file.is_file() and file.stat().st_size <= _LONGEST:
        return file.read_text("utf-8").strip() or None
    return None
