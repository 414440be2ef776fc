"""Tokens that end by themselves, tokens in shapes, tokens for somebody else."""

import asyncio

import pytest
from freezegun import freeze_time

from sayso.kernel import ManifestError, now, open_database, to_datetime
from tests.builders.vault import House, a_client, a_manifest, change, rows_of
from vault import InvalidTerms, Stored, SubjectFacts, TokenTerms, UnknownSubject
from vault import tables as t
from vault.tokens.shapes import read

MANIFEST = """
customers:
  fields:
    email: {type: email, category: contact.email, token: {shape: email}}
    phone: {type: phone, category: contact.phone, token: {shape: phone, uses: 2, ttl: PT1H}}
    card: {type: card, category: identity, token: {shape: card}}
    notes: {type: text, category: contact, token: {uses: 1}}
    name: {type: name, category: identity}
"""
ADA = {"email": "ada@example.org", "phone": "+8613800138000", "card": "4111111111111111", "name": "Ada"}


@pytest.fixture
def shop(house: House) -> House:
    house.collections = a_manifest(MANIFEST)
    return house


async def issue(
    house: House, subject: bytes, *fields: str, audience: str = "any", ttl: str = "", uses: int = 0, known: bool = True
) -> Stored:
    facts = SubjectFacts(subject, known=known, erased=False)
    return await house.database.run(
        house.context(),
        lambda tx: house.vault.issue(tx, house.collections, facts, "customers", fields, audience, ttl=ttl, uses=uses),
    )


async def tidy(house: House) -> int:
    return await house.database.run_alone(house.context(), house.vault.tidy_tokens)


async def shred(house: House, subject: bytes) -> None:
    from tests.vault.test_vault import shred as destroy

    await destroy(house, subject)


async def test_a_shaped_token_stands_for_its_value_and_is_found_again(shop: House) -> None:
    subject = await shop.person()
    tokens = await shop.store(subject, **ADA)
    for name in ("email", "card"):
        assert read(tokens[name]) == tokens[name]
        assert await shop.value(tokens[name]) == ADA[name]
    again = await shop.store(subject, **ADA)
    assert {name: again[name] for name in ("email", "card")} == {name: tokens[name] for name in ("email", "card")}
    assert await shop.value(tokens["email"].upper()) == ADA["email"]


async def test_two_audiences_hold_tokens_that_share_nothing(shop: House) -> None:
    subject = await shop.person()
    ours = await shop.store(subject, card=ADA["card"])
    theirs = await shop.store(subject, "mailer", card=ADA["card"])
    assert ours["card"][4:] != theirs["card"][4:]
    assert not (await shop.locate(theirs["card"], a_client("crm"))).found


async def test_a_token_for_two_uses_is_used_twice(shop: House) -> None:
    token = (await shop.store(await shop.person(), phone=ADA["phone"]))["phone"]
    await shop.reveal(token, permitted=False)
    await shop.locate(token)
    assert [await shop.value(token) for _ in range(3)] == [ADA["phone"], ADA["phone"], None]


async def test_of_many_at_once_one_gets_the_value_of_a_one_time_token(shop: House, database_url: str) -> None:
    token = (await shop.store(await shop.person(), notes="Likes oolong."))["notes"]
    elsewhere = open_database(database_url)
    await elsewhere.start()
    try:
        other = House(elsewhere, shop.keyring, shop.vault, shop.collections, shop.tenant, shop.actor)
        got = await asyncio.gather(*(house.value(token) for house in [shop, other] * 20))
    finally:
        await elsewhere.stop()
    assert sorted(value for value in got if value is not None) == ["Likes oolong."]


async def test_a_token_that_ends_is_new_each_time_and_presented_to_nobody(shop: House) -> None:
    subject = await shop.person()
    first = await shop.store(subject, phone=ADA["phone"], name="Ada")
    second = await shop.store(subject, phone=ADA["phone"], name="Ada")
    assert first["phone"] != second["phone"]
    assert first["name"] == second["name"]
    held = await shop.database.look(shop.context(), lambda tx: shop.vault.tokens(tx, shop.collections, subject, "crm"))
    assert held == {"customers.name": [first["name"]]}


async def test_a_token_past_its_time_points_nowhere_and_is_forgotten(shop: House) -> None:
    with freeze_time(to_datetime(now()), real_asyncio=True) as clock:
        subject = await shop.person()
        token = (await issue_stored(shop, subject, ttl="PT1S"))["name"]
        assert await shop.value(token) == "Ada"
        assert await tidy(shop) == 0
        clock.tick(1.05)
        assert await shop.value(token) is None
        assert await tidy(shop) == 1
    assert await rows_of(shop, t.vault_token_end) == []
    assert {row["ends_at"] for row in await rows_of(shop, t.vault_token)} == {0}
    assert len(await rows_of(shop, t.vault_token_of)) == 1


async def issue_stored(shop: House, subject: bytes, **limits: str) -> dict[str, str]:
    await shop.store(subject, name="Ada")
    return (await issue(shop, subject, "name", **limits)).tokens


async def test_tokens_are_issued_for_what_is_stored_and_for_nothing_else(shop: House) -> None:
    subject = await shop.person()
    stored = await shop.store(subject, name="Ada", email=ADA["email"])
    assert (await issue(shop, subject, "name", "email", "card")).tokens == stored
    for_mailer = (await issue(shop, subject, "name", audience="mailer")).tokens
    assert for_mailer["name"] != stored["name"]
    assert (await issue(shop, subject, "name", audience="mailer")).tokens == for_mailer
    with pytest.raises(UnknownSubject):
        await issue(shop, subject, "name", known=False)


async def test_an_issue_can_bound_a_token_more_narrowly_and_never_more_widely(shop: House) -> None:
    subject = await shop.person()
    await shop.store(subject, **ADA)
    once = (await issue(shop, subject, "phone", uses=1)).tokens["phone"]
    assert [await shop.value(once) for _ in range(2)] == [ADA["phone"], None]
    for limits in ({"uses": 3}, {"ttl": "PT2H"}, {"ttl": "PT0S"}):
        with pytest.raises(InvalidTerms):
            await issue(shop, subject, "phone", **limits)


async def test_a_limit_that_was_changed_in_the_table_ends_the_token(shop: House) -> None:
    token = (await shop.store(await shop.person(), phone=ADA["phone"]))["phone"]
    (row,) = await rows_of(shop, t.vault_token)
    for changed in ({"uses": 0}, {"uses": 3}, {"ends_at": 0}, {"ends_at": row["ends_at"] + 1}, {"uses": -1}):
        await change(shop, t.vault_token, row, **changed)
        assert await shop.value(token) is None
        await change(shop, t.vault_token, row, uses=row["uses"], ends_at=row["ends_at"])
    assert await shop.value(token) == ADA["phone"]


async def test_an_erasure_takes_every_kind_of_token(shop: House) -> None:
    subject = await shop.person()
    await shop.store(subject, **ADA, notes="x")
    await issue(shop, subject, "name", uses=1)
    await shred(shop, subject)
    assert await rows_of(shop, t.vault_token) == []
    assert await rows_of(shop, t.vault_token_of) == []


def test_what_a_manifest_says_of_tokens_is_understood() -> None:
    fields = a_manifest(MANIFEST)["customers"].fields
    assert fields["phone"].token == TokenTerms("phone", "PT1H", 2)
    assert fields["notes"].token == TokenTerms("token", "", 1)
    assert not fields["name"].token.limited


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("{shape: phone}", "no tokens in the shape of a phone"),
        ("{shape: fone}", "no shape 'fone'"),
        ("{use: 1}", "no member 'use'"),
        ("{uses: 0}", "a number from 1"),
        ("{uses: 1001}", "1 to 1000 uses"),
        ("{uses: many}", "a number from 1"),
        ("{ttl: soon}", "ISO 8601"),
        ("{ttl: PT0S}", "for some time"),
        ("once", "token is a mapping"),
    ],
)
def test_a_mistake_in_it_is_named(token: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        a_manifest(f"customers:\n  fields:\n    email: {{type: email, category: contact.email, token: {token}}}")
    assert message in caught.value.problems[0].message
