"""Linking, merging, splitting: one person under several names, and two people again. On both databases."""

import asyncio
from datetime import UTC, datetime

import pytest
from freezegun import freeze_time
from msgspec import UNSET

from consent import CodeUnusable, Identifier, NoSubject, Wrong
from consent.errors import NotTheirIdentifier, TooManyIds
from consent.people.identities import ALIASES_LIMIT, Lifted, Linked
from sayso.kernel import DAY, Invalid, now, raw, text
from tests.consent.conftest import MANIFEST, Store

EMAIL = Identifier("email", "ann@example.org")
PHONE = Identifier("phone", "+353861234567")


async def link(store: Store, subject: bytes, identifier: Identifier = EMAIL, proof: str = "key", **where) -> Linked:
    return await store.hot(
        lambda tx: store.registry.identities.link(tx, store.catalogue, subject, identifier, proof), **where
    )


async def found(store: Store, identifier: Identifier = EMAIL) -> str:
    return (await store.look(lambda tx: store.registry.resolve(tx, identifier, create=False))).subject


async def listed(store: Store, subject: bytes):
    return await store.look(lambda tx: store.registry.identities.identifiers(tx, subject))


async def told(store: Store, subject: bytes) -> list[str]:
    return [each.event for each in await store.look(lambda tx: store.registry.identities.history(tx, subject))]


async def choose(store: Store, subject: bytes | None, **choices: str):
    named = {name.replace("_", "."): act for name, act in choices.items()}
    return await store.record(subject, choices=named)


# linking


async def test_a_person_has_several_identifiers_and_shows_none(store: Store) -> None:
    subject = await store.person()
    done = await link(store, subject)
    await link(store, subject, PHONE)
    await link(store, subject, Identifier("wechat_openid", "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"))
    assert done.subject == text("sub", subject) == await found(store) == await found(store, PHONE)
    items = await listed(store, subject)
    assert [each.type for each in items] == ["customer_id", "email", "phone", "wechat_openid"]
    assert done.identifier == items[1].identifier
    assert "ann" not in repr(items)
    assert await told(store, subject) == ["linked", "linked", "linked"]


async def test_one_value_under_two_types_is_two_identifiers(store: Store) -> None:
    one, other = await store.person("x-1", "cookie"), await store.person("x-1", "ad_id")
    assert one != other
    for unknown in ("cooky", "anything", "iban"):
        with pytest.raises(Invalid) as refused:
            await store.person("x-1", unknown)
        assert refused.value.slug == "unknown-kind"


async def test_linking_again_is_free(store: Store) -> None:
    subject = await store.person()
    first, again = await link(store, subject), await link(store, subject)
    assert (again.identifier, again.entry) == (first.identifier, None)
    assert await told(store, subject) == ["linked"]


async def test_thirty_racing_links_of_one_identifier_make_one_link(store: Store) -> None:
    subject = await store.person()
    links = await asyncio.gather(*(link(store, subject) for _ in range(30)))
    assert len({each.identifier for each in links}) == 1
    assert sum(each.entry is not None for each in links) == 1
    assert len(await listed(store, subject)) == 2


async def test_thirty_racing_links_and_first_sights_end_as_one_person(store: Store) -> None:
    subjects = [await store.person(f"c-{number}") for number in range(10)]

    def sight(tx):
        return store.registry.resolve(tx, EMAIL, create=True)

    await asyncio.gather(
        *(link(store, subject) for subject in subjects),
        *(store.hot(sight) for _ in range(10)),
        *(store.cold(sight) for _ in range(10)),
    )
    people = {await found(store, Identifier("customer_id", f"c-{number}")) for number in range(10)}
    assert people == {await found(store)}
    state = await store.look(lambda tx: store.registry.person(tx, subjects[0]))
    assert state is not None
    assert state.family is not None
    assert {state.family.root, *state.family.aliases} >= set(subjects)


async def test_nobody_links_to_a_person_of_another_tenant(store: Store) -> None:
    subject = await store.person()
    await store.found("acme")
    with pytest.raises(NoSubject) as nobody:
        await link(store, subject, tenant="acme")
    assert nobody.value.facts == {}


# merging


async def test_linking_somebody_elses_identifier_merges_them_and_tells_how(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await choose(store, customer, marketing_email="granted")
    await choose(store, device, marketing_email="refused", ads="granted")
    done = await link(store, customer)
    assert (done.subject, done.merged) == (text("sub", customer), text("sub", device))
    assert done.purposes is not UNSET
    ruled = {
        name: (each.status, each.survivor, each.joined, each.rule, each.why) for name, each in done.purposes.items()
    }
    assert ruled["marketing.email"] == ("refused", "granted", "refused", "least_permissive", "a_no_stands")
    assert ruled["ads"] == ("granted", "unasked", "granted", "least_permissive", "only_answer")
    for subject in (customer, device):
        statuses = await store.statuses(subject)
        assert (statuses["marketing.email"], statuses["ads"]) == ("refused", "granted")
    assert await found(store) == text("sub", customer)


async def test_a_purpose_may_let_the_newest_answer_count(store: Store) -> None:
    await store.apply(MANIFEST.replace("legal_basis: consent, categories", "on_merge: newest, categories"))
    store.catalogue = await store.apply(
        MANIFEST.replace("categories: [behaviour]}", "categories: [behaviour], on_merge: newest}")
    )
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await choose(store, device, ads="refused", marketing_email="refused")
    await choose(store, customer, ads="granted", marketing_email="granted")
    done = await link(store, customer)
    assert done.purposes is not UNSET
    assert (done.purposes["ads"].status, done.purposes["ads"].why) == ("granted", "newer_answer")
    assert done.purposes["marketing.email"].status == "refused"


async def test_an_alias_goes_on_answering_and_choosing_for_the_person(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await link(store, customer)
    done = await choose(store, device, ads="granted")
    assert done.subject == text("sub", customer)
    assert (await store.statuses(customer))["ads"] == "granted"
    await store.withdraw(customer, ["ads"])
    assert (await store.statuses(device))["ads"] == "withdrawn"
    states = [await store.look(lambda tx, each=each: store.registry.person(tx, each)) for each in (customer, device)]
    assert states[0] == states[1], "a decision about an alias reads its own row"


async def test_a_merge_makes_nobodys_word_surer(store: Store) -> None:
    customer, device = await store.person(), await store.person("d" * 22, "device")
    await choose(store, customer, ads="refused")
    await link(store, customer, Identifier("device", "d" * 22))
    weak = await store.record(device, choices={"ads": "granted"}, assurance="device", method="banner")
    assert weak.ignored == {"ads": "weaker"}
    assert (await store.statuses(customer))["ads"] == "refused"


async def test_thirty_racing_writers_under_both_names_lose_no_record(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await link(store, customer)
    done = await asyncio.gather(*(choose(store, who, ads="granted") for _ in range(15) for who in (customer, device)))
    for subject in (customer, device):
        permit = store.permit(subject, "read")
        page = await store.cold(lambda tx, s=subject, p=permit: store.registry.history(tx, s, p, limit=200))
        assert {each.record for each in page.items} == {each.record for each in done}
        assert [each.at for each in page.items] == sorted((each.at for each in page.items), reverse=True)


async def test_pages_of_a_merged_history_hold_every_record_once(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await link(store, customer)
    done = [await choose(store, who, ads="granted") for _ in range(4) for who in (customer, device)]
    seen: list[str] = []
    cursor = None
    while True:
        permit = store.permit(device, "read")
        page = await store.cold(lambda tx, p=permit, c=cursor: store.registry.history(tx, device, p, limit=3, cursor=c))
        seen += [each.record for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [each.record for each in reversed(done)]


async def test_what_tightens_follows_the_merge(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    await store.hot(lambda tx: store.registry.restrict(tx, device, on=True))
    await link(store, customer)
    state = await store.look(lambda tx: store.registry.person(tx, customer))
    assert state is not None
    assert state.restricted_at


async def test_an_erased_identifier_that_is_linked_brings_its_suppression(store: Store) -> None:
    old = await store.person("ann@example.org", "email")
    until = now() + 900 * DAY
    permit = store.permit(old, "erase")
    await store.cold(lambda tx: store.registry.forget(tx, old, permit, suppress_until=until, proof_until=until))
    customer = await store.person()
    await choose(store, customer, ads="granted")
    await link(store, customer)
    assert (await store.statuses(customer))["ads"] != "granted"
    assert (await choose(store, customer, ads="granted")).ignored == {"ads": "suppressed"}


async def test_too_many_ids_are_not_merged(store: Store) -> None:
    customer = await store.person()
    for number in range(ALIASES_LIMIT):
        await store.person(f"d-{number}", "cookie")
        await link(store, customer, Identifier("cookie", f"d-{number}"))
    await store.person("one-more", "cookie")
    with pytest.raises(TooManyIds):
        await link(store, customer, Identifier("cookie", "one-more"))
    assert len(await listed(store, customer)) == ALIASES_LIMIT + 1


# erasure


async def test_erasing_one_id_erases_the_person_under_every_id(store: Store) -> None:
    customer, device = await store.person(), await store.person("ann@example.org", "email")
    done = [await choose(store, customer, ads="granted"), await choose(store, device, ads="granted")]
    await link(store, customer)
    assert set(await store.look(lambda tx: store.registry.ids(tx, device))) == {customer, device}
    until = now() + DAY
    permit = store.permit(device, "erase")
    gone = await store.cold(
        lambda tx: store.registry.forget(tx, device, permit, suppress_until=until, proof_until=until)
    )
    assert (gone.records, gone.identifiers, gone.kinds) == (2, 2, ("customer_id", "email"))
    for subject in (customer, device):
        with pytest.raises(NoSubject):
            await store.statuses(subject)
        state = await store.look(lambda tx, s=subject: store.registry.person(tx, s))
        assert state is not None
        assert state.erased_at
    for identifier in (EMAIL, Identifier("customer_id", "c-1")):
        with pytest.raises(NoSubject):
            await found(store, identifier)
        again = await store.record(identifier=identifier, choices={"ads": "granted"})
        assert again.ignored == {"ads": "suppressed"}
    assert len(done) == 2


# codes


async def send(store: Store, subject: bytes, what: str = "link_identifier", identifier: Identifier = EMAIL):
    return await store.hot(lambda tx: store.registry.identities.send_code(tx, what, subject, identifier))


async def type_in(store: Store, subject: bytes, challenge: str, digits: str):
    return await store.hot(
        lambda tx: store.registry.identities.link_by_code(tx, store.catalogue, subject, challenge, digits)
    )


async def test_a_code_sent_to_the_address_links_it(store: Store) -> None:
    customer, other = await store.person(), await store.person("c-2")
    issued = await send(store, customer)
    wrong = "00000000" if issued.code != "00000000" else "11111111"
    assert isinstance(await type_in(store, customer, issued.challenge, wrong), Wrong)
    with pytest.raises(NoSubject):
        await found(store)
    done = await type_in(store, customer, issued.challenge, issued.code)
    assert isinstance(done, Linked)
    assert await found(store) == text("sub", customer)
    with pytest.raises(CodeUnusable):
        await type_in(store, customer, issued.challenge, issued.code)
    for_other = await send(store, other)
    with pytest.raises(CodeUnusable):
        await type_in(store, customer, for_other.challenge, for_other.code)
    assert await found(store) == text("sub", customer)


async def test_a_one_time_link_of_the_other_person_joins_them(store: Store) -> None:
    customer, other = await store.person(), await store.person("c-2")
    issued = await store.hot(lambda tx: store.registry.create_link(tx, other, 600))

    def joined(tx):
        who, _ = yield from store.registry.redeem_link(tx, issued.code)
        return (yield from store.registry.identities.link_person(tx, store.catalogue, customer, who))

    done = await store.hot(joined)
    assert (done.subject, done.merged, done.identifier) == (text("sub", customer), text("sub", other), None)


async def test_only_a_code_that_the_person_redeems_lifts_a_suppression(store: Store) -> None:
    old = await store.person("ann@example.org", "email")
    start = datetime(2026, 11, 21, tzinfo=UTC)
    with freeze_time(start, real_asyncio=True) as clock:
        until = now() + 900 * DAY
        permit = store.permit(old, "erase")
        await store.cold(lambda tx: store.registry.forget(tx, old, permit, suppress_until=until, proof_until=until))
        again = raw((await store.record(identifier=EMAIL)).subject or "", "sub")
        await link(store, again, PHONE)
        with pytest.raises(NotTheirIdentifier):
            await send(store, again, "lift_suppression", Identifier("email", "bob@example.org"))
        linking = await send(store, again)
        with pytest.raises(CodeUnusable):
            await store.cold(
                lambda tx: store.registry.identities.lift_by_code(tx, again, linking.challenge, linking.code)
            )
        issued = await send(store, again, "lift_suppression")
        done = await store.cold(
            lambda tx: store.registry.identities.lift_by_code(tx, again, issued.challenge, issued.code)
        )
        assert isinstance(done, Lifted)
        assert done.suppressed_until is None
        clock.tick(1)
        assert (await store.record(again)).ignored is UNSET
        assert (await store.statuses(again))["marketing.email"] == "granted"


async def test_another_identifier_that_is_suppressed_keeps_the_person_suppressed(store: Store) -> None:
    until = now() + 900 * DAY
    for identifier in (EMAIL, PHONE):
        old = await store.person(identifier.value, identifier.type)
        permit = store.permit(old, "erase")
        await store.cold(
            lambda tx, o=old, p=permit: store.registry.forget(tx, o, p, suppress_until=until, proof_until=until)
        )
    again = await store.person("ann@example.org", "email")
    await link(store, again, PHONE)
    issued = await send(store, again, "lift_suppression")
    done = await store.cold(lambda tx: store.registry.identities.lift_by_code(tx, again, issued.challenge, issued.code))
    assert isinstance(done, Lifted)
    assert done.suppressed_until is not None
    assert (await store.record(again)).ignored == {"marketing.email": "suppressed"}
