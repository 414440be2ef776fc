"""`sayso demo`: a fictional tea brand, ready to look at. What happened there is `past.py`'s."""

import asyncio
import os
import sys
from pathlib import Path

import click
import msgspec

from sayso.kernel import DAY, Conflict, now
from sayso.server.mailroom import DEMO_KEYS, SECRET
from sayso.server.past import DAYS, Past
from sayso.server.running.laying import lay
from sayso.server.running.local import locked
from sayso.server.settings import FILE, Settings

CONTROLLER = "Huangshan & Hale Ltd, United Kingdom"
KEYS = DEMO_KEYS


class NotTheDemo(Conflict):
    """The folder holds somebody's own store."""


def prepare(settings: Settings) -> str:
    """Make the demo store unless it is there; returns what to print: addresses and keys. Raises `NotTheDemo`."""
    place = settings.key_folder / KEYS
    if (settings.data_folder / FILE).is_file():
        if not place.is_file():
            raise NotTheDemo("not-the-demo", "This folder holds a store that is not the demo's; choose another one.")
        with locked(settings.data_folder):
            keys = msgspec.json.decode(place.read_bytes(), type=dict[str, str])
            keys.update(asyncio.run(_fill(settings, anew=False)))
        _keep(place, keys)
    else:
        made = lay(settings, CONTROLLER)
        with locked(settings.data_folder):
            keys = {"admin": made.admin_key, **asyncio.run(_fill(settings, anew=True))}
        _keep(place, keys)
    return welcome(settings)


def welcome(settings: Settings) -> str:
    """The addresses of the demo, and where its keys lie."""
    base, place = settings.base_url, settings.key_folder / KEYS
    keys = msgspec.json.decode(place.read_bytes()) if place.is_file() else {}
    lines = [
        f"shop with banner    {base}/demo/",
        f"preference centre   {base}/p/          (the shop's footer leads there)",
        f"compliance console  {base}/console/    key: {keys.get('admin', 'see ' + str(place))}",
        f"API documentation   {base}/docs",
        f"keys of the services: {place}",
    ]
    return "\n".join(lines)


async def _fill(settings: Settings, *, anew: bool) -> dict[str, str]:
    """The manifest, whose site stands at the address served now; in a new store also keys and the past."""
    from sayso.server.app import running
    from sayso.server.wiring import wire

    services = wire(settings)
    async with running(services):
        past = Past(services, now() - DAYS * DAY)
        await past.declare(settings)
        if not anew:
            return {SECRET: await past.listen(settings)}
        keys = await past.make_keys()
        with click.progressbar(
            range(DAYS), label="Ninety days", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as days:
            await past.happen(days)
        await past.report()
        keys[SECRET] = await past.listen(settings)
        await services.settle()
    return keys


def _keep(path: Path, keys: dict[str, str]) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
