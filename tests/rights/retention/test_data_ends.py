"""Data end: with the last live purpose, after the grace, once, and not while anything keeps them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import delete

from audit import decode_leaf
from rights.retention import store
from rights.retention.reckoning import RESTRICTED
from sayso.kernel import Jobs
from sayso.kernel.schema import feed
from tests.rights.retention.world import EMAIL, MANIFEST, Working
from tests.rights.world import PHONE

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(**later: float) -> Any:
    """Some time after the start."""
    return freeze_time(START + timedelta(**later), real_asyncio=True)


async def test_data_that_never_had_a_live_purpose_go_after_the_grace(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.work()
    with at(days=29):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=30, minutes=1):
        assert await world.work() == []
        assert await world.fields(subject) == []


async def test_a_withdrawal_ends_data_counted_from_the_withdrawal(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
    with at(days=100):
        await world.work()
        assert await world.fields(subject) == ["email"]
        await world.withdraw(subject)
    with at(days=129):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=130, minutes=1):
        await world.work()
        assert await world.fields(subject) == []


async def test_the_term_of_a_grant_ends_data_though_nobody_did_anything(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        await world.work()
    with at(days=731 + 29):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=731 + 31):
        await world.work()
        assert await world.fields(subject) == []


async def test_what_goes_takes_its_tokens_its_index_and_its_key_and_leaves_entry_and_change(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.in_germany(subject)
        tokens = await world.store(subject, email=EMAIL, basket="tea, green")
        await world.work()
        assert await world.key_classes(subject) == ["behaviour", "data", "log"]
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == ["basket"], "legitimate interest lasts until a no"
        assert await world.key_classes(subject) == ["behaviour", "log"]
        assert await world.reveal(tokens["email"]) is None
        page = await world.look(lambda tx: world.audit.entries_about(tx, subject))
        assert "vault.record.expired" in [_type(each.leaf) for each in page.entries]
        kinds = await _feed_kinds(world)
        assert kinds.count("vault.record.expired") == 1
        await world.work()
        assert (await _feed_kinds(world)).count("vault.record.expired") == 1


async def test_an_objection_ends_what_rests_on_interest(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.in_germany(subject)
        await world.store(subject, basket="tea, green")
    with at(days=400):
        await world.work()
        assert await world.fields(subject) == ["basket"]
        await world.object(subject)
    with at(days=431):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_contract_keeps_data_while_its_relation_lives_or_lies_ahead(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.store(subject, phone=PHONE)
        await world.relate(subject, start=_micros(days=40), until=_micros(days=90))
    for days in (31, 60, 119):
        with at(days=days):
            await world.work()
            assert await world.fields(subject) == ["phone"]
            ends = (await world.ends(subject)).categories["contact.phone"]
            assert ends.ground == ("contract: support" if days < 90 else "")
    with at(days=121):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_legal_obligation_keeps_data_for_the_retention_its_purpose_tells(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.store(subject, invoice="2026-0001")
        kept = (await world.ends(subject)).categories["billing"]
        assert (kept.live, kept.ground, kept.ends_at[:10]) == (True, "legal_obligation: tax", "2036-03-01")
    with at(days=3653 + 29):
        await world.work()
        assert await world.fields(subject) == ["invoice"]
    with at(days=3653 + 31):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_grant_within_the_grace_keeps_the_data(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.work()
    with at(days=29):
        await world.choose(subject)
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == ["email"]


async def test_a_grant_that_the_calendar_has_not_seen_yet_is_seen_by_the_deletion(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.work()
    with at(days=31):
        await world.choose(subject)
        due = world.retention.jobs[1]
        jobs = Jobs(world.database, [due], alone=True, report=lambda job, error: pytest.fail(f"{job}: {error}"))
        assert await jobs.work(world.tenant) > 0, "the visit is due by the calendar"
        assert await world.fields(subject) == ["email"]


async def test_repeating_a_no_or_storing_again_begins_no_new_grace(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.work()
    for days in range(5, 30, 5):
        with at(days=days):
            await world.choose(subject, "refused")
            await world.work()
            await world.store(subject, email=EMAIL)
            await world.work()
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == []


async def test_giving_and_taking_back_within_one_look_begins_a_new_grace(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.work()
    with at(days=20):
        await world.choose(subject)
        await world.withdraw(subject)
        await world.work()
    with at(days=40):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=51):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_value_of_its_own_that_comes_later_has_a_grace_of_its_own(world: Working) -> None:
    manifest = MANIFEST.replace(b"category: behaviour, retention", b"category: contact.email, retention")
    with at():
        await world.open()
        await world.apply(manifest=manifest)
        subject = await world.somebody(granted=False)
        await world.work()
    with at(days=20):
        await world.store(subject, basket="tea, green")
        await world.work()
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == ["basket"]
    with at(days=51):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_restriction_keeps_everything_until_it_is_lifted(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.hot(lambda tx: world.consent.facts.restrict(tx, subject, on=True))
    with at(days=60):
        await world.work()
        assert await world.fields(subject) == ["email"]
        assert (await world.ends(subject)).categories["contact.email"].ground == RESTRICTED
        await world.hot(lambda tx: world.consent.facts.restrict(tx, subject, on=False))
        await world.work()
    with at(days=60, minutes=1):
        await world.work()
        assert await world.fields(subject) == []


async def test_a_purpose_that_is_no_longer_declared_ends_data_when_that_is_seen(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        await world.work()
    with at(days=200):
        await world.apply((b"[contact.email]\n    expires_after: P24M", b"[contact.phone]\n    expires_after: P24M"))
        await world.work()
    with at(days=210):
        # Being looked at again makes nothing end sooner.
        await world.in_germany(subject)
        await world.work()
    with at(days=229):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=231):
        await world.work()
        assert await world.fields(subject) == []


async def test_the_grace_is_the_manifests(world: Working) -> None:
    with at():
        await world.open()
        await world.apply((b"purposes:\n", b"data_ends: {grace: P7D}\npurposes:\n"))
        subject = await world.somebody(granted=False)
        await world.work()
    with at(days=6):
        await world.work()
        assert await world.fields(subject) == ["email"]
    with at(days=7, minutes=1):
        await world.work()
        assert await world.fields(subject) == []


async def test_changes_that_the_feed_no_longer_has_are_made_up_for_by_a_survey(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody(granted=False)
        await world.cold(lambda tx: _execute(tx, delete(feed)))
        assert await world.calendar(subject) is None
    with at(days=1):
        await world.work()
        assert await world.calendar(subject) is not None
    with at(days=31):
        await world.work()
        assert await world.fields(subject) == []


async def test_an_erased_person_leaves_the_calendar(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        await world.work()
        assert await world.calendar(subject) is not None
        await world.erase(subject)
        await world.work()
        assert await world.calendar(subject) is None


async def test_a_round_with_nothing_due_writes_nothing(world: Working) -> None:
    with at():
        await world.open()
        await world.somebody()
        await world.work()
    with at(days=3):
        before = world.database.flushes if world.database.kind == "sqlite" else None
        await world.work()
        assert before is None or world.database.flushes == before


def _micros(**later: float) -> int:
    return int((START + timedelta(**later)).timestamp()) * 1_000_000


def _type(leaf: bytes) -> str:
    return decode_leaf(leaf).type


async def _feed_kinds(world: Working) -> list[str]:
    def unit(tx: Any) -> Any:
        (rows,) = yield (store.changes(tx, 0, 1_000),)
        return [kind for _, kind, _ in rows]

    found: list[str] = await world.look(unit)
    return found


def _execute(tx: Any, statement: Any) -> Any:
    tx.execute(statement)
    yield ()
