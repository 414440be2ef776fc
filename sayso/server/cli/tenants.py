"""`sayso tenants`: the brands of this installation."""

from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.group()
def tenants() -> None:
    """The brands of this installation; each is a world of its own."""


@tenants.command()
@click.argument("name")
@on_data()
@click.option("--controller", required=True, help="Legal name and country of who is responsible for the data.")
@click.option("--region", default="eu", show_default=True, help="Where its data is kept.")
def create(place: Place, name: str, controller: str, region: str) -> None:
    """Make the brand NAME with its keys, its log and its first administrator, whose API key is shown once."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/tenants", json={"name": name, "controller": controller, "region": region}))

    made = act(place, work)
    if place.as_json:
        show(made)
    else:
        click.echo(made["admin_key"])


@tenants.command("list")
@on_data()
def list_tenants(place: Place) -> None:
    """All brands."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/tenants"))

    found = act(place, work)
    if place.as_json:
        show(found)
        return
    for item in found["tenants"]:
        click.echo(f"{item['name']:<24} {item['region']:<6} {item['controller']}")
