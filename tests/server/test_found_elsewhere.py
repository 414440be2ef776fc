"""What other systems found about a person who asked to see it: kept for them alone, and not for ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from freezegun import freeze_time

from tests.builders.served import HOST
from tests.server.test_systems import ONLY_TILL, SYSTEMS, TASKS, Told, ready, statuses, tasks_of
from tests.server.worlds import a_world


@pytest_asyncio.fixture
async def everywhere(tmp_path: Path, database_url: str) -> AsyncIterator[Told]:
    async with a_world(tmp_path, database_url, webhook_hosts=(HOST,)) as world:
        yield await ready(world, SYSTEMS)


@pytest_asyncio.fixture
async def lone(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Told]:
    async with a_world(tmp_path, sqlite_url) as world:
        yield await ready(world, ONLY_TILL)


async def test_what_an_access_request_finds_elsewhere_is_kept_for_the_person_alone(lone: Told) -> None:
    request = await lone.served(await lone.customer(), "access")
    task = tasks_of(request)["till"]
    huge = {"request": request["request"], "data": {"orders": ["x" * 1000] * 300}}
    assert (await lone.till.post(f"{TASKS}/{task}/done", json=huge)).status_code == 413
    found = {"request": request["request"], "data": {"orders": [{"id": 7}]}}
    assert (await lone.till.post(f"{TASKS}/{task}/done", json=found)).status_code == 200
    assert (await lone.request(request["request"]))["status"] == "fulfilled"
    assert "orders" not in str((await lone.ines.get(f"{TASKS}/{task}")).json())


async def test_what_was_found_elsewhere_is_forgotten_a_while_after_the_request_was_closed(everywhere: Told) -> None:
    told = everywhere
    # A log in which entries wait for days takes no more: before each leap in time it is settled.
    await told.services.settle()
    with freeze_time("2026-12-01T10:00:00Z", real_asyncio=True) as clock:
        request = await told.served(await told.customer(), "access")
        tasks = tasks_of(request)
        await told.services.settle()
        found = {"request": request["request"], "data": {"orders": [{"id": 7}]}}
        assert (await told.crm.post(f"{TASKS}/{tasks['crm']}/done", json=found)).status_code == 200
        clock.move_to("2026-12-10T10:00:00Z")
        assert (await told.till.post(f"{TASKS}/{tasks['till']}/done", json=found)).status_code == 200
        await told.services.settle()
        for day, expected in (("2026-12-23", [True, True]), ("2026-12-24", [False, False])):
            clock.move_to(f"{day}T10:00:00Z")
            await told.tidy_results()
            assert [result is not None for _, _, result in await told.rows()] == expected
        assert statuses(await told.request(request["request"])) == {"crm": "done", "till": "done"}
