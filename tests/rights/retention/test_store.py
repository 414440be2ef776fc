"""The calendar is asked by its indexes: a round costs what is due, whatever the number of people."""

import pytest
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from rights.retention import store
from sayso.kernel import SYSTEM, Context, Head, Query, Tx, now
from sayso.kernel.sqlite import connect
from sayso.kernel.tx import View
from tests.rights.retention.world import Working


def questions() -> list[tuple[str, Query]]:
    tx = Tx(Context("default", SYSTEM, now(), "test"), View(), Head(0, 0))
    return [
        ("rights_due_due", store.due(tx, 0, 1, 8)),
        ("rights_due_ends", store.ending(tx, 0, 1, 8)),
        ("rights_due_ends", store.kept(tx, 0, 1, 8)),
        ("rights_hold_of_pk", store.holds_of(tx, bytes(16))),
    ]


@pytest.mark.parametrize("number", range(4))
async def test_each_question_uses_its_index(world: Working, number: int) -> None:
    index, query = questions()[number]
    if world.database.kind == "sqlite":
        text, values = query.text(sqlite_dialect())
        reader = connect(world.database._path, read_only=True)  # type: ignore[attr-defined]
        plan = " ".join(row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {text}", values))
        reader.close()
        assert "SCAN" not in plan
        assert index.removesuffix("_pk") in plan
        return
    text, values = query.text(asyncpg_dialect())  # type: ignore[no-untyped-call]
    async with world.database._checkout() as connection:  # type: ignore[attr-defined]
        await connection.become("default")
        await connection.raw.execute("SET enable_seqscan = off")
        plan = " ".join(row[0] for row in await connection.raw.fetch(f"EXPLAIN {text}", *values))
    assert index in plan
    assert "Seq Scan" not in plan
