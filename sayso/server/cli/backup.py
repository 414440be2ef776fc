"""`sayso backup` and `sayso upgrade`."""

from pathlib import Path

import click

from sayso.server.cli.options import Place, on_data


@click.command()
@on_data(json=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def backup(place: Place, out: Path) -> None:
    """Copy the embedded database, consistent, beside a running server. Keys are never in it: copy KEYDIR elsewhere.

    On PostgreSQL use its own tools. Exit 2: keys lie beside the data, or OUT exists.
    """
    from sayso.server.copying import copy_database

    size = copy_database(place.settings, out)
    click.echo(f"{size} bytes in {out}. Without the key folder {place.settings.key_folder} nobody can read them.")


@click.command()
@on_data(json=False)
def upgrade(place: Place) -> None:
    """Bring the tables to what this program needs. Exit 1: a server is running on this folder."""
    from sayso.migrations import current
    from sayso.migrations import upgrade as bring
    from sayso.server.local import locked
    from sayso.server.precautions import demand_store

    demand_store(place.settings)
    with locked(place.settings.data_folder, patience=2):
        before = current(place.settings.database_url)
        bring(place.settings.database_url)
    after = current(place.settings.database_url)
    click.echo(f"Tables are at revision {after}." if before == after else f"Tables went from {before} to {after}.")
