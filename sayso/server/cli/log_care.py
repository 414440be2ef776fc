"""`sayso audit recover`: what to do when the log contradicts what was signed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import REFUSED, act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.command()
@on_data()
@click.option(
    "--from",
    "copy",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A static copy of the log with its entries: an export, or the published directory.",
)
@click.option("--new-epoch", is_flag=True, help="End the log here and begin another under a new origin.")
@click.option("--complete", is_flag=True, help="With --from: nothing was answered after the last entry of COPY.")
@click.option("--log", default="main", show_default=True, help="Which log of the tenant.")
def recover(place: Place, copy: Path | None, new_epoch: bool, complete: bool, log: str) -> None:
    """Say whether the log contains all that was ever signed of it, and let it go on when it does not.

    Without options nothing is changed. Before the log goes on, the grants of whoever may have said something that is
    lost become stale: of those whom the entries in COPY are about, when it is known to be complete, else of everybody.
    Exit 0: it does, or it goes on now. 1: it does not.
    """
    if complete and copy is None:
        raise click.UsageError("--complete is about a copy: --from.")
    if copy is not None and new_epoch:
        raise click.UsageError("Choose one: --from, or --new-epoch when there is no copy.")
    body = {"log": log} | ({"copy": str(copy.absolute()), "complete": complete} if copy is not None else {})

    async def work(client: "httpx.AsyncClient") -> Any:
        if copy is None and not new_epoch:
            return demand(await client.get("/v1/audit/recovery", params={"log": log}))
        return demand(await client.post("/v1/audit/recovery", json=body))

    found = act(place, work)
    if place.as_json:
        show(found)
    elif found["sound"]:
        click.echo(f"{found['origin']}: {found['size']} entries, signed, all that was seen of it is in it.")
        if found.get("doubted"):
            click.echo(told(found["doubted"]))
    else:
        click.echo(
            f"{found['origin']}: {found['size']} entries. It contradicts {found['contradicts']}, which holds a head of "
            f"{found['seen']} entries. It takes no entries. Look for a copy of the log (--from), else --new-epoch."
        )
    if not found["sound"]:
        sys.exit(REFUSED)


def told(doubted: dict[str, Any]) -> str:
    """Who is in doubt, in a sentence."""
    if doubted["extent"] == "nobody":
        return "Nothing came after it: every grant stands."
    if doubted["extent"] == "everybody":
        return f"What was lost is not known to its end: the grants of all {doubted['people']} people are stale."
    return (
        f"The grants of {doubted['people']} people are stale: lost entries are about them. The last is of "
        f"{doubted['known_until']}."
    )
