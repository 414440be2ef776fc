"""The command `sayso`. Each command is a file of this package, imported only when it is used.

Exit codes, for all commands: 0 done, 1 refused or not sound, 2 unusable input, 3 proposed and waiting for approval.
"""

import sys
from importlib import import_module

import click

from sayso import __version__

_COMMANDS = {
    "init": ("initialise", "init"),
    "serve": ("serve", "serve"),
    "demo": ("serve", "demo"),
    "tenants": ("tenants", "tenants"),
    "apply": ("apply", "apply"),
    "plan": ("apply", "plan"),
    "changes": ("changes", "changes"),
    "versions": ("changes", "versions"),
    "rollback": ("changes", "rollback"),
    "keys": ("keys", "keys"),
    "policy": ("policy", "policy"),
    "audit": ("audit", "audit"),
    "rights": ("rights", "rights"),
    "exports": ("exports", "exports"),
    "import": ("importing", "import_"),
    "worker": ("worker", "worker"),
    "data-ends": ("data_ends", "data_ends"),
    "doctor": ("doctor", "doctor"),
    "site": ("site", "site"),
    "vault": ("vault", "vault"),
    "backup": ("backup", "backup"),
    "restore": ("backup", "restore"),
    "upgrade": ("backup", "upgrade"),
    "openapi": ("openapi", "openapi"),
}


class _Commands(click.Group):
    """Finds a command's file when it is named: `sayso serve` starts without loading what it never needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sayso")
def cli() -> None:
    """Sayso: consent registry, policy engine, vault and audit log in one application."""


def main() -> None:
    """Run a command. An error that the program foresaw is one sentence on standard error."""
    from sayso.kernel import SaysoError
    from sayso.server.cli.answers import exit_code_of

    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SaysoError as error:
        click.echo(f"sayso: {error.message}", err=True)
        sys.exit(exit_code_of(error))
