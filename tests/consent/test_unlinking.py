"""Taking identifiers away: merges undone, noes kept, where people stood before and since. On both databases."""

import pytest
from freezegun import freeze_time
from msgspec import UNSET

from consent import Identifier
from consent.errors import LastIdentifier, NotTheirIdentifier
from sayso.kernel import Invalid, now, raw, text
from tests.consent.conftest import Store
from tests.consent.test_identities import EMAIL, PHONE, choose, found, link, listed, told


async def unlink(store: Store, subject: bytes, handle: str):
    return await store.cold(lambda tx: store.registry.unlinking.unlink(tx, store.catalogue, subject, handle))


async def handles(store: Store, subject: bytes) -> dict[str, str]:
    return {each.type: each.identifier for each in await listed(store, subject)}


async def test_undoing_a_merge_gives_back_identifier_records_and_answers(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await choose(store, customer, marketing_email="granted")
    before = await choose(store, device, marketing_email="refused", ads="granted")
    merged = await link(store, customer)
    since = await choose(store, device, ads="granted")
    await choose(store, customer, ads="granted")
    done = await unlink(store, customer, merged.identifier or "")
    assert (done.subject, done.to, done.split) == (text("sub", customer), text("sub", device), True)
    assert await found(store) == text("sub", device)
    assert (await store.statuses(customer))["marketing.email"] == "granted"
    assert (await store.statuses(device))["marketing.email"] == "refused"
    permit = store.permit(device, "read")
    page = await store.cold(lambda tx: store.registry.history(tx, device, permit))
    assert [each.record for each in page.items] == [since.record, before.record]
    assert await told(store, customer) == ["split", "merged"]
    assert await told(store, device) == ["split_from", "merged_into"]
    # From here on they are strangers.
    await store.withdraw(customer, ["ads"])
    assert (await store.statuses(device))["ads"] == "granted"


async def test_a_no_said_while_they_were_one_stays_with_both(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await choose(store, customer, ads="granted")
    await choose(store, device, ads="granted", marketing_email="granted")
    merged = await link(store, customer)
    await store.withdraw(customer, ["ads"])
    await store.withdraw(device, ["marketing.email"])
    await unlink(store, customer, merged.identifier or "")
    for subject in (customer, device):
        statuses = await store.statuses(subject)
        assert (statuses["ads"], statuses["marketing.email"]) == ("withdrawn", "withdrawn")


async def test_merges_are_undone_in_any_order_that_one_person_saw(store: Store) -> None:
    customer = await store.person()
    email, phone = await store.person(EMAIL.value, "email"), await store.person(PHONE.value, "phone")
    await choose(store, customer, ads="granted", marketing_email="granted")
    await choose(store, email, ads="refused")
    await choose(store, phone, marketing_email="refused")
    first, second = await link(store, customer), await link(store, customer, PHONE)
    statuses = await store.statuses(customer)
    assert (statuses["ads"], statuses["marketing.email"]) == ("refused", "refused")
    await unlink(store, customer, first.identifier or "")
    statuses = await store.statuses(customer)
    assert (statuses["ads"], statuses["marketing.email"]) == ("granted", "refused")
    assert (await store.statuses(email))["ads"] == "refused"
    await unlink(store, customer, second.identifier or "")
    statuses = await store.statuses(customer)
    assert (statuses["ads"], statuses["marketing.email"]) == ("granted", "granted")
    assert await found(store, PHONE) == text("sub", phone)


async def test_a_merged_person_that_is_merged_again_comes_back_whole(store: Store) -> None:
    root, middle = await store.person("root"), await store.person("middle")
    leaf = await store.person(EMAIL.value, "email")
    await choose(store, leaf, ads="refused")
    await link(store, middle)
    await link(store, root, Identifier("customer_id", "middle"))
    assert {await found(store), await found(store, Identifier("customer_id", "middle"))} == {text("sub", root)}
    email = (await handles(store, root))["email"]
    done = await unlink(store, root, email)
    assert done.to == text("sub", middle)
    assert await found(store) == text("sub", middle)
    assert (await store.statuses(middle))["ads"] == "refused"
    assert (await store.statuses(root))["ads"] == "unasked"
    await unlink(store, middle, email)
    assert await found(store) == text("sub", leaf)
    assert (await store.statuses(middle))["ads"] == "unasked"
    again = await link(store, root)
    assert again.merged == text("sub", leaf)


async def test_an_identifier_given_away_takes_every_no_along_and_no_yes(store: Store) -> None:
    subject = await store.person()
    done = await link(store, subject)
    await choose(store, subject, ads="granted", marketing_email="refused")
    freed = await unlink(store, subject, done.identifier or "")
    assert freed.split is UNSET
    other = raw(freed.to, "sub")
    assert other != subject
    assert await found(store) == freed.to
    statuses = await store.statuses(other)
    assert (statuses["ads"], statuses["marketing.email"]) == ("unasked", "refused")
    assert (await store.statuses(subject))["ads"] == "granted"
    assert await told(store, other) == ["split_from"]


async def test_the_last_identifier_and_a_strangers_are_not_unlinked(store: Store) -> None:
    subject, stranger = await store.person(), await store.person("c-2")
    (only,) = (await handles(store, subject)).values()
    with pytest.raises(LastIdentifier):
        await unlink(store, subject, only)
    await link(store, subject)
    theirs = (await handles(store, stranger))["customer_id"]
    for handle in (theirs, text("idf", b"\0" * 16)):
        with pytest.raises(NotTheirIdentifier):
            await unlink(store, subject, handle)
    with pytest.raises(Invalid):
        await unlink(store, subject, "ann@example.org")


async def test_where_they_stood_at_an_instant_knows_the_merge_and_the_split(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        await choose(store, customer, ads="granted")
        await choose(store, device, ads="refused")
        clock.tick(10)
        apart = now()
        clock.tick(10)
        merged = await link(store, customer)
        clock.tick(10)
        one = now()
        clock.tick(10)
        await store.withdraw(customer, ["marketing.email"])
        clock.tick(10)
        said = now()
        clock.tick(10)
        await unlink(store, customer, merged.identifier or "")
        clock.tick(10)
        assert (await store.statuses(customer, as_of=apart))["ads"] == "granted"
        assert (await store.statuses(customer, as_of=one))["ads"] == "refused"
        assert (await store.statuses(customer, as_of=said))["marketing.email"] == "withdrawn"
        assert (await store.statuses(customer, as_of=now()))["ads"] == "granted"
        for subject in (customer, device):
            assert (await store.statuses(subject, as_of=now())) == await store.statuses(subject)
