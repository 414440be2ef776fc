"""Double opt-in: a request permits nothing, a code confirms it once, a no in between ends it. On both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from msgspec import UNSET

from consent import (
    CodeUnusable,
    Identifier,
    NoRecord,
    NothingWaits,
    Recorded,
    Signal,
    Submission,
)
from consent.model import DoubleOptIn
from sayso.kernel import DAY, Invalid, now, raw, text
from tests.consent.conftest import MANIFEST, Store, claims_of

LETTER = {"letter": "granted"}
DOUBLED = (
    MANIFEST.replace(
        "  support:",
        """  letter: {title: {en: The letter}, categories: [contact.email], direct_marketing: true,
    double_opt_in: [de, at], expires_after: P12M}
  club: {title: {en: The club}, categories: [contact.email]}
  club.letter: {title: {en: Its letter}, categories: [contact.email], double_opt_in: true}
  support:""",
    )
    .replace("[marketing.email, ads]", "[marketing.email, ads, letter, club, club.letter]")
    .replace("version: 1", "version: 2")
)


@pytest.fixture
async def brand(store: Store) -> Store:
    store.catalogue, store.notice_version = await store.apply(DOUBLED), 2
    return store


async def in_germany(store: Store) -> bytes:
    subject = await store.person()
    await store.hot(lambda tx: store.registry.place(tx, subject, "de", "shipping"))
    return subject


async def code_for(store: Store, done: Recorded, **how: Identifier) -> str:
    issued = await store.hot(lambda tx: store.registry.confirmations.issue(tx, raw(done.record, "cns"), **how))
    return issued.code


async def confirm(store: Store, code: str) -> Recorded:
    return await store.cold(lambda tx: store.registry.confirmations.redeem(tx, store.catalogue, code))


async def history(store: Store, subject: bytes) -> list[Any]:
    page = await store.cold(lambda tx: store.registry.history(tx, subject, store.permit(subject, "read")))
    return page.items


async def test_a_grant_waits_and_is_granted_by_the_code(brand: Store) -> None:
    with freeze_time("2026-11-21T10:00:00", real_asyncio=True) as clock:
        subject = await in_germany(brand)
        asked = await brand.record(subject, choices=LETTER)
        assert asked.state["letter"].status == "pending"
        assert asked.state["letter"].expires_at == "2026-11-28T10:00:00.000000Z"
        assert claims_of(asked.receipt)["sub"] == text("sub", subject)
        code = await code_for(brand, asked)
        clock.tick(timedelta(hours=3))
        done = await confirm(brand, code)
        assert done.state["letter"].status == "granted"
        # The term counts from when it was asked for.
        assert done.state["letter"].expires_at == "2027-11-21T10:00:00.000000Z"
        second, first = await history(brand, subject)
        assert (first.choices, second.choices) == ({"letter": "requested"}, {"letter": "granted"})
        assert second.confirms == first.record == asked.record
        assert (second.requested_at, second.confirmed_at) == (first.at, second.at)
        assert second.at == "2026-11-21T13:00:00.000000Z"
        assert second.method == "double_opt_in"
        live = await brand.look(lambda tx: brand.registry.state(tx, brand.catalogue, subject))
        replayed = await brand.look(lambda tx: brand.registry.state(tx, brand.catalogue, subject, as_of=now()))
        assert live.purposes == replayed.purposes


async def test_where_the_known_law_does_not_ask_for_it_a_grant_is_a_grant(brand: Store) -> None:
    subject = await brand.person()
    await brand.hot(lambda tx: brand.registry.place(tx, subject, "fr", "shipping"))
    assert (await brand.record(subject, choices=LETTER)).state["letter"].status == "granted"
    # Where nobody knows the law, the strictest counts.
    nowhere = await brand.person("c-2")
    assert (await brand.record(nowhere, choices=LETTER)).state["letter"].status == "pending"


async def test_a_code_works_once_even_for_thirty_at_once(brand: Store) -> None:
    subject = await in_germany(brand)
    code = await code_for(brand, await brand.record(subject, choices=LETTER))
    done = await asyncio.gather(*(confirm(brand, code) for _ in range(30)), return_exceptions=True)
    won = [each for each in done if isinstance(each, Recorded)]
    assert len(won) == 1
    assert all(isinstance(each, CodeUnusable | NothingWaits) for each in done if each is not won[0])
    assert len(await history(brand, subject)) == 2


async def test_a_no_in_between_ends_the_request(brand: Store) -> None:
    subject = await in_germany(brand)
    code = await code_for(brand, await brand.record(subject, choices=LETTER))
    await brand.withdraw(subject)
    assert (await brand.statuses(subject))["letter"] == "withdrawn"
    with pytest.raises(NothingWaits):
        await confirm(brand, code)
    assert (await brand.statuses(subject))["letter"] == "withdrawn"


async def test_a_no_said_in_between_and_typed_in_later_wins(brand: Store) -> None:
    with freeze_time("2026-11-21T10:00:00", real_asyncio=True) as clock:
        subject = await in_germany(brand)
        code = await code_for(brand, await brand.record(subject, choices=LETTER))
        clock.tick(60)
        said = now()
        clock.tick(60)
        await brand.withdraw(subject, ["letter"], occurred_at=said, method="phone")
        with pytest.raises(NothingWaits):
            await confirm(brand, code)


async def test_a_request_ends_after_seven_days_and_the_worker_need_not_come_by(brand: Store) -> None:
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        subject = await in_germany(brand)
        asked = await brand.record(subject, choices=LETTER)
        code = await code_for(brand, asked)
        clock.move_to(datetime(2026, 11, 28, tzinfo=UTC) - timedelta(seconds=1))
        assert (await brand.statuses(subject))["letter"] == "pending"
        clock.move_to(datetime(2026, 11, 28, tzinfo=UTC))
        assert (await brand.statuses(subject))["letter"] == "unasked"
        with pytest.raises(CodeUnusable):
            await confirm(brand, code)
        with pytest.raises(NothingWaits):
            await code_for(brand, asked)


async def test_a_no_stands_while_a_new_request_waits(brand: Store) -> None:
    subject = await in_germany(brand)
    await brand.withdraw(subject, ["letter"])
    asked = await brand.record(subject, choices=LETTER)
    assert asked.state["letter"].status == "pending"
    found = await brand.look(lambda tx: brand.registry.person(tx, subject))
    assert found is not None
    assert found.choices["letter"].status == "withdrawn"
    done = await confirm(brand, await code_for(brand, asked))
    assert (done.state["letter"].status, done.state["letter"].objected) == ("granted", True)


async def test_giving_a_confirmed_consent_again_needs_no_second_code(brand: Store) -> None:
    subject = await in_germany(brand)
    await confirm(brand, await code_for(brand, await brand.record(subject, choices=LETTER)))
    assert (await brand.record(subject, choices=LETTER)).state["letter"].status == "granted"


async def test_the_code_of_a_first_mail_still_works_after_a_second_request(brand: Store) -> None:
    subject = await in_germany(brand)
    first = await code_for(brand, await brand.record(subject, choices=LETTER))
    second = await code_for(brand, await brand.record(subject, choices=LETTER))
    assert (await confirm(brand, first)).state["letter"].status == "granted"
    with pytest.raises(NothingWaits):
        await confirm(brand, second)


async def test_a_grant_above_does_not_reach_what_must_be_confirmed(brand: Store) -> None:
    subject = await brand.person()
    done = await brand.record(subject, choices={"club": "granted"})
    assert done.state["club"].status == "granted"
    assert done.state["club.letter"].status == "unasked"


async def test_a_purpose_that_changed_since_is_not_confirmed(brand: Store) -> None:
    subject = await in_germany(brand)
    code = await code_for(brand, await brand.record(subject, choices=LETTER))
    changed = DOUBLED.replace(
        "letter: {title: {en: The letter}, categories: [contact.email]",
        "letter: {title: {en: The letter}, categories: [contact.email, behaviour]",
    )
    brand.catalogue = await brand.apply(changed)
    with pytest.raises(NothingWaits):
        await confirm(brand, code)


async def test_a_service_may_bring_a_double_opt_in_of_its_own(brand: Store) -> None:
    subject = await in_germany(brand)
    asked, confirmed = now() - 3 * DAY, now() - 2 * DAY
    done = await brand.record(subject, choices=LETTER, confirmed=DoubleOptIn(asked, confirmed))
    assert done.state["letter"].status == "granted"
    (item,) = await history(brand, subject)
    assert item.requested_at < item.confirmed_at < item.at
    # A no from between its two steps makes it late.
    other = await brand.person("c-2")
    await brand.record(other, choices={"letter": "refused"})
    late = await brand.record(other, choices=LETTER, confirmed=DoubleOptIn(asked, now()))
    assert late.ignored == {"letter": "late"}
    for wrong in (DoubleOptIn(confirmed, asked), DoubleOptIn(0, asked), DoubleOptIn(asked, now() + DAY)):
        with pytest.raises(Invalid):
            await brand.record(subject, choices=LETTER, confirmed=wrong)


ANN = Identifier("email", "ann@example.org")


async def erase(store: Store, subject: bytes, *, suppress: bool = True) -> None:
    permit, until = store.permit(subject, "erase"), now() + 900 * DAY
    suppress_until = until if suppress else None
    await store.cold(
        lambda tx: store.registry.forget(tx, subject, permit, suppress_until=suppress_until, proof_until=until)
    )


async def test_only_a_code_that_left_for_the_person_ends_a_suppression(brand: Store) -> None:
    await erase(brand, await brand.person(ANN.value, ANN.type))
    again = raw((await brand.record(identifier=ANN, choices={"ads": "granted"})).subject or "")
    asked = await brand.record(again, choices=LETTER)
    assert asked.state["letter"].status == "pending"
    told = await confirm(brand, await code_for(brand, asked))
    assert told.ignored == {"letter": "suppressed"}
    asked = await brand.record(again, choices=LETTER)
    done = await confirm(brand, await code_for(brand, asked, delivered_to=ANN))
    assert done.state["letter"].status == "granted"
    assert (await brand.statuses(again))["marketing.email"] == "unasked"
    # It is over for the address, not for this person alone.
    await erase(brand, again, suppress=False)
    newcomer = await brand.record(identifier=ANN, choices={"ads": "granted"})
    assert newcomer.state["ads"].status == "granted"


async def test_what_another_address_keeps_suppressed_is_not_lifted_by_this_one(brand: Store) -> None:
    phone = Identifier("phone", "+353861234567")
    for identifier in (ANN, phone):
        await erase(brand, await brand.person(identifier.value, identifier.type))
    again = await brand.person(ANN.value, ANN.type)
    await brand.hot(lambda tx: brand.registry.identities.link(tx, brand.catalogue, again, phone, "key"))
    asked = await brand.record(again, choices=LETTER)
    done = await confirm(brand, await code_for(brand, asked, delivered_to=ANN))
    assert done.ignored == {"letter": "suppressed"}


async def test_a_conflict_that_was_shown_with_the_request_was_shown(brand: Store) -> None:
    brand.catalogue = await brand.apply(DOUBLED.replace("  ads: {", "  ads: {double_opt_in: true, "))
    subject = await in_germany(brand)
    signal = Signal("gpc", "header", b"a browser")
    give = brand.registry.signals.give
    await brand.hot(lambda tx: give(tx, brand.catalogue, subject, [signal], method="api", assurance="session"))
    hidden = await brand.record(subject, choices={"ads": "granted"})
    assert hidden.ignored == {"ads": "signal"}
    asked = await brand.record(subject, choices={"ads": "granted"}, conflict_shown=True)
    assert asked.state["ads"].status == "pending"
    done = await confirm(brand, await code_for(brand, asked))
    assert (done.ignored, done.state["ads"].status) == (UNSET, "granted")
    assert (await history(brand, subject))[0].conflict_shown is True


async def test_codes_are_for_records_that_wait_and_for_nobody_elses(brand: Store) -> None:
    subject = await in_germany(brand)
    granted = await brand.record(subject)
    with pytest.raises(NothingWaits):
        await code_for(brand, granted)
    asked = await brand.record(subject, choices=LETTER)
    await brand.found("acme")
    with pytest.raises(NoRecord):
        await brand.hot(lambda tx: brand.registry.confirmations.issue(tx, raw(asked.record, "cns")), tenant="acme")
    code = await code_for(brand, asked)
    with pytest.raises(CodeUnusable):
        await brand.hot(lambda tx: brand.registry.confirmations.redeem(tx, brand.catalogue, code), tenant="acme")
    with pytest.raises(CodeUnusable):
        await confirm(brand, code[:-1] + ("A" if code[-1] != "A" else "B"))


async def test_a_device_that_asks_and_confirms_is_worth_a_code(brand: Store) -> None:
    subject = await in_germany(brand)
    submission: Submission = brand.submission(subject=subject, choices=LETTER, assurance="device")
    asked = await brand.hot(lambda tx: brand.registry.record(tx, brand.catalogue, submission))
    await confirm(brand, await code_for(brand, asked))
    second, _ = await history(brand, subject)
    assert second.assurance == "code"
