"""Directives in the registry: recorded once, replayed, receipted, and gone with the person."""

import asyncio

from freezegun import freeze_time

from consent import Identifier, Recorded, Signal
from sayso.kernel import now
from tests.consent.conftest import BROWSER, Store, claims_of

LAPTOP = Signal("gpc", "header", b"laptop")


async def give(store: Store, subject: bytes, *signals: Signal, **how: str) -> Recorded | None:
    made = await store.hot(
        lambda tx: store.registry.signals.give(tx, store.catalogue, subject, signals or (LAPTOP,), **how)  # type: ignore[arg-type]
    )
    return made.recorded


async def test_a_signal_is_replayed_like_any_record(store: Store) -> None:
    with freeze_time("2026-03-01", real_asyncio=True) as clock:
        subject = await store.person()
        await store.record(subject, choices={"ads": "granted", "marketing.email": "granted"})
        before = now()
        clock.tick(60)
        assert await give(store, subject) is not None
        blocked = now()
        clock.tick(60)
        await store.record(subject, choices={"ads": "granted"}, conflict_shown=True)
        assert (await store.statuses(subject))["ads"] == "granted"
        assert (await store.statuses(subject, as_of=before))["ads"] == "granted"
        assert (await store.statuses(subject, as_of=blocked))["ads"] == "objected"
        assert (await store.statuses(subject, as_of=now()))["ads"] == "granted"
        assert (await store.statuses(subject, as_of=blocked))["marketing.email"] == "granted"
        assert (await store.statuses(subject, as_of=now(), known_at=blocked))["ads"] == "objected"


async def test_racing_repeats_of_one_browser_make_one_record(store: Store) -> None:
    subject = await store.person()
    made = await asyncio.gather(*(give(store, subject) for _ in range(30)))
    assert sum(each is not None for each in made) == 1


async def test_signals_of_many_browsers_all_count_and_the_state_stays_small(store: Store) -> None:
    subject = await store.person()
    made = [await give(store, subject, Signal("gpc", "script", f"b{number}".encode())) for number in range(40)]
    assert None not in made
    state = await store.look(lambda tx: store.registry.person(tx, subject))
    assert state is not None
    assert len(state.directives["gpc"].origins) == 32


async def test_the_receipt_tells_of_the_directive(store: Store) -> None:
    subject = await store.person()
    made = await give(store, subject)
    assert made is not None
    assert "gpc" in str(claims_of(made.receipt)["receipt"])


async def test_a_directive_marks_direct_marketing_that_it_reaches_as_objected(store: Store) -> None:
    store.catalogue = await store.apply(
        """
purposes:
  offers: {title: {en: Offers of partners}, opt_out: [share], direct_marketing: true}
  news: {title: {en: News}, direct_marketing: true}
notices: {partners: {version: 1, purposes: [offers, news], text: {en: Say so.}}}
"""
    )
    subject = await store.person()
    await store.record(subject, notice="partners", choices={"offers": "granted", "news": "granted"})
    await give(store, subject, Signal("opt_out", "link", b"link"))
    made = await store.record(subject, notice="partners", choices={"offers": "granted"}, conflict_shown=True)
    # Rule 1: a later specific grant reopens basis consent only, until the objection itself is taken back.
    assert (made.state["offers"].status, made.state["offers"].objected) == ("granted", True)
    found = await store.look(lambda tx: store.registry.state(tx, store.catalogue, subject))
    assert found.purposes["news"].objected is not True
    await store.hot(lambda tx: store.registry.reconsider(tx, store.catalogue, subject, ["offers"]))
    found = await store.look(lambda tx: store.registry.state(tx, store.catalogue, subject))
    assert (found.purposes["offers"].status, found.purposes["offers"].objected is True) == ("granted", False)


async def test_a_weaker_assurance_may_give_a_directive_and_not_lift_a_stronger_one(store: Store) -> None:
    subject = await store.person()
    await give(store, subject, assurance="device")
    made = await store.record(subject, choices={"ads": "granted"}, conflict_shown=True, assurance="device")
    assert made.state["ads"].status == "granted"
    await give(store, subject, Signal("opt_out", "api", b"crm"))
    made = await store.record(subject, choices={"ads": "granted"}, conflict_shown=True, assurance="link")
    assert (made.ignored, made.state["ads"].status) == ({"ads": "weaker"}, "objected")


async def test_a_grant_claimed_to_be_from_before_the_signal_is_late(store: Store) -> None:
    subject = await store.person()
    claimed = now()
    await give(store, subject)
    made = await store.record(subject, choices={"ads": "granted"}, conflict_shown=True, occurred_at=claimed)
    assert made.ignored == {"ads": "late"}


async def test_nobody_is_made_by_a_signal_and_a_person_made_with_one_starts_under_it(store: Store) -> None:
    device = Identifier("device", "d" * 22)
    made = await store.hot(
        lambda tx: store.registry.signals.give_as(
            tx, store.catalogue, device, [LAPTOP], method="banner", assurance="device"
        ),
        BROWSER,
    )
    assert made is None
    submission = store.submission(
        identifier=device, choices={"ads": "granted", "marketing.email": "granted"}, signals=(LAPTOP,), method="banner"
    )
    chosen = await store.hot(lambda tx: store.registry.choose(tx, store.catalogue, submission), BROWSER)
    assert chosen.ignored == {"ads": "signal"}
    assert (chosen.state["ads"].status, chosen.state["marketing.email"].status) == ("objected", "granted")
