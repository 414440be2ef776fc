"""The store of every release, on both databases, brought up to this one: what people said and the log as they were."""

import asyncio
import json
import lzma
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit import verify
from sayso.migrations import current, newest
from sayso.server.app import assemble, running
from sayso.server.backups.putting_back import put_back
from sayso.server.backups.settling import Ways
from sayso.server.cli import cli
from sayso.server.settings import Settings, load
from sayso.server.wiring import wire
from tests.builders.postgres import PostgresServer
from tests.server.worlds import World

RELEASES = sorted(path for path in Path(__file__).parent.iterdir() if (path / "store.db.xz").exists())


def laid(golden: Path, folder: Path) -> Settings:
    """The embedded store as the release left it."""
    data = folder / "data"
    data.mkdir(0o700)
    (data / "sayso.db").write_bytes(lzma.decompress((golden / "store.db.xz").read_bytes()))
    shutil.copyfile(golden / "sayso.toml", data / "sayso.toml")
    return with_keys(golden, folder)


def with_keys(golden: Path, folder: Path) -> Settings:
    keys = shutil.copytree(golden / "keys", folder / "data.keys")
    keys.chmod(0o700)
    for path in keys.iterdir():
        path.chmod(0o600)
    return load(folder / "data", {})


async def as_it_was(settings: Settings, golden: Path, out: Path) -> None:
    told = json.loads((golden / "told.json").read_text())
    services = wire(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(services))
        world = await World(services, assemble(services), stack, told["admin"]).enter()
        sender = await world.client(told["sender"])
        for name, status, allowed in (("ada", "granted", True), ("cid", "withdrawn", False)):
            state = (await world.admin.get(f"/v1/subjects/{told[name]}/consents")).json()
            assert state["purposes"]["news"]["status"] == status
            question = {
                "subject": {"type": "service", "id": "sender"},
                "action": {"name": "use"},
                "resource": {"type": "contact.email", "id": told[name]},
                "context": {"purpose": "news"},
            }
            assert (await sender.post("/access/v1/evaluation", json=question)).json()["decision"] is allowed
        body = {"items": [{"token": told["token"]}], "purpose": "news", "reason": "news"}
        (shown,) = (await sender.post("/v1/vault/reveal", json=body)).json()["results"]
        assert shown["value"] == "ada@example.org"
        await services.settle()
        assert await services.audit.export(services.database, "default", out) > 5
    assert verify(out, None).code == 0


def test_this_release_has_its_golden_store() -> None:
    from sayso import __version__

    assert __version__ in [path.name for path in RELEASES], "run python -m tests.golden"


@pytest.mark.parametrize("golden", RELEASES, ids=lambda path: path.name)
def test_an_embedded_store_of_the_release_is_upgraded(golden: Path, tmp_path: Path) -> None:
    settings = laid(golden, tmp_path)
    done = CliRunner().invoke(cli, ["upgrade", "--data", settings.data, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["after"] == newest() == current(settings.database_url)
    asyncio.run(as_it_was(settings, golden, tmp_path / "log"))


@pytest.mark.parametrize("golden", RELEASES, ids=lambda path: path.name)
def test_a_backup_of_the_release_goes_into_postgresql(
    golden: Path, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    with_keys(golden, tmp_path)
    settings = load(tmp_path / "data", {}, database=postgres_server.create(f"golden_{golden.name.replace('.', '_')}"))
    done = put_back(settings, None, golden / "backup", golden / "tables", Ways())
    assert done.brands["default"].doubted.extent == "nobody"
    assert current(settings.database_url) == newest()
    asyncio.run(as_it_was(load(tmp_path / "data", {}), golden, tmp_path / "log"))
