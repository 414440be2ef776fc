"""`sayso audit prune`: entries whose declared time is over leave the log; its hashes and proofs stay."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.command()
@on_data()
@click.option(
    "--copy",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where all logs are exported and verified before anything goes. Keep it: it alone has the entries then.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(place: Place, copy: Path | None, yes: bool) -> None:
    """Say which entries are over by the manifest's `logs`; with --copy export, verify, then delete them.

    Hashes, checkpoints and proofs stay. A legal hold keeps everything, an export what it holds until its
    term is over. Exit 1: refused, nothing was deleted.
    """

    async def look(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/audit/prunes"))

    found = act(place, look)
    if copy is None or not found["logs"]:
        show(found) if place.as_json else _told(found, "are over")
        return
    if not yes:
        _told(found, "are over")
        click.confirm("Delete them?", abort=True)
    body = {"copy": str(copy.absolute())}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/audit/prunes", json=body, timeout=None))

    done = act(place, work)
    show(done) if place.as_json else _told(done, f"were pruned; {copy} has them")


def _told(found: dict[str, Any], what: str) -> None:
    for each in found["logs"]:
        click.echo(
            f"{each['log']}: {each['entries']} entries of {each['oldest']} to {each['newest']}"
            f" ({each['bytes']} bytes, kept {each['keep']}) {what}."
        )
    if not found["logs"]:
        click.echo("Nothing is over that no export holds.")
    if found["holds"]:
        click.echo(f"Legal holds keep them all the same: {', '.join(found['holds'])}.")
