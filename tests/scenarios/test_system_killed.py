"""A worker that is killed between the customer's commit and our own: another follows, and nothing is done twice."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from rights import RequestView
from sayso.kernel import SYSTEM, Context, Tx, Work, now
from sayso.server.app import running
from sayso.server.settings import load
from sayso.server.wiring import wire
from tests.builders.postgres import PostgresServer
from tests.builders.served import Served
from tests.server.shops import MANIFEST, TABLES, Shop

SMALLEST = Path(__file__).parent.parent / "server" / "manifest.yaml"
PATIENCE_S = 60


@asynccontextmanager
async def locked(url: str, statement: str) -> AsyncIterator[None]:
    """Rows of a database are somebody else's for a while."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
        yield
        await connection.rollback()
    await engine.dispose()


def erased(served: Served) -> str:
    """A customer's request, our own part of it done; its id."""
    with served.admin as admin:
        body = {"identifier": {"type": "customer_id", "value": "c-1"}, "create": True}
        subject = admin.post("/v1/subjects/resolve", json=body).json()["subject"]
        record = {"subject": subject, "collection": "customers", "fields": {"email": "lin@example.com"}}
        admin.post("/v1/vault/records", json=record)
        wanted = {"subject": subject, "kind": "erasure", "law": "gdpr"}
        request: str = admin.post("/v1/rights/requests", json=wanted).json()["request"]
        admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
        done = admin.post(f"/v1/rights/requests/{request}/fulfil", json={})
        assert done.json()["status"] == "in_progress", done.text
        return request


def task_of(served: Served) -> dict[str, Any]:
    with served.admin as admin:
        (task,) = admin.get("/v1/rights/tasks").json()["tasks"]
    return dict(task)


@pytest.mark.slow
async def test_a_worker_killed_behind_the_customers_commit_is_followed_by_another(
    tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, shop = postgres_server.create("killed_ours"), Shop(postgres_server.create("killed_shop"))
    await shop.do(*TABLES)
    with Served(tmp_path, ours, environment={"SAYSO_SYSTEM_SHOP": shop.url}) as served:
        with served.admin as admin:
            files = [{"name": "a", "content": SMALLEST.read_text("utf-8")}, {"name": "b", "content": MANIFEST}]
            assert admin.post("/v1/manifest", json={"files": files}).status_code == 200
        async with shop.held():
            request = erased(served)
            until = time.monotonic() + PATIENCE_S
            while not task_of(served).get("attempts"):
                assert time.monotonic() < until
                await asyncio.sleep(0.02)
            barred = locked(ours, "SELECT task FROM rights_task FOR UPDATE")
            await barred.__aenter__()
        while len(await shop.orders()) == 2:
            assert time.monotonic() < until
            await asyncio.sleep(0.02)
        # Its commit there is done, the one here waits for the row.
        served.stop(signal.SIGKILL)
        await barred.__aexit__(None, None, None)

    monkeypatch.setenv("SAYSO_SYSTEM_SHOP", shop.url)
    services = wire(load(served.data))
    with freeze_time(datetime.now(UTC) + timedelta(hours=1), real_asyncio=True):
        async with running(services):

            def seen(tx: Tx) -> Work[RequestView]:
                return services.desk.request(tx, request)

            context = Context("default", SYSTEM, now(), "test")
            while await services.connectors.round():
                pass
            closed = await services.database.look(context, seen)
            await services.settle()
    assert (closed.status, [(each.status, each.count) for each in closed.systems]) == ("fulfilled", [("done", 0)])
    assert await shop.orders() == [("ann@example.com",)]
