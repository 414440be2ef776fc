"""People known by a device alone are forgotten after the term, as if they had never come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from consent import NoSubject
from rights.retention import store
from tests.rights.retention.world import Working

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DEVICE = "d" * 24


def at(**later: float) -> Any:
    return freeze_time(START + timedelta(**later), real_asyncio=True)


async def visitor(world: Working) -> bytes:
    subject = await world.resolve(DEVICE, "device")
    await world.choose(subject)
    return subject


async def gone(world: Working, subject: bytes) -> bool:
    state = await world.look(lambda tx: world.consent.person(tx, subject))
    return state is None or state.erased_at != 0


async def test_a_device_untouched_for_the_term_is_forgotten_and_may_come_back_as_somebody_new(world: Working) -> None:
    with at():
        await world.open()
        subject = await visitor(world)
        await world.work()
    with at(days=395):
        await world.work()
        assert not await gone(world, subject)
    with at(days=398):
        assert await world.work() == []
        assert await gone(world, subject)
        assert await world.key_classes(subject) == ["proof"]
        with pytest.raises(NoSubject):
            await world.resolve(DEVICE, "device", create=False)
        again = await visitor(world)
        assert again != subject
        assert (await world.look(lambda tx: world.consent.person(tx, again))).suppressed_until == 0
        assert "rights.person.purged" in await world.types()


async def test_a_choice_in_between_begins_the_term_anew(world: Working) -> None:
    with at():
        await world.open()
        subject = await visitor(world)
        await world.work()
    with at(days=300):
        await world.choose(subject, "refused")
        await world.work()
    with at(days=600):
        await world.work()
        assert not await gone(world, subject)
    with at(days=300 + 398):
        await world.work()
        assert await gone(world, subject)


async def test_somebody_who_is_more_than_a_device_stays(world: Working) -> None:
    with at():
        await world.open()
        known = await world.resolve()
        await world.choose(known)
        await world.work()
    with at(days=500):
        await world.work()
        assert not await gone(world, known)
        place = await world.calendar(known)
        assert place is not None
        assert place[1].known


@pytest.mark.parametrize("keeper", ["hold", "relation", "request", "data"])
async def test_what_keeps_somebody_keeps_a_device_too(world: Working, keeper: str) -> None:
    with at():
        await world.open()
        subject = await visitor(world)
        if keeper == "hold":
            await world.held(subject)
        elif keeper == "relation":
            await world.relate(subject)
        elif keeper == "request":
            await world.request(subject, "access")
        else:
            await world.store(subject, invoice="2026-0001")
        await world.work()
    for days in (398, 400):
        with at(days=days):
            assert await world.work() == []
            assert not await gone(world, subject)


async def test_the_term_is_the_manifests(world: Working) -> None:
    with at():
        await world.open()
        await world.apply((b"purposes:\n", b"data_ends: {anonymous_after: P30D}\npurposes:\n"))
        subject = await visitor(world)
        await world.work()
    with at(days=31):
        await world.work()
        assert await gone(world, subject)


async def test_forgetting_leaves_no_row_of_the_calendar(world: Working) -> None:
    with at():
        await world.open()
        subject = await visitor(world)
        await world.work()
    with at(days=398):
        await world.work()
        found = await world.look(lambda tx: _row(tx, subject))
        assert found is None


def _row(tx: Any, subject: bytes) -> Any:
    (row,) = yield (tx.get(store.DUE, subject),)
    return row
