"""People in the registry: first sights, devices, tenants, facts, links, erasure. On both databases."""

import asyncio
import json
from datetime import UTC, datetime

import msgspec
import pytest
from freezegun import freeze_time
from sqlalchemy import select

from consent import (
    Held,
    Identifier,
    LinkUnusable,
    NoRecord,
    NoSubject,
    tables,
)
from sayso.kernel import DAY, Invalid, new_raw, now, raw
from tests.consent.conftest import BROWSER, CRM, MANIFEST, Store, claims_of

SECOND_VERSION = MANIFEST.replace("version: 1", "version: 2").replace("only if you say so", "when you say so")


async def test_thirty_racing_first_sights_make_one_person(store: Store) -> None:
    def resolve(tx):
        return store.registry.resolve(tx, Identifier("email", "Ann@example.org"), create=True)

    found = await asyncio.gather(*(store.hot(resolve) for _ in range(15)), *(store.cold(resolve) for _ in range(15)))
    assert len({each.subject for each in found}) == 1
    assert len({each.aid for each in found}) == 1


async def test_thirty_racing_first_records_make_one_person_with_thirty_records(store: Store) -> None:
    who = Identifier("customer_id", "c-77")
    done = await asyncio.gather(*(store.record(identifier=who) for _ in range(30)))
    assert len({each.subject for each in done}) == 1
    assert len({each.record for each in done}) == 30
    subject = raw(done[0].subject or "", "sub")
    page = await store.cold(lambda tx: store.registry.history(tx, subject, store.permit(subject, "read"), limit=200))
    times = [item.at for item in page.items]
    assert len(times) == len(set(times)) == 30
    assert times == sorted(times, reverse=True)


async def test_an_unknown_identifier_is_no_subject_and_stays_unknown(store: Store) -> None:
    for _ in range(2):
        with pytest.raises(NoSubject):
            await store.look(lambda tx: store.registry.resolve(tx, Identifier("customer_id", "x"), create=False))


async def test_an_unknown_device_that_refuses_all_is_forgotten_and_one_that_chooses_is_not(store: Store) -> None:
    device = Identifier("device", "d" * 22)
    refusal = store.submission(identifier=device, choices={"ads": "refused"}, assurance="device", method="banner")
    done = await store.hot(lambda tx: store.registry.choose(tx, store.catalogue, refusal), BROWSER)
    assert done.subject is None
    assert claims_of(done.receipt)["sub"] == "nobody"
    assert await store.look(lambda tx: store.registry.receipt(tx, raw(done.record))) == done.receipt
    with pytest.raises(NoSubject):
        await store.look(lambda tx: store.registry.resolve(tx, device, create=False))

    grant = store.submission(identifier=device, assurance="device", method="banner")
    chosen = await store.hot(lambda tx: store.registry.choose(tx, store.catalogue, grant), BROWSER)
    assert "sub_" not in json.dumps(claims_of(chosen.receipt))
    known = await store.look(lambda tx: store.registry.resolve(tx, device, create=False))
    again = await store.hot(lambda tx: store.registry.choose(tx, store.catalogue, refusal), BROWSER)
    assert known.subject == chosen.subject == again.subject
    assert claims_of(again.receipt)["sub"] == claims_of(chosen.receipt)["sub"]
    assert (await store.statuses(raw(known.subject)))["ads"] == "refused"


async def test_another_tenants_people_and_records_are_nobodys(store: Store) -> None:
    subject = await store.person()
    done = await store.record(subject)
    await store.found("acme")
    for unit in (
        lambda tx: store.registry.state(tx, store.catalogue, subject),
        lambda tx: store.registry.state(tx, store.catalogue, new_raw()),
        lambda tx: store.registry.create_link(tx, subject, 600),
    ):
        with pytest.raises(NoSubject) as nobody:
            await store.cold(unit, tenant="acme")
        assert nobody.value.facts == {}
    with pytest.raises(NoRecord):
        await store.look(lambda tx: store.registry.receipt(tx, raw(done.record)), tenant="acme")


async def test_erasure_keeps_the_no_and_the_proof_and_nothing_else(store: Store) -> None:
    who = Identifier("email", "ann@example.org")
    subject = await store.person(who.value, who.type)
    done = await store.record(subject)
    until = now() + 900 * DAY

    def forget(tx):
        return store.registry.forget(
            tx, subject, store.permit(subject, "erase"), suppress_until=until, proof_until=until
        )

    forgotten = await store.cold(forget)
    assert (forgotten.records, forgotten.identifiers, forgotten.kinds) == (1, 1, ("email",))
    with pytest.raises(NoSubject):
        await store.cold(forget)
    for unit in (
        lambda tx: store.registry.state(tx, store.catalogue, subject),
        lambda tx: store.registry.resolve(tx, who, create=False),
        lambda tx: store.registry.withdraw(tx, store.catalogue, subject, "all"),
    ):
        with pytest.raises(NoSubject):
            await store.hot(unit)
    state = await store.look(lambda tx: store.registry.person(tx, subject))
    assert state is not None
    assert state.erased_at
    assert not state.choices

    # The same address again is another person, whom no grant reaches until the suppression ends.
    again = await store.record(identifier=who, method="import")
    assert again.subject not in (None, done.subject)
    assert again.ignored == {"marketing.email": "suppressed"}
    assert again.state["marketing.email"].status == "unasked"
    with freeze_time(datetime.fromtimestamp(until / 1e6 + 1, UTC), real_asyncio=True):
        assert (await store.record(identifier=who)).ignored is msgspec.UNSET


async def test_a_legal_hold_stops_the_erasure(store: Store) -> None:
    subject = await store.person()
    await store.hot(lambda tx: store.registry.hold(tx, subject, on=True))

    def forget(tx):
        later = tx.context.at + DAY
        return store.registry.forget(
            tx, subject, store.permit(subject, "erase"), suppress_until=later, proof_until=later
        )

    with pytest.raises(Held):
        await store.cold(forget)
    await store.hot(lambda tx: store.registry.hold(tx, subject, on=False))
    assert (await store.cold(forget)).records == 0


async def test_facts_that_decide_lie_in_the_state(store: Store) -> None:
    subject = await store.person()
    related = await store.hot(
        lambda tx: store.registry.relate(tx, store.catalogue, subject, "o-1", "contract", ["support"])
    )
    assert related.kind == "contract"
    await store.hot(lambda tx: store.registry.place(tx, subject, "de", "shipping"))
    await store.hot(lambda tx: store.registry.restrict(tx, subject, on=True))
    state = await store.look(lambda tx: store.registry.person(tx, subject))
    assert state is not None
    assert state.relations[0].live(now())
    assert [each.code for each in state.jurisdictions] == ["de"]
    assert state.restricted_at
    for bad in (
        lambda tx: store.registry.place(tx, subject, "atlantis", "declared"),
        lambda tx: store.registry.relate(tx, store.catalogue, subject, "o 1", "contract"),
        lambda tx: store.registry.relate(tx, store.catalogue, subject, "o-1", "contract", ["nothing"]),
    ):
        with pytest.raises(Invalid):
            await store.hot(bad)


async def test_a_link_works_once_and_until_it_ends(store: Store) -> None:
    subject = await store.person()
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        link = await store.hot(lambda tx: store.registry.create_link(tx, subject, 600))
        uses = await asyncio.gather(
            *(store.hot(lambda tx: store.registry.redeem_link(tx, link.code)) for _ in range(10)),
            return_exceptions=True,
        )
        assert [each for each in uses if not isinstance(each, LinkUnusable)] == [(subject, "link")]
        other = await store.hot(lambda tx: store.registry.create_link(tx, subject, 600))
        clock.tick(601)
        for code in (other.code, "x" * 32, "", "é" * 32):
            with pytest.raises(LinkUnusable):
                await store.hot(lambda tx, code=code: store.registry.redeem_link(tx, code))
    with pytest.raises(Invalid):
        await store.hot(lambda tx: store.registry.create_link(tx, subject, 1))


async def test_no_identifier_and_no_choice_lies_in_clear_in_the_records(store: Store) -> None:
    subject = await store.person("ann@example.org", "email")
    await store.record(subject, evidence={"agent": "Netscape"})
    for table in (tables.consent_identifier, tables.consent_identifier_of, tables.consent_record):
        columns = [column for column in table.columns if column.name != "kind"]
        rows = await store.look(lambda tx, columns=columns: _all(tx, select(*columns)))
        assert rows
        blob = repr(rows)
        assert "ann@" not in blob
        assert "granted" not in blob
        assert "Netscape" not in blob


def _all(tx, statement):
    (rows,) = yield (tx.select(statement),)
    return rows


def test_identifiers_do_not_show_their_value() -> None:
    assert "ann@example.org" not in repr(Identifier("email", "ann@example.org"))
    assert CRM.name == "crm"
