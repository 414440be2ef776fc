"""`epochs.keys`, beside `root.key`: the keys of tenants' epochs, each wrapped by the root key.

A tenant key of an epoch is wrapped by the key here that bears its name, so taking that one away makes every copy of the
tenant key useless, whatever backup it lies in. Two lines of text: JSON with sorted keys, and HMAC-SHA256 over it in
hex, under a key that only the root key gives.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from sayso.kernel.files import write_whole
from vault.ciphers.derive import commitment, hmac_sha256, parts
from vault.ciphers.suite import KEY_BYTES, BrokenSeal, Suite
from vault.keys.keyfiles import demand_private, overwrite
from vault.keys.wrapped import WrappingKey
from vault.providers.provider import KeyGone, RootKeyError

FILE: Final = "epochs.keys"
KIND: Final = "sealed-file"
_LABEL: Final = b"sayso.epoch.v1"


class DamagedEpochKeys(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("damaged-epoch-keys", f"{path} is damaged or was altered. Restore it from its own backup.")


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    committed: str
    wrapped: str


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["sayso-epoch-keys-1"]
    keys: dict[str, _Kept]


_EMPTY: Final = _File("sayso-epoch-keys-1", {})
_encode = msgspec.json.Encoder(order="sorted").encode


class EpochFile:
    """The file, read anew each time: another process on this folder may have changed it."""

    def __init__(self, folder: Path, wrapping: WrappingKey, mac_key: bytes) -> None:
        self._path = folder / FILE
        self._old = self._path.with_suffix(".old")
        self._wrapping = wrapping
        self._mac_key = mac_key

    def make(self, name: str) -> None:
        """A new key of that name, unless there is one."""
        with self._alone():
            kept = self._read().keys
            if name not in kept:
                key = os.urandom(KEY_BYTES)
                wrapped = self._wrapping.wrap(key, _bound(name))
                self._write({**kept, name: _Kept(commitment(key).hex(), wrapped.hex())})

    def key(self, name: str, suite: Suite) -> WrappingKey:
        """The key of that name. Raises `KeyGone`."""
        found = self._read().keys.get(name)
        if found is None:
            raise KeyGone(KIND, name)
        try:
            wrapped, committed = bytes.fromhex(found.wrapped), bytes.fromhex(found.committed)
            return WrappingKey(self._wrapping.unwrap(wrapped, _bound(name), committed), suite)
        except (ValueError, BrokenSeal):
            raise DamagedEpochKeys(self._path) from None

    def destroy(self, name: str) -> None:
        """Take the key away. The bytes that the file had are overwritten before they go."""
        with self._alone():
            kept = dict(self._read().keys)
            if kept.pop(name, None) is not None:
                os.link(self._path, self._old)
                self._write(kept)
                self._wipe()

    def check(self) -> None:
        """Raise `DamagedEpochKeys`, `ExposedRootKey`."""
        demand_private(self._path.parent, self._path)
        self._read()
        if self._old.exists():
            with self._alone():
                pass

    def _wipe(self) -> None:
        """Finish what a killed process began: the file as it was before must not stay."""
        if self._old.exists():
            if not self._old.samefile(self._path):
                overwrite(self._old)
            self._old.unlink()

    def _read(self) -> _File:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return _EMPTY
        line, _, rest = content.partition(b"\n")
        mac = hmac_sha256(self._mac_key, line).hex().encode() + b"\n"
        if not compare_digest(mac, rest):
            raise DamagedEpochKeys(self._path)
        try:
            return msgspec.json.decode(line, type=_File)
        except msgspec.DecodeError:
            raise DamagedEpochKeys(self._path) from None

    def _write(self, keys: dict[str, _Kept]) -> None:
        line = _encode(_File("sayso-epoch-keys-1", keys))
        write_whole(self._path, line + b"\n" + hmac_sha256(self._mac_key, line).hex().encode() + b"\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes the file."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            self._wipe()
            yield
        finally:
            os.close(folder)


def _bound(name: str) -> bytes:
    return parts(_LABEL, name.encode())
