"""A customer database is searched and erased by declared statements: real SQLite, PostgreSQL and MariaDB."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from rights import Statement, statement_refusal
from sayso.server.connectors import Refused, carry_out
from sayso.server.connectors.limits_store import only_look
from sayso.server.connectors.secrets import FOLDER, url_of
from tests.server.shops import MANIFEST, Shop, held
from tests.server.test_systems import TASKS, Told, ready, slug, tasks_of
from tests.server.worlds import a_world


@pytest_asyncio.fixture
async def brand(tmp_path: Path, sqlite_url: str, shop: Shop) -> AsyncIterator[Told]:
    async with a_world(tmp_path, sqlite_url) as world:
        folder = world.services.settings.key_folder / FOLDER
        folder.mkdir()
        (folder / "shop").write_text(shop.url + "\n")
        yield await ready(world, MANIFEST)


async def worked(brand: Told) -> None:
    while await brand.services.connectors.round():
        pass


async def test_a_customer_database_is_erased_and_the_request_is_closed(brand: Told, shop: Shop) -> None:
    request = await brand.served(await brand.customer())
    assert request["status"] == "in_progress"
    await worked(brand)
    assert await shop.orders() == [("ann@example.com",)]
    assert await shop.do("SELECT name, mail FROM customers ORDER BY id") == [(None, None), ("Ann", "ann@example.com")]
    # The person's number is not known here, so nobody's calls were touched.
    assert await shop.do("SELECT count(*) FROM calls") == [(1,)]
    closed = await brand.request(request["request"])
    assert (closed["status"], closed["systems"][0]["status"], closed["systems"][0]["count"]) == ("fulfilled", "done", 2)


async def test_what_is_found_is_kept_sealed_and_nothing_is_changed(brand: Told, shop: Shop) -> None:
    request = await brand.served(await brand.customer(), "access")
    await worked(brand)
    closed = await brand.request(request["request"])
    assert (closed["status"], closed["systems"][0]["count"]) == ("fulfilled", 1)
    assert len(await shop.orders()) == 2


async def test_too_many_rows_are_taken_back_and_told_to_an_officer(brand: Told, shop: Shop) -> None:
    await shop.do(*(f"INSERT INTO orders VALUES ({nth}, 'lin@example.com', 'tea', 1)" for nth in range(10, 14)))
    request = await brand.served(await brand.customer())
    await worked(brand)
    (system,) = (await brand.request(request["request"]))["systems"]
    assert (system["status"], system["reason"]) == ("failed", "too-many-rows orders")
    assert len(await shop.orders()) == 6
    task = tasks_of(await brand.request(request["request"]))["shop"]
    key = await brand.till.post(f"{TASKS}/{task}/done", json={"request": request["request"]})
    assert (key.status_code, slug(key)) == (404, "not-found")


async def test_a_database_that_is_away_is_tried_again_later(brand: Told, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "keys" / FOLDER / "shop"
    file.write_text(f"sqlite:///{tmp_path / 'nowhere.db'}")
    request = await brand.served(await brand.customer())
    await worked(brand)
    assert not (tmp_path / "nowhere.db").exists()
    (task,) = (await brand.ines.get(TASKS)).json()["tasks"]
    assert (task["status"], task["attempts"], task["request"]) == ("open", 1, request["request"])


async def test_a_check_says_what_it_would_do_and_changes_nothing(brand: Told, shop: Shop) -> None:
    path = "/v1/rights/systems/shop/check"
    assert (await brand.ines.post(path, json={})).status_code == 403
    plain = (await brand.admin.post(path, json={})).json()
    assert plain == {"system": "shop", "connector": "sql", "problems": []}
    tried = (await brand.admin.post(path, json={"dry_run": True, "identify": {"mail": "lin@example.com"}})).json()
    rows = {(each["kind"], each["statement"]): each.get("rows", 0) for each in tried["statements"]}
    assert rows == {
        ("access", "orders"): 1,
        ("erasure", "orders"): 1,
        ("erasure", "customers"): 1,
        ("erasure", "calls"): 0,
    }
    assert len(await shop.orders()) == 2
    await shop.do("DROP TABLE calls")
    broken = (await brand.admin.post(path, json={"dry_run": True})).json()
    assert [(each["statement"], each["error"]) for each in broken["statements"] if each.get("error")] == [
        ("calls", "refused")
    ]
    await brand.services.settle()
    entries = (await brand.admin.get("/v1/audit/entries", params={"type": "rights.system.checked"})).json()["entries"]
    assert [each["outcome"] for each in entries] == ["fail", "ok", "ok"]
    assert "lin@example.com" not in str(entries)
    assert (await brand.admin.post("/v1/rights/systems/none/check", json={})).status_code == 404
    listed = (await brand.ines.get("/v1/rights/systems")).json()["systems"]
    assert [each["name"] for each in listed] == ["shop"]
    assert shop.url not in str(listed)


async def test_what_only_looks_cannot_write_whatever_it_says(shop: Shop) -> None:
    if not shop.url.startswith("postgres"):
        # No statement that passes as reading writes here: the connection itself is asked to.
        with create_engine(shop.url, poolclass=NullPool).connect() as connection:
            only_look(connection)
            with pytest.raises(OperationalError, match=r"readonly|READ ONLY"):
                connection.execute(text("DELETE FROM orders"))
    else:
        await shop.do(
            "CREATE FUNCTION wiped(who text) RETURNS SETOF integer AS "
            "'DELETE FROM orders WHERE mail = who RETURNING id' LANGUAGE sql"
        )
        sly = [Statement("sly", "SELECT wiped FROM wiped(:mail)")]
        assert not statement_refusal(sly[0].sql, names=frozenset({"mail"}), reads=True)
        with pytest.raises(Refused):
            await carry_out(shop.url, sly, {"mail": ["lin@example.com"]}, reads=True, most_rows=9)
    assert len(await shop.orders()) == 2


@pytest.mark.parametrize(
    "url", ["oracle://x/y", "no url", "mysql://nobody@127.0.0.1:1/x", "postgresql://a@127.0.0.1:1/x"]
)
async def test_a_database_that_is_none_is_a_word_and_no_trace(url: str) -> None:
    with pytest.raises(Refused) as refused:
        await carry_out(url, (), {}, reads=True, most_rows=1)
    assert refused.value.word in ("unknown-database", "unreachable", "driver-missing")


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT * FROM orders WHERE mail = :mail", True),
        ("SELECT o.id, 'a''b' FROM orders o JOIN customers c ON c.id = o.id WHERE c.mail = :mail", True),
        ("DELETE FROM orders WHERE mail = :mail", False),
        ('UPDATE "Orders" SET mail = NULL WHERE mail IN (:mail, lower(:mail))', False),
        ("INSERT INTO optouts (mail) VALUES (:mail)", False),
        ("DELETE FROM orders WHERE ref = :mail::uuid", False),
    ],
)
def test_plain_statements_are_taken(sql: str, reads: bool) -> None:
    assert statement_refusal(sql, reads=reads, names=frozenset({"mail"})) == ""


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("DELETE FROM orders WHERE mail = :mail; DROP TABLE orders", False),
        ("DELETE FROM orders", False),
        ("DELETE FROM orders WHERE 1 = 1", False),
        ("DROP TABLE orders", False),
        ("TRUNCATE orders", False),
        ("DELETE FROM orders WHERE mail = :mial", False),
        ("DELETE FROM orders WHERE mail = :mail -- all", False),
        ("DELETE FROM orders WHERE mail = :mail /* all */", False),
        ("DELETE FROM orders WHERE mail = ':mail' OR mail = :mail", False),
        ("DELETE FROM orders WHERE mail = 'a\\' OR mail = :mail", False),
        ("DELETE FROM orders WHERE mail = $$x$$ OR mail = :mail", False),
        ("SELECT 1 WHERE :mail = 'x'", False),
        ("DELETE FROM orders WHERE mail = :mail", True),
        ("WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x WHERE mail = :mail", True),
        ("SELECT * INTO copy FROM orders WHERE mail = :mail", True),
        ("SELECT * FROM orders WHERE mail = :mail FOR UPDATE", True),
        ("SELECT pg_read_file('x'), :mail", True),
        ("COPY orders TO 'x'", True),
        ("(SELECT :mail)", True),
        ("", True),
        ("SELECT :mail" + " " * 4_000, True),
    ],
)
def test_statements_that_do_more_are_refused(sql: str, reads: bool) -> None:
    assert statement_refusal(sql, reads=reads, names=frozenset({"mail"}))


async def test_nobody_looked_for_is_no_erasure(shop: Shop) -> None:
    erase = [Statement("orders", "DELETE FROM orders WHERE mail = :mail")]
    for names in ({}, {"phone": ["+491511234567"]}):
        with pytest.raises(Refused, match="no-names"):
            await carry_out(shop.url, erase, names, reads=False, most_rows=9, fence=held)
    assert len(await shop.orders()) == 2


async def test_a_task_whose_statements_are_gone_waits_for_an_officer(brand: Told, shop: Shop) -> None:
    request = await brand.served(await brand.customer())
    without = MANIFEST[: MANIFEST.index("      erasure:")].replace("kinds: [access, erasure]", "kinds: [access]")
    assert (await brand.apply(without)).status_code == 200
    await worked(brand)
    assert (await brand.request(request["request"]))["status"] == "in_progress"
    assert len(await shop.orders()) == 2


@pytest.mark.parametrize("sql", ["SELECT \"pg_read_file\"('/etc/passwd') AS x WHERE 'a' <> :mail"])
def test_a_quoted_name_hides_no_function(sql: str) -> None:
    assert "pg_read_file" in statement_refusal(sql, names=frozenset({"mail"}), reads=True)


def test_no_tenant_reaches_the_database_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_SYSTEM_ACME_CRM", "sqlite:////customers.db")
    assert url_of("default", "acme-crm", tmp_path) == "sqlite:////customers.db"
    assert url_of("acme", "crm", tmp_path) is None
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "acme.crm").write_text("sqlite:////theirs.db\n")
    assert url_of("acme", "crm", tmp_path) == "sqlite:////theirs.db"
