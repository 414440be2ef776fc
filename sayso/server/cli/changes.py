"""`sayso changes`, `sayso versions`, `sayso rollback`: what waits for a second person, what was, and the way back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import demand, show
from sayso.server.cli.apply import planned, reach, told, where

if TYPE_CHECKING:
    import httpx


@click.group()
def changes() -> None:
    """Changes that wait for a second person (`approval: two`).

    With --url you are the person behind the key in SAYSO_API_KEY, with --data the operator of the host. Exit 1:
    refused.
    """


@changes.command("list")
@where
def list_changes(**where: Any) -> None:
    """What was proposed, newest first, and what became of it."""
    found = _got("/v1/manifest/proposals", where)
    if where["as_json"]:
        show(found)
        return
    for each in found["proposals"]:
        by = f" by {each['decided_by']['name']}" if each.get("decided_by") else ""
        made = f"from version {each['base']}, {each['author']['name']} at {each['proposed_at']}"
        click.echo(f"{each['proposal']}  {each['state'] + by:<24} {made}")


@changes.command("show")
@click.argument("proposal")
@where
def show_change(proposal: str, **where: Any) -> None:
    """One proposal: what changes, who is asked again, which questions are answered differently."""
    found = _got(f"/v1/manifest/proposals/{proposal}", where)
    if where["as_json"]:
        show(found)
        return
    view = found["proposal"]
    click.echo(f"{view['proposal']} is {view['state']}; {view['author']['name']} made it from version {view['base']}.")
    planned(found["report"], as_json=False)
    for line in _differences(found["report"].get("difference")):
        click.echo(line)


@changes.command()
@click.argument("proposal")
@where
def approve(proposal: str, **where: Any) -> None:
    """Make live what another person proposed."""
    done = _posted(f"/v1/manifest/proposals/{proposal}/approve", {}, where)
    _ended(done, f"Version {done['became']} is live.", where)


@changes.command()
@click.argument("proposal")
@where
@click.option("--reason", required=True, help="Why; it is kept sealed, beside the proposal.")
def reject(proposal: str, reason: str, **where: Any) -> None:
    """Turn down what another person proposed."""
    _ended(_posted(f"/v1/manifest/proposals/{proposal}/reject", {"reason": reason}, where), "Rejected.", where)


@changes.command()
@click.argument("proposal")
@where
def withdraw(proposal: str, **where: Any) -> None:
    """Take back what you proposed."""
    _ended(_posted(f"/v1/manifest/proposals/{proposal}/withdraw", {}, where), "Withdrawn.", where)


@click.command()
@where
@click.option("--before", type=int, help="Only versions before this one.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
def versions(before: int | None, limit: int, **where: Any) -> None:
    """Every version of the manifest that was live, newest first."""
    query = f"?limit={limit}" + (f"&before={before}" if before is not None else "")
    found = _got(f"/v1/manifest/versions{query}", where)
    if where["as_json"]:
        show(found)
        return
    for each in found["versions"]:
        people = each["author"]["name"] + (f" and {each['approver']['name']}" if each.get("approver") else "")
        back = f", back to {each['restores']}" if each.get("restores") else ""
        glass = ", glass broken" if each.get("break_glass") else ""
        click.echo(f"{each['version']:>6}  {each['hash'][:16]}  {each['activated_at']}  {people}{back}{glass}")


@click.command()
@click.argument("version", type=int)
@where
@click.option("--break-glass", help="Why one person alone must do it; an entry of its own, and an alarm.")
@click.option("--dry-run", is_flag=True, help="Show what it would change, and change nothing.")
@click.option("--force", is_flag=True, help="Go on though no allow, or much fewer rules, would be left.")
def rollback(version: int, break_glass: str | None, dry_run: bool, force: bool, **where: Any) -> None:
    """Go back to VERSION: a new version that says the same. Published notices stay published.

    Exit 3: proposed, waits for a second person.
    """
    body: dict[str, Any] = {"version": version, "dry_run": dry_run, "force": force}
    body |= {"break_glass": break_glass} if break_glass is not None else {}
    done = _posted("/v1/manifest/rollbacks", body, where)
    (planned if dry_run else told)(done, as_json=where["as_json"])


def _got(path: str, where: dict[str, Any]) -> Any:
    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get(path))

    return reach(work, **where)


def _posted(path: str, body: dict[str, Any], where: dict[str, Any]) -> Any:
    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post(path, json=body) if body else await client.post(path))

    return reach(work, **where)


def _ended(done: Any, words: str, where: dict[str, Any]) -> None:
    if where["as_json"]:
        show(done)
    else:
        click.echo(words)


def _differences(difference: dict[str, Any] | None) -> Iterator[str]:
    if difference is None:
        return
    marks = {"permitted": "now permitted", "denied": "now denied", "terms": "on other terms"}
    for group in difference["groups"]:
        parts = ("roles", "actions", "categories", "purposes", "jurisdictions")
        who, what, which, why, law = (", ".join(group[part]["names"]) for part in parts)
        yield f"{marks[group['change']]}: {who} may {what} {which} for {why} under {law} ({group['cells']:,})"
    if difference["more"]:
        yield f"and {difference['more']:,} groups more"
