"""Options of every command on a data folder, and what they come to: settings, a tenant, perhaps a passphrase."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from sayso.kernel import SaysoError
from sayso.server.settings import Settings, load


class Place(Struct, frozen=True):
    """What a command works on."""

    settings: Settings
    tenant: str
    passphrase: bytes | None
    as_json: bool


def on_data(*, json: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--data --keys --database --tenant --passphrase-fd [--json]`; the command gets them as one `place`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapped(
            *args: Any,
            data: Path,
            keys: Path | None,
            database: str | None,
            tenant: str,
            passphrase_fd: int | None,
            as_json: bool = False,
            **rest: Any,
        ) -> Any:
            settings = load(data, keys=str(keys) if keys else None, database=database)
            return command(
                *args, place=Place(settings, tenant, passphrase_for(settings, passphrase_fd), as_json), **rest
            )

        options = [
            click.option(
                "--data", type=click.Path(path_type=Path, file_okay=False), required=True, help="The data folder."
            ),
            click.option(
                "--keys", type=click.Path(path_type=Path, file_okay=False), help="The key folder [default: DIR.keys]."
            ),
            click.option(
                "--database", help="Another database than the embedded one; init remembers it.", metavar="URL"
            ),
            click.option("--tenant", default="default", show_default=True, help="The brand to act for."),
            click.option("--passphrase-fd", type=int, help="Read the root key's passphrase from this file descriptor."),
        ]
        if json:
            options.append(click.option("--json", "as_json", is_flag=True, help="Print JSON."))
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def passphrase_for(settings: Settings, descriptor: int | None) -> bytes | None:
    """The root key's passphrase: from the descriptor, else asked for at a terminal when the key is sealed."""
    given = read_passphrase(descriptor)
    if given is not None or not sys.stdin.isatty():
        return given
    from vault import Custody, PassphraseNeeded

    try:
        Custody.open(settings.key_folder, None)
    except PassphraseNeeded:
        asked: str = click.prompt("Passphrase", hide_input=True, err=True)
        return asked.encode()
    except SaysoError:
        pass  # whoever opens the key next says what is the matter with it
    return None


def read_passphrase(descriptor: int | None) -> bytes | None:
    """The passphrase behind a file descriptor. Never from the command line: others can read that."""
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb", closefd=False) as stream:
        return stream.readline().rstrip(b"\r\n") or None


def named_values(words: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise click.BadParameter("it is NAME=VALUE.", param_hint="--with")
        found[name] = value
    return found
