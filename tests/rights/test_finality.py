"""An erasure becomes final when the epoch above its keys is destroyed, or when no backup from before it can be left."""

import json

from freezegun import freeze_time

from audit import verify
from rights import Finals
from sayso.kernel import Jobs, now
from tests.rights.world import World
from vault import Epochs, NewRoll


def payload(jws: str) -> dict[str, object]:
    from base64 import urlsafe_b64decode

    part = jws.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))["certificate"]


def jobs(world: World, horizon: str = "") -> tuple[Epochs, Jobs]:
    epochs = Epochs(world.keyring, world.audit)
    errors: list[Exception] = []
    both = [epochs.job, Finals(world.audit, epochs, horizon).job]
    return epochs, Jobs(world.database, both, alone=True, report=lambda _, error: errors.append(error))


async def work(world: World, worker: Jobs) -> None:
    while await worker.work(world.tenant, at_once=True):
        await world.look(world.keyring.load)


async def test_a_roll_makes_a_certificate_final(world: World, tmp_path) -> None:
    customer = await world.customer()
    request = await world.erase(customer.subject)
    epochs, worker = jobs(world)
    await work(world, worker)
    before = payload(await world.certificate(request))
    assert (before["stage"], before["final"]["epochs"]) == ("shredded", [1])
    await epochs.roll(world.database, world.context(), NewRoll(grace="PT0S"))
    await world.look(world.keyring.load)
    await work(world, worker)
    assert payload(await world.certificate(request))["stage"] == "shredded", "the old epoch is only disabled"
    began = now()
    await world.cold(lambda tx: epochs.backed_up(tx, began))
    assert await epochs.finish(world.database, world.context()) == [1]
    await world.look(world.keyring.load)
    await work(world, worker)
    await world.audit.drain(world.database, world.tenant)
    jws = await world.certificate(request)
    after = payload(jws)
    assert (after["stage"], after["final"]["pending"]) == ("final", "")
    (destroyed,) = after["final"]["destroyed"]
    assert (destroyed["epoch"], destroyed["provider"]) == (1, "sealed-file")
    assert {name: value for name, value in after.items() if name not in ("final", "stage")} == {
        name: value for name, value in before.items() if name not in ("final", "stage")
    }
    path = tmp_path / "certificate"
    path.write_text(jws)
    verdict = verify(path)
    assert verdict.code == 0, verdict.report
    assert "rights.erasure.final" in verdict.report
    assert (await world.types()).count("rights.erasure.final") == 1


async def test_the_horizon_of_backups_makes_it_final_too(world: World) -> None:
    customer = await world.customer()
    request = await world.erase(customer.subject)
    _, worker = jobs(world, "P30D")
    await work(world, worker)
    assert payload(await world.certificate(request))["stage"] == "shredded"
    with freeze_time("2099-01-01", real_asyncio=True):
        await work(world, worker)
    final = payload(await world.certificate(request))
    assert (final["stage"], final["final"]["horizon"]) == ("final", "P30D")


async def test_invoices_outlive_an_erasure_that_must_keep_them_and_stay_readable_after_the_roll(world: World) -> None:
    from rights import LegalGround

    customer = await world.customer()
    tokens = await world.store(customer.subject, invoice="No. 17")
    ground = LegalGround("invoices", "HGB 257", "2032-12-31T00:00:00Z")
    await world.erase(customer.subject, (ground,))
    epochs, worker = jobs(world)
    await epochs.roll(world.database, world.context(), NewRoll(grace="PT0S"))
    await world.look(world.keyring.load)
    await work(world, worker)
    held = await world.look(lambda tx: world.vault.held(tx, customer.subject))
    assert [each.cls for each in held] == ["invoices"]
    row = await world.look(lambda tx: _key(world, tx, customer.subject))
    assert row is not None
    assert tokens
    assert world.keyring.unwrap("default", customer.subject, "invoices", row).version == 1


def _key(world: World, tx, subject: bytes):
    (row,) = yield (world.keyring.read(tx, subject, "invoices"),)
    return row
