"""`sayso rights`: what officers and engineers ask about people's requests from a shell."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from sayso.server.cli.answers import REFUSED, act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.group()
def rights() -> None:
    """Rights requests of people, and the systems that answer them."""


@rights.group()
def systems() -> None:
    """Systems that hold data of the same people."""


@systems.command("list")
@on_data()
def list_systems(place: Place) -> None:
    """What the manifest declares."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/rights/systems"))

    found = act(place, work)
    if place.as_json:
        show(found)
        return
    for each in found["systems"]:
        told = each.get("client") or each["connector"]
        click.echo(f"{each['name']:<20} {each['connector']:<8} {told:<16} {' '.join(each['kinds'])}")


@systems.command()
@click.argument("name")
@on_data()
@click.option(
    "--dry-run", is_flag=True, help="Run every statement and take it back; shows how many rows it would touch."
)
@click.option("--identify", multiple=True, metavar="NAME=VALUE", help="For whom to try [default: for nobody].")
def check(place: Place, name: str, dry_run: bool, identify: tuple[str, ...]) -> None:
    """Whether a system can be reached and understood. Nothing is changed there. Exit 1 when something is the matter."""
    names = dict(each.partition("=")[::2] for each in identify)

    async def work(client: "httpx.AsyncClient") -> Any:
        body = {"dry_run": dry_run, "identify": names}
        return demand(await client.post(f"/v1/rights/systems/{quote(name, safe='')}/check", json=body))

    found = act(place, work)
    if place.as_json:
        show(found)
    else:
        for each in found.get("statements", []):
            click.echo(f"{each['kind']:<16} {each['statement']:<24} {each.get('error') or each.get('rows', 0)}")
        click.echo("sound" if not found["problems"] else "problems: " + " ".join(found["problems"]))
    if found["problems"]:
        raise click.exceptions.Exit(REFUSED)
