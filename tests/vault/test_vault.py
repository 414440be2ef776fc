"""Store, locate, reveal, search, shred, expire: on both engines, with a real log."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from sayso.kernel import Denied, Invalid, Tx, Work, new_raw
from tests.builders.vault import MANIFEST, House, a_client, a_manifest, a_permit
from vault import (
    Ask,
    InvalidValue,
    NotIndexed,
    Revealed,
    SubjectFacts,
    Term,
    UnknownCollection,
    UnknownField,
    UnknownSubject,
    Unresolvable,
)
from vault import tables as t

ADA = {"email": "Ada@Example.org", "phone": "138 0013 8000", "birthday": "1988-02-29", "notes": "Likes oolong."}
PERSONAL = (t.vault_record, t.vault_index, t.vault_index_of, t.vault_token, t.vault_token_of)


async def count(house: House, *counted) -> list[int]:
    """Rows in each table."""

    def unit(tx: Tx) -> Work[list[int]]:
        rows = yield tuple(tx.select(select(func.count()).select_from(table)) for table in counted)
        return [found[0][0] for found in rows]

    return await house.database.look(house.context(), unit)


async def find(house: House, *terms: Term, limit: int = 50):
    return await house.search(*terms, limit=limit)


async def shred(house: House, subject: bytes, classes: tuple[str, ...] | None = None):
    permit = a_permit(house.tenant, subject, "any", "erase")
    return await house.database.run_alone(house.context(), lambda tx: house.vault.shred(tx, subject, permit, classes))


async def test_what_is_stored_comes_back_as_it_was_given(house: House) -> None:
    tokens = await house.store(await house.person(), **ADA)
    assert set(tokens) == set(ADA)
    for name, token in tokens.items():
        assert await house.value(token) == ADA[name]


async def test_one_value_has_one_token_per_audience(house: House) -> None:
    subject = await house.person()
    first = await house.store(subject, email="ada@example.org")
    assert await house.store(subject, email="ADA@example.org ") == first
    mailer = await house.store(subject, "mailer", email="ada@example.org")
    assert mailer != first
    assert await house.store(subject, "mailer", email="ada@example.org") == mailer
    assert await house.store(subject, email="ada@example.net") != first
    assert await house.store(subject, email="ada@example.org") == first


async def test_two_people_with_one_value_have_two_tokens(house: House) -> None:
    one, other = await house.person(), await house.person()
    ours, theirs = (
        await house.store(one, email="family@example.org"),
        await house.store(other, email="family@example.org"),
    )
    assert ours != theirs
    assert (await house.locate(ours["email"])).subject == one
    assert (await house.locate(theirs["email"])).subject == other
    assert set((await find(house, Term("email", "family@example.org"))).subjects) == {one, other}


async def test_racing_stores_of_one_value_give_one_token(house: House) -> None:
    subject = await house.person()
    stored = await asyncio.gather(*(house.store(subject, email="ada@example.org") for _ in range(5)))
    assert len({tokens["email"] for tokens in stored}) == 1
    assert await count(house, t.vault_token, t.vault_token_of, t.vault_record) == [1, 1, 1]


async def test_a_token_points_at_the_field_and_shows_its_newest_value(house: House) -> None:
    subject = await house.person()
    old = await house.store(subject, email="old@example.org")
    await house.store(subject, email="new@example.org")
    assert await house.value(old["email"]) == "new@example.org"
    assert (await find(house, Term("email", "old@example.org"))).subjects == ()
    assert (await find(house, Term("email", "new@example.org"))).subjects == (subject,)
    assert await count(house, t.vault_index, t.vault_index_of) == [1, 1]


async def test_a_token_is_for_its_audience_only(house: House) -> None:
    subject = await house.person()
    tokens = await house.store(subject, "mailer", email="ada@example.org")
    assert (await house.locate(tokens["email"], a_client("mailer"))).found
    assert not (await house.locate(tokens["email"], a_client("crm"))).found
    assert isinstance(await house.reveal(tokens["email"], actor=a_client("crm")), Unresolvable)


async def test_every_refusal_is_unresolvable_and_an_entry(house: House) -> None:
    from vault.tokens.token import new_token

    subject = await house.person()
    token = (await house.store(subject, email="ada@example.org"))["email"]
    refusals = [
        await house.reveal(new_token()),
        await house.reveal("tok_mistyped"),
        await house.reveal("x" * 10_000),
        await house.reveal(token, permitted=False),
    ]
    await shred(house, subject)
    refusals.append(await house.reveal(token))
    assert {type(refusal) for refusal in refusals} == {Unresolvable}
    assert len({refusal.entry for refusal in refusals}) == len(refusals)


async def test_a_place_that_is_declared_no_more_is_unresolvable(house: House) -> None:
    tokens = await house.store(await house.person(), **ADA)
    house.collections = a_manifest("customers:\n  fields:\n    email: {type: email, category: contact.email}")
    assert (await house.locate(tokens["email"])).found
    assert not (await house.locate(tokens["phone"])).found
    house.collections = {}
    assert not (await house.locate(tokens["email"])).found


async def test_a_value_survives_a_change_of_its_retention_class(house: House) -> None:
    subject = await house.person()
    tokens = await house.store(subject, **ADA)
    house.collections = a_manifest(
        MANIFEST.replace("category: contact.email", "category: contact.email, retention: service")
    )
    assert await house.value(tokens["email"]) == ADA["email"]
    assert (await find(house, Term("email", ADA["email"]))).subjects == (subject,)
    moved = await house.store(subject, email=ADA["email"])
    assert await house.value(moved["email"]) == ADA["email"]
    assert await house.value(tokens["email"]) == ADA["email"]


async def test_a_permit_for_anything_else_opens_nothing(house: House) -> None:
    subject = await house.person()
    token = (await house.store(subject, email="ada@example.org"))["email"]
    located = await house.locate(token)
    right = a_permit("default", subject, "contact.email", "reveal")
    for change in ({"tenant": "other"}, {"subject": bytes(16)}, {"category": "contact"}, {"action": "read"}):
        permit = replace(right, **change)
        with pytest.raises(Denied) as caught:
            await house.database.run(
                house.context(),
                lambda tx, permit=permit: house.vault.reveal(tx, located, permit, Ask(purpose="p", reason="r")),
            )
        assert caught.value.slug == "permit-mismatch"


async def test_obligations_mask_what_is_revealed(house: House) -> None:
    tokens = await house.store(await house.person(), **ADA)

    async def shown(name: str, *masks: str, **more: str) -> str:
        answer = await house.reveal(tokens[name], *masks, **more)
        assert isinstance(answer, Revealed)
        return answer.value

    assert await shown("phone", "mask_last4") == "****8000"
    assert await shown("birthday", "mask_year", "log") == "1988"
    assert await shown("email", "redact", "mask_last4") == "****"
    assert await shown("email", transform="mask_last4") == "****.org"
    hashed = await shown("email", "mask_hash")
    assert hashed == await shown("email", "mask_hash")
    other = await house.reveal(tokens["email"], "mask_hash", actor=a_client("mailer"))
    assert isinstance(other, Revealed)
    assert other.value != hashed
    assert "ada@" not in repr(await house.reveal(tokens["email"])).lower()


async def test_a_transform_nobody_knows_is_refused(house: House) -> None:
    tokens = await house.store(await house.person(), **ADA)
    with pytest.raises(Invalid):
        await house.reveal(tokens["email"], transform="rot13")


async def test_a_search_finds_people_by_all_terms_in_any_spelling(house: House) -> None:
    ada, bob = await house.person(), await house.person()
    await house.store(ada, email="ada@example.org", phone="+8613800138000")
    await house.store(bob, email="bob@example.org", phone="+8613800138000")
    both = await find(house, Term("phone", "138-0013-8000"))
    assert set(both.subjects) == {ada, bob}
    assert both.categories == ("contact.phone",)
    one = await find(house, Term("phone", "+8613800138000"), Term("email", "ADA@example.org"))
    assert one.subjects == (ada,)
    assert one.categories == ("contact.email", "contact.phone")
    assert (await find(house, Term("email", "eve@example.org"))).subjects == ()
    assert len((await find(house, Term("phone", "+8613800138000"), limit=1)).subjects) == 1


async def test_what_cannot_be_meant_is_refused(house: House) -> None:
    subject = await house.person()
    facts = SubjectFacts(subject, known=True, erased=False)

    async def store(collection: str, fields: dict[str, str], about: SubjectFacts = facts) -> None:
        await house.database.run(
            house.context(), lambda tx: house.vault.store(tx, house.collections, about, collection, fields)
        )

    with pytest.raises(UnknownCollection):
        await store("custmers", {"email": "ada@example.org"})
    with pytest.raises(UnknownField):
        await store("customers", {"emial": "ada@example.org"})
    with pytest.raises(InvalidValue) as caught:
        await store("customers", {"email": "ada@example.org", "phone": "12"})
    assert caught.value.facts == {"kind": "phone", "field": "phone"}
    with pytest.raises(Invalid):
        await store("customers", {})
    for about in (
        SubjectFacts(subject, False, False),
        SubjectFacts(subject, True, True),
        SubjectFacts(new_raw(), True, False),
    ):
        with pytest.raises(UnknownSubject):
            await store("customers", {"email": "ada@example.org"}, about)
    with pytest.raises(NotIndexed):
        await find(house, Term("notes", "x"))
    with pytest.raises(Invalid):
        await find(house)
    assert await count(house, *PERSONAL) == [0] * 5, "nothing was stored in part"


async def test_shredding_leaves_nothing_but_a_tombstone(house: House) -> None:
    ada, bob = await house.person(), await house.person()
    tokens = await house.store(ada, **ADA, invoice="12 boxes")
    await house.store(ada, "mailer", email="other@example.org")
    kept = await house.store(bob, **ADA)
    before = await count(house, *PERSONAL)
    tombstone = await shred(house, ada)
    assert sorted(key.cls for key in tombstone.keys) == ["data", "invoices", "log"]
    assert {key.epoch for key in tombstone.keys} == {tombstone.epoch} == {1}
    assert (tombstone.records, tombstone.tags, tombstone.tokens) == (5, 2, 6)
    assert tombstone.entry.startswith("ent_")
    after = await count(house, *PERSONAL)
    assert [was - now for was, now in zip(before, after, strict=True)] == [5, 2, 2, 6, 6]
    assert await count(house, t.vault_tombstone) == [1]
    assert [await house.value(token) for token in tokens.values()] == [None] * 5
    assert (await find(house, Term("email", ADA["email"]))).subjects == (bob,)
    assert await house.value(kept["email"]) == ADA["email"]
    with pytest.raises(UnknownSubject):
        await house.store(ada, email="back@example.org")


async def test_one_class_is_shredded_alone(house: House) -> None:
    subject = await house.person()
    tokens = await house.store(subject, **ADA, invoice="12 boxes")
    tombstone = await shred(house, subject, ("data",))
    assert [key.cls for key in tombstone.keys] == ["data"]
    assert await house.value(tokens["email"]) is None
    assert await house.value(tokens["invoice"]) == "12 boxes"
    again = await house.store(subject, email=ADA["email"])
    assert again["email"] != tokens["email"]
    assert await house.value(again["email"]) == ADA["email"]


async def test_shredding_twice_is_no_error(house: House) -> None:
    subject = await house.person()
    await house.store(subject, **ADA)
    await shred(house, subject)
    tombstone = await shred(house, subject)
    assert (tombstone.keys, tombstone.records, tombstone.epoch) == ((), 0, 0)


async def test_the_key_of_proofs_outlives_an_erasure_until_it_is_named(house: House) -> None:
    subject = await house.person()

    def prove(tx: Tx) -> Work[None]:
        house.keyring.create(tx, subject, "proof")
        return
        yield ()

    await house.database.run(house.context(), prove)
    assert [key.cls for key in (await shred(house, subject)).keys] == ["log"]
    assert [key.cls for key in (await shred(house, subject, ("proof",))).keys] == ["proof"]


async def test_erasing_needs_a_permit_for_the_whole_person(house: House) -> None:
    subject = await house.person()
    for permit in (
        a_permit("default", subject, "contact.email", "erase"),
        a_permit("default", subject, "any", "reveal"),
        a_permit("default", new_raw(), "any", "erase"),
    ):
        with pytest.raises(Denied):
            await house.database.run_alone(
                house.context(), lambda tx, permit=permit: house.vault.shred(tx, subject, permit)
            )


async def test_data_ends_place_by_place_and_the_last_takes_the_key(house: House) -> None:
    subject = await house.person()
    tokens = await house.store(subject, email="ada@example.org", phone="+8613800138000")

    async def expire(*fields: str):
        places = [("customers", field) for field in fields]
        return await house.database.run_alone(
            house.context(), lambda tx: house.vault.expire(tx, subject, places, "no_purpose")
        )

    first = await expire("email", "never_stored")
    assert (first.keys, first.records, first.tags, first.tokens) == ((), 1, 1, 1)
    assert await house.value(tokens["email"]) is None
    assert await house.value(tokens["phone"]) == "+8613800138000"
    held = await house.database.look(house.context(), lambda tx: house.vault.held(tx, subject))
    assert [(item.field, item.cls, item.version) for item in held] == [("phone", "data", 1)]
    assert [key.cls for key in (await expire("phone")).keys] == ["data"]
    assert (await expire("phone")).records == 0


async def test_a_store_that_races_an_erasure_leaves_nothing_behind(house: House) -> None:
    for _ in range(5):
        subject = await house.person()
        await house.store(subject, email="ada@example.org")
        outcomes = await asyncio.gather(
            house.store(subject, email="new@example.org", phone="+8613800138000"),
            shred(house, subject),
            house.store(subject, "mailer", email="newer@example.org"),
            return_exceptions=True,
        )
        assert not isinstance(outcomes[1], BaseException)
        assert all(isinstance(outcome, dict | UnknownSubject) for outcome in (outcomes[0], outcomes[2]))
    assert await count(house, *PERSONAL, t.vault_key) == [0] * 6


async def test_no_value_lies_in_the_database_in_clear(house: House) -> None:
    subject = await house.person()
    tokens = await house.store(subject, **ADA, invoice="12 boxes")
    await house.value(tokens["email"])
    await find(house, Term("email", ADA["email"]))

    def unit(tx: Tx) -> Work[list[object]]:
        rows = yield tuple(tx.select(select(*table.c)) for table in t.vault_record.metadata.sorted_tables)
        return list(rows)

    everything = repr(await house.database.look(house.context(), unit)).lower()
    for value in (*ADA.values(), "ada@example.org", "+8613800138000", "12 boxes", *tokens.values()):
        assert value.lower() not in everything
