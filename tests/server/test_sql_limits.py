"""What a customer database cannot take back is not begun, and nobody commits who no longer may: on real databases."""

import asyncio
import time

import pytest
from freezegun import freeze_time

from rights import Statement
from sayso.server.connectors import Connectors, Refused, carry_out
from sayso.server.connectors import store as connecting
from tests.builders.mariadb import MariaServer
from tests.server.shops import TABLES, Shop, held
from tests.server.test_sql_systems import brand, worked
from tests.server.test_systems import TASKS, Told, tasks_of

__all__ = ["brand"]

ERASE = [
    Statement("orders", "DELETE FROM orders WHERE mail = :mail"),
    Statement("customers", "UPDATE customers SET name = NULL WHERE mail = :mail"),
]
LIN = {"mail": ["lin@example.com"]}


async def lost() -> bool:
    return False


@pytest.fixture
def maria(mariadb_server: MariaServer, request: pytest.FixtureRequest) -> Shop:
    return Shop(mariadb_server.create(request.node.name[-60:]))


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
async def test_a_table_that_takes_nothing_back_is_refused_before_anything_is_done(maria: Shop, engine: str) -> None:
    await maria.do(*(each.replace("mail text", "mail varchar(200)") for each in TABLES))
    await maria.do(f"ALTER TABLE customers MODIFY name varchar(99), ENGINE = {engine}")
    for fence in (None, held):
        with pytest.raises(Refused, match="not-transactional") as refused:
            await carry_out(maria.url, ERASE, LIN, reads=False, most_rows=9, fence=fence)
        assert (refused.value.statement, refused.value.passing) == ("customers", False)
    assert len(await maria.orders()) == 2
    assert await maria.do("SELECT count(*) FROM customers WHERE name IS NULL") == [(0,)]


async def test_a_view_and_a_quoted_table_are_seen_through(maria: Shop) -> None:
    await maria.do(*TABLES, "CREATE VIEW sold AS SELECT * FROM orders")
    view = [Statement("sold", "DELETE FROM sold WHERE mail = :mail")]
    with pytest.raises(Refused, match="not-transactional"):
        await carry_out(maria.url, view, LIN, reads=False, most_rows=9, fence=held)
    await maria.do("ALTER TABLE orders ENGINE = MyISAM")
    quoted = [Statement("orders", "DELETE FROM `orders` WHERE mail = :mail")]
    with pytest.raises(Refused, match="not-transactional"):
        await carry_out(maria.url, quoted, LIN, reads=False, most_rows=9, fence=held)
    found = await carry_out(
        maria.url,
        [Statement("orders", "SELECT id FROM orders WHERE mail = :mail")],
        LIN,
        reads=True,
        most_rows=9,
        fence=held,
    )
    assert found.count == 1


async def test_what_a_trigger_wrote_for_good_is_told(maria: Shop) -> None:
    await maria.do(
        *TABLES,
        "CREATE TABLE seen (id integer) ENGINE = MyISAM",
        "CREATE TRIGGER gone BEFORE DELETE ON orders FOR EACH ROW INSERT INTO seen VALUES (OLD.id)",
    )
    with pytest.raises(Refused, match="not-taken-back"):
        await carry_out(maria.url, ERASE, LIN, reads=False, most_rows=9)
    assert len(await maria.orders()) == 2


async def test_who_lost_the_task_commits_nothing(shop: Shop) -> None:
    with pytest.raises(Refused, match="not-ours") as refused:
        await carry_out(shop.url, ERASE, LIN, reads=False, most_rows=9, fence=lost)
    assert refused.value.passing
    assert len(await shop.orders()) == 2


async def test_the_database_ends_what_takes_too_long_and_nothing_is_committed_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "TIMEOUT_S", 1)
    async with shop.held():
        with pytest.raises(Refused) as refused:
            await carry_out(shop.url, ERASE, LIN, reads=False, most_rows=9, fence=held)
    assert refused.value.word in ("timeout", "unreachable")
    assert refused.value.passing
    await asyncio.sleep(0.3)
    assert len(await shop.orders()) == 2


async def taken(brand: Told, attempts: int) -> dict[str, str]:
    """Wait until the task was taken so often."""
    until = time.perf_counter() + 60
    while True:
        (task,) = (await brand.ines.get(TASKS)).json()["tasks"]
        if task.get("attempts", 0) >= attempts:
            found: dict[str, str] = task
            return found
        assert time.perf_counter() < until
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("shop", ["postgres", "mariadb"], indirect=True)
async def test_an_officer_who_closes_without_the_system_wins_against_a_worker_under_way(
    brand: Told, shop: Shop
) -> None:
    async with shop.held():
        request = await brand.served(await brand.customer())
        working = asyncio.create_task(brand.services.connectors.round())
        await taken(brand, 1)
        task = tasks_of(request)["shop"]
        assert (await brand.ines.post(f"{TASKS}/{task}/waive", json={"reason": "Done by hand."})).status_code == 200
    await working
    assert len(await shop.orders()) == 2
    assert (await brand.request(request["request"]))["systems"][0]["status"] == "waived"


@pytest.mark.parametrize("shop", ["postgres", "mariadb"], indirect=True)
async def test_of_two_workers_only_who_has_the_task_commits(brand: Told, shop: Shop) -> None:
    with freeze_time("2026-03-01T09:00:00Z", real_asyncio=True) as clock:
        async with shop.held():
            request = await brand.served(await brand.customer())
            first = asyncio.create_task(brand.services.connectors.round())
            await taken(brand, 1)
            clock.tick(361)
            second = asyncio.create_task(Connectors(brand.services).round())
            await taken(brand, 2)
        await asyncio.gather(first, second)
        await worked(brand)
    assert await shop.orders() == [("ann@example.com",)]
    closed = await brand.request(request["request"])
    assert (closed["status"], closed["systems"][0]["count"]) == ("fulfilled", 2)
