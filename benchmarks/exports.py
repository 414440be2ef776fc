"""How long exports take: `python -m benchmarks.exports [sqlite|postgres] [entries]`.

Decisions about two thousand people by one client. The blast radius is reckoned for that client (budget: a million
entries in 60 seconds), then an evidence bundle of all entries is written and checked by the verifier that is in it. The
job rests between its steps on the embedded database, as it does beside a server, and so it is measured.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path

import httpx

from audit import AuditEvent, verify
from benchmarks.databases import on_each
from sayso.kernel import LOG, Actor, Context, Tx, Work, new_id, now, raw
from sayso.migrations import runner
from tests.server.worlds import World, a_world

PEOPLE = 2_000
AT_ONCE = 1_000
BUDGET_PER_MILLION_S = 60.0


def main() -> None:
    on_each(sys.argv[1:], measure, 200_000)


async def measure(engine: str, url: str, folder: Path, count: int) -> None:
    """Print seconds for a blast radius and for a bundle, and how much memory it took."""
    await asyncio.to_thread(runner.upgrade, url)
    async with a_world(folder, url) as world:
        client = await lay(world, count)
        await world.services.workers.drain()
        begun, cpu = time.perf_counter(), time.process_time()
        summary = await fetched(world, await made(world, "/v1/audit/blast-radius", {"key": client, "format": "json"}))
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - cpu
        assert summary.json()["people"] == PEOPLE
        budget = BUDGET_PER_MILLION_S * count / 1e6
        print(f"  {engine:<8} blast radius, {count:,} entries {seconds:>8.1f} s (budget {budget:.1f}), CPU {cpu:.1f}")
        begun = time.perf_counter()
        export = await made(world, "/v1/exports", {"what": "entries", "format": "bundle"})
        selected = time.perf_counter() - begun
        file = folder / "bundle.zip"
        file.write_bytes((await fetched(world, export)).content)
        seconds = time.perf_counter() - begun
        size = file.stat().st_size
        each = size / count
        print(f"  {engine:<8} bundle: selected {selected:.1f} s, written {seconds:.1f} s, {each:.0f} bytes an entry")
        begun = time.perf_counter()
        assert (await asyncio.to_thread(verify, file)).code == 0
        print(f"  {engine:<8} bundle verified {time.perf_counter() - begun:>8.1f} s")
        print(f"  {engine:<8} most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


async def lay(world: World, count: int) -> str:
    """Entries of one client about many people, in the log; returns the client's id."""
    await world.smallest()
    services = world.services
    made_key = await world.admin.post("/v1/keys", json={"name": "mailer", "roles": ["marketing_sender"]})
    client: str = made_key.json()["client"]
    actor = Actor(client, "mailer", "service", frozenset({"marketing_sender"}))
    people = [raw(await world.person(f"c-{number}")) for number in range(PEOPLE)]
    res = {
        "action": "use",
        "category": "contact.email",
        "purpose": "marketing.email",
        "reason": "permitted",
        "rule": "R010",
    }

    def unit(tx: Tx, first: int) -> Work[None]:
        chosen = [people[number % PEOPLE] for number in range(first, first + AT_ONCE)]
        rows = yield tuple(services.keyring.read(tx, person) for person in chosen)
        for person, row in zip(chosen, rows, strict=True):
            key = services.keyring.unwrap("default", person, LOG, row)
            services.audit.append(tx, AuditEvent("access.permitted", "permit", res, person, {"basis": "consent"}), key)

    for first in range(0, count, AT_ONCE):
        context = Context("default", actor, now(), new_id("req"))
        await services.database.run(context, lambda tx, first=first: unit(tx, first))  # type: ignore[misc]
    await services.settle()
    return client


async def made(world: World, where: str, order: dict[str, str]) -> str:
    response = await world.admin.post(where, json=order)
    assert response.status_code == 202, response.text
    export: str = response.json()["export"]
    while True:
        if (await world.admin.get(f"/v1/exports/{export}")).json()["status"] == "done":
            return export
        await asyncio.sleep(0.1)


async def fetched(world: World, export: str) -> httpx.Response:
    response = await world.admin.get(f"/v1/exports/{export}/content")
    assert response.status_code == 200
    return response


if __name__ == "__main__":
    main()
