"""The due queue over HTTP, and what the worker tells of deadlines."""

import time
from typing import Any

from freezegun import freeze_time

from rights.store import REGISTER, REQUEST
from sayso.kernel import SYSTEM, Context, Tx, Work, bucket_in, new_id, new_raw_in, now, raw
from tests.server.worlds import World

PATH = "/v1/rights/requests"


async def opened(world: World, kind: str = "access", law: str = "gdpr", subject: str | None = None) -> dict[str, Any]:
    body = {"subject": subject or new_id("sub"), "kind": kind, "law": law}
    response = await world.admin.post(PATH, json=body)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def listed(world: World, **query: str | int) -> list[str]:
    response = await world.admin.get(PATH, params=query)
    assert response.status_code == 200, response.text
    return [each["request"] for each in response.json()["requests"]]


async def work(world: World) -> None:
    await world.services.workers.jobs.work("default", at_once=True)


async def due_entries(world: World) -> list[dict[str, str]]:
    await world.services.settle()
    found = await world.admin.get("/v1/audit/entries", params={"type": "rights.request.due"})
    assert found.status_code == 200, found.text
    return [each["res"] for each in reversed(found.json()["entries"])]


async def test_the_queue_is_in_order_of_deadlines_and_pages_through_all(world: World) -> None:
    await world.smallest()
    laws = ("gdpr", "ccpa", "lgpd", "gdpr", "law25")
    made = [(await opened(world, law=law)) for law in laws]
    in_order = [each["request"] for each in sorted(made, key=lambda each: (each["due_on"], each["request"]))]
    assert await listed(world) == in_order
    walked: list[str] = []
    cursor = ""
    while True:
        page = (await world.admin.get(PATH, params={"limit": 2, "cursor": cursor})).json()
        walked += [each["request"] for each in page["requests"]]
        cursor = page.get("next")
        if cursor is None:
            break
    assert walked == in_order
    assert await listed(world, law="ccpa") == [made[1]["request"]]
    assert await listed(world, kind="erasure") == []
    first = min(each["due_on"] for each in made)
    assert await listed(world, due_before=first) == []


async def test_a_closed_request_leaves_the_queue_and_is_found_by_its_status(world: World) -> None:
    await world.smallest()
    mine, other = await opened(world), await opened(world)
    await world.admin.post(f"{PATH}/{mine['request']}/refuse", json={"reason": "no_match"})
    assert await listed(world) == [other["request"]]
    assert await listed(world, status="denied") == [mine["request"]]
    assert await listed(world, status="open") == [other["request"]]


async def test_what_cannot_be_understood_is_refused_and_others_are_not_admitted(lite: World) -> None:
    await lite.smallest()
    for query in ({"status": "lost"}, {"due_before": "soon"}, {"cursor": "x"}, {"limit": 0}, {"limit": 1000}):
        assert (await lite.admin.get(PATH, params=query)).status_code == 400, query
    for query in ({"kind": "erase"}, {"law": "roman"}):
        assert (await lite.admin.get(PATH, params=query)).status_code == 400, query
    shop = await lite.key("shop", "recorder")
    assert (await shop.get(PATH)).status_code == 403


async def test_deadlines_are_told_once_by_entry_and_feed(world: World) -> None:
    await world.smallest()
    with freeze_time("2026-01-05T09:00:00Z", real_asyncio=True) as clock:
        subject = await world.person()
        request = (await opened(world, "erasure", "ccpa", subject))["request"]
        await work(world)
        assert await due_entries(world) == []
        for day, notices in (
            ("2026-01-19T09:00:00Z", ["acknowledge"]),
            ("2026-02-13T09:00:00Z", ["acknowledge", "near"]),
            ("2026-02-20T09:00:00Z", ["acknowledge", "near", "overdue"]),
        ):
            clock.move_to(day)
            await work(world)
            await work(world)
            assert [each["notice"] for each in await due_entries(world)] == notices
        listener = await world.key("listener", "officer")
        changes = (await listener.get("/v1/changes", params={"limit": 100})).json()
        told = [each for each in changes["events"] if each["type"] == "sayso.rights.request.due"]
        assert [each["data"]["request"] for each in told] == [request] * 3
        assert all("subject" not in each for each in told), "a feed that many read does not say who asked"
        shown = (await world.admin.get(f"{PATH}/{request}")).json()
        assert shown["status"] == "open"


async def test_ten_thousand_open_requests_are_paged(world: World) -> None:
    """Time decides nothing here: it is printed. What is tested is that a page of so many is right."""
    await world.smallest()
    template = await opened(world)

    def unit(tx: Tx) -> Work[None]:
        raw_id = raw(template["request"])
        body, line = yield (tx.get(REQUEST, raw_id, bucket=bucket_in(raw_id)), tx.get(REGISTER, raw_id))
        assert body is not None
        assert line is not None
        for nth in range(10_000):
            fresh = new_raw_in(bucket_in(raw_id))
            due = f"2027-{nth % 12 + 1:02}-{nth % 28 + 1:02}"
            tx.insert(REQUEST, fresh, *body)
            tx.insert(REGISTER, fresh, line[0], line[1], due, *line[3:])

    await world.services.database.run_alone(Context("default", SYSTEM, now(), "test"), unit)
    started = time.perf_counter()
    page = (await world.admin.get(PATH, params={"due_before": "2027-06-01"})).json()
    print(f"a page of the due queue: {(time.perf_counter() - started) * 1000:.1f} ms")
    assert len(page["requests"]) == 50
    assert page["next"].startswith("2027-01-01.") or page["next"].startswith("2026")


async def test_the_register_counts_what_was_in_time_and_what_was_late(world: World) -> None:
    await world.smallest()
    with freeze_time("2026-01-05T09:00:00Z", real_asyncio=True) as clock:
        requests = [(await opened(world, "erasure", "ccpa"))["request"] for _ in range(3)]
        await opened(world, "access", "gdpr")
        for nth, day in enumerate(("2026-01-15T09:00:00Z", "2026-03-06T09:00:00Z")):
            clock.move_to(day)
            await world.admin.post(f"{PATH}/{requests[nth]}/refuse", json={"reason": "no_match"})
        query = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
        found = (await world.admin.get("/v1/rights/figures", params=query)).json()
        assert (found["received"], found["open"]) == (4, 2)
        denied = next(line for line in found["lines"] if line["outcome"] == "denied")
        assert (denied["count"], denied["in_time"], denied["late"]) == (2, 1, 1)
        assert (denied["median_days"], denied["longest_days"]) == (35.0, 60.0)
        still = next(line for line in found["lines"] if (line["kind"], line["outcome"]) == ("access", "open"))
        assert (still["late"], still["median_days"]) == (1, None)
        assert found["cpra"]["requests_to_delete"] == {
            "received": 3,
            "complied": 0,
            "denied": 2,
            "mean_days": 35.0,
            "median_days": 35.0,
        }
        assert found["cpra"]["requests_to_know"]["received"] == 0
        table = await world.admin.get("/v1/rights/figures", params=query | {"form": "csv"})
        assert table.text.splitlines()[0].startswith("kind,law,outcome,count")
        assert len(table.text.splitlines()) == 4
        empty = {"since": "2025-01-01T00:00:00Z", "until": "2025-02-01T00:00:00Z"}
        assert (await world.admin.get("/v1/rights/figures", params=empty)).json()["received"] == 0
        assert (await world.admin.get("/v1/rights/figures", params={"since": "x", "until": "y"})).status_code == 400
