"""Checkpoints stamped by a time-stamp authority, as bundles carry them and verifiers and OpenSSL read them."""

import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from freezegun import freeze_time

from audit import TimestampRefused, verify
from sayso.kernel import Invalid, now, to_datetime
from sayso.server.wiring import wire
from tests.builders.authority import Authority
from tests.server.test_exports import busy, fetched, made
from tests.server.worlds import World, a_world, settings_for
from vault import SealedFile


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with Authority(tmp_path / "authority") as made:
        yield made


@pytest_asyncio.fixture
async def stamped(authority: Authority, tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    more = {"timestamp_url": authority.url, "timestamp_roots": str(authority.root)}
    async with a_world(tmp_path, sqlite_url, **more) as world:
        yield world


async def bundle_of(world: World, export: str, folder: Path) -> Path:
    """The bundle, unpacked."""
    with zipfile.ZipFile(io.BytesIO(await fetched(world.admin, export))) as held:
        held.extractall(folder)
    return folder


async def test_a_bundle_carries_the_stamp_that_says_most(stamped: World, authority: Authority, tmp_path: Path) -> None:
    people = await busy(stamped)
    await stamped.services.settle()
    await stamped.services.timestamps.round()
    await stamped.services.timestamps.round()
    assert authority.asked == 1, "one a day"
    assert 0 < stamped.services.timestamps.age < 60
    assert (await stamped.choose(people[0], choices={"marketing.email": "refused"})).status_code == 201
    export = await made(stamped, stamped.admin, format="bundle")

    folder = await bundle_of(stamped, export, tmp_path / "before")
    verdict = verify(folder)
    assert verdict.code == 0, verdict.report
    assert "entries here below index" in verdict.report
    assert authority.verifies(folder / "stamped/timestamp.tsr", folder / "stamped/checkpoint")

    # A stamp of a later day, by another key of the log, covers all of it.
    assert (await stamped.admin.post("/v1/audit/keys/rotations", json={"after": "PT1H"})).status_code == 201
    with freeze_time(to_datetime(now()) + timedelta(days=1), real_asyncio=True):
        admin = await stamped.key("admin-2", "admin")
        await stamped.person("c-99")
        await stamped.services.settle()
        await stamped.services.timestamps.round()
        assert authority.asked == 2
        folder = await bundle_of(stamped, export, tmp_path / "after")
        trust = tmp_path / "trust.json"
        trust.write_bytes((await admin.get("/v1/audit/keys")).content)
    for keys in (None, trust):
        verdict = verify(folder, keys)
        assert verdict.code == 0, verdict.report
    assert "all entries here were in the log by then" in verdict.report
    assert "NOT CHECKED: whether the time-stamp authority signed that" in verdict.report


async def test_an_authority_that_answers_with_anything_else_is_not_believed(
    stamped: World, authority: Authority, tmp_path: Path
) -> None:
    await busy(stamped)
    await stamped.services.settle()
    with Authority(tmp_path / "another") as another:
        query = authority.folder / "foreign.tsq"
        authority._openssl("ts", "-query", "-data", str(authority.root), "-sha256", "-cert", "-out", str(query))
        foreign, older = another.stamp(query.read_bytes()), authority.stamp(query.read_bytes())
    for answer in ((500, b""), (200, b""), (200, b"0" * 70_000), (200, foreign), (200, older), (302, b"")):
        authority.answer = answer
        with pytest.raises(TimestampRefused):
            await stamped.services.timestamps.round()
    authority.answer = None
    await stamped.services.timestamps.round()


def test_settings_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "roots").write_text("none")
    SealedFile.create(settings_for(tmp_path, "sqlite:////unused").key_folder, None)
    for roots in ("", str(tmp_path / "roots"), str(tmp_path / "nothing")):
        settings = settings_for(tmp_path, "sqlite:////unused", timestamp_url="http://x.example", timestamp_roots=roots)
        with pytest.raises(Invalid, match="timestamp_roots"):
            wire(settings)
