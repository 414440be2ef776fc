"""The published copy as an operator has it: settings, the loop, the guard at the start."""

import shutil
import sys
from pathlib import Path

import pytest

from audit import AuditEvent, AuditLog, verify
from sayso.kernel import SYSTEM, Context, Invalid, Tx, Work, now
from sayso.server import events
from sayso.server.app import running
from sayso.server.logkeeping.publishing import Bucket, shelf_of
from sayso.server.wiring import wire
from tests.server.worlds import a_world, settings_for


def context() -> Context:
    return Context("default", SYSTEM, now(), "test")


def an_entry(log: AuditLog, tx: Tx) -> Work[str]:
    yield ()
    return log.append(tx, AuditEvent(events.CONSOLE_OPENED, "ok", {}), None)


async def test_a_restored_backup_is_noticed_by_the_published_copy_alone(tmp_path: Path, sqlite_url: str) -> None:
    www = tmp_path / "www"
    async with a_world(tmp_path, sqlite_url, publish_to=str(www), publish_every=3600, publish_entries=True) as world:
        await world.smallest()
        await world.services.settle()
    backup = shutil.copyfile(tmp_path / "sayso.db", tmp_path / "backup.db")
    settings = settings_for(tmp_path, sqlite_url, publish_to=str(www), publish_every=3600, publish_entries=True)
    # A node that goes on, and publishes what it adds.
    async with running(again := wire(settings)):
        await again.database.run_alone(context(), lambda tx: an_entry(again.audit, tx))
        await again.settle()
        await again.publishing.round()
    assert verify(www / "default.main", None).code == 0
    # The backup comes back, and the key folder's anchor with it was lost.
    shutil.copyfile(backup, tmp_path / "sayso.db")
    (tmp_path / "keys" / "anchor").unlink()
    async with running(restored := wire(settings)):
        assert restored.audit.pressure.forked == 1
        mended = await restored.audit.replay(restored.database, context(), www / "default.main")
        assert mended.sound
        assert restored.audit.pressure.forked == 0


def test_a_bucket_is_named_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(tmp_path, "sqlite:////unused", publish_to="s3://bucket/a/b", publish_region="eu-west-1")
    shelf = shelf_of(settings)
    assert isinstance(shelf, Bucket)
    assert (shelf._bucket, shelf._prefix) == ("bucket", "a/b/")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(Invalid, match=r"sayso\[s3\]"):
        shelf_of(settings)
