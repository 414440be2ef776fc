"""What a command does with an answer of the server: print it, or say what was wrong and leave with the right code."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import msgspec

from sayso.kernel import Conflict, Denied, ManifestError, SaysoError, Unavailable
from sayso.server.cli.options import Place

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

REFUSED, UNUSABLE, PROPOSED = 1, 2, 3


def exit_code_of(error: SaysoError) -> int:
    """2 for what was given, 1 for what stands against it."""
    if isinstance(error, (Conflict, Denied, Unavailable)):
        return REFUSED
    return UNUSABLE


def act(place: Place, work: "Callable[[httpx.AsyncClient], Awaitable[T]]") -> T:
    """Run `work` with a client that speaks as the local operator of the place's tenant."""
    from sayso.server.running.local import operate

    async def go() -> T:
        async with operate(place.settings, place.tenant, place.passphrase) as client:
            return await work(client)

    return asyncio.run(go())


def demand(response: "httpx.Response") -> Any:
    """The JSON of a good answer; anything else ends the command."""
    if response.is_success:
        return response.json() if response.content else None
    return fail(response)


def fail(response: "httpx.Response") -> NoReturn:
    """Say what the server said, and leave."""
    try:
        problem = response.json()
    except ValueError:
        problem = {"detail": f"The server answered {response.status_code}."}
    lines = [_line(item) for item in problem.get("problems", [])] or [str(problem.get("detail", "Refused."))]
    for line in lines:
        click.echo(f"sayso: {line}", err=True)
    sys.exit(UNUSABLE if response.status_code in (400, 404, 413, 422) else REFUSED)


def refuse(error: ManifestError) -> NoReturn:
    """Print every problem of a manifest with its line, and leave."""
    for problem in error.problems:
        click.echo(f"sayso: {problem}", err=True)
    sys.exit(UNUSABLE)


def show(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _line(item: dict[str, Any]) -> str:
    hint = f" Did you mean {item['nearest']!r}?" if item.get("nearest") else ""
    return f"{item['file']}:{item['line']}: {item['message']}{hint}"
