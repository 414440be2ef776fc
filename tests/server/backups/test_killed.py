"""A restore that is killed at each of its steps: nothing serves the store, and the next run ends as one would have."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from sayso.kernel import SaysoError
from sayso.migrations import with_connection
from sayso.server.app import running
from sayso.server.backups import store
from sayso.server.backups.putting_back import Restored, put_back
from sayso.server.backups.settling import Ways
from sayso.server.settings import Settings, load
from sayso.server.wiring import wire
from tests.builders.postgres import PostgresServer
from tests.golden.test_golden import RELEASES, as_it_was, with_keys
from tests.vault.test_key_faults import killed_at

GOLDEN = RELEASES[-1]
KEYTABLE = ("vault.keys.keybackup._insert", "vault.keys.keybackup._through")
ROWS = ("sayso.server.backups.store.put_all", "sayso.server.backups.store._leaping", "sayso.server.backups.store.Page")
SETTLING = (
    "sayso.server.backups.settling._demand_log",
    "sayso.server.backups.settling._brand",
    "sayso.server.backups.settling._going_on",
    "sayso.server.backups.settling._told",
)
LOG = ("audit.tree.integrator.add_leaves", "audit.tree.guard.ForkGuard.before_signing", "audit.store.store_checkpoint")
STEPS = {
    "sqlite": (
        *("sayso.server.backups.putting_back.upgrade", *ROWS),
        *("sayso.server.backups.putting_back.remember", KEYTABLE[0], KEYTABLE[1]),
        *(*SETTLING, *LOG, "sayso.server.backups.settling._through"),
    ),
    "postgres": (*ROWS, KEYTABLE[1], SETTLING[-1], LOG[1], "sayso.server.backups.settling._through"),
}
"""In their order. The second page is begun when the first one's rows are in the transaction."""


def restored(settings: Settings) -> Restored:
    return put_back(settings, None, GOLDEN / "backup", GOLDEN / "tables", Ways())


async def serves(settings: Settings) -> None:
    async with running(wire(settings)):
        pass


def rows(url: str) -> dict[str, int]:
    """How many each table has; the store's own note of restores has one, whatever it went through."""

    def look(connection: sa.Connection) -> dict[str, int]:
        return {name: store._count(connection, name) for name in sa.inspect(connection).get_table_names()}

    return with_connection(url, look)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_killed_at_each_step_it_is_run_again_and_ends_as_one_that_was_not(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    places: list[Settings] = []
    for name in ("once", "often"):
        (tmp_path / name).mkdir()
        with_keys(GOLDEN, tmp_path / name)
        url = None
        if engine == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url = server.create(f"killed_{name}")
        places.append(load(tmp_path / name / "data", {}, database=url))
    once, often = places
    expected = restored(once)

    async def restore() -> None:
        await asyncio.to_thread(restored, often)

    for step in STEPS[engine]:
        killed_at(step, restore)
        if store.holds_store(often.database_url):
            with pytest.raises(SaysoError) as refused:
                asyncio.run(serves(often))
            assert refused.value.slug == "restore-unfinished", step
        else:
            assert step in (*ROWS, "sayso.server.backups.putting_back.upgrade")
    done = restored(often)
    assert done.brands["default"].doubted == expected.brands["default"].doubted
    there, here = rows(often.database_url), rows(once.database_url)
    # Each run that came so far has said so in the log.
    assert {name for name, count in there.items() if count != here[name]} == {"audit_index", "audit_checkpoint"}
    asyncio.run(as_it_was(load(tmp_path / "often" / "data", {}), GOLDEN, tmp_path / "log"))
