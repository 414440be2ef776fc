"""Rules change under fire: every answer is that of the version it names, and of no mixture of two."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from sayso.server.app import assemble, running
from sayso.server.wiring import wire
from tests.server.worlds import World, a_world, settings_for

KINDS = ("contact.email", "contact.phone", "behaviour")
ROUNDS = 17
MANIFEST = """
categories: [contact.email, contact.phone, behaviour]
purposes:
  care: {title: {en: Care, zh-CN: 客服}, legal_basis: contract, categories: [contact.email, contact.phone, behaviour]}
roles: {agent: []}
rules:
  - {id: R000, role: agent, action: read, category: any, purpose: care, effect: allow, basis: contract}
  - {id: R001, role: agent, action: use, category: %s, purpose: care, effect: allow, basis: contract}
"""

Answered = tuple[str, tuple[bool, ...]]
"""The version that a list of answers names, and what each of `KINDS` got."""


async def ask(client: httpx.AsyncClient, person: str) -> Answered:
    body = {
        "subject": {"type": "service", "id": "desk"},
        "action": {"name": "use"},
        "context": {"purpose": "care"},
        "evaluations": [{"resource": {"type": kind, "id": person}} for kind in KINDS],
    }
    answers = (await client.post("/access/v1/evaluations", json=body)).raise_for_status().json()["evaluations"]
    (version,) = {each["context"]["policy_version"] for each in answers}
    return version, tuple(each["decision"] for each in answers)


async def activate(world: World, kind: str) -> None:
    answer = await world.apply(MANIFEST % kind)
    assert answer.status_code == 200, answer.text


async def staged(world: World) -> tuple[str, httpx.AsyncClient]:
    """A customer, and the service that asks about them."""
    await activate(world, KINDS[0])
    desk = await world.key("desk", "agent")
    person = await world.person()
    (await world.admin.put(f"/v1/subjects/{person}/relations/o-1", json={"kind": "contract"})).raise_for_status()
    return person, desk


async def under_fire(world: World, person: str, nodes: list[httpx.AsyncClient]) -> None:
    """Who asks right after a change is answered by it, on every node; who asks meanwhile, by one version whole."""
    known: dict[str, tuple[bool, ...]] = {}
    seen: list[Answered] = []
    done = asyncio.Event()

    async def keep_asking(node: httpx.AsyncClient) -> None:
        while not done.is_set():
            seen.append(await ask(node, person))

    fire = [asyncio.create_task(keep_asking(node)) for node in nodes for _ in range(3)]
    for place in range(ROUNDS):
        kind = KINDS[place % 3]
        await activate(world, kind)
        for version, permitted in await asyncio.gather(*(ask(node, person) for node in nodes)):
            assert permitted == tuple(each == kind for each in KINDS)
            assert known.setdefault(version, permitted) == permitted
    done.set()
    await asyncio.gather(*fire)
    assert len(known) == 3
    assert len(seen) >= ROUNDS
    assert {known[version] == permitted for version, permitted in seen} == {True}


async def test_each_answer_is_that_of_the_version_it_names(world: World) -> None:
    person, desk = await staged(world)
    await under_fire(world, person, [desk])


async def test_what_one_node_activates_holds_on_the_other_at_once(tmp_path: Path, postgres_url: str) -> None:
    async with a_world(tmp_path, postgres_url) as world, AsyncExitStack() as stack:
        person, desk = await staged(world)
        services = wire(settings_for(tmp_path, postgres_url))
        await stack.enter_async_context(running(services))
        transport = httpx.ASGITransport(assemble(services))  # type: ignore[arg-type]
        other = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081", headers=desk.headers)
        await under_fire(world, person, [desk, await stack.enter_async_context(other)])
