"""The term of a grant: answered at read, written down once, with its entry and its row of the feed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun import freeze_time

from audit import decode_leaf
from rights.retention import store
from tests.rights.retention.world import Working

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(**later: float) -> Any:
    return freeze_time(START + timedelta(**later), real_asyncio=True)


async def test_a_grant_past_its_term_is_answered_expired_before_any_worker_and_recorded_once_after(
    world: Working,
) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.choose(subject)
        await world.work()
    with at(days=730):
        await world.work()
        assert await status(world, subject) == "granted"
        assert await expired_entries(world, subject) == 0
    with at(days=731, minutes=1):
        assert await status(world, subject) == "expired"
        await world.work()
        await world.work()
        assert await status(world, subject) == "expired"
        assert await expired_entries(world, subject) == 1
        assert (await feed_kinds(world)).count("consent.choice.expired") == 1
    with at(days=900):
        await world.work()
        assert await expired_entries(world, subject) == 1


async def test_the_record_of_an_expiry_stands_in_the_history_and_changes_nothing_that_is_replayed(
    world: Working,
) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.choose(subject)
    with at(days=731, minutes=1):
        await world.work()
        permit = (await world.ask_officer(subject, "read")).permit
        page = await world.cold(lambda tx: world.consent.history(tx, subject, permit))
        assert [item.choices for item in page.items] == [{"marketing.email": "expired"}, {"marketing.email": "granted"}]
        assert page.items[0].method == "expiry"
        earlier = int((START + timedelta(days=10)).timestamp()) * 1_000_000
        assert await status(world, subject, as_of=earlier) == "granted"


async def test_a_grant_given_again_expires_again(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.choose(subject)
    with at(days=800):
        await world.work()
        await world.choose(subject)
        assert await status(world, subject) == "granted"
        await world.work()
        assert await expired_entries(world, subject) == 1
    with at(days=800 + 732):
        await world.work()
        assert await expired_entries(world, subject) == 2


async def test_a_grant_that_was_withdrawn_does_not_expire(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.choose(subject)
        await world.withdraw(subject)
    with at(days=800):
        await world.work()
        assert await expired_entries(world, subject) == 0
        assert await status(world, subject) == "withdrawn"


async def test_what_fell_due_within_the_difference_of_clocks_is_left_for_a_moment(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.choose(subject)
        await world.work()
    with at(days=731, seconds=5):
        await world.work()
        assert await expired_entries(world, subject) == 0, "another node's clock may be five seconds behind"
    with at(days=731, seconds=15):
        await world.work()
        assert await expired_entries(world, subject) == 1


async def status(world: Working, subject: bytes, **times: int) -> str:
    found = await world.look(lambda tx: world.consent.state(tx, world.policy.catalogue, subject, **times))
    return found.purposes["marketing.email"].status


async def expired_entries(world: Working, subject: bytes) -> int:
    page = await world.look(lambda tx: world.audit.entries_about(tx, subject))
    return [decode_leaf(each.leaf).type for each in page.entries].count("consent.choice.expired")


async def feed_kinds(world: Working) -> list[str]:
    def unit(tx: Any) -> Any:
        (rows,) = yield (store.changes(tx, 0, 1_000),)
        return [kind for _, kind, _ in rows]

    found: list[str] = await world.look(unit)
    return found
