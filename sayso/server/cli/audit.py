"""`sayso audit`: the log on paper, and whether it holds."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.group()
def audit() -> None:
    """Export the log, verify it without a server, write down its keys."""


@audit.command()
@on_data()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write.")
@click.option("--log", default="main", show_default=True, help="Which log of the tenant.")
def export(place: Place, out: Path, log: str) -> None:
    """Write the log as a C2SP tile directory with `checkpoint` and `vkey`.

    Holds all that was committed before. May be repeated over an earlier export. Exit 1: OUT holds something else.
    """
    body = {"out": str(out.absolute()), "log": log}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/audit/exports/local", json=body))

    done = act(place, work)
    if place.as_json:
        show(done)
    else:
        click.echo(f"{done['size']} entries in {out}.")


@audit.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--trust", type=click.Path(path_type=Path, dir_okay=False), help="Keys to trust, as `sayso audit keys` wrote them."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(path: Path, trust: Path | None, as_json: bool) -> None:
    """Check a tile directory, bundle, receipt or certificate, with no server and no database.

    Exit 0: sound. 1: broken, the first bad index is named. 2: unusable input.
    """
    from audit import verify as check

    verdict = check(path, trust)
    if as_json:
        show(verdict)
    else:
        click.echo(verdict.report)
    sys.exit(verdict.code)


@audit.command()
@on_data(json=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output.")
def keys(place: Place, out: Path | None) -> None:
    """Write the tenant's public keys: of its logs, its receipts and its certificates."""

    async def work(client: "httpx.AsyncClient") -> Any:
        response = await client.get("/v1/audit/keys")
        return response.text if response.is_success else demand(response)

    text = act(place, work)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
