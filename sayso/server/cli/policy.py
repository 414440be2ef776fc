"""`sayso policy`: rules looked at before they decide."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data

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
    from sayso.server.drafting import draft

    built = draft(files)
    warnings = [str(warning) for warning in built.warnings]
    if as_json:
        show({"warnings": warnings, "rules": len(built.policy.snapshot)})
        return
    for warning in warnings:
        click.echo(f"sayso: warning: {warning}", err=True)
    click.echo(f"{len(built.policy.snapshot)} rules, {len(warnings)} warnings.")


@policy.command("test")
@click.argument("cases", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(cases: Path, files: tuple[Path, ...], as_json: bool) -> None:
    """Ask the rules in FILES the questions in CASES.

    CASES is a CSV with the columns act, rol, cat, pur, jur, expect and perhaps rules. Exit 1: an answer differs.
    """
    from sayso.server.drafting import ask_cases, draft

    results = ask_cases(draft(files), cases)
    failed = [result for result in results if not result.passed]
    if as_json:
        show({"cases": len(results), "failed": failed})
    else:
        for result in failed:
            click.echo(f"{cases}:{result.line}: expected {result.expected}, got {result.got}", err=True)
        click.echo(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    sys.exit(bool(failed))


@policy.command()
@on_data()
def show_live(place: Place) -> None:
    """Print the live rules, those shipped with Sayso included."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/policy/rules"))

    show(act(place, work))


policy.add_command(show_live, "show")
