"""After an erasure the embedded store's files hold nothing of the keys that are gone."""

from pathlib import Path

from sqlalchemy import select

from sayso.kernel import Tx, Work, open_database
from tests.builders.vault import a_house, a_permit
from vault import Revealed
from vault.tables import vault_key, vault_record, vault_token_of


async def test_an_erased_persons_wrapped_keys_are_in_no_file(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url)
    await database.start()
    house = a_house(database, tmp_path / "keys")
    await house.open()
    try:
        subject, neighbour = await house.person(), await house.person()
        await house.store(subject, email="ada@example.org", invoice="12 boxes")
        kept = await house.store(neighbour, email="bob@example.org")

        def secrets(tx: Tx) -> Work[list[bytes]]:
            keys, records, tokens = yield (
                tx.select(select(vault_key.c.wrapped).where(vault_key.c.owner == subject)),
                tx.select(select(vault_record.c.blob).where(vault_record.c.subject == subject)),
                tx.select(select(vault_token_of.c.blob).where(vault_token_of.c.subject == subject)),
            )
            return [row[0] for row in (*keys, *records, *tokens)]

        gone = await database.look(house.context(), secrets)
        files = [tmp_path / "sayso.db", tmp_path / "sayso.db-wal"]
        assert len(gone) == 7
        assert any(gone[0] in file.read_bytes() for file in files), "the check would find it"

        permit = a_permit("default", subject, "any", "erase")
        await database.run_alone(house.context(), lambda tx: house.vault.shred(tx, subject, permit))
        await database.tidy()
        for file in files:
            content = file.read_bytes()
            assert [secret in content for secret in gone] == [False] * 7, file.name
        assert isinstance(await house.reveal(kept["email"]), Revealed)
    finally:
        await database.stop()
