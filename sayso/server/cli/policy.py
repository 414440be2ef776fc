"""`sayso policy`: rules looked at before they decide."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data
from sayso.server.cli.proofs import diff, test
from sayso.server.cli.simulate import simulate

if TYPE_CHECKING:
    import httpx

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def policy() -> None:
    """Look at rules before they decide."""


@policy.command()
@FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lint(files: tuple[Path, ...], as_json: bool) -> None:
    """Check manifest files that stand for a whole brand, with no store. Exit 2: refused; warnings alone are exit 0."""
    from sayso.server.manifests.drafting import draft

    built = draft(files)
    warnings = [str(warning) for warning in built.warnings]
    if as_json:
        show({"warnings": warnings, "rules": len(built.policy.snapshot)})
        return
    for warning in warnings:
        click.echo(f"sayso: warning: {warning}", err=True)
    click.echo(f"{len(built.policy.snapshot)} rules, {len(warnings)} warnings.")


@policy.command()
@on_data()
@click.option("--client", help="The registered client that asks.")
@click.option("--role", "roles", multiple=True, help="Or a role, once or several times.")
@click.option("--action", required=True)
@click.option("--category", required=True)
@click.option("--purpose", help="Required, unless the client has a default.")
@click.option("--subject", help="Whom it is about (sub_…). It leaves an entry about that person.")
@click.option("--jurisdiction")
@click.option("--channel")
@click.option("--relation")
@click.option("--case")
def explain(place: Place, **asked: Any) -> None:
    """Say why the live rules answer a question as they do. Exit 0: permitted; 1: denied."""
    question = {name: value for name, value in asked.items() if value}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/policy/explain", json=question))

    found = act(place, work)
    if place.as_json:
        show(found)
    else:
        for line in _told(found):
            click.echo(line)
    sys.exit(not found["decision"])


def _told(found: dict[str, Any]) -> Iterator[str]:
    verdict = "permitted" if found["decision"] else f"denied: {found['reason']}"
    likely = f" (did you mean {found['nearest']}?)" if found["nearest"] else ""
    yield f"{verdict}{likely}{' until ' + found['retry_after'] if found['retry_after'] else ''}"
    yield from grounds(found)


def grounds(found: dict[str, Any]) -> Iterator[str]:
    """An explanation's laws, near misses and facts, in lines."""
    for law in found["laws"]:
        yield f"under {law['jurisdiction']}:"
        for match in law["matches"]:
            by = ", ".join(f"{member} {path}" for member, path in match["by"].items())
            yield f"  {match['effect']} {match['rule']}{' by ' + by if by else ''}"
        for basis in law["bases"]:
            holds = basis["failed"] or ("holds" if basis["admitted"] else "not admitted for this purpose here")
            yield f"    {basis['rule']}: {basis['basis']}{'' if basis['need'] == '-' else ' ' + basis['need']}: {holds}"
    for miss in found["near_misses"]:
        yield f"  {miss['rule']} would permit {miss['member']} {miss['wanted']} instead of {miss['asked']}"
    for name, fact in found["facts"].items():
        yield f"  read: {name} {fact}"


@policy.command()
@on_data()
def show_live(place: Place) -> None:
    """Print the live rules, those shipped with Sayso included."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/policy/rules"))

    show(act(place, work))


for command in (test, diff, simulate):
    policy.add_command(command)
policy.add_command(show_live, "show")
