"""A program that stores a person's value, opens it, erases them, and stops twice to be looked at from outside."""

import asyncio
import gc
import secrets
import sys
from pathlib import Path

from sayso.kernel import open_database
from tests.builders.vault import a_house, a_permit, rows_of
from vault.tables import vault_key

_MASK = 0x5A


def hidden(secret: bytes) -> bytes:
    """In a form in which the telling of it leaves no copy; and back."""
    return bytes(byte ^ _MASK for byte in secret)


def holders(needle: str) -> int:
    """How many texts and bytes with `needle` in them something in this process still refers to."""
    gc.collect()
    wanted, found = needle.encode(), set()
    for holder in gc.get_objects():
        for each in gc.get_referents(holder):
            if (type(each) is str and needle in each) or (type(each) is bytes and wanted in each):
                found.add(id(each))
    return len(found)


async def live(url: str, keys: Path) -> None:
    database = open_database(url)
    await database.start()
    house = a_house(database, keys)
    await house.open()
    subject, half = await house.person(), secrets.token_hex(8)
    token = (await house.store(subject, email=f"{half}@example.org"))["email"]
    shown = await house.value(token)
    (row,) = await rows_of(house, vault_key, owner=subject, **{"class": "data"})
    key = house.keyring.unwrap(house.tenant, subject, "data", tuple(row.values())[4:])
    assert key is not None
    print(hidden(f"{half}@example.org".encode()).hex(), hidden(key._key).hex(), holders(f"{half}@"), flush=True)
    sys.stdin.readline()
    del key, shown
    permit = a_permit(house.tenant, subject, "any", "erase")
    await database.run_alone(house.context(), lambda tx: house.vault.shred(tx, subject, permit))
    await database.tidy()
    assert await house.value(token) is None
    print(holders(f"{half}@"), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], Path(sys.argv[2])))
