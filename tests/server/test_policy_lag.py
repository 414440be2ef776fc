"""A node decides by the version it names, keeps the old one when the newest is not sound, and not for long."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from freezegun import freeze_time

from sayso.kernel import SYSTEM, Context, Tx, Work, now
from sayso.server import store
from sayso.server.app import assemble, running
from sayso.server.manifests.self_check import Unsound
from sayso.server.wiring import wire
from tests.server.test_change_control import ONE_MORE, WHOLE, approve, under_two
from tests.server.worlds import World, a_world

QUESTION = {
    "subject": {"type": "service", "id": "mailer"},
    "action": {"name": "use"},
    "context": {"purpose": "marketing.email"},
}
CLOSED = "  - {id: R050, role: any, action: any, category: contact, purpose: marketing.email, effect: deny}"


async def ask(client: httpx.AsyncClient, subject: str) -> dict[str, Any]:
    resource = {"resource": {"type": "contact.email", "id": subject}}
    answer = await client.post("/access/v1/evaluation", json=QUESTION | resource)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def tampered(world: World, content: bytes, hash_: str, policy: str) -> None:
    """A version beside the program's own way in, as somebody with write access to the database could store one."""

    def unit(tx: Tx) -> Work[None]:
        (rows,) = yield (tx.select(store.latest_manifest()),)
        number, shipped = rows[0][0] + 1, rows[0][5]
        tx.insert(store.MANIFEST, number, hash_, content, b"key_x", tx.context.at, b"", 0, 0, 0, policy, shipped)
        tx.configure()

    await world.services.database.run_alone(Context("default", SYSTEM, now(), "test"), unit)
    await world.services.configurations.refresh("default")


async def a_mailer(world: World) -> tuple[httpx.AsyncClient, str]:
    await world.smallest()
    mailer, subject = await world.key("mailer", "marketing_sender"), await world.person()
    await world.choose(subject)
    return mailer, subject


async def lag(world: World) -> Any:
    return (await world.nobody.get("/health/ready")).json().get("policy_lag")


FAILING = (
    b'"policy_tests":[{"id":"t1","ask":{"role":"marketing_sender","action":"use","category":"contact.email",'
    b'"purpose":"marketing.email"},"expect":"deny"}],"sites"'
)


@pytest.mark.parametrize("what", ["rules", "content", "sense", "tests"])
async def test_a_version_that_was_not_activated_does_not_decide(lite: World, what: str, capfd: Any) -> None:
    mailer, subject = await a_mailer(lite)
    capfd.readouterr()
    held = lite.services.configurations.of("default")
    open_to_all = held.manifest.replace(b'"role":"marketing_sender"', b'"role":"any"')
    stored = {"sense": b'{"rules":7}', "tests": held.manifest.replace(b'"sites"', FAILING)}.get(what, open_to_all)
    hash_ = "0" * 64 if what == "content" else sha256(stored).hexdigest()
    await tampered(lite, stored, hash_, held.policy.version)
    answer = await ask(mailer, subject)
    assert answer["decision"] is True
    assert answer["context"]["policy_version"] == held.policy.version
    assert (await lag(lite))["stale"] is False
    told = next(json.loads(line) for line in capfd.readouterr().err.splitlines() if "cannot be loaded" in line)
    assert (told["level"], told.get("differs")) == ("error", None if what == "sense" else what)
    assert b"sayso_policy_lag_seconds" in (await lite.admin.get("/metrics")).content
    # Keys and revocations do not wait for the rules.
    guest = await lite.key("guest", "auditor")
    assert (await guest.get("/v1/audit/logs")).status_code == 200
    with freeze_time(datetime.now(UTC) + timedelta(seconds=61), real_asyncio=True):
        denied = await ask(mailer, subject)
        assert (denied["decision"], denied["context"]["reason"]) == (False, "stale")
        assert (await lag(lite))["stale"] is True
        several = await mailer.post(
            "/access/v1/evaluations",
            json=QUESTION | {"evaluations": [{"resource": {"type": "contact.email", "id": subject}}] * 2},
        )
        assert [each["context"]["reason"] for each in several.json()["evaluations"]] == ["stale", "stale"]


async def test_the_next_sound_version_ends_the_lag(lite: World) -> None:
    mailer, subject = await a_mailer(lite)
    held = lite.services.configurations.of("default")
    await tampered(lite, held.manifest, sha256(held.manifest).hexdigest(), "0" * 64)
    assert await lag(lite) is not None
    assert (await lite.apply(ONE_MORE)).json()["version"] == 3
    assert await lag(lite) is None
    assert (await ask(mailer, subject))["decision"] is True


async def test_what_was_in_the_way_is_tried_again(tmp_path: Path, sqlite_url: str) -> None:
    async with a_world(tmp_path, sqlite_url) as world:
        await world.smallest()
        held = world.services.configurations.of("default")
        await tampered(world, held.manifest, sha256(held.manifest).hexdigest(), "0" * 64)
        await world.services.configurations.retry()
        assert await lag(world) is not None
        with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as database:
            database.execute("DROP TRIGGER server_manifest_no_update")
            database.execute("UPDATE server_manifest SET policy = ? WHERE version = 2", (held.policy.version,))
        await world.services.configurations.retry()
        assert await lag(world) is None
        assert world.services.configurations.of("default").version == 2


async def test_a_node_does_not_start_with_what_was_not_activated(tmp_path: Path, postgres_url: str) -> None:
    async with a_world(tmp_path, postgres_url) as world:
        await world.smallest()
        held = world.services.configurations.of("default")
        await tampered(world, held.manifest, "0" * 64, held.policy.version)
        with pytest.raises(Unsound, match="not what was activated"):
            async with running(wire(world.services.settings)):
                pass


async def test_under_fire_every_answer_is_that_of_the_version_it_names(tmp_path: Path, postgres_url: str) -> None:
    """Two nodes answer while versions that differ are approved through a third person's calls."""
    async with a_world(tmp_path, postgres_url) as world:
        await world.smallest()
        ada, bea = await under_two(world)
        mailer, subject = await world.key("mailer", "marketing_sender"), await world.person()
        await world.choose(subject)
        first = wire(world.services.settings)
        async with running(first):
            transport = httpx.ASGITransport(assemble(first))  # type: ignore[arg-type]
            headers = {"authorization": mailer.headers["authorization"]}
            async with httpx.AsyncClient(transport=transport, base_url="http://other", headers=headers) as other:
                answers: list[dict[str, Any]] = []
                done = asyncio.Event()

                async def fire(client: httpx.AsyncClient) -> None:
                    while not done.is_set():
                        answers.append(await ask(client, subject))

                expected = {world.services.configurations.of("default").policy.version: True}
                shots = [asyncio.create_task(fire(client)) for client in (mailer, other) for _ in range(4)]
                for number in range(6):
                    closing = number % 2 == 0
                    rules = WHOLE[WHOLE.index("rules:") : WHOLE.index("sites:")] + (f"{CLOSED}\n" if closing else "")
                    proposal = (await world.apply(rules, client=ada, prune=True)).json()["proposal"]
                    assert (await approve(bea, proposal)).status_code == 200
                    version = world.services.configurations.of("default").policy.version
                    expected[version] = not closing
                    for client in (mailer, other):
                        # What was approved before a question is what answers it, on every node.
                        answer = await ask(client, subject)
                        assert answer["context"]["policy_version"] == version
                        assert answer["decision"] is not closing
                done.set()
                await asyncio.gather(*shots)
    assert len(expected) >= 2
    assert {answer["context"]["policy_version"] for answer in answers} <= expected.keys()
    assert all(answer["decision"] is expected[answer["context"]["policy_version"]] for answer in answers)
