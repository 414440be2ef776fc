"""The ledger of destroyed keys: each tombstone once, whole lines only, and found when a copy brings keys back."""

from pathlib import Path

import pytest

from tests.builders.vault import House, a_permit, rows_of
from vault import Ledger, Revocation
from vault.keys.keyfiles import ExposedRootKey
from vault.shredding.ledger import FILE, DamagedLedger
from vault.tables import vault_key, vault_tombstone


def a_tombstone(number: int) -> tuple[bytes, tuple[bytes, ...]]:
    return number.to_bytes(16, "big"), (bytes([number % 256]) * 16,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ledger"
    made.mkdir(mode=0o700)
    return made


def test_each_tombstone_is_noted_once_and_outlives_the_process(folder: Path) -> None:
    ledger = Ledger(folder)
    assert ledger.note("default", [a_tombstone(1), a_tombstone(2)]) == 2
    assert ledger.note("default", [a_tombstone(2), a_tombstone(3)]) == 1
    assert ledger.note("other", [a_tombstone(3)]) == 1
    again = Ledger(folder)
    assert list(again.every("default")) == [a_tombstone(1), a_tombstone(2), a_tombstone(3)]
    assert again.recent("default") == dict([a_tombstone(1), a_tombstone(2), a_tombstone(3)])
    assert again.note("default", [a_tombstone(1)]) == 0
    assert (folder / FILE).stat().st_mode & 0o077 == 0


def test_half_a_line_is_taken_away_and_a_damaged_one_is_told(folder: Path) -> None:
    Ledger(folder).note("default", [a_tombstone(1), a_tombstone(2)])
    path = folder / FILE
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    mended = Ledger(folder)
    assert mended.note("default", [a_tombstone(2)]) == 1
    assert path.read_bytes() == content
    path.write_bytes(content.replace(b"default", b"default x", 1))
    with pytest.raises(DamagedLedger, match="line 1"):
        Ledger(folder).recent("default")
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(ExposedRootKey):
        Ledger(folder).recent("default")


def test_memory_holds_the_newest_only_and_the_file_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.shredding.ledger._MOST_KEPT", 3)
    monkeypatch.setattr("vault.shredding.ledger._BACK", 2)
    ledger = Ledger(folder)
    ledger.note("default", [a_tombstone(number) for number in range(1, 9)])
    assert [int.from_bytes(raw, "big") for raw in ledger.recent("default")] == [7, 8]
    assert len(list(ledger.every("default"))) == 8


async def test_what_is_destroyed_is_noted_and_found_when_a_copy_brings_it_back(house: House, folder: Path) -> None:
    ada, bob = await house.person(), await house.person()
    for person in (ada, bob):
        await house.store(person, email="someone@example.org")
    keys = await rows_of(house, vault_key)
    permit = a_permit("default", ada, "any", "erase")
    await house.database.run_alone(house.context(), lambda tx: house.vault.shred(tx, ada, permit))
    revocation = Revocation(Ledger(folder))
    assert await revocation.note(house.database, house.context()) == 1
    assert await revocation.note(house.database, house.context()) == 0
    assert await Revocation(Ledger(folder)).returned(house.database, house.context()) == {}
    # As a copy from before the erasure has it: the keys, and no tombstone that the ledger knows of.
    (tombstone,) = await rows_of(house, vault_tombstone)
    content = (folder / FILE).read_text()
    (folder / FILE).write_text(content.replace(bytes(tombstone["tombstone"]).hex(), "ff" * 16))

    def put_back(tx) -> None:
        from vault import store

        for row in keys:
            if row["owner"] == ada:
                tx.insert(store.KEY, *list(row.values())[2:])

    await house.cold(put_back)
    found = await Revocation(Ledger(folder)).returned(house.database, house.context())
    assert found == {ada: {"log", "data"}}
    again = house.vault
    await house.database.run_alone(house.context(), lambda tx: again.shred_again(tx, ada, found[ada]))
    assert await rows_of(house, vault_key, owner=ada) == []
    assert len(await rows_of(house, vault_key, owner=bob)) == 2
