"""A worn key makes way for a new one: no value and no token is lost, and the old key does not come back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from audit.tables import audit_outbox
from sayso.kernel import Jobs, Tx, Work
from sayso.kernel.schema import job
from tests.builders.vault import House, a_client, a_permit, change, rows_of
from tests.vault.test_key_faults import a_house_on, killed_at
from vault import Ask, Renewal, SubjectFacts, Tombstone
from vault import tables as t
from vault.ciphers.suite import BrokenSeal
from vault.keys.wrapped import WORN_SEALS
from vault.writing.finding import find

ADA = {"email": "ada@example.org", "notes": "Likes oolong.", "invoice": "7 of March"}
TEXT = "ring +44 20 7946 0958"


def a_worker(house: House, errors: list[Exception]) -> Jobs:
    job = Renewal(house.keyring, house.vault._audit).job
    return Jobs(house.database, [job], alone=True, report=lambda _, error: errors.append(error))


async def renewed(house: House) -> None:
    errors: list[Exception] = []
    worker = a_worker(house, errors)
    while await worker.work(house.tenant, at_once=True):
        pass
    assert not errors, errors


async def worn(house: House, subject: bytes, cls: str = "data") -> None:
    """So much was sealed under the key that the next seal makes it worn."""
    statement = update(t.vault_key).where(t.vault_key.c.owner == subject, t.vault_key.c["class"] == cls)
    await house.cold(lambda tx: tx.execute(statement.values(uses=WORN_SEALS - 1), expect=1))


async def redact(house: House, subject: bytes) -> str:
    facts = SubjectFacts(subject, known=True, erased=False)
    done = await house.database.run(
        house.context(), lambda tx: house.vault.redact(tx, TEXT, find(TEXT, "GB"), facts=facts, audience="any")
    )
    return done.text


async def keys_of(house: House, subject: bytes) -> dict[str, int]:
    return {row["class"]: row["key_version"] for row in await rows_of(house, t.vault_key, owner=subject)}


async def shred(house: House, subject: bytes, classes: set[str] | None = None) -> Tombstone:
    permit = a_permit(house.tenant, subject, "any", "erase")
    return await house.database.run_alone(house.context(), lambda tx: house.vault.shred(tx, subject, permit, classes))


async def test_everything_opens_as_before_under_the_new_key(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.keys.renewal.PAGE", 2)
    ada, bob = await house.person(), await house.person()
    theirs = await house.store(bob, **ADA)
    tokens = await house.store(ada, **ADA)
    await worn(house, ada)
    mailer = await house.store(ada, "mailer", email=ADA["email"])
    said = await redact(house, ada)
    before = sorted(await rows_of(house, t.vault_record, subject=ada), key=lambda row: str(row["field"]))
    (due,) = await rows_of(house, t.vault_wear)
    assert (due["owner"], due["class"]) == (ada, "data")
    await renewed(house)
    assert await keys_of(house, ada) == {"data": 2, "invoices": 1, "log": 1}
    assert await rows_of(house, t.vault_wear) == []
    after = sorted(await rows_of(house, t.vault_record, subject=ada), key=lambda row: str(row["field"]))
    for old, new in zip(before, after, strict=True):
        data = new["class"] == "data"
        assert int.from_bytes(new["blob"][1:5], "big") == (2 if data else 1)
        assert (new["version"], new["at"], len(new["blob"])) == (old["version"], old["at"], len(old["blob"]))
        assert (old["blob"] == new["blob"]) != data
    for held in (tokens, theirs):
        assert {name: await house.value(token) for name, token in held.items()} == ADA
    # The same value has the same token, for each audience and in each text.
    assert await house.store(ada, **ADA) == tokens
    assert await house.store(ada, "mailer", email=ADA["email"]) == mailer
    assert await redact(house, ada) == said
    crm = house.context(a_client("mailer"))
    presentable = await house.database.look(crm, lambda tx: house.vault.tokens(tx, house.collections, ada, "mailer"))
    assert set(presentable["customers.email"]) == {tokens["email"], mailer["email"]}
    assert b'"vault.key.renewed"' in b"".join(row["entries"] for row in await rows_of(house, audit_outbox))
    # Once more, and what is carried on goes on.
    await worn(house, ada)
    assert await house.store(ada, **ADA) == tokens
    await renewed(house)
    assert (await keys_of(house, ada))["data"] == 3
    assert await redact(house, ada) == said
    assert await house.value(tokens["email"]) == ADA["email"]


async def test_between_two_steps_all_goes_on_and_an_erasure_takes_both_keys(house: House) -> None:
    ada = await house.person()
    tokens = await house.store(ada, **ADA)
    await worn(house, ada)
    await house.store(ada, email=ADA["email"])
    (first,) = [row for row in await rows_of(house, t.vault_key, owner=ada) if row["class"] == "data"]
    await one_step(house)
    assert await keys_of(house, ada) == {"data": 2, "~data": 1, "invoices": 1, "log": 1}
    assert {name: await house.value(token) for name, token in tokens.items()} == ADA
    assert await opened_together(house, list(tokens.values())) == [ADA[name] for name in tokens]
    assert await house.store(ada, **ADA | {"notes": "Likes pu-erh."}) != tokens
    assert await house.value(tokens["notes"]) == "Likes pu-erh."
    gone = await shred(house, ada, {"data"})
    assert sorted((key.cls, key.version) for key in gone.keys) == [("data", 2), ("~data", 1)]
    assert first["commitment"].hex() in {key.key for key in gone.keys}
    assert await keys_of(house, ada) == {"invoices": 1, "log": 1}
    assert await house.value(tokens["email"]) is None
    assert await house.value(tokens["invoice"]) == ADA["invoice"]
    await renewed(house)
    assert await rows_of(house, t.vault_wear) == []


async def opened_together(house: House, tokens: list[str]) -> list[str | None]:
    def unit(tx: Tx) -> Work[list[str | None]]:
        asked = []
        for token in tokens:
            located = yield from house.vault.locate(tx, house.collections, token)
            permit = a_permit(house.tenant, located.subject, located.category, "reveal")
            asked.append((located, permit, Ask(purpose="support", reason="r")))
        values, _ = yield from house.vault.reveal_many(tx, asked)
        return values

    return await house.database.run(house.context(), unit)


async def test_an_erasure_names_the_keys_that_were_renewed_long_ago(house: House) -> None:
    """The ledger must know them in a copy of the database from back then."""
    ada = await house.person()
    await house.store(ada, **ADA)
    (first,) = [row for row in await rows_of(house, t.vault_key, owner=ada) if row["class"] == "data"]
    await worn(house, ada)
    await house.store(ada, email=ADA["email"])
    await renewed(house)
    gone = await shred(house, ada)
    assert [(key.cls, key.version) for key in gone.keys if key.key == first["commitment"].hex()] == [("data", 1)]
    assert gone.tokens == 3
    assert not await rows_of(house, t.vault_token_of, subject=ada)


async def one_step(house: House) -> None:
    errors: list[Exception] = []
    worker = a_worker(house, errors)
    worker._slice_s = 0.0
    await worker.work(house.tenant, at_once=True)
    assert not errors, errors


async def test_a_renewal_and_an_erasure_that_meet_leave_no_key(house: House) -> None:
    ada = await house.person()
    tokens = await house.store(ada, **ADA)
    await worn(house, ada)
    await house.store(ada, email=ADA["email"])
    errors: list[Exception] = []
    for _ in range(3):
        worker = a_worker(house, errors)
        worker._slice_s = 0.0
        await asyncio.gather(worker.work(house.tenant, at_once=True), house.store(ada, email="other@example.org"))
    await asyncio.gather(a_worker(house, errors).work(house.tenant, at_once=True), shred(house, ada))
    await renewed(house)
    assert (await keys_of(house, ada), errors) == ({}, [])
    assert await house.value(tokens["email"]) is None
    assert not await rows_of(house, t.vault_token_of, subject=ada)


async def test_a_key_that_does_not_open_keeps_no_other_from_its_renewal(house: House) -> None:
    people = [await house.person() for _ in range(3)]
    for each in people:
        await house.store(each, **ADA)
        await worn(house, each)
        await house.store(each, email=ADA["email"])
    first, *others = [bytes(row["owner"]) for row in sorted(await rows_of(house, t.vault_wear), key=_place)]
    (row,) = [row for row in await rows_of(house, t.vault_key, owner=first) if row["class"] == "data"]
    await change(house, t.vault_key, row, wrapped=bytes(len(row["wrapped"])))
    errors: list[Exception] = []
    for _ in range(20):
        await a_worker(house, errors).work(house.tenant, at_once=True)
        # The pause after a failure is over.
        await house.cold(lambda tx: tx.execute(update(job).values(due_at=0)))
    assert [(await keys_of(house, each)).get("data") for each in (first, *others)] == [1, 2, 2]
    assert {type(error) for error in errors} == {BrokenSeal}
    await change(house, t.vault_key, row, wrapped=row["wrapped"])
    await renewed(house)
    assert (await keys_of(house, first))["data"] == 2


def _place(row: dict[str, Any]) -> tuple[int, bytes]:
    return row["bucket"], bytes(row["owner"])


async def test_neither_key_opens_in_the_others_place(house: House) -> None:
    """Somebody can write the tables while both keys are there."""
    ada = await house.person()
    token = (await house.store(ada, **ADA))["email"]
    await worn(house, ada)
    await house.store(ada, email=ADA["email"])
    await one_step(house)
    rows = {row["class"]: row for row in await rows_of(house, t.vault_key, owner=ada)}
    names = ("key_version", "epoch", "wrapped", "commitment")
    for there, other in (("data", "~data"), ("~data", "data"), ("~data", "invoices")):
        await change(house, t.vault_key, rows[there], **{name: rows[other][name] for name in names})
        assert await house.value(token) is None
        await change(house, t.vault_key, rows[there], **{name: rows[there][name] for name in names})
    (carried,) = await rows_of(house, t.vault_token_of, subject=ada, collection="-carried")
    (bob_token,) = (await house.store(bob := await house.person(), email="bob@example.org")).values()
    flipped = bytes((carried["blob"][40] ^ 1,)).join((carried["blob"][:40], carried["blob"][41:]))
    await change(house, t.vault_token_of, carried, blob=flipped)
    assert await house.value(token) is None
    await change(house, t.vault_token_of, carried, blob=carried["blob"])
    assert (await house.value(token), await house.value(bob_token)) == (ADA["email"], "bob@example.org")
    assert await keys_of(house, bob) == {"data": 1, "log": 1}


async def test_the_old_key_opens_nothing_that_was_sealed_anew(house: House) -> None:
    ada = await house.person()
    await house.store(ada, **ADA)
    (row,) = [row for row in await rows_of(house, t.vault_key, owner=ada) if row["class"] == "data"]
    old = house.keyring.unwrap(house.tenant, ada, "data", tuple(row.values())[4:])
    await worn(house, ada)
    await house.store(ada, email=ADA["email"])
    await renewed(house)
    (record,) = await rows_of(house, t.vault_record, subject=ada, field="email")
    assert old is not None
    with pytest.raises(BrokenSeal):
        old.open("customers", "email", record["blob"], record["version"])


STEPS = {
    "the new key stands beside the old one": ("vault.keys.renewal.Renewal._values", 0),
    "the values are sealed anew": ("vault.keys.renewal.Renewal._tokens", 0),
    "a page of tokens is sealed anew": ("vault.keys.renewal.Renewal._tokens", 1),
    "the old key is to go": ("vault.keys.renewal.Renewal._over", 0),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_of_a_renewal_loses_nothing(
    step: str, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.keys.renewal.PAGE", 2)
    keys = tmp_path / "keys"
    kept: dict[str, Any] = {}

    async def lay() -> None:
        house = await a_house_on(sqlite_url, keys)
        kept["ada"] = ada = await house.person()
        kept["tokens"] = await house.store(ada, **ADA)
        await worn(house, ada)
        kept["mailer"] = await house.store(ada, "mailer", email=ADA["email"])
        await house.database.stop()

    async def work() -> None:
        await renewed(await a_house_on(sqlite_url, keys))

    async def look() -> None:
        house = await a_house_on(sqlite_url, keys)
        for _ in range(2):
            assert {name: await house.value(token) for name, token in kept["tokens"].items()} == ADA
            assert await house.store(kept["ada"], "mailer", email=ADA["email"]) == kept["mailer"]
            await renewed(house)
        assert await keys_of(house, kept["ada"]) == {"data": 2, "invoices": 1, "log": 1}
        await house.database.stop()

    asyncio.run(lay())
    patch, skip = STEPS[step]
    killed_at(patch, work, skip=skip)
    asyncio.run(look())
