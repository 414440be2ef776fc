"""What a backup says of itself: release, tables, where registry and log of each brand stood. Signed, and checked."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from audit import Jws, Malformed, SignatureInvalid, sign_jws
from sayso.kernel import Conflict
from sayso.server.backups.rowfile import DamagedBackup, digest_of
from sayso.server.tenancy import DEFAULT
from vault import Keyring

FILE: Final = "backup.jws"
DATA: Final = "data.rows"
TYPE: Final = "sayso-backup+jwt"
KEY_TABLE: Final = ".keytable"
_USE: Final = "certificate"


class ForeignBackup(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "foreign-backup", "This backup was not signed by an installation whose keys lie in this key folder."
        )


class LogHead(Struct, frozen=True):
    """A log as it was: its entries and their root, base64 of 32 bytes."""

    log: str
    size: int
    root: str


class Brand(Struct, frozen=True):
    """Where a brand stood: position of the registry, its logs, and how many entries waited."""

    tenant: str
    position: int
    waiting: int
    logs: tuple[LogHead, ...]


class Facts(Struct, frozen=True):
    """What was copied. `alone`: nobody else could write meanwhile, nor did before the copy was signed. `keys` are the
    SHA-256 of the key tables by brand: they were copied after the data.
    """

    backup: str
    revision: str
    database: str
    alone: bool
    digest: str
    rows: dict[str, int]
    brands: tuple[Brand, ...]
    keys: dict[str, str]


class Description(Struct, frozen=True):
    """What is signed."""

    format: int
    release: str
    made_at: str
    origin: str
    public_url: str
    facts: Facts


def signed(keyring: Keyring, description: Description) -> str:
    """The description as a compact JWS, by the key of certificates of the brand `default`."""
    return sign_jws(keyring.current(DEFAULT, _USE), TYPE, msgspec.json.encode(description))


def read(folder: Path) -> tuple[Description, Jws]:
    """What a backup says of itself, not verified yet. Raises `DamagedBackup`."""
    try:
        jws = Jws.parse((folder / FILE).read_text("ascii").strip())
        if jws.typ != TYPE:
            raise DamagedBackup
        return msgspec.json.decode(jws.payload, type=Description), jws
    except (OSError, UnicodeDecodeError, Malformed, msgspec.DecodeError):
        raise DamagedBackup from None


def demand_files(description: Description, data: Path, keys: Path) -> None:
    """Raise `DamagedBackup` unless both folders hold what the description says."""
    facts = description.facts
    if digest_of(data / DATA) != facts.digest:
        raise DamagedBackup
    for tenant, digest in facts.keys.items():
        if digest_of(keys / (tenant + KEY_TABLE)) != digest:
            raise DamagedBackup


def demand_ours(keyring: Keyring, jws: Jws) -> None:
    """Raise `ForeignBackup` unless the description was signed by a key that this key folder opens."""
    if all(public != jws.public_key for _, public in keyring.published(DEFAULT, _USE)):
        raise ForeignBackup
    try:
        jws.verify(jws.public_key)
    except SignatureInvalid:
        raise ForeignBackup from None
