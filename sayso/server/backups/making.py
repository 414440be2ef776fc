"""Making a backup: where it may lie, and the copy of the rows, taken beside whoever is at work."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sayso.server.backups import store
from sayso.server.backups.description import DATA, Brand, Facts, LogHead
from sayso.server.backups.rowfile import Page, Writing, digest_of
from sayso.server.running.precautions import FileExists, KeysBesideData, inside
from sayso.server.settings import Settings

PART = "backup.part"
"""The copy of the embedded database that rows are read from, in the data folder while a backup is made."""


def demand_places(settings: Settings, out: Path, keys: Path) -> None:
    """Raise `KeysBesideData`, `FileExists` unless a backup may be written to `out` and its key tables to `keys`: new or
    empty folders, neither inside the other, the store or its key folder.
    """
    for folder in (out, keys):
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise FileExists
    if inside(out, keys) or inside(keys, out):
        raise KeysBesideData("keys-beside-data", "A backup of the data never holds keys, nor the other way round.")
    for folder in (settings.data_folder, settings.key_folder):
        if inside(out, folder) or inside(keys, folder):
            raise KeysBesideData("keys-beside-data", "A backup lies apart from the store and from its key folder.")


def copy_rows(settings: Settings, folder: Path, backup: str, *, alone: bool) -> Facts:
    """Write `data.rows`, all as it is at one moment, without a key. Blocks. What is told has no key tables yet."""
    told = _Told()
    with _source(settings) as url, Writing(folder / DATA) as file:

        def take(page: Page) -> None:
            told.hear(page)
            file.page(page)

        revision = store.read_all(url, take)
    digest, kind = digest_of(folder / DATA), "sqlite" if settings.embedded else "postgresql"
    return Facts(backup, revision, kind, alone, digest, dict(sorted(told.rows.items())), told.brands(), {})


@contextmanager
def _source(settings: Settings) -> Iterator[str]:
    """Where rows are read from. Of the embedded database a copy, so that nothing waits for a long reader."""
    if not settings.embedded:
        yield settings.database_url
        return
    part = settings.data_folder / PART
    part.unlink(missing_ok=True)
    part.touch(0o600)
    try:
        store.copy_embedded(Path(settings.database_url.removeprefix("sqlite:///")), part)
        yield f"sqlite:///{part}"
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + name).unlink(missing_ok=True)


class _Told:
    """What the rows say of where each brand stands, heard as they pass."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self._names: list[str] = []
        self._positions: dict[str, int] = {}
        self._waiting: Counter[str] = Counter()
        self._logs: dict[str, list[LogHead]] = {}

    def hear(self, page: Page) -> None:
        self.rows[page.table] += len(page.rows)
        if page.table not in ("server_tenant", "feed_head", "audit_outbox", "audit_tree"):
            return
        names = [name for name, _ in page.columns]
        for values in page.rows:
            row = dict(zip(names, values, strict=True))
            if page.table == "server_tenant":
                self._names.append(row["name"])
            elif page.table == "feed_head":
                self._positions[row["tenant"]] = row["position"]
            elif page.table == "audit_outbox":
                self._waiting[row["tenant"]] += row["count"]
            else:
                head = LogHead(row["log"], row["size"], b64encode(row["root"]).decode())
                self._logs.setdefault(row["tenant"], []).append(head)

    def brands(self) -> tuple[Brand, ...]:
        return tuple(
            Brand(name, self._positions.get(name, 0), self._waiting[name], tuple(self._logs.get(name, ())))
            for name in sorted(self._names)
        )
