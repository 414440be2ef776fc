"""The log on a shelf: what lies there is always whole, whatever ends the publisher; what contradicts it is noticed."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from audit import Head, LogForked, PublishedAltered, Publisher, Shelf, ShelfUnusable, verify
from audit.exports.publishing import Directory
from audit.tlog.checkpoint import Checkpoint
from sayso.server.logkeeping.publishing import Bucket
from tests.audit.builders import TENANT, Store, context

FOLDER = "default.main"


class Fixed:
    """A publisher with what it observed."""

    def __init__(self, store: Store, shelf: Shelf, *, entries: bool = True) -> None:
        self.store = store
        self.observed: list[Head] = []
        self.publisher = Publisher(shelf, lambda _tenant, _log, head: self.observed.append(head), entries=entries)

    async def grow(self, count: int) -> int | None:
        await self.store.fill(count)
        await self.store.log.drain(self.store.database, TENANT)
        return await self.round()

    async def round(self) -> int | None:
        keys = await self.store.look(lambda tx: self.store.log.keys(tx))
        return await self.publisher.round(self.store.database, context(), "main", keys)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="published")
        yield Bucket(client, "published", "brand/")


def mirrored(bucket: Bucket, folder: Path) -> dict[str, Any]:
    """The bucket as a directory; returns the heads of its objects."""
    client, heads = bucket._client, {}
    for each in client.list_objects_v2(Bucket="published")["Contents"]:
        found = client.get_object(Bucket="published", Key=each["Key"])
        file = folder / each["Key"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(found["Body"].read())
        heads[each["Key"]] = found
    return heads


async def test_a_published_directory_verifies_after_every_round(store: Store, tmp_path: Path) -> None:
    fixed = Fixed(store, Directory(tmp_path / "www"))
    total = 0
    for count in (1, 300, 5, 251, 3):
        total += count
        assert await fixed.grow(count) == total
        verdict = verify(tmp_path / "www" / FOLDER, None)
        assert verdict.code == 0, verdict.report
    assert await fixed.round() is None
    # Narrower tiles go once the full one is there; a fresh process goes on where the shelf stands.
    kept = sorted(path.relative_to(tmp_path / "www" / FOLDER).as_posix() for path in (tmp_path / "www").rglob("000.p"))
    assert kept == ["tile/1/000.p"]
    assert await Fixed(store, Directory(tmp_path / "www")).grow(1) == total + 1
    assert verify(tmp_path / "www" / FOLDER, None).code == 0


async def test_without_entries_only_hashes_are_published(sqlite_store: Store, tmp_path: Path) -> None:
    await Fixed(sqlite_store, Directory(tmp_path / "www"), entries=False).grow(300)
    assert not (tmp_path / "www" / FOLDER / "tile/entries").exists()
    assert (tmp_path / "www" / FOLDER / "tile/0/000").stat().st_size == 256 * 32


async def test_a_bucket_gets_the_same_with_cache_headers(sqlite_store: Store, bucket: Bucket, tmp_path: Path) -> None:
    fixed = Fixed(sqlite_store, bucket)
    for count in (200, 100, 1):
        await fixed.grow(count)
    heads = mirrored(bucket, tmp_path)
    verdict = verify(tmp_path / "brand" / FOLDER, None)
    assert verdict.code == 0, verdict.report
    for name, head in heads.items():
        tile = "/tile/" in name
        assert ("immutable" in head["CacheControl"]) == tile, name
        assert head["ContentType"].startswith("application/octet-stream" if tile else "text/plain"), name
    assert not any("/000.p/" in name and "/tile/1/" not in name for name in heads)


async def test_a_bucket_that_is_away_stops_publishing_only(sqlite_store: Store, bucket: Bucket) -> None:
    bucket._client.delete_bucket(Bucket="published")
    fixed = Fixed(sqlite_store, bucket)
    with pytest.raises(ShelfUnusable):
        await fixed.grow(3)
    await sqlite_store.append()
    assert await sqlite_store.log.drain(sqlite_store.database, TENANT) == 4
    bucket._client.create_bucket(Bucket="published")
    assert await fixed.round() == 4


class Dying:
    """A shelf whose machine loses power at the nth write."""

    def __init__(self, shelf: Shelf, last: int) -> None:
        self._shelf = shelf
        self._left = last
        self.get, self.drop = shelf.get, shelf.drop

    async def put(self, name: str, content: bytes, media_type: str, cache: str) -> None:
        if not self._left:
            raise ShelfUnusable
        self._left -= 1
        await self._shelf.put(name, content, media_type, cache)


async def test_ended_after_any_write_the_older_checkpoint_still_holds(sqlite_store: Store, tmp_path: Path) -> None:
    shelf = Directory(tmp_path / "www")
    await Fixed(sqlite_store, shelf).grow(250)
    last, done = 0, None
    await sqlite_store.fill(300)
    await sqlite_store.log.drain(sqlite_store.database, TENANT)
    while done is None:
        try:
            done = await Fixed(sqlite_store, Dying(shelf, last)).round()
        except ShelfUnusable:
            held = Checkpoint.parse((tmp_path / "www" / FOLDER / "checkpoint").read_text().split("\n\n")[0] + "\n")
            assert held.size == 250
        last += 1
    assert done == 550
    assert last > 5
    assert verify(tmp_path / "www" / FOLDER, None).code == 0


@pytest.mark.parametrize("call", ["fsync", "replace"])
async def test_a_disk_that_fails_leaves_no_half_file(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    fixed = Fixed(sqlite_store, Directory(tmp_path / "www"))
    await fixed.grow(20)
    await sqlite_store.fill(5)
    await sqlite_store.log.drain(sqlite_store.database, TENANT)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as broken:
        if call == "fsync":
            broken.setattr(os, "fsync", full)
        else:
            broken.setattr(Path, "replace", full)
        with pytest.raises(ShelfUnusable):
            await fixed.round()
    assert b"\n20\n" in (tmp_path / "www" / FOLDER / "checkpoint").read_bytes()
    assert await fixed.round() == 25
    assert verify(tmp_path / "www" / FOLDER, None).code == 0


async def test_a_copy_of_another_history_is_a_fork(sqlite_store: Store, tmp_path: Path) -> None:
    store, fixed = sqlite_store, Fixed(sqlite_store, Directory(tmp_path / "www"))
    await fixed.grow(10)
    key = await store.look(lambda tx: store.log.vkey(tx))
    file = tmp_path / "www" / FOLDER / "checkpoint"
    for size in (7, 10, 99):
        note = Checkpoint(key.name, size, bytes(32)).sign(key, lambda text: store.signer.sign(TENANT, "log", text))
        file.write_bytes(note)
        with pytest.raises(LogForked, match="published copy"):
            await fixed.grow(1)
        assert fixed.observed.pop() == Head(size, bytes(32), "the published copy")
        keys = await store.look(lambda tx: store.log.keys(tx))
        assert await fixed.publisher.remembered(TENANT, "main", keys) == Head(size, bytes(32), "the published copy")


async def test_what_others_put_there_is_an_alarm_and_stays(sqlite_store: Store, tmp_path: Path) -> None:
    store, fixed = sqlite_store, Fixed(sqlite_store, Directory(tmp_path / "www"))
    await fixed.grow(300)
    folder = tmp_path / "www" / FOLDER
    held = (folder / "checkpoint").read_bytes()
    for altered in (b"", held[:-4], held.replace(b"300", b"301"), b"hello"):
        (folder / "checkpoint").write_bytes(altered)
        with pytest.raises(PublishedAltered):
            await fixed.grow(1)
        keys = await store.look(lambda tx: store.log.keys(tx))
        assert await fixed.publisher.remembered(TENANT, "main", keys) is None
        assert (folder / "checkpoint").read_bytes() == altered
    # Begun anew from nothing, each full tile is compared.
    (folder / "checkpoint").unlink()
    tile = (folder / "tile/0/000").read_bytes()
    for at in (0, 100, len(tile) - 1):
        (folder / "tile/0/000").write_bytes(tile[:at] + bytes([tile[at] ^ 1]) + tile[at + 1 :])
        with pytest.raises(PublishedAltered):
            await fixed.round()
    (folder / "tile/0/000").write_bytes(tile)
    assert await fixed.round() == 304
    assert verify(folder, None).code == 0
