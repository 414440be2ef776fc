"""What an erasure left ends at its term: the capsule's key is destroyed, the suppression forgotten; holds keep it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import func, select

from consent import NoSubject
from consent.tables import consent_proof, consent_suppression
from rights import HoldWanted
from sayso.kernel import BUCKETS, PARTS, Tx, Work, bucket_of, new_raw
from tests.rights.retention.world import OFFICER, Working
from tests.rights.world import entry_type

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
PROOF_DAYS = 3 * 365 + 1 + 1 / 24
SUPPRESSION_DAYS = 10 * 365 + 3 + 1 / 24


def at(**later: float) -> Any:
    """Some time after the start."""
    return freeze_time(START + timedelta(**later), real_asyncio=True)


def micros(**later: float) -> int:
    return int((START + timedelta(**later)).timestamp() * 1_000_000)


async def left(world: Working) -> tuple[int, int]:
    """How many capsules and suppressions there are."""

    def unit(tx: Tx) -> Work[tuple[int, int]]:
        proofs, suppressions = yield tuple(
            tx.select(select(func.count()).select_from(table).where(table.c.tenant == world.tenant))
            for table in (consent_proof, consent_suppression)
        )
        return proofs[0][0], suppressions[0][0]

    return await world.look(unit)


async def erased(world: Working, value: str = "c-1") -> bytes:
    subject = await world.somebody(value)
    await world.erase(subject)
    return subject


async def ending(world: Working, **later: float) -> tuple[int, int, int]:
    """What the preview says of those erased: capsules that go, that are held, and suppressions."""
    found = await world.look(lambda tx: world.retention.preview(tx, micros(**later), 100))
    return found.proofs, found.proofs_held, found.suppressions


async def test_a_capsule_is_shredded_at_its_term_and_the_suppression_at_its_own(world: Working) -> None:
    with at():
        await world.open()
        subject = await erased(world)
        assert await world.key_classes(subject) == ["proof"]
        assert await ending(world, days=PROOF_DAYS) == (1, 0, 0)
        assert await ending(world, days=SUPPRESSION_DAYS) == (1, 0, 1)
    with at(days=PROOF_DAYS - 2):
        assert await world.work() == []
        assert await world.key_classes(subject) == ["proof"]
        assert await left(world) == (1, 1)
    with at(days=PROOF_DAYS):
        assert await world.work() == []
        assert await world.key_classes(subject) == []
        assert await left(world) == (0, 1)
        told = await world.types()
        assert (told.count("vault.key.shredded"), told.count("consent.proof.ended")) == (2, 1)
        await world.work()
        assert len(await world.types()) == len(told), "what was ended ends once"
    with at(days=SUPPRESSION_DAYS - 3):
        await world.work()
        assert await left(world) == (0, 1)
    with at(days=SUPPRESSION_DAYS):
        await world.work()
        assert await left(world) == (0, 0)
        assert (await world.types())[-1] == "consent.suppression.ended"
        assert await ending(world, days=SUPPRESSION_DAYS) == (0, 0, 0)


async def test_the_erased_persons_tombstone_stays_and_the_log_still_has_every_entry(world: Working) -> None:
    with at():
        await world.open()
        subject = await erased(world)
        before = await world.types()
    with at(days=SUPPRESSION_DAYS):
        await world.work()
        assert (await world.look(lambda tx: world.consent.person(tx, subject))).erased_at == micros()
        assert (await world.types())[: len(before)] == before
        page = await world.look(lambda tx: world.audit.entries_about(tx, subject))
        assert "consent.proof.ended" not in [entry_type(each.leaf) for each in page.entries], "it is about nobody"


async def test_a_legal_hold_keeps_a_capsule_past_its_term_until_it_is_released(world: Working) -> None:
    with at():
        await world.open()
        subject, other = await erased(world, "c-1"), await erased(world, "c-2")
    with at(days=100):
        hold = (await world.held(subject)).hold
    with at(days=PROOF_DAYS + 30):
        await world.work()
        assert await world.key_classes(subject) == ["proof"]
        assert await world.key_classes(other) == []
        assert await ending(world, days=PROOF_DAYS + 30) == (0, 1, 0)
        await world.released(hold)
    with at(days=PROOF_DAYS + 31):
        await world.work()
        assert await world.key_classes(subject) == []
        assert await left(world) == (0, 2)


async def test_two_holds_keep_a_capsule_until_both_are_over(world: Working) -> None:
    with at():
        await world.open()
        subject = await erased(world)
        first = (await world.held(subject)).hold
        await world.held(subject, categories=("contact.email",), until=micros(days=PROOF_DAYS + 60))
        await world.released(first)
    with at(days=PROOF_DAYS + 30):
        await world.work()
        assert await world.key_classes(subject) == ["proof"]
    with at(days=PROOF_DAYS + 61):
        await world.work()
        await world.work()
        assert await world.key_classes(subject) == []


async def test_an_erased_person_is_held_for_the_proof_and_nobody_for_nothing(world: Working) -> None:
    with at():
        await world.open()
        subject = await erased(world)
        names = world.policy.catalogue.categories
        assert (await world.held(subject, until=micros(days=10))).people
    with at(days=PROOF_DAYS):
        await world.work()
        await world.work()
        for people in ((subject,), (new_raw(),)):
            gone = HoldWanted(matter="Case 7", people=people)
            with pytest.raises(NoSubject):
                await world.cold(lambda tx, gone=gone: world.retention.holds.propose(tx, names, gone), OFFICER)


async def test_many_end_in_steps_and_each_of_them(world: Working) -> None:
    with at():
        await world.open()
        people = [await erased(world, f"c-{number}") for number in range(40)]
        parts = {bucket_of(world.tenant, each) * PARTS // BUCKETS for each in people}
        assert len(parts) > 1
    with at(days=SUPPRESSION_DAYS):
        assert await world.work() == []
        assert await left(world) == (0, 0)
        for subject in people:
            assert await world.key_classes(subject) == []


async def test_who_comes_back_after_the_term_is_anybody(world: Working) -> None:
    with at():
        await world.open()
        await erased(world)
    with at(days=SUPPRESSION_DAYS):
        await world.work()
        again = await world.resolve("c-1")
        await world.choose(again)
        state = await world.look(lambda tx: world.consent.person(tx, again))
        assert state.suppressed_until == 0
        assert (await world.ask(again)).decision
