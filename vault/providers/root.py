"""The root key in a file of its own, in a folder of its own: the provider that needs no other service.

`root.key` is three lines of text:

    header       JSON, keys sorted: what follows from a passphrase and how, or the key itself
    mac          HMAC-SHA256 over the header line, hex
    checksum     SHA-256 over the two lines before, hex

The checksum tells a damaged file from a wrong passphrase; the MAC, which only the right key can make, tells whether
somebody rewrote the header. With a passphrase: Argon2id (RFC 9106) -> key -> root key. Without one the file is
`unsealed`: whoever reads it has the key, therefore `serve` and `doctor` warn. Beside it lie the keys of tenants' epochs
(`epochfile.py`).
"""

import os
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Struct

from sayso.kernel.files import write_whole
from vault.ciphers import aad
from vault.ciphers.derive import commitment, expand, hmac_sha256
from vault.ciphers.suite import KEY_BYTES, BrokenSeal, Suite
from vault.keys.epochfile import EpochFile
from vault.keys.keyfiles import demand_private
from vault.keys.wrapped import WRAPPED_BYTES, WrappingKey
from vault.providers.provider import ProviderFacts, Receipt, RootKeyError

FILE: Final = "root.key"
_FORMAT: Final = "sayso-root-key-1"
_MOST_MEMORY_KIB: Final = 4 * 1024 * 1024
_MOST_PASSES: Final = 64
_SELF: Final = b"sayso.root.v1"


class Cost(Struct, frozen=True):
    """What one guess at the passphrase costs: memory in KiB, passes, lanes. The default takes about 0.4 s."""

    memory_kib: int = 256 * 1024
    passes: int = 3
    lanes: int = 4


STRONG: Final = Cost()


class MissingRootKey(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("missing-root-key", f"There is no root key at {path}. Without it nothing stored can be read.")


class RootKeyExists(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("root-key-exists", f"{path} exists. Overwriting a root key would lose all its data.")


class DamagedRootKey(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("damaged-root-key", f"{path} is damaged or was altered. Restore it from its own backup.")


class PassphraseNeeded(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("passphrase-needed", f"{path} is sealed: give its passphrase.")


class WrongPassphrase(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("wrong-passphrase", f"This passphrase does not open {path}.")


class NotSealed(RootKeyError):
    def __init__(self, path: Path) -> None:
        super().__init__("not-sealed", f"{path} is not sealed, so the passphrase given protects nothing.")


class _Header(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bytes are hex. `root` and `stretched` are the commitments of the root key and of what the passphrase gives."""

    format: Literal["sayso-root-key-1"]
    kdf: Literal["argon2id", "none"]
    root: str
    suite: Literal[1, 2]
    clear: str = ""
    cost: Cost | None = None
    salt: str = ""
    stretched: str = ""
    wrapped: str = ""


class SealedFile:
    """The root key provider of the embedded default. A `KeyProvider`."""

    remote = False

    def __init__(self, path: Path, root: bytes, *, sealed: bool, suite: Suite) -> None:
        self._path = path
        self._suite = suite
        self._wrapping = WrappingKey(root, suite)
        self._epochs = EpochFile(path.parent, self._wrapping, expand(root, b"epochs"))
        self._facts = ProviderFacts("sealed-file", expand(root, b"name")[:8].hex(), sealed)

    def __repr__(self) -> str:
        return f"<SealedFile {self._facts.key}>"

    @classmethod
    def create(
        cls, folder: Path, passphrase: bytes | None, *, cost: Cost = STRONG, suite: Suite = Suite.GCM_SIV
    ) -> Self:
        """A new root key in `folder`, which is made (0700) if need be. Raises `RootKeyExists`, `ExposedRootKey`."""
        suite.demand()
        path = folder / FILE
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise RootKeyExists(path)
        demand_private(folder, path)
        root = os.urandom(32)
        write_whole(path, _compose(root, passphrase, cost, suite))
        return cls(path, root, sealed=passphrase is not None, suite=suite)

    @classmethod
    def open(cls, folder: Path, passphrase: bytes | None) -> Self:
        """The root key in `folder`. Raises a `RootKeyError` that says exactly what is the matter."""
        path = folder / FILE
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise MissingRootKey(path) from None
        except OSError as error:
            raise RootKeyError("unreadable-root-key", f"{path} cannot be read: {error.strerror}.") from None
        demand_private(folder, path)
        header, mac = _take_apart(path, content)
        if passphrase is None and header.kdf != "none":
            raise PassphraseNeeded(path)
        if passphrase is not None and header.kdf == "none":
            raise NotSealed(path)
        root = _clear_root(path, header, mac) if passphrase is None else _sealed_root(path, header, mac, passphrase)
        return cls(path, root, sealed=passphrase is not None, suite=Suite(header.suite))

    def describe(self) -> ProviderFacts:
        return self._facts

    def make(self, name: str) -> str:
        self._epochs.make(name)
        return name

    def wrap(self, key: bytes, context: dict[str, str], ref: str = "") -> bytes:
        return self._key(ref).wrap(key, aad.tenant_key(context))

    def unwrap(self, wrapped: bytes, context: dict[str, str], commitment: bytes, ref: str = "") -> bytes:
        return self._key(ref).unwrap(wrapped, aad.tenant_key(context), commitment)

    def destroy(self, ref: str, at: int) -> Receipt:
        self._epochs.destroy(ref)
        return Receipt(self._facts.provider, ref, at)

    def health(self) -> None:
        """The file is still there, private and whole: a key that lives on in memory alone is lost at the next start."""
        try:
            content = self._path.read_bytes()
        except OSError:
            raise MissingRootKey(self._path) from None
        demand_private(self._path.parent, self._path)
        _take_apart(self._path, content)
        self._epochs.check()

    def _key(self, ref: str) -> WrappingKey:
        return self._epochs.key(ref, self._suite) if ref else self._wrapping


def _compose(root: bytes, passphrase: bytes | None, cost: Cost, suite: Suite) -> bytes:
    """The file's content for `root`."""
    about = _Header(_FORMAT, "none", commitment(root).hex(), suite.value)
    if passphrase is None:
        key = root
        header = msgspec.structs.replace(about, clear=root.hex())
    else:
        salt = os.urandom(16)
        key = _stretch(passphrase, salt, cost)
        header = msgspec.structs.replace(
            about,
            kdf="argon2id",
            cost=cost,
            salt=salt.hex(),
            stretched=commitment(key).hex(),
            wrapped=WrappingKey(key, suite).wrap(root, _SELF).hex(),
        )
    line = _ENCODER.encode(header)
    lines = line + b"\n" + _mac(key, line).hex().encode() + b"\n"
    return lines + sha256(lines).hexdigest().encode() + b"\n"


def _take_apart(path: Path, content: bytes) -> tuple[_Header, bytes]:
    """Header and MAC of a whole file. What does not print back to the same bytes is damaged."""
    try:
        line, mac, checksum, rest = content.split(b"\n")
        if rest or sha256(line + b"\n" + mac + b"\n").hexdigest().encode() != checksum:
            raise DamagedRootKey(path)
        header = msgspec.json.decode(line, type=_Header)
        if _ENCODER.encode(header) != line:
            raise DamagedRootKey(path)
        return header, bytes.fromhex(mac.decode())
    except ValueError:
        raise DamagedRootKey(path) from None


def _clear_root(path: Path, header: _Header, mac: bytes) -> bytes:
    root = _hex(path, header.clear, KEY_BYTES)
    _demand_mac(path, root, header, mac)
    return root


def _sealed_root(path: Path, header: _Header, mac: bytes, passphrase: bytes) -> bytes:
    cost = header.cost
    if cost is None or not _bearable(cost):
        raise DamagedRootKey(path)
    key = _stretch(passphrase, _hex(path, header.salt, 16), cost)
    if not compare_digest(commitment(key), _hex(path, header.stretched, 16)):
        raise WrongPassphrase(path)
    _demand_mac(path, key, header, mac)
    wrapping = WrappingKey(key, Suite(header.suite))
    try:
        return wrapping.unwrap(_hex(path, header.wrapped, WRAPPED_BYTES), _SELF, _hex(path, header.root, 16))
    except BrokenSeal:
        raise DamagedRootKey(path) from None


def _bearable(cost: Cost) -> bool:
    """A file that somebody rewrote must not make the start take all memory."""
    return (
        1 <= cost.lanes <= 64
        and 1 <= cost.passes <= _MOST_PASSES
        and 8 * cost.lanes <= cost.memory_kib <= _MOST_MEMORY_KIB
    )


def _stretch(passphrase: bytes, salt: bytes, cost: Cost) -> bytes:
    return Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib).derive(
        passphrase
    )


def _mac(key: bytes, line: bytes) -> bytes:
    return hmac_sha256(expand(key, b"mac"), line)


def _demand_mac(path: Path, key: bytes, header: _Header, mac: bytes) -> None:
    if not compare_digest(_mac(key, _ENCODER.encode(header)), mac):
        raise DamagedRootKey(path)


def _hex(path: Path, text: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise DamagedRootKey(path) from None
    if len(value) != length:
        raise DamagedRootKey(path)
    return value


_ENCODER = msgspec.json.Encoder(order="sorted")
