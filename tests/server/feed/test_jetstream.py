"""Messages into JetStream, on the real server: one node, and three of which one is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nats
from standardwebhooks import Webhook

from tests.builders.served import HOST, free_port
from tests.server.feed.conftest import Fed, fed_of
from tests.server.worlds import a_world

SERVER = str(Path(sys.executable).with_name("nats-server"))


class Node:
    """One NATS server in a process of its own."""

    def __init__(self, folder: Path, name: str, port: int, cluster: int = 0, routes: str = "") -> None:
        command = [SERVER, "-a", HOST, "-p", str(port), "-n", name, "-js", "-sd", str(folder / name)]
        if cluster:
            command += ["--cluster_name", "test", "--cluster", f"nats://{HOST}:{cluster}", "--routes", routes]
        self.url = f"nats://{HOST}:{port}"
        self._log = (folder / f"{name}.log").open("wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@contextmanager
def nodes(folder: Path, count: int) -> Iterator[list[Node]]:
    ports = [free_port() for _ in range(2 * count)]
    clusters = ports[count:] if count > 1 else [0] * count
    routes = ",".join(f"nats://{HOST}:{port}" for port in clusters)
    started = [Node(folder, f"n{place}", ports[place], clusters[place], routes) for place in range(count)]
    try:
        yield started
    finally:
        for node in started:
            node.kill()


@asynccontextmanager
async def stream_of(node: Node, replicas: int) -> AsyncIterator[Any]:
    """A client's view of JetStream, once it is ready to keep streams."""
    client = await nats.connect(node.url, max_reconnect_attempts=60, reconnect_time_wait=0.1, connect_timeout=2)
    context = client.jetstream()
    for _ in range(100):
        try:
            await context.add_stream(name="PROBE", subjects=["PROBE.>"], num_replicas=replicas)
            break
        except nats.errors.Error:
            await asyncio.sleep(0.1)
    try:
        yield context
    finally:
        await client.close()


async def received(context: Any, number: int) -> list[Any]:
    """The first messages of the stream, by their places: a consumer may have lived on the node that is lost."""
    return [await answered(partial(context.get_msg, "SAYSO", place + 1)) for place in range(number)]


async def answered(ask: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """What JetStream says once it has a leader to say it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        try:
            return await ask()
        except nats.errors.Error:
            if loop.time() > end:
                raise
            await asyncio.sleep(0.2)


async def test_changes_reach_a_stream_once_signed_and_in_order(tmp_path: Path, database_url: str) -> None:
    with nodes(tmp_path, 1) as (node,):
        async with a_world(tmp_path, database_url, nats=(node.url,)) as world, stream_of(node, 1) as context:
            fed = await fed_of(world)
            made = await fed.subscribe("jetstream:SAYSO", world.admin, {"client": "mailer"})
            subject = await world.person()
            await fed.grant(subject)
            await fed.withdraw(subject, "marketing.email")
            await settled(fed, made["id"], 3)
            messages = await received(context, 3)
            assert [message.subject for message in messages] == [
                "SAYSO.default.sayso.consent.person.created",
                "SAYSO.default.sayso.consent.choice.recorded",
                "SAYSO.default.sayso.consent.choice.withdrawn",
            ]
            event = Webhook(made["secret"]).verify(messages[2].data, dict(messages[2].headers))
            assert event["data"]["state"]["marketing.email"]["status"] == "withdrawn"
            ids = [each["id"] for each in await fed.log(made["id"])]
            assert [message.headers["Nats-Msg-Id"] for message in messages] == ids
            again = await world.admin.post(f"/v1/webhooks/{made['id']}/redeliveries", json={"deliveries": ids})
            assert again.json()["queued"] == 3
            await settled(fed, made["id"], 3)
            assert (await context.stream_info("SAYSO")).state.messages == 3, "a message sent twice is stored once"


async def test_three_nodes_lose_one_and_nothing_else(tmp_path: Path, sqlite_url: str) -> None:
    with nodes(tmp_path, 3) as cluster:
        urls = tuple(node.url for node in cluster)
        async with (
            a_world(tmp_path, sqlite_url, nats=urls, nats_replicas=3) as world,
            stream_of(cluster[2], 3) as context,
        ):
            fed = await fed_of(world)
            made = await fed.subscribe("jetstream:SAYSO", world.admin, {"client": "mailer"})
            for number in range(10):
                await world.person(f"before-{number}")
            await settled(fed, made["id"], 10)
            cluster[0].kill()
            for number in range(10):
                await world.person(f"after-{number}")
            # While the two that are left elect a leader a message may fail twice, and its next turn is minutes away:
            # whoever runs this says that all is well again.
            for _ in range(40):
                log = await fed.log(made["id"])
                waiting = [each["id"] for each in log if each["status"] != "delivered"]
                if len(log) == 20 and not waiting:
                    break
                await asyncio.sleep(3)
                if waiting:
                    again = {"deliveries": waiting}
                    assert (await world.admin.post(f"/v1/webhooks/{made['id']}/redeliveries", json=again)).is_success
            await settled(fed, made["id"], 20)
            messages = await received(context, 20)
            ids = {message.headers["Nats-Msg-Id"] for message in messages}
            assert ids == {each["id"] for each in await fed.log(made["id"], status="delivered")}
            state = (await answered(partial(context.stream_info, "SAYSO"))).state
            assert state.messages == 20


async def settled(fed: Fed, webhook: str, number: int, seconds: float = 60) -> None:
    """Return once so many messages are delivered."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        log = await fed.log(webhook)
        if sum(each["status"] == "delivered" for each in log) >= number:
            return
        assert loop.time() < end, [each["attempts"] for each in log]
        await asyncio.sleep(0.1)
