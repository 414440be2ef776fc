"""Who is in doubt when an older store comes back and what people said lies in a log that it does not look into."""

import sqlite3
from pathlib import Path

import pytest

from sayso.kernel import SYSTEM, Context, new_id, now
from sayso.server.app import running
from sayso.server.logkeeping.after_loss import Doubted, doubt
from sayso.server.wiring import wire
from tests.server.worlds import World, a_world, settings_for

LOGS = "logs: {consent: {}}\n"
MOVED = "logs: {consent: {types: [rights.*]}}\n"


def copied(source: Path, target: Path) -> None:
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    reading.backup(writing)
    reading.close()
    writing.close()


async def lost(folder: Path, url: str, before: str, after: str, *, anchor: bool) -> Path:
    """A store as it was before a manifest of logs and a withdrawal, both of which are lost; the copy of all its logs.
    `anchor`: what it remembers is left.
    """
    database, older = Path(url.removeprefix("sqlite:///")), folder / "older.db"
    async with a_world(folder, url) as world:
        await world.smallest()
        subject = await world.person()
        assert (await world.choose(subject)).status_code == 201
        if before:
            assert (await world.apply(before)).status_code == 200
        await world.services.settle()
        copied(database, older)
        assert (await world.apply(after)).status_code == 200
        await withdrawn(world, subject)
        await world.services.settle()
        done = await world.operator.post("/v1/audit/exports/local", json={"out": str(folder / "copy")})
        assert done.status_code == 200, done.text
        (anchored,) = {settings_for(folder, url).key_folder / "anchor"}
    for name in ("-wal", "-shm"):
        database.with_name(database.name + name).unlink(missing_ok=True)
    older.replace(database)
    if not anchor:
        anchored.unlink()
    return folder / "copy"


async def withdrawn(world: World, subject: str) -> None:
    body = {"purposes": "all", "method": "api"}
    assert (await world.admin.post(f"/v1/subjects/{subject}/withdrawals", json=body)).status_code == 201


async def doubted(folder: Path, url: str, copy: Path | None) -> Doubted:
    """By the loss of `main`, of which somebody says that the copy is the last of it."""
    services = wire(settings_for(folder, url))
    async with running(services):
        context = Context("default", SYSTEM, now(), new_id("req"))
        return await doubt(services, context, "main", copy, complete=copy is not None)


@pytest.mark.parametrize("anchor", [True, False])
async def test_a_copy_of_main_bounds_nothing_when_people_were_heard_in_a_log_that_is_not_here(
    sqlite_url: str, tmp_path: Path, anchor: bool
) -> None:
    copy = await lost(tmp_path, sqlite_url, "", LOGS, anchor=anchor)
    found = await doubted(tmp_path, sqlite_url, copy)
    assert (found.extent, found.people) == ("everybody", 1)


@pytest.mark.parametrize("with_copy", [True, False])
async def test_a_lost_manifest_may_have_moved_what_people_said_to_another_log(
    sqlite_url: str, tmp_path: Path, with_copy: bool
) -> None:
    copy = await lost(tmp_path, sqlite_url, LOGS, MOVED, anchor=True)
    found = await doubted(tmp_path, sqlite_url, copy if with_copy else None)
    assert (found.extent, found.people) == ("everybody", 1)
