"""`sayso policy simulate`: the decisions of the last days under a draft of the rules."""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import demand, show
from sayso.server.cli.apply import reach, where
from sayso.server.cli.proofs import sent

if TYPE_CHECKING:
    import httpx

_AGO = re.compile(r"(\d+)([dhm])")
_PATIENCE_S = 900
_TICK_S = 0.5

_MISSING = {
    "names": "a name that was not declared then",
    "caller": "who asked",
    "rules": "the rules of that day",
    "list": "whom the list was about",
    "law": "which laws apply to the person",
    "consent": "whether the person had agreed",
    "objection": "whether the person had objected",
    "relation": "which contracts and cases were recorded",
    "obligations": "which obligations the caller fulfils",
    "person": "whether the person exists",
}


@click.command()
@click.argument("draft", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@where
@click.option("--since", default="7d", show_default=True, help="7d, 12h, 30m, or an instant (RFC 3339).")
@click.option("--until", default="", help="As --since [default: now].")
def simulate(draft: tuple[Path, ...], *, since: str, until: str, **where: Any) -> None:
    """Show what DRAFT would have answered to recorded decisions, had it been applied.

    Each distinct answer is replayed once and weighed. What turns on a fact of a person that the entry does not hold in
    the open is counted as undetermined, with the fact that is missing. Leaves an entry. Exit 0: no decision is known to
    change; 1: some are; 2: unusable input.
    """
    body = {"draft": sent(draft), "since": _since(since), "until": _since(until)}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/policy/simulate", json=body, timeout=_PATIENCE_S))

    with _ticking("Replaying decisions"):
        found = reach(work, **where)
    if where["as_json"]:
        show(found)
    else:
        for line in _told(found):
            click.echo(line)
    sys.exit(bool(found["result"]["permitted"] or found["result"]["denied"]))


def _told(found: dict[str, Any]) -> Iterator[str]:
    result = found["result"]
    yield (
        f"{result['decisions']:,} decisions in {result['entries']:,} entries, {result['answers']:,} distinct, "
        f"from {found['since']} to {found['until']}"
    )
    if not found["complete"]:
        yield "There were more; the oldest were left out."
    marks = {"permitted": "+ newly permitted", "denied": "- newly denied", "undetermined": "? undetermined"}
    for verdict, mark in marks.items():
        groups = [group for group in result["groups"] if group["verdict"] == verdict]
        yield f"{mark}: {result[verdict]:,}"
        for group in groups:
            what = f"{group['client'] or 'somebody'}: {group['action']} {group['category']} for {group['purpose']}"
            lacks = f"; not told: {_MISSING[group['missing']]}" if group["missing"] else ""
            yield f"    {group['decisions']:>10,}  {what}{lacks}  ({', '.join(group['examples'])})"
    if result["more"]:
        yield f"    and {result['more']:,} groups more"
    yield f"= unchanged: {result['same']:,}"
    if result["not_replayed"]:
        yield f"not replayed, too many different ones: {result['not_replayed']:,}"
    yield f"entry {found['entry']}"


def _since(text: str) -> str:
    """`7d` as the API writes it; anything else as it is."""
    ago = _AGO.fullmatch(text)
    if ago is None:
        return text
    number, unit = ago.groups()
    return f"P{number}D" if unit == "d" else f"PT{number}{unit.upper()}"


@contextmanager
def _ticking(what: str) -> Iterator[None]:
    """Tell on a terminal that the work goes on, once it has taken longer than a moment."""
    done = threading.Event()
    if not sys.stderr.isatty():
        yield
        return
    started = time.monotonic()

    def tick() -> None:
        while not done.wait(_TICK_S):
            click.echo(f"\r{what}: {time.monotonic() - started:.0f} s", nl=False, err=True)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
        click.echo("\r\033[K", nl=False, err=True)
