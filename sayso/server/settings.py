"""Settings: one frozen value, handed to `wire`. Nothing reads the environment after `load`.

Sources, the later wins: the defaults below, `DIR/sayso.toml`, the environment (`SAYSO_PORT=8090`), the command line.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from sayso.kernel import Invalid
from sayso.kernel.files import write_whole

FILE = "sayso.toml"
"""The settings file inside the data folder. `sayso init` writes it, 0600, since a database URL holds a password."""

SOCKET = "sayso.sock"
"""Where in the data folder a running server hears the local operator."""

LONGEST_SOCKET = 103
"""Bytes of a socket's path that every system takes (macOS; Linux takes 107)."""

PREFIX = "SAYSO_"

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may choose. Sizes in bytes, times in seconds, rates per minute."""

    data: str
    keys: str = ""
    database: str = ""
    host: str = "127.0.0.1"
    port: Port = 8080
    workers: Positive = 1
    public_url: str = ""
    origin: str = ""
    body_limit: Positive = 1 << 20
    site_rate: Positive = 6000
    prefix_rate: Positive = 120
    trusted_proxies: tuple[str, ...] = ()
    integrate_every: float = 0.25
    log_most_waiting: Positive = 200_000
    log_longest_wait: Positive = 30
    witness_policy: str = ""
    witness_every: Positive = 10
    witness_timeout: Positive = 3
    witness_logs: str = ""
    timestamp_url: str = ""
    timestamp_roots: str = ""
    publish_to: str = ""
    publish_every: Positive = 10
    publish_entries: bool = False
    publish_endpoint: str = ""
    publish_region: str = ""
    banner_max_age: Positive = 60
    shutdown_grace: Positive = 10
    policy_stale_after: Positive = 60
    webhook_hosts: tuple[str, ...] = ()
    webhook_overdue: Positive = 900
    nats: tuple[str, ...] = ()
    nats_credentials: str = ""
    nats_replicas: Positive = 1
    mail_host: str = ""
    mail_port: Port = 587
    mail_tls: Literal["starttls", "tls", "none"] = "starttls"
    mail_user: str = ""
    mail_password_file: str = ""
    mail_from: str = ""
    mail_timeout: Positive = 20
    cipher: Literal["aes-256-gcm-siv", "aes-256-gcm"] = "aes-256-gcm-siv"
    key_lease: Positive = 300
    backup_horizon: str = ""
    log_level: str = "info"
    demo: bool = False

    @property
    def data_folder(self) -> Path:
        return Path(self.data)

    @property
    def key_folder(self) -> Path:
        """Where the root key lies: never inside the data folder (design 6, rule 6)."""
        return Path(self.keys) if self.keys else self.data_folder.with_name(self.data_folder.name + ".keys")

    @property
    def database_url(self) -> str:
        """The database as SQLAlchemy writes it; the embedded default is a file in the data folder."""
        return self.database or f"sqlite:///{self.data_folder / 'sayso.db'}"

    @property
    def embedded(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sends_mail(self) -> bool:
        """Whether there is a mail server to bring letters to, and an address to write from."""
        return bool(self.mail_host and self.mail_from)

    @property
    def base_url(self) -> str:
        """Where people and services reach us, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def inside_hosts(self) -> tuple[str, ...]:
        """Hosts inside that messages may go to: those named, and in the demo our own, where its mailer listens."""
        return (*self.webhook_hosts, self.host) if self.demo else self.webhook_hosts

    @property
    def socket(self) -> Path:
        """Where a running server hears the local operator."""
        return self.data_folder / SOCKET

    @property
    def log_origin(self) -> str:
        """What the names of this installation's logs begin with: an address without its scheme, fixed by `init`."""
        return self.origin or re.sub(r"^[a-z]+://", "", self.base_url)

    def __repr__(self) -> str:
        return f"Settings(data={self.data!r})"  # a database URL holds a password


def load(data: Path | str, environ: Mapping[str, str] = os.environ, **chosen: object) -> Settings:
    """Settings for the data folder. `chosen` are command-line options; None means not given.

    Raises `Invalid` (`invalid-setting`) naming the setting, never its value; also for a folder whose path is so long
    that no socket can lie in it.
    """
    folder = Path(data)
    values: dict[str, Any] = {**_from_file(folder / FILE), **_from_environment(environ)}
    values.update({name: value for name, value in chosen.items() if value is not None})
    values["data"] = str(folder.absolute())
    if values.get("keys"):
        values["keys"] = str(Path(values["keys"]).absolute())
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid("invalid-setting", f"A setting cannot be read: {_without_values(str(error))}.") from None
    if len(os.fsencode(settings.socket)) > LONGEST_SOCKET:
        longest = LONGEST_SOCKET - len(SOCKET) - 1
        raise Invalid("invalid-setting", f"The path of the data folder has more than the {longest} bytes it may have.")
    return settings


def remember(settings: Settings) -> None:
    """Write the settings that later commands on this folder must know: all of them or none."""
    values = {"origin": settings.log_origin}
    for name in ("keys", "database", "public_url", "cipher"):
        if value := getattr(settings, name):
            values[name] = value
    lines = "".join(f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in values.items())
    write_whole(settings.data_folder / FILE, ("# Written by sayso init.\n" + lines).encode())


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Invalid("invalid-setting", f"{FILE} is not TOML.") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        text = environ.get(PREFIX + field.name.upper())
        if text is not None:
            found[field.name] = (
                [part.strip() for part in text.split(",") if part.strip()] if field.type == tuple[str, ...] else text
            )
    return found


def _without_values(message: str) -> str:
    return re.sub(r"'[^']*'", "a value", message)
