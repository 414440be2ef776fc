"""`sayso data-ends`: what will be deleted, before it is."""

from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.group("data-ends")
def data_ends() -> None:
    """The end of data for which no purpose is live any more."""


@data_ends.command()
@on_data()
@click.option("--before", help="Until when, as in 2026-12-31T00:00:00Z [default: thirty days on].")
@click.option("--limit", type=click.IntRange(1, 100_000), help="People to count at most [default: 10000].")
def preview(place: Place, before: str | None, limit: int | None) -> None:
    """What goes until then, by category, with a few handles; and what has ended and is kept, on which ground."""
    asked = {name: str(value) for name, value in {"before": before, "limit": limit}.items() if value is not None}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/data-ends", params=asked))

    found = act(place, work)
    if place.as_json:
        show(found)
        return
    click.echo(f"until {found['before']}, {found['grace']} after the last live purpose:")
    for category, each in found["categories"].items():
        click.echo(f"  {category:<24} {each['people']} people, {each['values']} values, first {each['first_at']}")
        click.echo(f"  {'':<24} {' '.join(each['sample'])}")
    for category, grounds in found["kept"].items():
        for each in grounds:
            click.echo(f"  {category:<24} kept: {each['people']} people ({each['ground']})")
    if found["proofs"] or found["suppressions"] or found["proofs_held"]:
        click.echo(f"  left by erasures: {found['proofs']} proof capsules ({found['proofs_held']} more are held),")
        click.echo(f"  {found['suppressions']} suppressed identifiers")
    if found["more"]:
        click.echo("There are more people than were counted; raise --limit.", err=True)
    if found["calendar"] < 1:
        click.echo(f"Of what has changed {found['calendar']:.0%} was looked at; counts may be short.", err=True)
