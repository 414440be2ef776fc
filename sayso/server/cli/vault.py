"""`sayso vault`: the keys above the people's keys."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, named_values, on_data

if TYPE_CHECKING:
    import httpx


@click.group()
def vault() -> None:
    """The vault's keys: epochs, providers, backups of the key table."""


@vault.group("keys")
def epochs() -> None:
    """The tenant key of each epoch, under which people's keys lie.

    States: next, active, retiring (opens what still lies under it), disabled (can be called back), destroyed.
    """


@epochs.command("list")
@on_data()
def list_epochs(place: Place) -> None:
    """The epochs, what lies under each, and how far a roll is."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/vault/epochs"))

    found = act(place, work)
    if place.as_json:
        show(found)
        return
    for each in found["epochs"]:
        line = f"{each['epoch']:>4}  {each['state']:<10} {each['keys']:>9} keys  {each['provider']} {each['root']}"
        click.echo(f"{line}  {each['made_at']}" + (f"  gone {each['gone_at']}" if each.get("gone_at") else ""))
    if found.get("roll"):
        click.echo(_line(found["roll"]))
    click.echo(f"key table backed up: {found.get('backed_up_at') or 'never'}")


@epochs.command()
@on_data()
def rotate(place: Place) -> None:
    """Lay down the next epoch. It is not used before `roll`: bring the key folder to every other node first."""
    _post(place, "/v1/vault/epochs", {}, lambda made: f"Epoch {made['epoch']} is {made['state']}.")


@epochs.command()
@on_data()
@click.option("--rate", type=click.IntRange(0), default=0, help="Keys a second at most [default: as many as it can].")
@click.option("--grace", default="P7D", show_default=True, help="How long the old epoch can be called back.")
@click.option("--wait", is_flag=True, help="Return when every key is wrapped anew.")
def roll(place: Place, rate: int, grace: str, wait: bool) -> None:
    """Use the next epoch and wrap every key anew under it. Then the old epoch is disabled, and, when its grace is over
    and the key table was backed up (`sayso vault backup`), destroyed at its provider.

    The workers of a running server do it; without a server this command does it with --wait, else `sayso worker`.
    """
    with_body = {"rate": rate, "grace": grace}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/vault/roll", json=with_body))

    async def look(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/vault/epochs"))["roll"]

    async def both(client: "httpx.AsyncClient") -> Any:
        import asyncio

        begun = await work(client)
        with _bar(begun["total"]) as bar:
            while begun["state"] == "sweeping":
                await asyncio.sleep(0.2)
                before, begun = begun, await look(client)
                bar.update(begun["done"] - before["done"])
        return begun

    begun = act(place, both if wait else work)
    show(begun) if place.as_json else click.echo(_line(begun))


@epochs.command()
@on_data()
def pause(place: Place) -> None:
    """Stop wrapping anew. Nothing else changes: both epochs open."""
    _post(place, "/v1/vault/roll/pause", None, _line)


@epochs.command()
@on_data()
def resume(place: Place) -> None:
    """Go on where it was paused."""
    _post(place, "/v1/vault/roll/resume", None, _line)


@epochs.command()
@click.argument("epoch", type=int)
@on_data()
def enable(place: Place, epoch: int) -> None:
    """Call the disabled EPOCH back. The roll is paused then."""
    _post(place, f"/v1/vault/epochs/{epoch}/enable", None, lambda made: f"Epoch {epoch} is {made['state']}.")


@epochs.command()
@click.argument("epoch", type=int)
@on_data()
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(place: Place, epoch: int, yes: bool) -> None:
    """Destroy the disabled EPOCH before its grace is over. Nobody can undo it.

    Exit 1: it is not disabled, or the key table was not backed up since.
    """
    if not yes:
        click.confirm(f"Destroy epoch {epoch} for good?", abort=True, err=True)
    _post(place, f"/v1/vault/epochs/{epoch}/destroy", None, lambda made: f"Epoch {epoch} is {made['state']}.")


@vault.command()
@click.argument("kind")
@on_data()
@click.option("--with", "with_", multiple=True, help="A setting of the provider.", metavar="NAME=VALUE")
@click.option("--own", is_flag=True, help="For the brand of --tenant alone, which brings its own.")
def provider(place: Place, kind: str, with_: tuple[str, ...], own: bool) -> None:
    """Let new epochs lie under a root key in a provider of this KIND (pkcs11, transit, aws-kms).

    What is there stays where it is until `sayso vault keys roll` moves it. Restart the servers in between.
    """
    from sayso.server.running.precautions import demand_store
    from vault import OutsideKey, own_folder

    demand_store(place.settings)
    folder = own_folder(place.settings.key_folder, place.tenant) if own else place.settings.key_folder
    made = OutsideKey.create(folder, kind, named_values(with_))
    facts = made.describe()
    if place.as_json:
        show({"provider": facts.provider, "root": facts.key})
    else:
        click.echo(
            f"New epochs lie under root key {facts.key} in {facts.provider}; sayso vault keys roll moves the old."
        )


@vault.command()
@on_data()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def backup(place: Place, out: Path) -> None:
    """Copy the key table of the brand of --tenant to OUT, beside a running server.

    Keep it apart from backups of the data, and keep the newest one alone: an older one has the keys of people who were
    erased since. Without the root key nobody can read it. Exit 1: OUT exists; 2: it lies among data or keys.
    """
    body = {"out": str(out.absolute())}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/vault/backup", json=body))

    made = act(place, work)
    show(made) if place.as_json else click.echo(f"{made['keys']} keys of {made['tenant']} in {out}.")


@vault.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@on_data()
def restore(place: Place, file: Path) -> None:
    """Put the key table in FILE in place of the one in the database, after the data were restored from an older copy.

    Whoever was erased since that copy is erased again, before anything is served. Stop the servers first. Exit 1: one
    is running; 2: FILE is damaged or another brand's.
    """
    from sayso.server.running.restoring import put_back

    with _bar(1024, "looking at everybody") as bar:
        done = put_back(place.settings, place.passphrase, place.tenant, file, bar.update)
    if place.as_json:
        show(done)
    else:
        click.echo(f"{done.keys} keys put back; {done.erased} people who were erased since are erased again.")


def _post(place: Place, path: str, body: dict[str, Any] | None, said: Any) -> None:
    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post(path, json=body))

    made = act(place, work)
    show(made) if place.as_json else click.echo(said(made))


def _line(roll: dict[str, Any]) -> str:
    line = f"roll to epoch {roll['epoch']}: {roll['state']}, {roll['done']} of {roll['total']} keys"
    if roll.get("waits_for"):
        line += f", waits for {roll['waits_for']}, destroyed from {roll['destroyed_from']}"
    return line


def _bar(total: int, label: str = "wrapping keys anew") -> Any:
    return click.progressbar(length=max(total, 1), label=label, file=sys.stderr)
