"""`sayso apply` and `sayso plan`: the only way in for what a brand declares."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.kernel import ManifestError
from sayso.kernel import load as load_manifest
from sayso.server.cli.answers import PROPOSED, act, demand, refuse, show
from sayso.server.cli.options import Place, passphrase_for
from sayso.server.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
_PRUNE = click.option("--prune", is_flag=True, help="Remove live members that a named section leaves out.")
_WHERE = [
    click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder."),
    click.option("--url", help="A running server instead; its key stands in SAYSO_API_KEY."),
    click.option(
        "--keys", type=click.Path(path_type=Path, file_okay=False), help="The key folder [default: DIR.keys]."
    ),
    click.option("--database", help="Another database than the embedded one.", metavar="URL"),
    click.option("--tenant", default="default", show_default=True, help="The brand to act for."),
    click.option("--passphrase-fd", type=int, help="Read the root key's passphrase from this file descriptor."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
]


def where(command: Any) -> Any:
    """The options of a command that reaches a store or a server; `reach` takes them."""
    for option in reversed(_WHERE):
        command = option(command)
    return command


@click.command()
@_FILES
@where
@_PRUNE
@click.option("--force", is_flag=True, help="Go on though no allow, or much fewer rules, would be left.")
def apply(files: tuple[Path, ...], **where: Any) -> None:
    """Bring the sections named in FILES to exactly what they say. Idempotent; all or nothing.

    Exit 2: something is wrong in the files, named with its line; nothing was changed. Exit 3: proposed, waits for a
    second person.
    """
    told(_send(files, dry_run=False, **where), as_json=where["as_json"])


@click.command()
@_FILES
@where
@_PRUNE
def plan(files: tuple[Path, ...], **where: Any) -> None:
    """Show what `sayso apply` would change and how many people it would ask again, and change nothing."""
    planned(_send(files, dry_run=True, force=False, **where), as_json=where["as_json"])


def told(done: dict[str, Any], *, as_json: bool) -> None:
    """Print what was done. Ends the command with exit 3 when it was proposed."""
    if as_json:
        show(done)
    elif not done["changes"]:
        click.echo(f"Nothing to change; version {done['version']} is live.")
    else:
        _print(done)
        if done["status"] == "proposed":
            click.echo(f"Proposed as {done['proposal']}; another person has to approve it.")
        else:
            click.echo(f"Version {done['version']} is live.")
    if done["status"] == "proposed":
        sys.exit(PROPOSED)


def planned(done: dict[str, Any], *, as_json: bool) -> None:
    """Print what would be done."""
    if as_json:
        show(done)
    elif not done["changes"]:
        click.echo("Nothing to change.")
    else:
        _print(done)


def _print(done: dict[str, Any]) -> None:
    for warning in done["warnings"]:
        click.echo(f"{warning['file']}:{warning['line']}: {warning['message']}", err=True)
    marks = {"added": "+", "changed": "~", "removed": "-"}
    for change in done["changes"]:
        click.echo(f"{marks[change['change']]} {change['section']}.{change['name']}")
    for name in done["kept"]:
        click.echo(f"= {name} stays as it stands")
    if done["loss"]:
        click.echo(f"sayso: {done['loss']} It takes --force.", err=True)
    for notice in done["notices"]:
        click.echo(f"notice {notice['notice']} {notice['version']}: {notice['stage']}{_decided(notice)}")
    asked = done["asked_again"]
    for purpose in done["purposes"]:
        if purpose["because"]:
            number = asked["purposes"][purpose["purpose"]] if asked else 0
            why = ", ".join(purpose["because"])
            click.echo(f"purpose {purpose['purpose']} {purpose['version']}: {why} (asks {number:,} again)")
    if asked:
        about = "" if asked["exact"] else f"about, counted from {asked['read']:,}: "
        click.echo(f"People who will be asked again: {about}{asked['people']:,}.")


def _decided(notice: dict[str, Any]) -> str:
    """What the author of a published version says it means for those who were asked before."""
    if notice["stage"] != "published" or notice["version"] == 1 or notice["material"] is None:
        return ""
    return f", material for {', '.join(notice['material'])}" if notice["material"] else ", not material"


def _send(files: tuple[Path, ...], *, dry_run: bool, prune: bool, force: bool, **where: Any) -> Any:
    contents = [(str(path), path.read_bytes()) for path in files]
    try:
        load_manifest(contents)
    except ManifestError as error:
        refuse(error)
    body = {
        "files": [{"name": name, "content": content.decode("utf-8")} for name, content in contents],
        "prune": prune,
        "dry_run": dry_run,
        "force": force,
    }

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/manifest", json=body))

    return reach(work, **where)


def reach(work: "Callable[[httpx.AsyncClient], Awaitable[Any]]", **where: Any) -> Any:
    """Run `work` with a client of the server at `--url`, or of the store at `--data` as its operator."""
    url, data = where["url"], where["data"]
    if (url is None) == (data is None):
        raise click.UsageError("Name either --data or --url.")
    return _remote(url, work) if url is not None else _local(data, work, where)


def _local(data: Path, work: "Callable[[httpx.AsyncClient], Awaitable[Any]]", where: dict[str, Any]) -> Any:
    keys = where["keys"]
    settings = load(data, keys=str(keys) if keys else None, database=where["database"])
    place = Place(settings, where["tenant"], passphrase_for(settings, where["passphrase_fd"]), where["as_json"])
    return act(place, work)


def _remote(url: str, work: "Callable[[httpx.AsyncClient], Awaitable[Any]]") -> Any:
    import asyncio
    import os

    import httpx

    async def go() -> Any:
        headers = {"authorization": f"Bearer {os.environ.get('SAYSO_API_KEY', '')}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            try:
                return await work(client)
            except httpx.TransportError:
                raise click.ClickException("The server cannot be reached.") from None

    return asyncio.run(go())
