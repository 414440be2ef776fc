"""What people and services meet when the log contradicts what was signed, and how an operator lets it go on."""

import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from audit import LogForked
from tests.server.processes import initialised, sayso
from tests.server.worlds import World, until


def seen(folder: Path, size: int) -> None:
    """As a backup that was restored: the anchor holds a head that the database never had."""
    with (folder / "keys" / "anchor").open("a") as anchor:
        anchor.write(f"default.main {size} {b64encode(bytes(32)).decode()}\n")


async def test_a_forked_log_stops_changes_and_permits_until_it_is_recovered(lite: World, tmp_path: Path) -> None:
    await lite.smallest()
    subject = await lite.person()
    assert (await lite.choose(subject)).status_code == 201
    await lite.services.settle()
    seen(tmp_path, 9_999)
    await lite.person("c-2")

    async def noticed() -> bool:
        return (await lite.choose(subject)).status_code != 201

    await until(noticed)
    refused = await lite.choose(subject)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "600"
    assert refused.json()["type"].endswith("#log-forked")
    question = {
        "subject": {"type": "service", "id": "first-admin"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    assert (await lite.admin.post("/access/v1/evaluation", json=question)).status_code == 503
    # Reading goes on.
    assert (await lite.admin.get(f"/v1/subjects/{subject}/consents")).status_code == 200
    assert (await lite.nobody.get("/log/default.main/checkpoint")).status_code == 200
    assert b"sayso_log_forked 1.0" in (await lite.admin.get("/metrics")).content

    standing = (await lite.operator.get("/v1/audit/recovery")).json()
    assert (standing["sound"], standing["contradicts"], standing["seen"]) == (False, "the anchor file", 9_999)
    missing = await lite.operator.post("/v1/audit/recovery", json={"copy": str(tmp_path / "nothing")})
    assert (missing.status_code, missing.json()["type"]) == (409, "/docs/problems#recovery-refused")
    done = await lite.operator.post("/v1/audit/recovery", json={})
    assert done.status_code == 200, done.text
    assert done.json()["origin"] == "test.example/log/default.main-e2"
    # Nobody knows what was said in the entries that are lost: whoever said yes before is asked again.
    assert (done.json()["doubted"]["extent"], done.json()["doubted"]["people"]) == ("everybody", 2)
    found = (await lite.admin.get(f"/v1/subjects/{subject}/consents")).json()
    assert found["purposes"]["marketing.email"]["status"] == "stale"
    assert (await lite.choose(subject)).status_code == 201
    await lite.services.settle()
    assert (await lite.nobody.get("/log/default.main-e2/checkpoint")).status_code == 200
    names = [log["log"] for log in (await lite.admin.get("/v1/audit/logs")).json()["logs"]]
    assert names == ["default.main", "default.main-e2"]


async def test_only_the_local_operator_recovers(lite: World) -> None:
    for call in (lite.admin.get("/v1/audit/recovery"), lite.admin.post("/v1/audit/recovery", json={})):
        assert (await call).status_code == 403


async def test_a_start_on_a_forked_log_permits_nothing_from_the_first_moment(lite: World, tmp_path: Path) -> None:
    await lite.smallest()
    await lite.services.settle()
    seen(tmp_path, 9_999)
    await lite.services.check_logs()
    assert lite.services.audit.pressure.forked == 1
    with pytest.raises(LogForked, match="the anchor file"):
        lite.services.audit.pressure.demand("default")


def test_an_operator_recovers_after_a_restore(data_dir: Path) -> None:
    initialised(data_dir)
    store, backup, out = data_dir / "sayso.db", data_dir.with_name("backup.db"), data_dir.with_name("out")
    shutil.copyfile(store, backup)
    assert sayso("keys", "create", "shop", "--role", "recorder", "--data", data_dir).returncode == 0
    assert sayso("audit", "export", "--data", data_dir, "--out", out).returncode == 0
    for name in ("sayso.db-wal", "sayso.db-shm"):
        (data_dir / name).unlink(missing_ok=True)
    shutil.copyfile(backup, store)
    standing = sayso("audit", "recover", "--data", data_dir)
    assert standing.returncode == 1, standing.stderr
    assert "It contradicts the anchor file" in standing.stdout
    done = sayso("audit", "recover", "--data", data_dir, "--from", out)
    assert done.returncode == 0, done.stderr
    assert "all that was seen of it is in it" in done.stdout
