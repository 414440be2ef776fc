"""`sayso exports` and `sayso audit blast-radius`: ordered, waited for, written to a file."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, fail, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx

_POLL_S = 0.2


@click.group()
def exports() -> None:
    """Entries, reports and evidence bundles to take away. Exit 1: refused or failed. 2: unusable input."""


@exports.command()
@on_data()
@click.option("--what", type=click.Choice(["entries", "access"]), default="entries", show_default=True)
@click.option(
    "--format", "form", required=True, help="jsonl csv parquet bundle ocsf cloudevents; access: csv pdf json bundle."
)
@click.option("--type", help="An entry type, or a prefix such as consent.*.")
@click.option("--outcome", type=click.Choice(["ok", "permit", "deny", "fail"]))
@click.option("--actor", help="A client by name, or key_….")
@click.option("--subject", help="A person, sub_….")
@click.option("--purpose", help="A purpose, or a prefix.")
@click.option("--category", help="A category, or a prefix.")
@click.option("--since", help="From when on, as in 2026-11-01T00:00:00Z.")
@click.option("--until", help="Until when, excluded.")
@click.option("--log", help="Only entries of this log.")
@click.option("--locale", help="Language of a PDF [default: en].")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Wait, and write it to this file.")
def create(place: Place, what: str, form: str, locale: str | None, out: Path | None, **filters: str | None) -> None:
    """Order an export; with --out wait for it and write it down."""
    asked = {name: value for name, value in {**filters, "locale": locale}.items() if value is not None}

    async def work(client: "httpx.AsyncClient") -> Any:
        body = {"what": what, "format": form, **asked}
        return await made(client, demand(await client.post("/v1/exports", json=body)), out)

    tell(place, act(place, work), out)


@exports.command()
@on_data()
@click.argument("export")
def status(place: Place, export: str) -> None:
    """How far an export is."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get(f"/v1/exports/{export}"))

    tell(place, act(place, work), None)


@exports.command()
@on_data()
@click.argument("export")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def fetch(place: Place, export: str, out: Path) -> None:
    """Wait for an export and write it to a file."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return await made(client, {"export": export}, out)

    tell(place, act(place, work), out)


async def made(client: "httpx.AsyncClient", ordered: dict[str, Any], out: Path | None) -> Any:
    """Where the export stands; with `out` it is waited for and written. Ends the command when it failed."""
    where = f"/v1/exports/{ordered['export']}"
    if out is None:
        return demand(await client.get(where))
    found = await _waited(client, where)
    if found["status"] == "failed":
        click.echo("sayso: the export failed; the server's log says why.", err=True)
        sys.exit(1)
    # Beside the file first: whoever stops this has no half of an export under its name.
    fresh = out.with_name(f"{out.name}.part")
    async with client.stream("GET", f"{where}/content") as response:
        if not response.is_success:
            await response.aread()
            fail(response)
        with fresh.open("wb") as file:
            async for piece in response.aiter_bytes():
                file.write(piece)
    fresh.replace(out)
    return found


async def radius_of(client: "httpx.AsyncClient", body: dict[str, str]) -> Any:
    """The summary of a blast radius."""
    ordered = demand(await client.post("/v1/audit/blast-radius", json={**body, "format": "json"}))
    where = f"/v1/exports/{ordered['export']}"
    await _waited(client, where)
    return demand(await client.get(f"{where}/content"))


async def _waited(client: "httpx.AsyncClient", where: str) -> Any:
    """Where the export stands once nothing more is done about it."""
    while True:
        found = demand(await client.get(where))
        if found["status"] not in ("queued", "running"):
            return found
        if sys.stderr.isatty():
            click.echo(f"\r{found['progress']:.0%}, {found['entries']} entries", nl=False, err=True)
        await asyncio.sleep(_POLL_S)


def tell(place: Place, found: dict[str, Any], out: Path | None) -> None:
    """Print where an export stands."""
    if place.as_json:
        show(found)
    elif out is not None:
        click.echo(f"{found['entries']} entries in {out}.")
    else:
        click.echo(f"{found['export']} {found['status']} {found['progress']:.0%}, {found['entries']} entries")
