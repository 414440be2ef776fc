"""`erased`, in the key folder: which data keys were destroyed, kept where no backup of the data reaches.

A database that is restored from an old copy has the keys of people who were erased since. Until the epoch above them is
destroyed those keys would open. So what was destroyed is written down here as well, a line for each tombstone:

    tenant, tombstone (hex), commitments of the destroyed keys (hex, separated by commas)

A commitment names a key and nobody. When the program starts on a database that does not know the last tombstones here,
the keys in them are destroyed once more, before anything is served (`Revocation`).
"""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from sayso.kernel import Context, Database, Tx, Work
from sayso.kernel.files import sync_folder
from vault.keys import keybackup_store
from vault.keys.keybackup_store import Place
from vault.keys.keyfiles import demand_private
from vault.providers.provider import RootKeyError
from vault.shredding import ledger_store
from vault.shredding.shred import DestroyedKey

FILE: Final = "erased"
_AT_ONCE: Final = 200
_PAGE: Final = 2_000
_MOST_KEPT: Final = 10_000
_LONGEST_LINE: Final = 1 << 16
_BACK: Final = 600 * 1000 << 80
"""Ten minutes, where the number of a tombstone has its milliseconds (UUIDv7)."""

_facts = msgspec.json.Decoder(tuple[DestroyedKey, ...]).decode


class DamagedLedger(RootKeyError):
    def __init__(self, path: Path, line: int) -> None:
        super().__init__("damaged-ledger", f"{path} is damaged at line {line}. Restore it from its own backup.")


Noted = tuple[bytes, tuple[bytes, ...]]
"""A tombstone, and the commitments of the keys that were destroyed with it."""


class Ledger:
    """The file. Lines are short and written in one piece; of those that are long past only the file knows."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._recent: dict[str, dict[bytes, tuple[bytes, ...]]] | None = None

    def recent(self, tenant: str) -> dict[bytes, tuple[bytes, ...]]:
        """The newest tombstones of a tenant that were noted. Raises `DamagedLedger`."""
        if self._recent is None:
            self._mend()
            self._recent = {}
            for each, noted in self._lines():
                self._keep(self._recent, each, noted)
        return self._recent.setdefault(tenant, {})

    def every(self, tenant: str) -> Iterator[Noted]:
        """All of a tenant's, from the file. Raises `DamagedLedger`."""
        return (noted for each, noted in self._lines() if each == tenant)

    def note(self, tenant: str, tombstones: Iterable[Noted]) -> int:
        """Write down those that are not yet; how many. On disk when it returns."""
        known = self.recent(tenant)
        fresh = [(raw, keys) for raw, keys in tombstones if raw not in known]
        if fresh:
            new = not self._path.exists()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, "".join(_line(tenant, *noted) for noted in fresh).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                sync_folder(self._path.parent)
            assert self._recent is not None
            for noted in fresh:
                self._keep(self._recent, tenant, noted)
        return len(fresh)

    def _keep(self, recent: dict[str, dict[bytes, tuple[bytes, ...]]], tenant: str, noted: Noted) -> None:
        kept = recent.setdefault(tenant, {})
        kept[noted[0]] = noted[1]
        if len(kept) > _MOST_KEPT:
            since = back_from(max(kept))
            recent[tenant] = {raw: keys for raw, keys in kept.items() if raw > since}

    def _lines(self) -> Iterator[tuple[str, Noted]]:
        demand_private(self._path.parent, self._path)
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    tenant, raw, keys = line.decode("ascii").rstrip("\n").split(" ")
                    noted = bytes.fromhex(raw), tuple(map(bytes.fromhex, filter(None, keys.split(","))))
                except ValueError:
                    raise DamagedLedger(self._path, number) from None
                yield tenant, noted

    def _mend(self) -> None:
        """Take away half a line, left by a power cut: what it was about is still in the table, and is noted again."""
        if self._path.exists():
            with self._path.open("r+b") as file:
                end = file.seek(0, os.SEEK_END)
                start = max(end - _LONGEST_LINE, 0)
                file.seek(start)
                tail = file.read()
                if tail and not tail.endswith(b"\n"):
                    file.truncate(start + tail.rfind(b"\n") + 1)


def back_from(tombstone: bytes) -> bytes:
    """Ten minutes before a tombstone: they are numbered by time, and one may commit after a later one."""
    return max(int.from_bytes(tombstone, "big") - _BACK, 0).to_bytes(16, "big")


def _line(tenant: str, raw: bytes, keys: tuple[bytes, ...]) -> str:
    return f"{tenant} {raw.hex()} {','.join(key.hex() for key in keys)}\n"


class Revocation:
    """Keeps the ledger, and finds what is in it and has come back."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def note(self, database: Database, context: Context) -> int:
        """Note what was destroyed since the last time. To be awaited before an erasure is answered."""
        known = self._ledger.recent(context.tenant)
        since = back_from(max(known, default=bytes(16)))
        noted = 0
        while True:
            rows = await database.look(context, partial(_tombstones, since=since))
            noted += self._ledger.note(context.tenant, [(bytes(raw), _keys(facts)) for raw, facts in rows])
            if len(rows) < _AT_ONCE:
                return noted
            since = bytes(rows[-1][0])

    def remember(self, tenant: str, tombstones: Iterable[tuple[bytes, bytes]]) -> int:
        """Note tombstones from elsewhere, with their facts as stored: those in a backup of the key table."""
        return self._ledger.note(tenant, [(raw, _keys(facts)) for raw, facts in tombstones])

    def newest(self, tenant: str) -> bytes | None:
        """The last tombstone that was noted."""
        return max(self._ledger.recent(tenant), default=None)

    async def lacks(self, database: Database, context: Context, tombstone: bytes) -> bool:
        """Whether a tombstone that was noted is not in the database: it went back in time under whoever serves on it.
        A read of one row.
        """
        return not await database.look(context, partial(_knows, tombstones=[tombstone]))

    async def returned(self, database: Database, context: Context) -> dict[bytes, set[str]]:
        """Whose keys of which classes are in the database although they were destroyed. Cold; a read of the
        recent tombstones, unless the database lacks one of them.
        """
        tenant = context.tenant
        known = self._ledger.recent(tenant)
        if not known:
            return {}
        # All of the recent ones, not the last alone: a restored copy goes on, and soon knows a last one of its own.
        recent = iter(sorted(known))
        while part := list(islice(recent, _AT_ONCE)):
            if len(await database.look(context, partial(_knows, tombstones=part))) < len(part):
                break
        else:
            return {}
        doomed: set[bytes] = set()
        noted = self._ledger.every(tenant)
        while page := list(islice(noted, _AT_ONCE)):
            there = await database.look(context, partial(_knows, tombstones=[raw for raw, _ in page]))
            doomed.update(key for raw, keys in page if raw not in there for key in keys)
        found: dict[bytes, set[str]] = {}
        place: Place | None = None
        while doomed and (rows := await database.look(context, partial(_keys_after, place=place))):
            for _, owner, cls, _, _, _, _, committed, _ in rows:
                if bytes(committed) in doomed:
                    found.setdefault(bytes(owner), set()).add(cls)
            place = (rows[-1][0], bytes(rows[-1][1]), rows[-1][2])
        return found


def _tombstones(tx: Tx, since: bytes) -> Work[list[tuple[bytes, bytes]]]:
    (rows,) = yield (tx.select(ledger_store.tombstones_after(since, _AT_ONCE)),)
    return list(rows)


def _knows(tx: Tx, tombstones: list[bytes]) -> Work[set[bytes]]:
    (rows,) = yield (tx.select(ledger_store.tombstones_among(tombstones)),)
    return {bytes(raw) for (raw,) in rows}


def _keys_after(tx: Tx, place: Place | None) -> Work[list[tuple[Any, ...]]]:
    (rows,) = yield (tx.select(keybackup_store.keys_after(tx.context.tenant, place, _PAGE)),)
    return list(rows)


def _keys(facts: bytes) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(key.key) for key in _facts(facts))
