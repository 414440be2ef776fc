"""Several processes on one database: one carries a subscription, the others wait for it to fall silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sayso.kernel import SYSTEM, Context, Tx, Work, now, raw
from sayso.server.app import assemble, running
from sayso.server.feed import office, store
from sayso.server.feed.cloudevents import Teller
from sayso.server.feed.ledger import Ledger
from sayso.server.wiring import Services, wire
from tests.builders.served import HOST
from tests.server.feed.conftest import Fed, fed_of, settled
from tests.server.feed.receivers import Receiver, with_status
from tests.server.worlds import a_world, settings_for


@asynccontextmanager
async def another_node(folder: Path, url: str) -> AsyncIterator[Services]:
    services = wire(settings_for(folder, url, webhook_hosts=(HOST,)))
    async with running(services):
        assert assemble(services)
        yield services


async def test_two_nodes_deliver_each_change_once_and_never_two_about_one_person_at_a_time(
    tmp_path: Path, postgres_url: str, receiver: Receiver
) -> None:
    async def slowly(one: Receiver, message: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        await with_status(200)(one, message, writer)  # type: ignore[arg-type]

    receiver.answer = slowly
    async with a_world(tmp_path, postgres_url, webhook_hosts=(HOST,)) as world, another_node(tmp_path, postgres_url):
        fed = await fed_of(world)
        people = [await fed.world.person(f"c-{number}") for number in range(4)]
        made = await fed.subscribe(receiver.url)
        for _ in range(5):
            await asyncio.gather(*(fed.grant(subject) for subject in people))
        log = await settled(fed, made["id"], "delivered", 20)
        await asyncio.sleep(0.5)
        assert len(receiver.got) == 20
        assert receiver.most_at_once == 1
        for name in {message.event["subject"] for message in receiver.got}:
            order = [message.seq for message in receiver.got if message.event["subject"] == name]
            assert order == sorted(order)
        assert all(len(each["attempts"]) == 1 for each in log)


async def test_of_two_nodes_that_see_a_lease_free_one_takes_it(fed: Fed, receiver: Receiver) -> None:
    services = fed.world.services
    await services.feed.close()
    webhook = raw((await fed.subscribe(receiver.url))["id"])
    database, context = services.database, Context("default", SYSTEM, now(), "test")
    one, other = (
        Ledger(services, Teller(services), services.feed.subscriptions, webhook, holder)
        for holder in (b"one node", b"another.")
    )

    async def version() -> int:
        def unit(tx: Tx) -> Work[int]:
            (row,) = yield (tx.get(store.COURIER, webhook),)
            assert row is not None
            return int(row[0])

        return await database.look(context, unit)

    seen = await version()
    assert await database.run_alone(context, lambda tx: one.take(tx, seen))
    assert not await database.run_alone(context, lambda tx: other.take(tx, seen)), "it would send all again"
    moved = await version()
    assert await database.run_alone(context, lambda tx: one.take(tx, seen)), "one's own lease is taken up again"
    assert not await database.run_alone(context, lambda tx: other.take(tx, moved)), "whoever moves is alive"
    still = await version()
    assert await database.run_alone(context, lambda tx: other.take(tx, still)), "who stands still is relieved"


async def test_a_node_that_stops_leaves_its_work_to_the_other(
    tmp_path: Path, postgres_url: str, receiver: Receiver
) -> None:
    async with a_world(tmp_path, postgres_url, webhook_hosts=(HOST,)) as world:
        fed = await fed_of(world)
        await fed.subscribe(receiver.url)
        await fed.world.person("c-1")
        await receiver.count(1)
        async with another_node(tmp_path, postgres_url):
            await world.services.feed.close()
            await fed.world.person("c-2")
            await receiver.count(2)
        await asyncio.sleep(0.2)


async def test_a_node_that_died_is_replaced_once_its_term_is_over(
    tmp_path: Path, postgres_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world(tmp_path, postgres_url, webhook_hosts=(HOST,)) as world:
        fed: Fed = await fed_of(world)
        monkeypatch.setattr(office, "TERM", 4.0)
        made = await fed.subscribe(receiver.url)
        await fed.world.person("c-1")
        await settled(fed, made["id"], "delivered")
        # As if killed: it does no more rounds, and releases nothing.
        dead = world.services.feed
        dead._closing = True
        async with another_node(tmp_path, postgres_url):
            begun = asyncio.get_running_loop().time()
            await fed.world.person("c-2")
            await receiver.count(2, office.TERM + 60)
            assert asyncio.get_running_loop().time() - begun > office.TERM - 1
