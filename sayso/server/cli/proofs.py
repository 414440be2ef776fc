"""`sayso policy test` and `diff`: rules proved and compared, without a store or against a live one."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sayso.kernel import Invalid
from sayso.server.cli.answers import UNUSABLE, demand, show
from sayso.server.cli.apply import reach, where

if TYPE_CHECKING:
    import httpx

    from sayso.server.manifests.proofs import Proven

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_LIVE = "live"


@click.command()
@click.argument("files", nargs=-1, type=_FILE)
@click.option("--manifest", "manifests", multiple=True, type=_FILE, help="The rules, as files: needs no store.")
@where
@click.option("--coverage", is_flag=True, help="Say which rules the tests cover, and which changes none would notice.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Fail when fewer of 100 rules are covered.")
def test(
    files: tuple[Path, ...], manifests: tuple[Path, ...], *, coverage: bool, fail_under: float | None, **where: Any
) -> None:
    """Run the tests in FILES and those that stand beside the rules.

    FILES are tables (.csv: action, role, category, purpose, jurisdiction, expect, rules) or YAML with the section
    policy_tests. The rules are those of --manifest, or the live ones behind --data or --url; with these, --manifest is
    a draft over the live ones. Exit 0: all pass; 1: some fail, or too few rules are covered; 2: unusable input.
    """
    cover = coverage or fail_under is not None
    if where["data"] is None and where["url"] is None:
        if not manifests:
            raise click.UsageError("Name the rules: --manifest FILE, --data or --url.")
        found = _locally(files, manifests, cover=cover)
    else:
        body = {"files": sent(files), "draft": sent(manifests), "coverage": cover}
        found = _asked("/v1/policy/test", body, where)
    low = fail_under is not None and found["percent"] < fail_under
    if where["as_json"]:
        show(found)
    else:
        for line in _proven(found):
            click.echo(line)
        if low:
            click.echo(f"sayso: fewer than {fail_under:g} of 100 rules are covered", err=True)
    sys.exit(bool(found["failed"]) or low)


@click.command()
@click.argument("old")
@click.argument("new")
@where
def diff(old: str, new: str, **where: Any) -> None:
    """Show which questions two sets of rules answer differently. Exit 1: some; 0: none.

    OLD and NEW are each a manifest file, a folder of them, `live`, or the number of a version; the last two need --data
    or --url, and files are then read as changes of the live manifest. Exit 2: unusable input.
    """
    if where["data"] is None and where["url"] is None:
        found = _compared(old, new)
    else:
        found = _asked("/v1/policy/diff", {"old": _side(old), "new": _side(new)}, where)
    if where["as_json"]:
        show(found)
    else:
        for line in difference_lines(found):
            click.echo(line)
    sys.exit(bool(found["groups"]))


def difference_lines(found: dict[str, Any]) -> Iterator[str]:
    """A difference in words, a line for each group."""
    marks = {"permitted": "+", "denied": "-", "terms": "~"}
    for group in found["groups"]:
        parts = [_names(group[part]) for part in ("roles", "actions", "categories", "purposes", "jurisdictions")]
        who, what, which, why, law = parts
        yield f"{marks[group['change']]} {who}: {what} {which} for {why} under {law}{_terms(group)}"
    if found["more"]:
        yield f"  and {found['more']:,} groups more"
    cells = found["cells"]
    yield (
        f"{cells['permitted']:,} questions newly permitted, {cells['denied']:,} newly denied, "
        f"{cells['terms']:,} permitted on other terms"
    )
    if not found["complete"]:
        yield "Not all was compared: the rules touch each other too much. These are the least numbers."


def _terms(group: dict[str, Any]) -> str:
    before, after = (" or ".join(group[side]) for side in ("before", "after"))
    rules = "+".join(group["rules_before"] if group["change"] == "denied" else group["rules_after"])
    by = f" by {rules}" if rules else ""
    if group["change"] == "terms":
        return f": {before} → {after}{by}"
    return f": {after or before}{by}"


def _names(names: dict[str, Any]) -> str:
    return ", ".join(names["names"]) + (f" and {names['more']:,} more" if names["more"] else "")


def _proven(found: dict[str, Any]) -> Iterator[str]:
    from sayso.server.cli.policy import grounds

    for each in found["failed"]:
        yield f"{each['file']}:{each['line']}: {each['test']}: expected {each['expected']}, got {each['got']}"
        for line in grounds(each["why"]):
            yield f"  {line}"
    for rule in found["rules"] or ():
        if not rule["covered"]:
            yield f"{rule['file']}:{rule['line']}: {rule['rule']} is not covered: no test notices when it changes"
        for change in rule["survivors"]:
            yield f"  {rule['rule']} {change}: every test still passes"
    failed = len(found["failed"])
    yield f"{found['tests'] - failed} passed, {failed} failed"
    if found["rules"] is not None:
        covered = sum(rule["covered"] for rule in found["rules"])
        mutants = sum(rule["mutants"] for rule in found["rules"])
        noticed = mutants - sum(len(rule["survivors"]) for rule in found["rules"])
        yield (
            f"{covered} of {len(found['rules'])} rules covered ({found['percent']:g} %), "
            f"{noticed} of {mutants} changes noticed"
        )


def _locally(files: tuple[Path, ...], manifests: tuple[Path, ...], *, cover: bool) -> Any:
    from policies import read_files
    from sayso.server.manifests.drafting import draft
    from sayso.server.manifests.proofs import tested

    drafted = draft(manifests)
    cases = [*drafted.suite, *read_files(((str(path), path.read_bytes()) for path in files), drafted.policy)]
    if not cases:
        raise Invalid("no-tests", "There is no test to run, neither in the files nor beside the rules.")
    found: Proven = tested(drafted.policy, cases, cover=cover)
    return msgspec.to_builtins(found)


def _compared(old: str, new: str) -> Any:
    from policies import diff as compare
    from sayso.server.manifests.drafting import draft, manifests_in

    sides = []
    for side in (old, new):
        if side == _LIVE or not Path(side).exists():
            raise click.UsageError(f"There is no file {side!r}; live rules and versions need --data or --url.")
        sides.append(draft(manifests_in(Path(side))).policy.snapshot)
    return msgspec.to_builtins(compare(*sides))


def _side(named: str) -> dict[str, Any]:
    from sayso.server.manifests.drafting import manifests_in

    if named == _LIVE:
        return {}
    if named.isdigit():
        return {"version": int(named)}
    if not Path(named).exists():
        raise click.UsageError(f"{named!r} is neither a file, a folder, a version nor 'live'.")
    return {"files": sent(manifests_in(Path(named)))}


def sent(files: "tuple[Path, ...] | list[Path]") -> list[dict[str, str]]:
    """Files as bodies hold them."""
    try:
        return [{"name": str(path), "content": path.read_text("utf-8")} for path in files]
    except UnicodeDecodeError:
        click.echo("sayso: a file is not UTF-8", err=True)
        sys.exit(UNUSABLE)


def _asked(path: str, body: dict[str, Any], where: dict[str, Any]) -> Any:
    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post(path, json=body))

    return reach(work, **where)
