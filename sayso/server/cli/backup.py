"""`sayso backup`, `sayso restore` and `sayso upgrade`."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.log_care import told
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@on_data()
@click.option("--out", type=_FOLDER, required=True, help="A new folder for the data.")
@click.option("--key-tables", type=_FOLDER, required=True, help="A new folder for the key tables, kept elsewhere.")
def backup(place: Place, out: Path, key_tables: Path) -> None:
    """Copy the whole store as it is at one moment, beside running servers, on either database.

    Data and key tables come into two folders, which are kept apart; what lies in KEYDIR is copied by other means, to a
    third place. A backup without `backup.jws` did not come to its end. Exit 1: a folder is not empty; 2: keys would lie
    beside data.
    """
    from sayso.kernel.files import write_whole
    from sayso.server.backups.description import FILE
    from sayso.server.backups.making import copy_rows, demand_places
    from sayso.server.running.local import listens
    from sayso.server.running.precautions import demand_store

    settings = place.settings
    demand_store(settings)
    demand_places(settings, out, key_tables)
    for each in (out, key_tables):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = str(key_tables.absolute())

    async def work(client: "httpx.AsyncClient") -> Any:
        # Without a server this process holds the folder's lock by now, so that nobody can write but itself.
        alone = settings.embedded and not listens(settings.socket)
        begun = demand(await client.post("/v1/backups"))["backup"]
        facts = await asyncio.to_thread(copy_rows, settings, out, begun, alone=alone)
        tables = {"folder": folder, "alone": alone}
        keys = demand(await client.post("/v1/backups/key-tables", json=tables))["keys"]
        facts = msgspec.structs.replace(facts, keys=keys)
        signed = demand(await client.post("/v1/backups/descriptions", json=msgspec.to_builtins(facts)))
        write_whole(out / FILE, signed["description"].encode())
        return facts

    made = act(place, work)
    if place.as_json:
        show(made)
        return
    rows = sum(made.rows.values())
    click.echo(f"{made.backup}: {rows} rows in {out}, {len(made.keys)} key tables in {key_tables}.")
    click.echo(f"Keep the two apart, and apart from both what lies in {settings.key_folder}: it opens them.")


@click.command()
@on_data()
@click.argument("folder", metavar="BACKUP", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--key-tables", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
@click.option(
    "--from",
    "copy",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A static copy of the log that goes further: an export, or the published directory.",
)
@click.option("--complete", is_flag=True, help="Nothing was answered after COPY, or without one after BACKUP.")
@click.option("--new-epoch", is_flag=True, help="Where others saw a log go on and COPY has it not: begin a new one.")
def restore(place: Place, folder: Path, key_tables: Path, copy: Path | None, complete: bool, new_epoch: bool) -> None:
    """Put a backup back where there is no store: same or other machine, same or other database.

    KEYDIR must lie there, as it was last. Everything is checked before the store may be served, whoever was erased
    since is erased again, and what people may have said since the backup is not forgotten: with --from the grants of
    those whom lost entries are about become stale, without it everybody's. Stopped half-way it is run again.

    Exit 1: there is a store, or the log went on elsewhere; 2: BACKUP is damaged, foreign or of a newer release.
    """
    from sayso.server.backups.putting_back import put_back
    from sayso.server.backups.settling import Ways

    def step(name: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"{_STEPS[name]} …", err=True)

    done = put_back(place.settings, place.passphrase, folder, key_tables, Ways(copy, complete, new_epoch), step)
    if place.as_json:
        show(done)
        return
    click.echo(f"{done.backup} of {done.made_at} is back.")
    for name, brand in done.brands.items():
        logs = ", ".join(f"{log} has {size} entries" for log, size in brand.logs.items())
        click.echo(f"{name}: {logs}. {told(msgspec.to_builtins(brand.doubted))}")
        if brand.erased:
            click.echo(f"{name}: {brand.erased} people who were erased since are erased again.")


_STEPS = {
    "checking": "checking the backup",
    "rows": "putting the rows back",
    "tables": "bringing the tables up to this release",
    "keys": "putting the key tables back",
    "people": "looking at everybody",
    "log": "letting the log go on",
}


@click.command()
@on_data()
def upgrade(place: Place) -> None:
    """Bring the tables to what this program needs. Stopped at any moment it is run again.

    Exit 1: a server is running on this folder, or the store is of a newer release.
    """
    from sayso.migrations import current
    from sayso.migrations import upgrade as bring
    from sayso.server.running.local import locked
    from sayso.server.running.precautions import demand_store

    demand_store(place.settings)
    with locked(place.settings.data_folder, patience=2):
        before = current(place.settings.database_url)
        bring(place.settings.database_url)
    after = current(place.settings.database_url)
    if place.as_json:
        show({"before": before, "after": after})
    else:
        click.echo(f"Tables are at revision {after}." if before == after else f"Tables went from {before} to {after}.")
