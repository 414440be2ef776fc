"""`sayso init`."""

from pathlib import Path

import click

from sayso.server.cli.answers import show
from sayso.server.cli.options import named_values, read_passphrase
from sayso.server.settings import load

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--data", type=FOLDER, required=True, help="The data folder, made if needed.")
@click.option("--keys", type=FOLDER, help="The key folder [default: DIR.keys]; never inside the data folder.")
@click.option("--database", help="PostgreSQL instead of the embedded database.", metavar="URL")
@click.option("--controller", default="Controller, not named yet", help="Legal name and country of who is responsible.")
@click.option("--public-url", help="The address under which people will reach the server.")
@click.option("--passphrase-fd", type=int, help="Seal the root key with the passphrase from this file descriptor.")
@click.option("--ask-passphrase", is_flag=True, help="Ask for a passphrase to seal the root key with.")
@click.option("--provider", help="Where the root key lies instead: pkcs11, transit or aws-kms.", metavar="KIND")
@click.option("--with", "with_", multiple=True, help="A setting of the provider.", metavar="NAME=VALUE")
@click.option("--json", "as_json", is_flag=True, help='Print {"admin_key": …} and nothing else.')
def init(
    data: Path,
    keys: Path | None,
    database: str | None,
    controller: str,
    public_url: str | None,
    passphrase_fd: int | None,
    ask_passphrase: bool,
    provider: str | None,
    with_: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a store: data folder, key folder, tables, the tenant `default` and its first administrator.

    Without a passphrase the root key file is enough to open everything; serve and doctor warn of it. With --provider
    the root key is made in an HSM or a key service and never leaves it.
    """
    from sayso.server.running.laying import Outside, lay

    settings = load(data, keys=str(keys) if keys else None, database=database, public_url=public_url)
    passphrase = read_passphrase(passphrase_fd)
    if ask_passphrase and passphrase is None:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True).encode()
    if provider is None and with_:
        raise click.UsageError("--with says how a --provider is reached.")
    outside = Outside(provider, named_values(with_)) if provider else None
    made = lay(settings, controller, passphrase, outside)
    if as_json:
        show({"admin_key": made.admin_key})
        return
    click.echo(f"Store in {settings.data_folder}, keys in {settings.key_folder}.")
    click.echo(f"The first administrator's key, shown once: {made.admin_key}")
