"""Design 6.5: whatever copy of the database is put back, nobody who was erased comes back, and nobody else is lost."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sayso.kernel import SYSTEM, Context, Tx, Work, bucket_of, new_raw, now, raw
from sayso.kernel.sqlite import connect
from sayso.server.app import assemble, running
from sayso.server.running.founding import NewTenant, found
from sayso.server.running.restoring import Restored, _put_back
from sayso.server.settings import FILE, Settings
from sayso.server.wiring import ANCHOR, wire
from tests.server.worlds import World, settings_for, until
from tests.vault.test_key_faults import killed_at
from vault import DestroyedKey, KeyGone, SealedFile, keybackup, store

KEYTABLE = ("vault.keys.keybackup._insert", "vault.keys.keybackup._through")


class Shop:
    """An installation that can be stopped, copied and started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.settings: Settings = settings_for(folder, url)
        (self.settings.data_folder / FILE).touch()
        self.key = ""
        SealedFile.create(self.settings.key_folder, None)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[World]:
        from contextlib import AsyncExitStack

        services = wire(self.settings)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(services))
            if not self.key:
                self.key = (await found(services, NewTenant("default", "Huangshan & Hale Ltd, Ireland"))).admin_key
            yield await World(services, assemble(services), stack, self.key).enter()

    @property
    def database(self) -> Path:
        return Path(self.settings.database_url.removeprefix("sqlite:///"))

    def copy(self) -> Path:
        """A backup of the data, of a stopped server."""
        return Path(shutil.copyfile(self.database, self.folder / "data.backup"))

    def put_back(self, copy: Path) -> None:
        """The data as they were then. What the log's fork guard says of it is another page."""
        for path in self.folder.glob(self.database.name + "-*"):
            path.unlink()
        shutil.copyfile(copy, self.database)
        (self.settings.key_folder / ANCHOR).unlink(missing_ok=True)

    async def restore(self, file: Path) -> Restored:
        return await _put_back(wire(self.settings), "default", file, lambda _: None)


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Shop:
    return Shop(tmp_path, sqlite_url)


async def customer(world: World, name: str) -> tuple[str, str]:
    """Somebody with a stored address who said yes to mail: id and token."""
    subject = await world.person(name)
    assert (await world.choose(subject)).status_code == 201
    body = {"subject": subject, "collection": "customers", "fields": {"email": f"{name}@example.org"}}
    stored = await world.admin.post("/v1/vault/records", json=body)
    assert stored.status_code == 201, stored.text
    return subject, stored.json()["tokens"]["email"]


async def erase(world: World, subject: str) -> None:
    officer = await world.key("officer", "officer")
    body = {"subject": subject, "kind": "erasure", "law": "gdpr"}
    request = (await officer.post("/v1/rights/requests", json=body)).json()["request"]
    await officer.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    done = await officer.post(f"/v1/rights/requests/{request}/fulfil", json={})
    assert done.status_code == 200, done.text


async def seen(world: World, subject: str, token: str) -> tuple[Any, bool]:
    """What a mailer of today gets: the value behind the token, and whether it may write."""
    mailer = await world.key(f"mailer-{subject[-8:]}", "marketing_sender")
    body = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "news"}
    (shown,) = (await mailer.post("/v1/vault/reveal", json=body)).json()["results"]
    question = {
        "subject": {"type": "service", "id": f"mailer-{subject[-8:]}"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    answer = (await mailer.post("/access/v1/evaluation", json=question)).json()
    return shown.get("value"), answer["decision"]


async def test_an_old_copy_of_the_data_revives_nobody(shop: Shop) -> None:
    async with shop.open() as world:
        await world.smallest()
        ada, bob = await customer(world, "ada"), await customer(world, "bob")
        assert await seen(world, *ada) == ("ada@example.org", True)
    copy = shop.copy()
    async with shop.open() as world:
        await erase(world, ada[0])
    shop.put_back(copy)
    async with shop.open() as world:
        assert await seen(world, *ada) == (None, False)
        assert await seen(world, *bob) == ("bob@example.org", True)
        found = await world.admin.post(
            "/v1/subjects/resolve", json={"identifier": {"type": "customer_id", "value": "ada"}, "create": False}
        )
        assert found.status_code == 404
    async with shop.open() as world:
        assert await seen(world, *ada) == (None, False)


async def test_old_data_with_the_current_key_table_open_after_a_roll(shop: Shop, tmp_path: Path) -> None:
    async with shop.open() as world:
        await world.smallest()
        ada, bob = await customer(world, "ada"), await customer(world, "bob")
    copy, keys = shop.copy(), tmp_path / "default.keytable"
    async with shop.open() as world:
        await erase(world, ada[0])
        begun = await world.operator.post("/v1/vault/roll", json={"grace": "PT0S"})
        assert begun.status_code == 201, begun.text
        await world.services.workers.drain()
        made = await world.operator.post("/v1/vault/backup", json={"out": str(keys)})
        assert made.status_code == 200, made.text
        gone = await world.operator.post("/v1/vault/epochs/1/destroy")
        assert gone.json()["state"] == "destroyed", gone.text
        for place in (shop.settings.data_folder / "x", shop.settings.key_folder / "x", keys):
            refused = await world.operator.post("/v1/vault/backup", json={"out": str(place)})
            assert refused.status_code in (400, 409)
    shop.put_back(copy)
    (shop.settings.key_folder / "erased").unlink()
    with pytest.raises(KeyGone):
        async with shop.open():
            pass
    done = await shop.restore(keys)
    assert (done.keys > 4, done.erased) == (True, 1)
    async with shop.open() as world:
        assert await seen(world, *ada) == (None, False)
        assert await seen(world, *bob) == ("bob@example.org", True)


async def test_a_damaged_and_a_foreign_backup_are_told(shop: Shop, tmp_path: Path) -> None:
    keys = tmp_path / "default.keytable"
    async with shop.open() as world:
        await world.smallest()
        assert (await world.operator.post("/v1/vault/backup", json={"out": str(keys)})).status_code == 200
    content = keys.read_bytes()
    assert keys.stat().st_mode & 0o077 == 0
    for place in range(0, len(content), 97):
        (tmp_path / "damaged").write_bytes(content[:place] + bytes((content[place] ^ 1,)) + content[place + 1 :])
        with pytest.raises(keybackup.DamagedKeyBackup):
            keybackup.read(tmp_path / "damaged")
    for cut in (content[:-1], content[: len(content) // 2], b"", content + b"x"):
        (tmp_path / "damaged").write_bytes(cut)
        with pytest.raises(keybackup.DamagedKeyBackup):
            keybackup.read(tmp_path / "damaged")
    with pytest.raises(keybackup.ForeignKeyBackup):
        await _put_back(wire(shop.settings), "acme", keys, lambda _: None)


def test_a_restore_that_was_killed_is_told_and_done_again(shop: Shop, tmp_path: Path) -> None:
    keys, known = tmp_path / "default.keytable", {}

    async def lay() -> None:
        async with shop.open() as world:
            await world.smallest()
            known["ada"] = await customer(world, "ada")
            assert (await world.operator.post("/v1/vault/backup", json={"out": str(keys)})).status_code == 200

    async def restore() -> None:
        await shop.restore(keys)

    async def refused() -> None:
        with pytest.raises(keybackup.RestoreUnfinished):
            async with shop.open():
                pass

    async def look() -> None:
        async with shop.open() as world:
            assert await seen(world, *known["ada"]) == ("ada@example.org", True)

    asyncio.run(lay())
    for step in (*KEYTABLE, "sayso.server.running.restoring._told"):
        killed_at(step, restore)
        asyncio.run(refused())
    asyncio.run(restore())
    asyncio.run(look())


@pytest.fixture
async def quiet(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A running server whose keeper of keys does nothing by itself."""
    monkeypatch.setattr("sayso.server.running.keykeeping.EVERY", 3600.0)
    async with shop.open() as world:
        await world.smallest()
        yield world


async def brought_back(world: World, subject: str) -> None:
    """As after a restore of the database: the ledger knows that these keys were destroyed, the database does not."""

    def unit(tx: Tx) -> Work[list[Any]]:
        (rows,) = yield (tx.query(store.KEYS_OF, bucket=bucket_of("default", raw(subject)), subject=raw(subject)),)
        return list(rows)

    rows = await world.services.database.look(Context("default", SYSTEM, now(), "t"), unit)
    facts = tuple(DestroyedKey(cls, epoch, commitment.hex(), version) for cls, version, epoch, commitment in rows)
    assert facts
    world.services.revocation.remember("default", [(new_raw(), msgspec.json.encode(facts))])


async def test_a_database_that_goes_back_under_a_server_opens_nothing_before_all_are_erased_again(
    quiet: World, shop: Shop
) -> None:
    ada, bob = await customer(quiet, "ada"), await customer(quiet, "bob")
    mailer, keeper = await quiet.key("mailer", "marketing_sender"), quiet.services.key_keeper
    body = {"items": [{"token": ada[1]}], "purpose": "marketing.email", "reason": "news"}
    await brought_back(quiet, ada[0])
    keeper._looked = 0.0
    await keeper.round()
    denied = await mailer.post("/v1/vault/reveal", json=body)
    assert (denied.status_code, denied.json()["type"].rpartition("#")[2]) == (503, "data-went-back")
    assert (await quiet.nobody.get("/health/ready")).status_code == 503
    terms = [{"field": "email", "value": "ada@example.org"}]
    search = {"collection": "customers", "all": terms, "purpose": "marketing.email", "reason": "news"}

    async def loaded() -> bool:
        return quiet.services.keyring.holds("default")

    other = connect(shop.database)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.TaskGroup() as beside:
        # The erasure cannot be written while another connection has the lock.
        beside.create_task(keeper.round())
        await until(loaded)
        # The keys are loaded. Another node's change has them loaded once more. Still nobody else has them.
        for _ in range(2):
            denied = await mailer.post("/v1/vault/search", json=search)
            assert denied.json()["type"].endswith("#data-went-back")
            assert quiet.services.keyring.holds("default")
            await quiet.services.configurations.load("default")
        behind = beside.create_task(mailer.post("/v1/vault/reveal", json=body))
        await asyncio.sleep(0.01)
        other.execute("ROLLBACK")
        other.close()
    assert "ada@example.org" not in behind.result().text
    # A tombstone that the database will never have again stops nobody twice.
    quiet.services.revocation.remember("default", [(new_raw(), b"[]")])
    for status in (503, 200, 200):
        keeper._looked = 0.0
        await keeper.round()
        assert (await mailer.post("/v1/vault/reveal", json=body)).status_code == status
    assert await seen(quiet, *ada) == (None, False)
    assert await seen(quiet, *bob) == ("bob@example.org", True)


async def test_an_epoch_that_is_called_back_brings_nobody_back(quiet: World) -> None:
    ada = await customer(quiet, "ada")
    begun = await quiet.operator.post("/v1/vault/roll", json={"grace": "P7D"})
    assert begun.status_code == 201, begun.text
    await quiet.services.workers.drain()
    await quiet.services.configurations.refresh("default")
    await brought_back(quiet, ada[0])
    enabled = await quiet.operator.post("/v1/vault/epochs/1/enable")
    assert enabled.json()["state"] == "retiring", enabled.text
    assert await seen(quiet, *ada) == (None, False)
