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
    import httpx

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
_WHERE = [
    click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder."),
    click.option("--url", help="A running server instead; its key stands in SAYSO_API_KEY."),
    click.option(
        "--keys", type=click.Path(path_type=Path, file_okay=False), help="The key folder [default: DIR.keys]."
    ),
    click.option("--database", help="Another database than the embedded one.", metavar="URL"),
    click.option("--tenant", default="default", show_default=True, help="The brand to act for."),
    click.option("--passphrase-fd", type=int, help="Read the root key's passphrase from this file descriptor."),
    click.option("--prune", is_flag=True, help="Remove live members that a named section leaves out."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
]


def _where(command: Any) -> Any:
    for option in reversed(_WHERE):
        command = option(command)
    return command


@click.command()
@_FILES
@_where
def apply(files: tuple[Path, ...], **where: Any) -> None:
    """Bring the sections named in FILES to exactly what they say. Idempotent; all or nothing.

    Exit 2: something is wrong in the files, named with its line; nothing was changed. Exit 3: proposed, waits for a
    second person.
    """
    done = _send(files, dry_run=False, **where)
    if where["as_json"]:
        show(done)
    elif not done["changes"]:
        click.echo(f"Nothing to change; version {done['version']} is live.")
    else:
        _print(done)
        click.echo(f"Version {done['version']} is live.")
    if done.get("status") == "proposed":
        sys.exit(PROPOSED)


@click.command()
@_FILES
@_where
def plan(files: tuple[Path, ...], **where: Any) -> None:
    """Show what `sayso apply` would change and how many people it would ask again, and change nothing."""
    done = _send(files, dry_run=True, **where)
    if where["as_json"]:
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


def _send(
    files: tuple[Path, ...], *, dry_run: bool, prune: bool, url: str | None, data: Path | None, **rest: Any
) -> Any:
    if (url is None) == (data is None):
        raise click.UsageError("Name either --data or --url.")
    contents = [(str(path), path.read_bytes()) for path in files]
    try:
        load_manifest(contents)
    except ManifestError as error:
        refuse(error)
    body = {
        "files": [{"name": name, "content": content.decode("utf-8")} for name, content in contents],
        "prune": prune,
        "dry_run": dry_run,
    }

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/manifest", json=body))

    return _remote(url, work) if url is not None else _local(data, work, **rest)


def _local(data: Path | None, work: Any, **rest: Any) -> Any:
    assert data is not None
    keys = rest["keys"]
    settings = load(data, keys=str(keys) if keys else None, database=rest["database"])
    return act(Place(settings, rest["tenant"], passphrase_for(settings, rest["passphrase_fd"]), rest["as_json"]), work)


def _remote(url: str, work: Any) -> Any:
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
