"""A root key outside: nothing is served while its provider says no or nothing, nothing is lost, and it comes back."""

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from sayso.server.app import assemble, running
from sayso.server.cli import cli
from sayso.server.running.founding import NewTenant, found
from sayso.server.wiring import wire
from tests.builders.providers import Bao, openbao, softhsm
from tests.server.processes import sayso
from tests.server.worlds import World, settings_for
from vault import OutsideKey, SealedFile, own_folder


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as server:
        yield server


@pytest_asyncio.fixture
async def outside(bao: Bao, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """An installation whose root key lies in OpenBao, and that asks it all the time."""
    monkeypatch.setattr("vault.providers.transit.TIMEOUT_S", 0.3)
    monkeypatch.setattr("sayso.server.running.keykeeping.ASK_EVERY", 0.0)
    monkeypatch.setattr("sayso.server.running.keykeeping.EVERY", 3600.0)
    settings = settings_for(tmp_path, sqlite_url, key_lease=1)
    OutsideKey.create(settings.key_folder, "transit", bao.settings)
    services = wire(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(services))
        made = await found(services, NewTenant("default", "Huangshan & Hale Ltd, Ireland"))
        world = await World(services, assemble(services), stack, made.admin_key).enter()
        await world.smallest()
        yield world


async def store(world: World, subject: str, value: str = "ada@example.org") -> Any:
    body = {"subject": subject, "collection": "customers", "fields": {"email": value}}
    return await world.admin.post("/v1/vault/records", json=body)


async def test_a_provider_that_hangs_is_denied_after_the_lease_and_recovers(outside: World, bao: Bao) -> None:
    keeper = outside.services.key_keeper
    subject = await outside.person()
    token = (await store(outside, subject)).json()["tokens"]["email"]
    await keeper.round()
    os.kill(bao.process.pid, signal.SIGSTOP)
    try:
        await keeper.round()
        assert (await store(outside, subject)).status_code == 201, "within the lease the keys in memory serve"
        keeper._answered["default"] -= 10
        await keeper.round()
        for answer in (await store(outside, subject), await outside.choose(subject)):
            assert answer.status_code == 503, answer.text
            assert answer.json()["type"].endswith("#key-provider-down")
            assert answer.headers["retry-after"] == "5"
        await keeper.round()
        assert (await outside.nobody.get("/health/live")).status_code == 200, "it answers, though the provider does not"
        assert (await outside.nobody.get("/health/ready")).status_code == 503
    finally:
        os.kill(bao.process.pid, signal.SIGCONT)
    await keeper.round()
    assert (await outside.nobody.get("/health/ready")).status_code == 200
    again = await store(outside, subject)
    assert (again.status_code, again.json()["tokens"]["email"]) == (201, token), "nothing was lost"


async def test_a_key_that_is_withdrawn_is_dropped_at_once(outside: World, bao: Bao) -> None:
    keeper = outside.services.key_keeper
    subject = await outside.person()
    before = bao.token_file.read_text()
    bao.token_file.write_text("revoked")
    try:
        await keeper.round()
        answer = await store(outside, subject)
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (503, "key-provider-refuses")
    finally:
        bao.token_file.write_text(before)
    await keeper.round()
    assert (await store(outside, subject)).status_code == 201


async def test_a_brand_brings_its_own_provider_and_loses_nobody_elses(outside: World, bao: Bao, tmp_path: Path) -> None:
    """Their own token in an HSM; ours stays in OpenBao. Theirs is taken away: they are denied, the others are not."""
    with softhsm(tmp_path) as settings:
        keys = outside.services.settings.key_folder
        own = OutsideKey.create(own_folder(keys, "acme"), "pkcs11", settings)
        made = await outside.operator.post("/v1/tenants", json={"name": "acme", "controller": "Acme SA, France"})
        assert made.status_code == 201, made.text
        header = {"sayso-tenant": "acme"}
        listed = (await outside.operator.get("/v1/vault/epochs", headers=header)).json()
        assert [(each["provider"], each["root"]) for each in listed["epochs"]] == [("pkcs11", own.describe().key)]
        own._store.destroy(f"sayso-{own.describe().key}-acme-1", 0)
        await outside.services.key_keeper.round()
        client = await outside.client(made.json()["admin_key"])
        body = {"identifier": {"type": "customer_id", "value": "c"}, "create": True}
        denied = await client.post("/v1/subjects/resolve", json=body)
        assert (denied.status_code, denied.json()["type"].rpartition("#")[2]) == (503, "key-gone")
        assert (await store(outside, await outside.person())).status_code == 201


async def test_a_roll_moves_everything_to_another_provider(tmp_path: Path, sqlite_url: str) -> None:
    """From the sealed file into an HSM, while serving; then the file is needed no more."""
    settings = settings_for(tmp_path, sqlite_url)
    SealedFile.create(settings.key_folder, None)
    async with AsyncExitStack() as stack:
        services = wire(settings)
        await stack.enter_async_context(running(services))
        made = await found(services, NewTenant("default", "Huangshan & Hale Ltd, Ireland"))
        world = await World(services, assemble(services), stack, made.admin_key).enter()
        await world.smallest()
        token = (await store(world, subject := await world.person())).json()["tokens"]["email"]
    with softhsm(tmp_path) as hsm:
        OutsideKey.create(settings.key_folder, "pkcs11", hsm)
        async with AsyncExitStack() as stack:
            services = wire(settings)
            await stack.enter_async_context(running(services))
            world = await World(services, assemble(services), stack, made.admin_key).enter()
            begun = await world.operator.post("/v1/vault/roll", json={"grace": "PT0S"})
            assert begun.status_code == 201, begun.text
            await services.workers.drain()
            await services.configurations.refresh("default")
            listed = (await world.operator.get("/v1/vault/epochs")).json()
            assert [(each["state"], each["provider"]) for each in listed["epochs"]] == [
                ("disabled", "sealed-file"),
                ("active", "pkcs11"),
            ]
            assert listed["roll"]["waits_for"] == "backup"
        (settings.key_folder / "root.key").unlink()
        async with AsyncExitStack() as stack:
            services = wire(settings)
            await stack.enter_async_context(running(services))
            world = await World(services, assemble(services), stack, made.admin_key).enter()
            assert (await store(world, subject)).json()["tokens"]["email"] == token


def test_init_doctor_and_a_wrong_root_key_on_the_command_line(data_dir: Path, bao: Bao) -> None:
    """`sayso init --provider`, what doctor says, and one line when the way leads to another key."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [words[0], "--data", str(data_dir), *words[1:]])

    words = [word for name, value in bao.settings.items() for word in ("--with", f"{name}={value}")]
    missing = run("init", "--provider", "transit", *words[:2])
    assert "token_file" in str(missing.exception)
    done = run("init", "--provider", "transit", *words)
    assert done.exit_code == 0, done.exception
    keys = data_dir.with_name("data.keys")
    assert not (keys / "root.key").exists()
    doctor = run("doctor")
    assert doctor.exit_code == 0, doctor.output
    assert "lies in transit, which answers" in doctor.output
    filed = json.loads((keys / "provider.json").read_text())
    (keys / "provider.json").write_text(json.dumps(filed | {"name": "0" * 16}))
    wrong = sayso("serve", "--data", data_dir, "--port", "0")
    assert wrong.returncode == 1
    assert len(wrong.stderr.strip().splitlines()) == 1, wrong.stderr
    assert filed["name"] in wrong.stderr
    doctor = run("doctor")
    assert doctor.exit_code == 1
    assert "FAIL  root key" in doctor.output
