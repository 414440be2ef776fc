"""`sayso doctor`: is this installation as it should be?"""

import sys
from typing import TYPE_CHECKING

import click

from sayso.server.cli.answers import act, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.command()
@on_data()
def doctor(place: Place) -> None:
    """Look for what is wrong or risky. Exit 1: something is wrong. Warnings alone are exit 0."""
    from sayso.server.running.examination import Finding, examine

    findings = examine(place.settings, place.passphrase)
    if not any(finding.level == "wrong" for finding in findings):

        async def work(client: "httpx.AsyncClient") -> bool:
            return (await client.get("/health/ready")).is_success

        ready = act(place, work)
        findings.append(Finding("fine" if ready else "wrong", "starts", "The program starts and reads its store."))
    if place.as_json:
        show({"findings": findings})
    else:
        marks = {"fine": "ok  ", "warning": "warn", "wrong": "FAIL"}
        for finding in findings:
            click.echo(f"{marks[finding.level]}  {finding.name}: {finding.text}")
    sys.exit(any(finding.level == "wrong" for finding in findings))
