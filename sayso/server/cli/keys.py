"""`sayso keys`: API clients and their keys."""

from typing import TYPE_CHECKING, Any

import click

from sayso.server.cli.answers import act, demand, show
from sayso.server.cli.options import Place, on_data

if TYPE_CHECKING:
    import httpx


@click.group()
def keys() -> None:
    """API clients and their keys."""


@keys.command()
@click.argument("name")
@on_data()
@click.option("--role", "roles", multiple=True, help="A role of the client; may be given several times.")
@click.option("--scope", "scopes", multiple=True, help="Restrict the client to these operations.")
@click.option("--default-purpose", help="The purpose of a question that names none.")
@click.option("--expires-in", help="ISO 8601 duration after which the key ends, such as P90D.")
def create(
    place: Place,
    name: str,
    roles: tuple[str, ...],
    scopes: tuple[str, ...],
    default_purpose: str | None,
    expires_in: str | None,
) -> None:
    """Make an API key for the client NAME. It is shown once.

    A second key for a client that exists is how keys are rotated: make the new one, switch over, revoke the old one.
    """
    body: dict[str, Any] = {"name": name, "roles": roles, "scopes": scopes}
    body |= {"default_purpose": default_purpose} if default_purpose else {}
    body |= {"expires_in": expires_in} if expires_in else {}

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/keys", json=body))

    made = act(place, work)
    if place.as_json:
        show(made)
    else:
        click.echo(made["key"])


@keys.command("list")
@on_data()
def list_keys(place: Place) -> None:
    """Clients and their keys; never the keys themselves."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.get("/v1/keys"))

    found = act(place, work)
    if place.as_json:
        show(found)
        return
    for item in found["keys"]:
        state = (
            "revoked" if item.get("revoked_at") else "until " + item["expires_at"] if item.get("expires_at") else "live"
        )
        state += f", counts as {item['counts_as']}" if item.get("counts_as") else ""
        state += f", made by {item['made_by']}" if item.get("made_by") and not item.get("counts_as") else ""
        click.echo(f"{item['id']}  {item['name']:<24} {','.join(item['roles']):<32} {state}")


@keys.command("rotate-receipt")
@on_data()
@click.option("--after", default="P1D", show_default=True, help="ISO 8601 duration until the next key signs.")
def rotate_receipt(place: Place, after: str) -> None:
    """Make the next key that signs receipts. It is published at once and signs once the time has passed.

    Receipts under older keys verify for ever: their keys stay published.
    """

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post("/v1/receipt-keys", json={"after": after}))

    made = act(place, work)
    if place.as_json:
        show(made)
    else:
        click.echo(f"{made['kid']}  signs from {made['since']}")


@keys.command()
@click.argument("key_id")
@on_data(json=False)
def revoke(place: Place, key_id: str) -> None:
    """End the key KEY_ID, as `sayso keys list` names it, at once."""

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.delete(f"/v1/keys/{key_id}"))

    act(place, work)


@keys.command()
@click.argument("key_id")
@on_data(json=False)
def confirm(place: Place, key_id: str) -> None:
    """Say that the key KEY_ID is held by somebody else than its maker: it counts as a person of its own then.

    Needed for keys made while the manifest says `approval: two`, and for any key before it stands for a second person
    where a value takes two. Exit 1: refused to whoever made it.
    """

    async def work(client: "httpx.AsyncClient") -> Any:
        return demand(await client.post(f"/v1/keys/{key_id}/confirm"))

    act(place, work)
