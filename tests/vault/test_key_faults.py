"""What may befall the keys: a kill at every step, a full disk, two nodes, rows put where they do not belong."""

import asyncio
import os
import signal
import traceback
from collections.abc import Awaitable, Callable
from itertools import combinations, permutations
from pathlib import Path

import pytest

from sayso.kernel import LOG, Jobs, SaysoError, Tx, Work, now, open_database
from tests.builders.vault import House, a_house, a_permit, change, rows_of
from vault import BrokenSeal, Epochs, NewRoll, Suite, UnknownSubject
from vault.keys.wrapped import DataKey
from vault.tables import vault_epoch, vault_key, vault_record, vault_token

FIELDS = {"email": "{}@example.org", "phone": "+861380013800{}", "notes": "of {}"}


async def a_house_on(url: str, keys: Path) -> House:
    """A house whose keys are there already, or are made."""
    database = open_database(url)
    await database.start()
    house = a_house(database, keys)
    await house.open()
    return house


def killed_at(patch: str, work: Callable[[], Awaitable[None]], *, skip: int = 0) -> None:
    """Run `work` in a process that is killed when it comes to `patch` for the (skip + 1)th time."""
    child = os.fork()
    if child == 0:
        # Whatever goes wrong here, the child must not go on as a second run of the tests.
        try:
            calls = 0
            target, _, name = patch.rpartition(".")
            module, _, owner = target.rpartition(".")
            place = __import__(module, fromlist=[owner])
            holder = getattr(place, owner)
            original = getattr(holder, name)

            def killing(*args: object, **more: object) -> object:
                nonlocal calls
                calls += 1
                if calls > skip:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*args, **more)

            setattr(holder, name, killing)
            asyncio.run(work())  # type: ignore[arg-type]
        except BaseException:  # noqa: BLE001 - told to whoever reads the test's output
            traceback.print_exc()
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{patch} was never come to: {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL


async def rolled(house: House) -> None:
    """One whole roll, from wherever the last one was left."""
    epochs = Epochs(house.keyring, house.vault._audit)
    database, context = house.database, house.context
    listed = await database.look(context(), epochs.listed)
    if listed.roll is None:
        await epochs.roll(database, context(), NewRoll(grace="PT0S"))
    await house.open()
    jobs = Jobs(database, [epochs.job], alone=True, report=lambda *_: None)
    while await jobs.work("default", at_once=True):
        await house.open()
    began = now()
    await database.run_alone(context(), lambda tx: epochs.backed_up(tx, began))
    await epochs.finish(database, context())
    await house.open()


STEPS = {
    "the key lies at the provider, and nowhere else": ("vault.keys.keyring.Keyring.add_epoch", 0),
    "the next epoch is stored": ("vault.keys.epochs.Epochs._activate", 0),
    "the first page is wrapped anew": ("vault.keys.epochs.rewrap.data_keys", 1),
    "all is wrapped anew": ("vault.keys.epochs.Epochs._disable", 0),
    "its end has begun": ("vault.keys.epochs.in_time", 0),
    "the provider has destroyed it": ("vault.keys.epochs.Epochs._destroyed", 0),
    "a commit is under way": ("sayso.kernel.tidying.Tidying._checkpoint", 0),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_of_a_roll_loses_nobody(
    step: str, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.keys.epochs.PAGE", 2)
    keys, tokens = tmp_path / "keys", []

    async def lay() -> None:
        house = await a_house_on(sqlite_url, keys)
        for number in range(3):
            tokens.append((await house.store(await house.person(), email=f"p{number}@example.org"))["email"])
        await house.database.stop()

    async def roll() -> None:
        await rolled(await a_house_on(sqlite_url, keys))

    async def look() -> None:
        house = await a_house_on(sqlite_url, keys)
        assert [await house.value(token) for token in tokens] == [f"p{n}@example.org" for n in range(3)]
        await rolled(house)
        assert [await house.value(token) for token in tokens] == [f"p{n}@example.org" for n in range(3)]
        states = [row["state"] for row in await rows_of(house, vault_epoch)]
        assert states == ["destroyed", "active"]
        await house.database.stop()

    asyncio.run(lay())
    patch, skip = STEPS[step]
    killed_at(patch, roll, skip=skip)
    asyncio.run(look())


@pytest.mark.parametrize(
    ("patch", "erased"),
    [("sayso.kernel.sqlite._SqliteSession._commit", False), ("sayso.kernel.tidying.Tidying._checkpoint", True)],
)
def test_a_kill_during_an_erasure_leaves_the_person_whole_or_erased(
    patch: str, erased: bool, tmp_path: Path, sqlite_url: str
) -> None:
    keys = tmp_path / "keys"
    known: dict[str, object] = {}

    async def lay() -> None:
        house = await a_house_on(sqlite_url, keys)
        known["ada"] = ada = await house.person()
        known["token"] = (await house.store(ada, email="ada@example.org"))["email"]
        await house.database.stop()

    async def erase() -> None:
        house = await a_house_on(sqlite_url, keys)
        ada = known["ada"]
        permit = a_permit("default", ada, "any", "erase")  # type: ignore[arg-type]
        await house.database.run_alone(house.context(), lambda tx: house.vault.shred(tx, ada, permit))  # type: ignore[arg-type]
        await house.database.tidy()

    async def look() -> None:
        house = await a_house_on(sqlite_url, keys)
        value = await house.value(known["token"])  # type: ignore[arg-type]
        left = [row for table in (vault_key, vault_record, vault_token) for row in await rows_of(house, table)]
        assert (value, bool(left)) == ((None, False) if erased else ("ada@example.org", True))
        await house.database.stop()

    asyncio.run(lay())
    killed_at(patch, erase, skip=0)
    asyncio.run(look())


async def test_a_disk_that_is_full_stops_a_sweep_and_no_more(tmp_path: Path, sqlite_url: str) -> None:
    house = await a_house_on(sqlite_url, tmp_path / "keys")
    tokens = [(await house.store(await house.person(), notes="x" * 200))["notes"] for _ in range(3)]
    epochs = Epochs(house.keyring, house.vault._audit)
    errors: list[Exception] = []
    jobs = Jobs(house.database, [epochs.job], alone=True, report=lambda _, error: errors.append(error))
    await epochs.roll(house.database, house.context(), NewRoll())
    await house.open()
    pages = house.database.writer.execute("PRAGMA page_count").fetchone()[0]
    house.database.writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(SaysoError, match="disk is full"):
        await fill(house)
    with pytest.raises(SaysoError, match="disk is full"):
        await asyncio.gather(*(house.value(tokens[0]) for _ in range(500)))  # the last pages take a few entries yet
    house.database.writer.execute("PRAGMA max_page_count=1073741823")
    while await jobs.work("default", at_once=True):
        await house.open()
    assert {row["epoch"] for row in await rows_of(house, vault_key)} == {2}
    assert [await house.value(token) for token in tokens] == ["x" * 200] * 3
    await house.database.stop()


async def fill(house: House) -> None:
    """Store until there is no room. Soon nothing is shown either: no entry, no value."""
    for _ in range(200):
        await house.store(await house.person(), notes="y" * 900)


async def test_an_erasure_on_one_node_holds_on_the_other_at_once(postgres_url: str, tmp_path: Path) -> None:
    """Two nodes with their keys in memory. What one shreds the other neither shows nor brings back."""
    one = await a_house_on(postgres_url, tmp_path / "keys")
    other = await a_house_on(postgres_url, tmp_path / "keys")
    ada = await one.person()
    token = (await one.store(ada, email="ada@example.org"))["email"]
    assert await other.value(token) == await one.value(token) == "ada@example.org"
    permit = a_permit("default", ada, "any", "erase")

    async def busy() -> None:
        for _ in range(20):
            try:
                await other.store(ada, email="ada@example.org")
            except UnknownSubject:
                return

    storing = asyncio.create_task(busy())
    await one.database.run_alone(one.context(), lambda tx: one.vault.shred(tx, ada, permit))
    assert await other.value(token) is None
    await storing
    with pytest.raises(UnknownSubject):
        await other.store(ada, email="ada@example.org")
    assert await rows_of(one, vault_key, owner=ada) == []
    assert await rows_of(one, vault_record, subject=ada) == []
    await one.database.stop()
    await other.database.stop()


async def test_a_roll_on_one_node_is_followed_by_the_other(postgres_url: str, tmp_path: Path) -> None:
    one = await a_house_on(postgres_url, tmp_path / "keys")
    other = await a_house_on(postgres_url, tmp_path / "keys")
    token = (await other.store(await other.person(), email="ada@example.org"))["email"]
    await rolled(one)
    with pytest.raises(BrokenSeal):
        await key_of_first(other)
    await other.open()
    assert await other.value(token) == "ada@example.org"
    await one.database.stop()
    await other.database.stop()


async def key_of_first(house: House) -> object:
    """Unwrap somebody's key without having loaded what moved: the server loads it before every unit."""

    def unit(tx: Tx) -> Work[object]:
        (row,) = yield (tx.select(vault_key.select().with_only_columns(vault_key.c.owner).limit(1)),)
        owner = bytes(row[0][0])
        (wrapped,) = yield (house.keyring.read(tx, owner, LOG),)
        return house.keyring.unwrap("default", owner, LOG, wrapped)

    return await house.database.look(house.context(), unit)


async def test_nothing_opens_where_it_does_not_belong(tmp_path: Path, sqlite_url: str) -> None:
    """Every swap of values and of keys between people, fields, classes and versions: never a wrong value."""
    house = await a_house_on(sqlite_url, tmp_path / "keys")
    tokens: dict[str, str] = {}
    for number, name in enumerate(("ada", "bob")):
        person = await house.person()
        for _ in range(1 + number):
            values = {field: text.format(number if field == "phone" else name) for field, text in FIELDS.items()}
            made = await house.store(person, invoice=f"no {number}", **values)
        tokens |= {f"{name}.{field}": token for field, token in made.items()}
    truth = {name: await house.value(token) for name, token in tokens.items()}
    assert None not in truth.values()
    records = await rows_of(house, vault_record)
    for one, two in permutations(records, 2):
        await change(house, vault_record, one, blob=two["blob"])
        found = {name: await house.value(token) for name, token in tokens.items()}
        assert sum(found[name] != truth[name] for name in truth) == 1
        assert all(value in (None, truth[name]) for name, value in found.items())
        await change(house, vault_record, one, blob=one["blob"])
    keys = [row for row in await rows_of(house, vault_key) if row["class"] != LOG]
    for one, two in combinations(keys, 2):
        for row, values in ((one, two), (two, one)):
            await change(house, vault_key, row, wrapped=values["wrapped"], commitment=values["commitment"])
            found = {name: await house.value(token) for name, token in tokens.items()}
            assert None in found.values()
            assert all(value in (None, truth[name]) for name, value in found.items())
            await change(house, vault_key, row, wrapped=row["wrapped"], commitment=row["commitment"])
    assert {name: await house.value(token) for name, token in tokens.items()} == truth
    await house.database.stop()


async def test_every_byte_of_a_value_and_its_key_counts(tmp_path: Path, sqlite_url: str) -> None:
    house = await a_house_on(sqlite_url, tmp_path / "keys")
    token = (await house.store(await house.person(), email="ada@example.org"))["email"]
    (record,) = await rows_of(house, vault_record)
    (key,) = [row for row in await rows_of(house, vault_key) if row["class"] != LOG]
    (pointer,) = await rows_of(house, vault_token)
    (epoch,) = await rows_of(house, vault_epoch)
    for table, row, columns in (
        (vault_record, record, ("blob",)),
        (vault_key, key, ("wrapped", "commitment")),
        (vault_token, pointer, ("mac",)),
    ):
        for column in columns:
            for place in range(len(row[column])):
                value = row[column]
                flipped = value[:place] + bytes((value[place] ^ 0x10,)) + value[place + 1 :]
                await change(house, table, row, **{column: flipped})
                assert await house.value(token) is None, (table.name, column, place)
            await change(house, table, row, **{column: row[column]})
    for place in range(len(epoch["wrapped"])):
        value = epoch["wrapped"]
        flipped = value[:place] + bytes((value[place] ^ 0x10,)) + value[place + 1 :]
        await change(house, vault_epoch, epoch, wrapped=flipped)
        with pytest.raises(BrokenSeal):
            await house.database.look(house.context(), house.keyring.load)
    await change(house, vault_epoch, epoch, wrapped=epoch["wrapped"])
    assert await house.value(token) == "ada@example.org"
    await house.database.stop()


def test_forks_of_one_process_never_draw_the_same_nonce() -> None:
    key = DataKey("default", b"p" * 16, "data", 1, os.urandom(32), Suite.GCM_SIV)
    key.seal("customers", "email", b"x")
    pipes = []
    for _ in range(3):
        read, write = os.pipe()
        if os.fork() == 0:
            with os.fdopen(write, "wb") as out:
                out.write(b"".join(key.seal("customers", "email", b"x")[5:17] for _ in range(2_000)))
            os._exit(0)
        os.close(write)
        pipes.append(read)
    drawn: list[bytes] = []
    for read in pipes:
        with os.fdopen(read, "rb") as stream:
            content = stream.read()
        drawn += [content[place : place + 12] for place in range(0, len(content), 12)]
        os.wait()
    assert len(drawn) == len(set(drawn)) == 6_000


def test_a_nonce_drawn_again_in_a_restored_machine_tells_no_more_than_that_two_values_are_equal() -> None:
    """Two machines from one snapshot may draw alike. Under GCM-SIV the difference of two ciphertexts says nothing."""
    key, nonce, bound = os.urandom(32), os.urandom(12), b"bound"
    one, two = b"a" * 64, b"b" * 64
    sealed = [Suite.GCM_SIV.seal(key, nonce, bound, message) for message in (one, two, one)]
    assert sealed[0] == sealed[2]
    plain = bytes(x ^ y for x, y in zip(one, two, strict=True))
    stream = bytes(x ^ y for x, y in zip(sealed[0][:64], sealed[1][:64], strict=True))
    assert stream != plain
    weak = [Suite.GCM.seal(key, nonce, bound, message)[:64] for message in (one, two)]
    assert bytes(x ^ y for x, y in zip(*weak, strict=True)) == plain, "which is why it is the default"
