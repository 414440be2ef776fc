"""Hot statements use an index on both databases: shown by the plans that the databases make for them.

On PostgreSQL the tables hold a few thousand rows, and sequential scans are forbidden: a table of a few pages would be
read whole, however good its index.
"""

import asyncio
import re
import sqlite3
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, Column, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.engine import Dialect

from audit import store as audit_store
from consent import store as consent_store
from rights import register
from rights import store as rights_store
from sayso.kernel import SYSTEM, Context, Query, Tx
from sayso.kernel.rows import Rows
from sayso.kernel.tx import Execute, Head, View
from sayso.migrations import every_table
from tests.test_tables import TABLES, read_by_key
from vault.keys import epoch_store

ROWS = {table.name: Rows(table) for table in TABLES if read_by_key(table)}
PERSON = bytes(range(16))
TX = Tx(Context("default", SYSTEM, 0, "plan"), View(), Head(0, 0))
ROWS_EACH = 4_000

SELECTS: dict[str, Query] = {
    "a page of records": TX.select(consent_store.page_of_records("default", PERSON, 5, 50)),
    "records until": TX.select(consent_store.records_until("default", PERSON, 5)),
    "records of a person": consent_store.records_of(TX, PERSON),
    "identifiers of a person": consent_store.identifiers_of(TX, PERSON),
    "entries about a person": audit_store.entries_about(TX, PERSON, None, 50),
}

WALKS: dict[str, Query] = {
    "the next of a bucket": TX.query(consent_store.STATES_AFTER, bucket=1, after=PERSON, most=9),
    "a group of buckets": TX.query(consent_store.STATES_IN[1], most=9),
}
"""Statements of searches, which walk over everybody: a page at a time, and never over another tenant's people."""

SWEEPS = ("data keys to be wrapped anew", "data keys wrapped anew")
"""What a roll of the tenant's keys does: it goes on in the order of their key, and finds each by its whole key."""

COLUMNS = ["bucket", "tenant", "owner", "class"]


def sweep(name: str, text: Dialect) -> str:
    if name == "data keys to be wrapped anew":
        return TX.select(epoch_store.keys_not_under("default", 2, (1, PERSON, "log"), 9)).text(text)[0]
    (found,) = epoch_store.rewrapped_keys(2, [(1, PERSON, "log", 1, b"anew")] * 4)
    return Execute(found[0], 4, "default", found[2]).text(text)[0]


QUEUES: dict[str, Query] = {
    "the due queue": TX.select(register.statement(register.Wanted(due_before="2026-12-01"))),
    "its next page": TX.select(register.statement(register.Wanted(cursor=f"2026-12-01.{PERSON.hex()}"))),
    "what the register counts": TX.select(rights_store.received_in(1, 2)),
    "requests of which something is to be told": TX.select(rights_store.to_be_told(5, 20)),
}
"""Over all people of a brand, in an order: found by an index that leads with the tenant."""


_BY_INDEX = r"(?:COVERING )?INDEX \w+|PRIMARY KEY"
"""Of a table without row numbers the key is the table's own order."""


@pytest.fixture(scope="module")
def lite(sqlite_template: Any) -> sqlite3.Connection:
    return sqlite3.connect(sqlite_template)


def lite_plan(connection: sqlite3.Connection, text: str) -> str:
    found = connection.execute(f"EXPLAIN QUERY PLAN {text}", [1] * text.count("?"))
    return "\n".join(row[3] for row in found)


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_sqlite_finds_rows_by_their_whole_key(lite: sqlite3.Connection, rows: Rows) -> None:
    key = [column.name for column in every_table().tables[rows.name].primary_key]
    statements = [rows.sqlite.each(8), rows.sqlite.delete]
    if rows.version is not None:
        statements.append(rows.sqlite.replace)
    for text in statements:
        plan = lite_plan(lite, text)
        found = re.search(rf"SEARCH (t|{rows.name}) USING ({_BY_INDEX}) \((.*)\)", plan)
        assert found, plan
        assert found[3].split(" AND ") == [f"{name}=?" for name in key], plan
        assert not re.search(rf"SCAN (t|{rows.name})\b", plan)


@pytest.mark.parametrize("name", SELECTS)
def test_sqlite_reads_a_persons_rows_by_index(lite: sqlite3.Connection, name: str) -> None:
    plan = lite_plan(lite, SELECTS[name].text(sqlite.dialect())[0])
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan, "sorted by hand"
    assert re.search(r"USING (COVERING )?INDEX \w+ \(bucket=\? AND tenant=\? AND subject=\?", plan), plan


def test_sqlite_takes_a_person_out_of_the_log_by_index(lite: sqlite3.Connection) -> None:
    tx = Tx(TX.context, View(), Head(0, 0))
    work = audit_store.forget(tx, PERSON)
    next(work)
    with pytest.raises(StopIteration):
        work.send(([(PERSON,)], []))
    for each in tx.executes:
        plan = lite_plan(lite, each.text(sqlite.dialect())[0])
        assert "SCAN" not in plan, plan
        assert "CORRELATED" not in plan, plan


@pytest.mark.parametrize("name", WALKS)
def test_sqlite_walks_over_people_by_index(lite: sqlite3.Connection, name: str) -> None:
    plan = lite_plan(lite, WALKS[name].text(sqlite.dialect())[0])
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan, "sorted by hand"
    assert re.search(r"USING INDEX \w+ \(bucket=\? AND tenant=\?", plan), plan


@pytest.mark.parametrize("name", SWEEPS)
def test_sqlite_sweeps_over_keys_by_index(lite: sqlite3.Connection, name: str) -> None:
    plan = lite_plan(lite, sweep(name, sqlite.dialect()))
    found = re.search(rf"SEARCH vault_key USING (?:{_BY_INDEX}) \((.*)\)", plan)
    assert found, plan
    assert re.findall(r"\w+(?==)", found[1]) == COLUMNS or f"({','.join(COLUMNS)})>" in found[1], plan
    assert "TEMP B-TREE" not in plan, "sorted by hand"


@pytest.mark.parametrize("name", QUEUES)
def test_sqlite_reads_a_queue_in_the_order_of_its_index(lite: sqlite3.Connection, name: str) -> None:
    plan = lite_plan(lite, QUEUES[name].text(sqlite.dialect())[0])
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan, "sorted by hand"
    assert re.search(r"USING (COVERING )?INDEX \w+ \(tenant=\? AND", plan), plan


def test_postgres_finds_rows_by_their_whole_key(postgres_url: str) -> None:
    asyncio.run(_postgres(postgres_url))


async def _postgres(url: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for method in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "sort"):
            await connection.execute(f"SET enable_{method} = off")
        for table in TABLES:
            await _fill(connection, table)
        await connection.execute("ANALYZE")
        for rows in ROWS.values():
            key = [column.name for column in every_table().tables[rows.name].primary_key]
            statements = [(rows.postgres.select, len(key)), (rows.postgres.delete, len(key))]
            if rows.version is not None:
                statements.append((rows.postgres.replace(1), rows.postgres.replaced))
            for text, parameters in statements:
                plan = await _plan(connection, text, parameters)
                condition = re.search(r"Index Cond: (.*)", plan)
                assert condition, plan
                assert all(f"({name} = " in condition[1].replace('"', "") for name in key), plan
        for name, chosen in {**SELECTS, **WALKS, **QUEUES}.items():
            text, _ = chosen.text(dialect())  # type: ignore[no-untyped-call]
            plan = await _plan(connection, text, text.count("$"))
            assert "Seq Scan" not in plan, (name, plan)
            assert "Index Cond" in plan, (name, plan)
            assert "Sort Key" not in plan, (name, plan)
        for name in SWEEPS:
            text = sweep(name, dialect())  # type: ignore[no-untyped-call]
            plan = await _plan(connection, text, text.count("$"))
            condition = re.search(r"Index Cond: (.*)", plan)
            assert condition, (name, plan)
            assert all(column in condition[1] for column in COLUMNS), (name, plan)
            assert "Sort Key" not in plan, (name, plan)
    finally:
        await connection.close()


async def _fill(connection: asyncpg.Connection, table: Table) -> None:
    made = {
        SmallInteger: "({} % 1024)::smallint",
        BigInteger: "{}",
        LargeBinary: "decode(md5('{name}' || {}), 'hex')",
        Text: "'word ' || {}",
    }
    *leading, _ = [column.name for column in table.primary_key]

    def value(column: Column[Any]) -> str:
        # The last part of a key tells rows apart, so that no other index comes as near to them as the key itself.
        made_from = "(n % 40)" if column.name in leading else "n"
        return "'default'" if column.name == "tenant" else made[type(column.type)].format(made_from, name=column.name)

    values = map(value, table.columns)
    await connection.execute(
        f"INSERT INTO {table.name} SELECT {', '.join(values)} FROM generate_series(1, {ROWS_EACH}) n "
        "ON CONFLICT DO NOTHING"
    )


async def _plan(connection: asyncpg.Connection, text: str, parameters: int) -> str:
    values = ", ".join(["NULL"] * parameters)
    await connection.execute(f"PREPARE asked AS {text}")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    called = f"EXECUTE asked({values})" if parameters else "EXECUTE asked"
    rows = await connection.fetch(f"EXPLAIN (COSTS off) {called}")
    await connection.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)
