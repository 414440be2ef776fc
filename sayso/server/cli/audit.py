"""`sayso audit`: the log on paper, and whether it holds."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.log_care import recover
from sayso.server.cli.options import Place, on_data
from sayso.server.cli.pruning import prune

if TYPE_CHECKING:
    import httpx


@click.group()
def audit() -> None:
    """Export the log, verify it without a server, write down its keys, let it go on after a restore."""


audit.add_command(recover)
audit.add_command(prune)


@audit.command()
@on_data()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write.")
@click.option("--log", help="One log of the tenant alone [default: all].")
def export(place: Place, out: Path, log: str | None) -> None:
    """Write the logs as C2SP tile directories with `checkpoint` and `vkey`: main at OUT, others at OUT/logs/NAME.

    Holds all that was committed before. May be repeated over an earlier export. Exit 1: OUT holds something else.
    """
    body = {"out": str(out.absolute()), "log": log}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/audit/exports/local", json=body))

    done = act(place, work)
    if place.as_json:
        show(done)
    else:
        for name, size in done["logs"].items():
            click.echo(f"{size} entries of {name} in {out if name == 'main' else out / 'logs' / name}.")


@audit.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--trust", type=click.Path(path_type=Path, dir_okay=False), help="Keys to trust, as `sayso audit keys` wrote them."
)
@click.option(
    "--earlier", type=click.Path(path_type=Path, dir_okay=False), help="A checkpoint of this log that you kept."
)
@click.option(
    "--tag-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A person's tag key: find their entries in a log.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(path: Path, trust: Path | None, earlier: Path | None, tag_key: Path | None, as_json: bool) -> None:
    """Check a tile directory, bundle, receipt or certificate, with no server and no database.

    Exit 0: sound. 1: broken, the first bad index is named. 2: unusable input.
    """
    from audit import verify as check

    verdict = check(path, trust, earlier, tag_key)
    if as_json:
        show(verdict)
    else:
        click.echo(verdict.report)
    sys.exit(verdict.code)


@audit.command()
@click.argument("action", required=False, type=click.Choice(["rotate"]))
@on_data(json=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output.")
@click.option("--after", default="P7D", show_default=True, help="With rotate: how long the old and the next key sign.")
def keys(place: Place, out: Path | None, action: str | None, after: str) -> None:
    """Write the tenant's public keys: of its logs, its receipts and its certificates, and of its witnesses.

    `rotate` makes the next key of its logs first: from then on checkpoints bear both signatures, and once AFTER (an
    ISO 8601 duration) has passed that of the next key alone. Old checkpoints verify for ever by the keys written here.
    """

    async def work(client: "httpx.AsyncClient") -> Any:
        if action is not None:
            demand(await client.post("/v1/audit/keys/rotations", json={"after": after}))
        response = await client.get("/v1/audit/keys")
        return response.text if response.is_success else demand(response)

    text = act(place, work)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@audit.command("blast-radius")
@on_data()
@click.option("--actor", help="A client by name.")
@click.option("--key", help="A client by id, key_….")
@click.option("--from", "since", help="From when on, as in 2026-11-01T00:00:00Z.")
@click.option("--to", "until", help="Until when, excluded.")
@click.option("--noticed-at", help="When the laws' clocks began [default: now].")
@click.option("--log", help="Only entries of this log.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the evidence bundle to this file.")
def blast_radius(place: Place, out: Path | None, **asked: str | None) -> None:
    """Who and what an actor, a key or a period touched, and by when the laws want whom told.

    With --out the list of people is written too, signed, with every entry and its proof.
    """
    from sayso.server.cli.exports import made, radius_of

    body = {name: value for name, value in asked.items() if value is not None}

    async def work(client: "httpx.AsyncClient") -> Any:
        if out is not None:
            await made(client, demand(await client.post("/v1/audit/blast-radius", json=body)), out)
        return await radius_of(client, body)

    found = act(place, work)
    if place.as_json:
        show(found)
        return
    click.echo(f"{found['people']} people in {found['entries']} entries; {found['gone']} in lists were erased since.")
    for title in ("categories", "jurisdictions", "types"):
        click.echo(f"{title}:")
        for name, count in found[title].items():
            click.echo(f"  {name:<32} {count}")
    click.echo("clocks:")
    for each in found["clocks"]:
        click.echo(f"  {each['due_at'] or 'no number':<28} {each['law']}: {each['whom']} ({each['people']} people)")
        click.echo(f"  {'':<28} {each['words']} [{each['source']}]")
