"""Which cipher seals is the operator's choice, and may change: what the other one sealed opens as before."""

from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import select

from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now
from sayso.server.app import assemble, running
from sayso.server.running.founding import NewTenant, found
from sayso.server.settings import load, remember
from sayso.server.wiring import wire
from tests.server.worlds import World, settings_for
from vault import SealedFile, Suite
from vault.tables import vault_key, vault_record


async def test_what_one_cipher_sealed_opens_after_the_other_was_chosen(tmp_path: Path, database_url: str) -> None:
    settings = settings_for(tmp_path, database_url, cipher="aes-256-gcm")
    SealedFile.create(settings.key_folder, None)
    remember(settings)
    services = wire(load(settings.data, {}))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(services))
        admin = (await found(services, NewTenant("default", "Huangshan & Hale Ltd, Ireland"))).admin_key
        world = await World(services, assemble(services), stack, admin).enter()
        await world.smallest()
        first = await stored(world, "c-1", "ada@example.org")
        assert await suites(world) == {(Suite.GCM, Suite.GCM)}
    services = wire(load(settings.data, {"SAYSO_CIPHER": "aes-256-gcm-siv"}))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(services))
        world = await World(services, assemble(services), stack, admin).enter()
        second = await stored(world, "c-2", "bo@example.org")
        assert await suites(world) == {(Suite.GCM, Suite.GCM), (Suite.GCM_SIV, Suite.GCM_SIV)}
        assert await opened(world, first, second) == ["ada@example.org", "bo@example.org"]


async def stored(world: World, customer: str, email: str) -> str:
    """The token of a new person's address."""
    subject = await world.person(customer)
    body = {"subject": subject, "collection": "customers", "fields": {"email": email}}
    token: str = (await world.admin.post("/v1/vault/records", json=body)).json()["tokens"]["email"]
    return token


async def opened(world: World, *tokens: str) -> list[str]:
    body = {"items": [{"token": token} for token in tokens], "purpose": "dsar", "reason": "asked"}
    answer = (await world.admin.post("/v1/vault/reveal", json=body)).json()
    return [each["value"] for each in answer["results"]]


async def suites(world: World) -> set[tuple[int, int]]:
    """The suites of each person's wrapped key and value: the first byte of each."""

    def kept(tx: Tx) -> Work[set[tuple[int, int]]]:
        keys, values = yield (
            tx.select(select(vault_key.c.owner, vault_key.c.wrapped)),
            tx.select(select(vault_record.c.subject, vault_record.c.blob)),
        )
        wrapped = {bytes(owner): blob[0] for owner, blob in keys}
        return {(wrapped[bytes(subject)], blob[0]) for subject, blob in values}

    return await world.services.database.look(Context("default", SYSTEM, now(), new_id("req")), kept)
