"""Somebody can write the tables. They can destroy; they can never make the vault say anything that is not so."""

from typing import Any

import pytest

from sayso.kernel import Rows, Tx, Work, bucket_of
from tests.builders.vault import House, a_client, change, rows_of
from vault import BrokenSeal, Term
from vault.tables import vault_index, vault_key, vault_record, vault_token, vault_token_of

VALUES = {"email": "ada@example.org", "notes": "Likes oolong.", "invoice": "12 boxes"}


def flips(row: dict[str, Any], column: str) -> list[Any]:
    """The column's value with each byte changed, or the number or text beside it."""
    value = row[column]
    if isinstance(value, bytes):
        return [value[:place] + bytes((value[place] ^ 1,)) + value[place + 1 :] for place in range(len(value))]
    if isinstance(value, int):
        return [value + 1, value - 1, value ^ 0x100]
    return [value + "x", value[:-1], value.upper()]


async def person(house: House) -> tuple[bytes, dict[str, str]]:
    subject = await house.person()
    return subject, await house.store(subject, **VALUES)


async def test_a_changed_record_gives_nothing(house: House) -> None:
    subject, tokens = await person(house)
    (row,) = await rows_of(house, vault_record, subject=subject, field="email")
    for column, step in (("blob", 7), ("version", 1)):
        for flipped in flips(row, column)[::step]:
            await change(house, vault_record, row, **{column: flipped})
            assert await house.value(tokens["email"]) is None
        await change(house, vault_record, row, **{column: row[column]})
    assert await house.value(tokens["email"]) == VALUES["email"]


async def test_a_changed_key_row_gives_nothing(house: House) -> None:
    subject, tokens = await person(house)
    (row,) = await rows_of(house, vault_key, owner=subject, **{"class": "data"})
    for column, step in (("key_version", 1), ("epoch", 1), ("wrapped", 7), ("commitment", 5)):
        for flipped in flips(row, column)[::step]:
            await change(house, vault_key, row, **{column: flipped})
            assert await house.value(tokens["email"]) is None
        await change(house, vault_key, row, **{column: row[column]})
    assert await house.value(tokens["email"]) == VALUES["email"]


async def test_a_changed_token_row_points_nowhere(house: House) -> None:
    subject, tokens = await person(house)
    (row,) = await rows_of(house, vault_token, subject=subject, field="email")
    for column in ("subject", "collection", "field", "audience", "at", "key_version", "mac"):
        for flipped in flips(row, column)[:: 5 if column in ("subject", "mac") else 1]:
            await change(house, vault_token, row, **{column: flipped})
            assert not (await house.locate(tokens["email"])).found
        await change(house, vault_token, row, **{column: row[column]})
    assert await house.value(tokens["email"]) == VALUES["email"]


async def test_a_token_cannot_be_pointed_at_another_person_field_or_audience(house: House) -> None:
    ada, tokens = await person(house)
    bob, others = await person(house)
    mailers = await house.store(ada, "mailer", email=VALUES["email"])
    own = (await rows_of(house, vault_token, subject=ada, field="email", audience="any"))[0]
    theirs = (await rows_of(house, vault_token, subject=bob, field="email"))[0]
    mailer = (await rows_of(house, vault_token, subject=ada, audience="mailer"))[0]
    columns = ("subject", "collection", "field", "audience", "at", "mac")
    for other in (theirs, mailer):
        await change(house, vault_token, own, **{name: other[name] for name in columns})
        assert not (await house.locate(tokens["email"])).found
    await change(house, vault_token, mailer, audience="any")
    assert not (await house.locate(mailers["email"], a_client("crm"))).found
    assert await house.value(others["email"]) == VALUES["email"]


async def test_rows_swapped_between_people_fields_and_versions_give_nothing(house: House) -> None:
    ada, tokens = await person(house)
    bob, _ = await person(house)
    (own,) = await rows_of(house, vault_record, subject=ada, field="email")
    sources = [
        (await rows_of(house, vault_record, subject=bob, field="email"))[0],
        (await rows_of(house, vault_record, subject=ada, field="notes"))[0],
        (await rows_of(house, vault_record, subject=ada, field="invoice"))[0],
    ]
    for source in sources:
        await change(
            house, vault_record, own, blob=source["blob"], version=source["version"], **{"class": source["class"]}
        )
        assert await house.value(tokens["email"]) is None
    # Nor does bringing the other person's key along help.
    key = {"owner": ada, "class": "data", "bucket": bucket_of("default", ada)}
    (bobs,) = await rows_of(house, vault_key, owner=bob, **{"class": "data"})
    await change(house, vault_record, own, blob=sources[0]["blob"], **{"class": "data"})
    await change(house, vault_key, key, wrapped=bobs["wrapped"], commitment=bobs["commitment"])
    assert await house.value(tokens["email"]) is None


async def test_an_old_blob_under_the_new_version_gives_nothing(house: House) -> None:
    subject, tokens = await person(house)
    (old,) = await rows_of(house, vault_record, subject=subject, field="email")
    await house.store(subject, email="new@example.org")
    await change(house, vault_record, old, blob=old["blob"])
    assert await house.value(tokens["email"]) is None


async def test_an_index_row_pointed_at_somebody_else_finds_nobody(house: House) -> None:
    ada, _ = await person(house)
    bob = await house.person()
    await house.store(bob, email="bob@example.org")
    (row,) = await rows_of(house, vault_index, subject=ada)
    await change(house, vault_index, row, subject=bob)
    hits = await house.search(Term("email", VALUES["email"]))
    assert hits.subjects == ()


async def test_a_changed_reissue_row_never_gives_another_token(house: House) -> None:
    ada, _ = await person(house)
    rows = await rows_of(house, vault_token_of, subject=ada)
    email = next(row for row in rows if row["field"] == "email")
    notes = next(row for row in rows if row["field"] == "notes")
    await change(house, vault_token_of, email, blob=notes["blob"])
    with pytest.raises(BrokenSeal):
        await house.store(ada, email=VALUES["email"])


async def test_the_next_tenants_rows_open_nothing(house: House) -> None:
    """The whole of a person's rows, copied under another tenant's name."""
    _, tokens = await person(house)
    here = {table: await rows_of(house, table) for table in (vault_key, vault_record, vault_token)}
    house.tenant = "other"
    await house.open()

    def copy(tx: Tx) -> Work[None]:
        for table, rows in here.items():
            handle = Rows(table)
            for row in rows:
                tx.insert(handle, *(value for name, value in row.items() if name not in ("bucket", "tenant")))
        return
        yield ()

    await house.database.run_alone(house.context(), copy)
    assert not (await house.locate(tokens["email"])).found
    assert await house.value(tokens["email"]) is None
