"""Legal holds: two officers place one, two lift it, and meanwhile nothing of what it covers is destroyed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from consent import Held, NoSubject
from rights import HoldWanted
from rights.retention.holds import FourEyes, HoldMoved, UnknownCategory, UnknownHold
from sayso.kernel import Invalid, new_id, new_raw
from tests.rights.retention.world import OFFICER, SECOND_OFFICER, Working

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(**later: float) -> Any:
    return freeze_time(START + timedelta(**later), real_asyncio=True)


def micros(**later: float) -> int:
    return int((START + timedelta(**later)).timestamp()) * 1_000_000


async def propose(world: Working, *people: bytes, **more: Any) -> str:
    wanted = HoldWanted(**{"matter": "Case 7", "people": people, **more})
    names = world.policy.catalogue.categories
    return (await world.cold(lambda tx: world.retention.holds.propose(tx, names, wanted), OFFICER)).hold


async def test_a_hold_stands_from_its_approval_by_another_officer_and_not_before(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        hold = await propose(world, subject, reason="the court asked for it")
        with pytest.raises(FourEyes):
            await world.cold(lambda tx: world.retention.holds.approve(tx, hold), OFFICER)
        state = await world.look(lambda tx: world.consent.person(tx, subject))
        assert state.held == 0
        placed = await world.cold(lambda tx: world.retention.holds.approve(tx, hold), SECOND_OFFICER)
        assert (placed.state, [step.step for step in placed.steps]) == ("live", ["proposed", "approved"])
        state = await world.look(lambda tx: world.consent.person(tx, subject))
        assert state.held == 1
        assert {"rights.hold.proposed", "consent.hold.placed", "rights.hold.placed"} <= set(await world.types())


async def test_a_hold_stops_erasing_and_the_end_of_data_until_two_officers_release_it(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        hold = (await world.held(subject)).hold
    with at(days=40):
        await world.work()
        assert await world.fields(subject) == ["email"]
        assert (await world.ends(subject)).categories["contact.email"].ground == f"legal hold: {hold}"
        request = await world.verified(subject)
        with pytest.raises(Held):
            await world.fulfil(request)
        await world.cold(lambda tx: world.retention.holds.release(tx, hold, "settled"), OFFICER)
        with pytest.raises(FourEyes):
            await world.cold(lambda tx: world.retention.holds.approve(tx, hold), OFFICER)
        await world.work()
        assert await world.fields(subject) == ["email"], "it stands while its release is only proposed"
        await world.cold(lambda tx: world.retention.holds.approve(tx, hold), SECOND_OFFICER)
        await world.work()
    with at(days=40, minutes=1):
        await world.work()
        assert await world.fields(subject) == []
        await world.fulfil(request)


async def test_a_hold_over_a_category_lets_the_others_end(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.store(subject, phone="+491511234567")
        await world.held(subject, categories=("contact.phone",))
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == ["phone"]


async def test_a_hold_over_a_category_covers_what_lies_below_it(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.held(subject, categories=("contact",))
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == ["email"]


async def test_of_two_holds_the_last_lifted_lets_go(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        first, second = (await world.held(subject)).hold, (await world.held(subject)).hold
    with at(days=40):
        await world.released(first)
        await world.work()
        assert await world.fields(subject) == ["email"]
        await world.released(second)
        await world.work()
    with at(days=40, minutes=1):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_hold_ends_at_its_term_by_itself(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        hold = (await world.held(subject, until=micros(days=60))).hold
    with at(days=59):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=60, minutes=1):
        await world.work()
        found = await world.look(lambda tx: world.retention.holds.hold(tx, hold))
        assert (found.state, found.steps[-1].step) == ("released", "lapsed")
        assert (await world.look(lambda tx: world.consent.person(tx, subject))).held == 0
    with at(days=60, minutes=2):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_hold_that_nobody_described_covers_everything(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.hot(lambda tx: world.consent.hold(tx, subject, on=True))
    with at(days=60):
        await world.work()
        assert await world.fields(subject) == ["email"]


async def test_what_was_proposed_can_be_declined_and_declined_is_the_end(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        hold = await propose(world, subject)
        await world.cold(lambda tx: world.retention.holds.decline(tx, hold, "no matter"), SECOND_OFFICER)
        with pytest.raises(HoldMoved):
            await world.cold(lambda tx: world.retention.holds.approve(tx, hold), SECOND_OFFICER)
        live = (await world.held(subject)).hold
        await world.cold(lambda tx: world.retention.holds.release(tx, live, ""), OFFICER)
        kept = await world.cold(lambda tx: world.retention.holds.decline(tx, live, "not over"), SECOND_OFFICER)
        assert kept.state == "live"
        states = {each.hold: each.state for each in await world.look(world.retention.holds.holds)}
        assert states == {hold: "declined", live: "live"}


async def test_what_makes_no_hold_is_refused_by_name(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        for more in ({"matter": " "}, {"people": ()}, {"people": (subject,) * 501}, {"reason": "x" * 4_001}):
            with pytest.raises(Invalid) as refused:
                await propose(world, subject, **more)
            assert refused.value.slug == "invalid-hold"
        with pytest.raises(Invalid) as late:
            await propose(world, subject, until=micros(days=-1))
        assert late.value.slug == "invalid-term"
        with pytest.raises(UnknownCategory) as unknown:
            await propose(world, subject, categories=("contact.emial",))
        assert unknown.value.facts["nearest"] == "contact.email"
        with pytest.raises(NoSubject):
            await propose(world, new_raw())
        with pytest.raises(UnknownHold):
            await world.look(lambda tx: world.retention.holds.hold(tx, new_id("hld")))


async def test_people_erased_before_the_approval_are_not_held(world: Working) -> None:
    with at():
        await world.open()
        gone, there = await world.somebody("c-1"), await world.somebody("c-2")
        hold = await propose(world, gone, there)
        await world.erase(gone)
        await world.cold(lambda tx: world.retention.holds.approve(tx, hold), SECOND_OFFICER)
        assert (await world.look(lambda tx: world.consent.person(tx, there))).held == 1
        await world.released(hold)
        assert (await world.look(lambda tx: world.consent.person(tx, there))).held == 0
