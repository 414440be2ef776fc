"""One-time codes: single use, ending, bound to their purpose, bounded in tries. On both databases."""

import asyncio

import pytest
from freezegun import freeze_time
from sqlalchemy import select

from consent import CodeUnusable, Redeemed, Wrong, tables
from consent.people.codes import ATTEMPTS
from sayso.kernel import DAY, Invalid, now
from tests.consent.conftest import Store


async def issue(store: Store, subject: bytes, form: str = "link", payload: bytes = b"yes", ttl_s: int = 600):
    return await store.hot(
        lambda tx: store.registry.codes.issue(tx, "double_opt_in", subject, payload, ttl_s=ttl_s, form=form)
    )


async def redeem(store: Store, code: str, purpose: str = "double_opt_in", tenant: str = "default"):
    return await store.hot(lambda tx: store.registry.codes.redeem(tx, purpose, code), tenant=tenant)


async def attempt(store: Store, challenge: str, digits: str, purpose: str = "double_opt_in"):
    return await store.hot(lambda tx: store.registry.codes.attempt(tx, purpose, challenge, digits))


async def test_a_code_gives_its_payload_once_however_many_race(store: Store) -> None:
    subject = await store.person()
    issued = await issue(store, subject)
    uses = await asyncio.gather(*(redeem(store, issued.code) for _ in range(30)), return_exceptions=True)
    (good,) = [each for each in uses if isinstance(each, Redeemed)]
    assert (good.subject, good.payload) == (subject, b"yes")
    assert all(isinstance(each, CodeUnusable) for each in uses if each is not good)


async def test_a_code_is_good_for_its_purpose_its_tenant_and_its_term_only(store: Store) -> None:
    subject = await store.person()
    await store.found("acme")
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        issued = await issue(store, subject)
        with pytest.raises(CodeUnusable):
            await redeem(store, issued.code, "preference_page")
        with pytest.raises(CodeUnusable):
            await redeem(store, issued.code, tenant="acme")
        with pytest.raises(CodeUnusable):
            await attempt(store, issued.challenge, issued.code)
        clock.tick(601)
        for code in (issued.code, "", "x" * 32, "é" * 32):
            with pytest.raises(CodeUnusable):
                await redeem(store, code)


async def test_digits_end_after_a_few_wrong_tries(store: Store) -> None:
    subject = await store.person()
    issued = await issue(store, subject, "digits")
    assert issued.code.isdecimal()
    wrong = "00000000" if issued.code != "00000000" else "11111111"
    tried = [await attempt(store, issued.challenge, wrong) for _ in range(ATTEMPTS)]
    assert tried == [Wrong(left) for left in range(ATTEMPTS - 1, -1, -1)]
    with pytest.raises(CodeUnusable):
        await attempt(store, issued.challenge, issued.code)


async def test_racing_guesses_get_no_more_tries_than_patient_ones(store: Store) -> None:
    subject = await store.person()
    issued = await issue(store, subject, "digits")
    wrong = "00000000" if issued.code != "00000000" else "11111111"
    tried = await asyncio.gather(*(attempt(store, issued.challenge, wrong) for _ in range(30)), return_exceptions=True)
    assert sum(isinstance(each, Wrong) for each in tried) == ATTEMPTS


async def test_the_right_digits_work_once_after_a_wrong_try(store: Store) -> None:
    subject = await store.person()
    issued = await issue(store, subject, "digits")
    wrong = "00000000" if issued.code != "00000000" else "11111111"
    assert await attempt(store, issued.challenge, wrong) == Wrong(ATTEMPTS - 1)
    with pytest.raises(CodeUnusable):
        await attempt(store, issued.challenge, issued.code, "link_identifier")
    done = await attempt(store, issued.challenge, f" {issued.code} ")
    assert isinstance(done, Redeemed)
    for code in (issued.code, wrong):
        with pytest.raises(CodeUnusable):
            await attempt(store, issued.challenge, code)
    with pytest.raises(CodeUnusable):
        await attempt(store, "no challenge", issued.code)


async def test_a_code_dies_with_its_person(store: Store) -> None:
    subject = await store.person()
    issued = await issue(store, subject)
    until = now() + DAY
    permit = store.permit(subject, "erase")
    await store.cold(lambda tx: store.registry.forget(tx, subject, permit, suppress_until=until, proof_until=until))
    with pytest.raises(CodeUnusable):
        await redeem(store, issued.code)


async def test_neither_code_nor_digits_nor_payload_lie_in_the_table(store: Store) -> None:
    subject = await store.person()
    link, digits = await issue(store, subject), await issue(store, subject, "digits", b"ann@example.org")
    rows = await store.look(lambda tx: _all(tx, select(tables.consent_code)))
    blob = repr(rows)
    for secret in (link.code, digits.code, "ann@example.org"):
        assert secret not in blob
        assert secret not in repr(link) + repr(digits)


async def test_a_term_out_of_bounds_is_refused(store: Store) -> None:
    subject = await store.person()
    for ttl_s in (0, 59, 31 * 86_400):
        with pytest.raises(Invalid):
            await issue(store, subject, ttl_s=ttl_s)


def _all(tx, statement):
    (rows,) = yield (tx.select(statement),)
    return rows
