"""`sayso serve` and `sayso demo`."""

from pathlib import Path

import click
from msgspec.structs import replace

from sayso.server.cli.options import Place, on_data
from sayso.server.settings import load


@click.command()
@on_data(json=False)
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on [default: 8080].")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; the embedded database takes one.")
@click.option("--public-url", help="The address under which people reach this server.")
def serve(place: Place, host: str | None, port: int | None, workers: int | None, public_url: str | None) -> None:
    """Serve the API, the banner, the preference centre and the console.

    Accepting when GET /health/ready answers 200. Ends on SIGTERM after answering what it accepted.
    """
    from sayso.server.running.precautions import demand_store
    from sayso.server.running.serving import serve as run

    chosen = {"host": host, "port": port, "workers": workers, "public_url": public_url}
    settings = replace(place.settings, **{name: value for name, value in chosen.items() if value is not None})
    for warning in demand_store(settings):
        click.echo(f"sayso: warning: {warning}", err=True)
    run(settings, place.passphrase)


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), required=True, help="The data folder, made if needed."
)
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on [default: 8080].")
@click.option("--database", help="Another database than the embedded one.", metavar="URL")
def demo(data: Path, host: str | None, port: int | None, database: str | None) -> None:
    """Serve a fictional tea brand with invented people and 90 days of history."""
    from sayso.server.demo import prepare
    from sayso.server.running.precautions import demand_store
    from sayso.server.running.serving import serve as run

    settings = load(data, host=host, port=port, database=database, demo=True)
    shown = prepare(settings)
    for warning in demand_store(settings):
        click.echo(f"sayso: warning: {warning}", err=True)
    click.echo(shown)
    run(load(data, host=host, port=port, database=database, demo=True))
