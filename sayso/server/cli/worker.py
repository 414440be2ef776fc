"""`sayso worker`: the jobs without the web."""

import sys

import click

from sayso.server.cli.options import Place, on_data


@click.command()
@on_data(json=False)
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
def worker(place: Place, once: bool) -> None:
    """Do what works on its own: expiry, the end of data, the log, messages. Several may run beside several servers.

    On the embedded database `sayso serve` does all of it, and this command takes the folder's lock. Ends on SIGTERM
    after the step under way; what was not done is done by whoever comes next. Exit 1 with --once: a job fails.
    """
    from sayso.server.running.precautions import demand_store
    from sayso.server.running.working import work

    for warning in demand_store(place.settings):
        click.echo(f"sayso: warning: {warning}", err=True)
    if not work(place.settings, place.passphrase, once=once) and once:
        sys.exit(1)
