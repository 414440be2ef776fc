"""Rolling to a new epoch: nobody's value is lost, nothing is destroyed too early, and what is destroyed is gone."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from audit.tables import audit_outbox
from sayso.kernel import LOG, TENANT_OWNER, Jobs, Tx, Work, bucket_of, now
from tests.builders.vault import House, a_permit, rows_of
from vault import Epochs, KeyGone, Keyring, NewRoll, ProviderDown
from vault.keys.epoch import ACTIVE, DESTROYED, DESTROYING, DISABLED, NEXT, RETIRING
from vault.keys.epochs import EpochInUse, KeysNotBackedUp, NoRoll, RollUnderWay
from vault.tables import vault_epoch, vault_key

MAIL = "ada@example.org"


class Rolling:
    """A house with what rolls its keys. `jobs` is a worker of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.errors: list[Exception] = []
        self.epochs = Epochs(house.keyring, house.vault._audit)
        self.jobs = self.worker()

    def worker(self) -> Jobs:
        return Jobs(self.house.database, [self.epochs.job], alone=True, report=self._report)

    def _report(self, job: str, error: Exception) -> None:
        self.errors.append(error)

    async def roll(self, **wanted: object) -> None:
        await self.epochs.roll(self.house.database, self.house.context(), NewRoll(**{"grace": "PT0S", **wanted}))
        await self.house.open()

    async def sweep(self) -> None:
        """Work until nothing is pending."""
        while await self.jobs.work(self.house.tenant, at_once=True):
            pass
        assert not self.errors, self.errors
        await self.house.open()

    async def back_up(self) -> None:
        began = now()
        await self.house.database.run_alone(self.house.context(), lambda tx: self.epochs.backed_up(tx, began))

    async def finish(self) -> list[int]:
        done = await self.epochs.finish(self.house.database, self.house.context())
        await self.house.open()
        return done

    async def states(self) -> dict[int, str]:
        found = await self.house.database.look(self.house.context(), self.epochs.listed)
        return {each.epoch: each.state for each in found.epochs}


@pytest.fixture
def rolling(house: House) -> Rolling:
    return Rolling(house)


async def people(house: House, count: int) -> list[str]:
    return [(await house.store(await house.person(), email=f"p{n}@example.org"))["email"] for n in range(count)]


async def test_a_roll_goes_through_every_state_and_loses_nobody(rolling: Rolling) -> None:
    house = rolling.house
    tokens = await people(house, 5)
    before = house.keyring.public_key("default", "log")
    await rolling.epochs.rotate(house.database, house.context())
    assert await rolling.states() == {1: ACTIVE, 2: NEXT}
    await rolling.roll()
    assert await rolling.states() == {1: RETIRING, 2: ACTIVE}
    tokens += await people(house, 1)
    assert [await house.value(token) for token in tokens[:2]] == ["p0@example.org", "p1@example.org"]
    await rolling.sweep()
    assert await rolling.states() == {1: DISABLED, 2: ACTIVE}
    assert {row["epoch"] for row in await rows_of(house, vault_key)} == {2}
    assert await rolling.finish() == [], "the keys were not backed up"
    await rolling.back_up()
    assert await rolling.finish() == [1]
    assert await rolling.states() == {1: DESTROYED, 2: ACTIVE}
    assert [await house.value(token) for token in tokens] == [f"p{n}@example.org" for n in (0, 1, 2, 3, 4, 0)]
    assert house.keyring.public_key("default", "log") == before
    sealed = house.keyring.standing("default", TENANT_OWNER).seal("c", "f", b"x")
    fresh = Keyring(house.keyring.provider)
    await house.database.look(house.context(), fresh.load)
    assert fresh.standing("default", TENANT_OWNER).open("c", "f", sealed) == b"x"


async def test_a_destroyed_epoch_is_gone_at_the_provider_and_in_the_table(rolling: Rolling) -> None:
    house = rolling.house
    (old,) = await rows_of(house, vault_epoch)
    await rolling.roll()
    await rolling.sweep()
    await rolling.back_up()
    await rolling.finish()
    first, _ = await rows_of(house, vault_epoch)
    assert (first["wrapped"], first["gone_at"] > 0) == (b"", True)
    context = {"epoch": "1", "provider": old["provider"], "root": old["root"], "tenant": "default"}
    with pytest.raises(KeyGone):
        house.keyring.provider.unwrap(old["wrapped"], context, old["commitment"], old["ref"])


async def test_a_restored_key_table_of_a_destroyed_epoch_opens_nothing(rolling: Rolling) -> None:
    """Design 6.5: whoever was erased before the roll stays so, whatever is put back into the table."""
    house = rolling.house
    ada = await house.person()
    await house.store(ada, email=MAIL)
    keys, epochs = await rows_of(house, vault_key), await rows_of(house, vault_epoch)
    permit = a_permit("default", ada, "any", "erase")
    await house.database.run_alone(house.context(), lambda tx: house.vault.shred(tx, ada, permit))
    await rolling.roll()
    await rolling.sweep()
    await rolling.back_up()
    await rolling.finish()

    def put_back(tx: Tx) -> Work[None]:
        from vault import store

        for row in keys:
            if row["owner"] == ada:
                tx.insert(store.KEY, *list(row.values())[2:])
        old = epochs[0]
        c = vault_epoch.c
        tx.execute(update(vault_epoch).where(c.epoch == 1).values(state="retiring", wrapped=old["wrapped"]))
        return
        yield ()

    await house.database.run_alone(house.context(), put_back)
    with pytest.raises(KeyGone):
        await house.database.look(house.context(), Keyring(house.keyring.provider).load)


async def test_a_killed_sweep_goes_on_where_it_was(rolling: Rolling, monkeypatch: pytest.MonkeyPatch) -> None:
    house = rolling.house
    tokens = await people(house, 6)
    monkeypatch.setattr("vault.keys.epochs.PAGE", 2)
    await rolling.roll()
    rolling.jobs.stop()
    await rolling.jobs.work("default", at_once=True)
    killed = rolling.worker()
    killed._slice_s = 0.0
    await killed.work("default", at_once=True)
    assert {row["epoch"] for row in await rows_of(house, vault_key)} == {1, 2}
    assert [await house.value(token) for token in tokens] == [f"p{n}@example.org" for n in range(6)]
    rolling.jobs = rolling.worker()
    await rolling.sweep()
    assert {row["epoch"] for row in await rows_of(house, vault_key)} == {2}
    assert [await house.value(token) for token in tokens] == [f"p{n}@example.org" for n in range(6)]


async def test_a_roll_can_be_slowed_paused_and_resumed(rolling: Rolling) -> None:
    house = rolling.house
    await people(house, 3)
    await rolling.roll(rate=1)
    assert await rolling.jobs.work("default", at_once=True) == 1
    assert await rolling.jobs.work("default", at_once=True) == 0, "the next second has not come"
    with pytest.raises(RollUnderWay):
        await rolling.roll()
    await house.database.run_alone(house.context(), rolling.epochs.pause)
    assert await rolling.jobs.work("default", at_once=True) == 0
    with pytest.raises(NoRoll):
        await house.database.run_alone(house.context(), rolling.epochs.pause)
    shown = await house.database.run_alone(house.context(), rolling.epochs.resume)
    assert (shown.state, shown.done, shown.total, shown.rate) == ("sweeping", 1, 6, 1)


async def test_a_disabled_epoch_can_be_called_back(rolling: Rolling) -> None:
    house = rolling.house
    await people(house, 2)
    await rolling.roll(grace="P7D")
    await rolling.sweep()
    await rolling.back_up()
    assert await rolling.finish() == [], "its grace is not over"
    await house.database.run_alone(house.context(), lambda tx: rolling.epochs.enable(tx, 1))
    await house.open()
    assert await rolling.states() == {1: RETIRING, 2: ACTIVE}
    with pytest.raises(EpochInUse):
        await rolling.epochs.destroy(house.database, house.context(), 1)
    await house.database.run_alone(house.context(), rolling.epochs.resume)
    await rolling.sweep()
    with pytest.raises(KeysNotBackedUp):
        await rolling.epochs.destroy(house.database, house.context(), 1)
    await rolling.back_up()
    assert (await rolling.epochs.destroy(house.database, house.context(), 1)).state == DESTROYED


async def test_nobody_calls_an_epoch_back_while_its_provider_destroys_it(
    rolling: Rolling, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, tried = rolling.house, []
    await people(house, 2)
    await rolling.roll()
    await rolling.sweep()
    await rolling.back_up()

    async def asked(_provider: object, call: Callable[[], Any]) -> Any:
        with pytest.raises(EpochInUse):
            await house.database.run_alone(house.context(), lambda tx: rolling.epochs.enable(tx, 1))
        await house.open()
        tried.append(await rolling.states())
        if len(tried) == 1:
            raise ProviderDown("sealed-file")
        return call()

    monkeypatch.setattr("vault.keys.epochs.in_time", asked)
    with pytest.raises(ProviderDown):
        await rolling.finish()
    assert await rolling.finish() == [1], "whoever comes next goes on"
    assert tried == [{1: DESTROYING, 2: ACTIVE}] * 2
    assert await rolling.states() == {1: DESTROYED, 2: ACTIVE}


async def test_a_key_that_still_lies_under_a_disabled_epoch_is_swept_before_it_goes(rolling: Rolling) -> None:
    house = rolling.house
    (token,) = await people(house, 1)
    old = house.keyring.of("default")
    await rolling.roll()
    await rolling.sweep()
    (row,) = [row for row in await rows_of(house, vault_key) if row["class"] == "data"]
    key = house.keyring.unwrap("default", row["owner"], "data", tuple(row.values())[4:])
    late = update(vault_key).where(vault_key.c.owner == row["owner"], vault_key.c["class"] == "data")
    wrapped = key.wrapped_by(old.epochs[1], 1)
    await house.cold(lambda tx: tx.execute(late.values(epoch=1, wrapped=wrapped), expect=1))
    await rolling.back_up()
    with pytest.raises(EpochInUse):
        await rolling.finish()
    await house.open()
    await rolling.sweep()
    await rolling.back_up()
    assert await rolling.finish() == [1]
    assert await house.value(token) == "p0@example.org"


async def test_whoever_writes_an_old_wrapping_back_loses_the_race(rolling: Rolling) -> None:
    """A store on another node that read the key before the sweep did must not undo the sweep."""
    house = rolling.house
    ada = await house.person()
    await house.store(ada, email=MAIL)
    row = next(iter(await rows_of(house, vault_key, owner=ada, **{"class": "data"})))
    stale = tuple(row.values())[4:]
    await rolling.roll()
    await rolling.sweep()

    tried = []

    def unit(tx: Tx) -> Work[None]:
        from vault import store

        tried.append(tx)
        if len(tried) == 1:
            tx.put(store.KEY, (ada, "data"), (stale[0] + 1, *stale[1:]), was=stale, bucket=bucket_of("default", ada))
        return
        yield ()

    await house.database.run_alone(house.context(), unit)
    assert len(tried) == 2
    assert {row["epoch"] for row in await rows_of(house, vault_key)} == {2}


async def test_every_step_is_an_entry(rolling: Rolling) -> None:
    house = rolling.house
    await rolling.epochs.rotate(house.database, house.context())
    await rolling.roll()
    await house.database.run_alone(house.context(), rolling.epochs.pause)
    await house.database.run_alone(house.context(), rolling.epochs.resume)
    await rolling.sweep()
    await house.database.run_alone(house.context(), lambda tx: rolling.epochs.enable(tx, 1))
    await house.open()
    await house.database.run_alone(house.context(), rolling.epochs.resume)
    await rolling.sweep()
    await rolling.back_up()
    await rolling.finish()
    leaves = b" ".join(row["entries"] for row in await rows_of(house, audit_outbox))
    for kind in (
        "epoch.made",
        "epoch.activated",
        "roll.paused",
        "roll.resumed",
        "epoch.disabled",
        "epoch.enabled",
        "keys.backed_up",
        "epoch.destroyed",
    ):
        assert f'"vault.{kind}"'.encode() in leaves, kind


async def test_a_data_key_that_is_worn_out_takes_nothing_more(house: House) -> None:
    from vault.keys.wrapped import MOST_SEALS, KeyWorn

    ada = await house.person()
    await house.store(ada, email=MAIL)
    (row,) = await rows_of(house, vault_key, owner=ada, **{"class": LOG})
    assert row["uses"] == 2
    worn = update(vault_key).where(vault_key.c.owner == ada).values(uses=MOST_SEALS)
    await house.cold(lambda tx: tx.execute(worn))
    with pytest.raises(KeyWorn):
        await house.store(ada, email="other@example.org")
