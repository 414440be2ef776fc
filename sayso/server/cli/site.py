"""`sayso site`: a page of yours, seen by a browser that nobody knows."""

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from sayso.server.cli.answers import show

if TYPE_CHECKING:
    from sayso.server.site_check import SiteReport
    from sayso.server.site_check.report import Seen

_DAY = 86_400


@click.group()
def site() -> None:
    """Look at a site that shows the banner."""


@site.command()
@click.argument("url")
@click.option("--wait", type=click.FloatRange(0.2, 60), default=5, show_default=True, help="Seconds after each step.")
@click.option("--mobile", is_flag=True, help="Look as a telephone does.")
@click.option(
    "--allow", multiple=True, metavar="NAME", help="A host, cookie or storage key that the site needs; * is any."
)
@click.option("--no-sandbox", is_flag=True, help="Start Chromium without its sandbox, as some containers need.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(url: str, *, wait: float, mobile: bool, allow: tuple[str, ...], no_sandbox: bool, as_json: bool) -> None:
    """Open URL in Chromium, refuse, come back, accept: what came when, and what needed a yes first.

    A second visit sends Global Privacy Control. Exit 0: clean. 1: findings. 2: could not check.
    """
    from sayso.server.site_check import Wish, check_site

    report = asyncio.run(check_site(url, Wish(wait, mobile, allow, not no_sandbox)))
    if as_json:
        show(report)
    else:
        click.echo("\n".join(_lines(report)))
    sys.exit(1 if report.findings else 0)


def _lines(report: "SiteReport") -> list[str]:
    banner, signal = report.banner, report.signal
    lines = [f"Page      {report.final_url}"]
    for hop in report.redirects:
        lines.append(f"          forwarded from {hop}")
    said = "none"
    if banner.present:
        said = f"site {banner.site}, notice {banner.notice} version {banner.notice_version}, {banner.address}"
    lines.append(f"Banner    {said}")
    reached = ", ".join(signal.purposes) or "no purpose of the notice"
    lines.append(f"Signal    {'respected' if signal.respected else 'NOT respected'}; it reaches {reached}")
    lines += [f"Note      {note}" for note in report.notes]
    lines += _part("Tags", [(tag.state, tag.what, tag.address, tag.purpose) for tag in report.tags])
    lines += _part("Before any choice", _rows(report.before))
    if report.after_refusing is not None:
        lines += _part("After refusing, this page and the next", _rows(report.after_refusing))
    if report.only_after_accepting is not None:
        lines += _part("Only after accepting", _rows(report.only_after_accepting))
    lines += _part("Findings", [(finding.rule, finding.text) for finding in report.findings])
    return lines


def _rows(seen: "Seen") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for asked in seen.requests:
        rows.append((asked.kind, asked.address, "" if asked.times == 1 else f"{asked.times} times"))
    for cookie in seen.cookies:
        rows.append(("cookie", cookie.name, f"{cookie.domain}, {cookie.party} party, {_lasts(cookie.lasts_s)}"))
        if not cookie.kept:
            rows[-1] = ("cookie", cookie.name, f"{cookie.domain}, {cookie.party} party, not taken by the browser")
    for stored in seen.storage:
        rows.append((stored.place, stored.name, stored.host))
    return rows


def _part(title: str, rows: "list[tuple[str, ...]]") -> list[str]:
    """A heading and its rows in columns."""
    if not rows:
        return ["", f"{title}: none"]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return ["", f"{title}:", *(f"  {line}" for line in table)]


def _lasts(seconds: int | None) -> str:
    if seconds is None:
        return "until the browser closes"
    return f"{round(seconds / _DAY)} days" if seconds >= _DAY else f"{seconds} seconds"
