"""The exported directory: complete, nothing but the log, and written again over itself."""

import asyncio
from pathlib import Path

import pytest

from audit import ExportRefused, verify
from audit.tlog.tiles import path
from sayso.kernel import Unavailable
from tests.audit.builders import TENANT, Store
from tests.audit.directories import all_places, files_of


async def exported(store: Store, out: Path) -> int:
    return await store.log.export(store.database, TENANT, out)


async def test_an_export_holds_the_log_and_nothing_else(store: Store, tmp_path: Path) -> None:
    await store.fill(600)
    await store.log.drain(store.database, TENANT)
    seen: list[tuple[int, int]] = []
    out = tmp_path / "a" / "out"
    size = await store.log.export(
        store.database, TENANT, out, progress=lambda done, everything: seen.append((done, everything))
    )
    assert size == 600
    assert seen[-1] == (7, 7)
    expected = {"checkpoint", "vkey", *(path(place) for place in all_places(600))}
    assert {file.relative_to(out).as_posix() for file in files_of(out)} == expected
    verdict = verify(out)
    assert verdict.code == 0, verdict.report
    note = await store.look(lambda tx: store.log.checkpoint(tx))
    assert (out / "checkpoint").read_bytes() == note
    for place in all_places(600):
        tile = await store.look(lambda tx, place=place: store.log.tile(tx, path(place)))  # type: ignore[misc]
        assert (out / path(place)).read_bytes() == tile


async def test_an_empty_log_can_be_exported(sqlite_store: Store, tmp_path: Path) -> None:
    await sqlite_store.log.drain(sqlite_store.database, TENANT)
    assert await exported(sqlite_store, tmp_path / "out") == 0
    assert {file.name for file in files_of(tmp_path / "out")} == {"checkpoint", "vkey"}
    assert verify(tmp_path / "out").code == 0


async def test_a_second_export_replaces_the_right_edge_and_keeps_the_rest(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for count, size in ((300, 300), (10, 310), (0, 310), (500, 810)):
        await store.fill(count)
        await store.log.drain(store.database, TENANT)
        assert await exported(store, out) == size
        assert {file.relative_to(out).as_posix() for file in files_of(out)} == {
            "checkpoint",
            "vkey",
            *(path(place) for place in all_places(size)),
        }
        assert verify(out).code == 0


async def test_an_export_that_was_cut_off_is_finished_by_the_next(sqlite_store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await sqlite_store.fill(600)
    await sqlite_store.log.drain(sqlite_store.database, TENANT)
    await exported(sqlite_store, out)
    for file in files_of(out):
        held = file.read_bytes()
        file.write_bytes(held[: len(held) // 2]) if file.name not in ("checkpoint", "vkey") else file.unlink()
        await exported(sqlite_store, out)
        assert verify(out).code == 0


async def test_what_is_not_an_export_of_this_log_is_left_alone(sqlite_store: Store, tmp_path: Path) -> None:
    store = sqlite_store
    await store.fill(3)
    await store.log.drain(store.database, TENANT)
    await store.append(tenant="other")
    await store.log.drain(store.database, "other")

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("dear")
    file = tmp_path / "file"
    file.write_text("")
    theirs = tmp_path / "theirs"
    await store.log.export(store.database, "other", theirs)
    tampered = tmp_path / "tampered"
    await exported(store, tampered)
    tile = tampered / "tile/0/000.p/3"
    tile.write_bytes(bytes(96))
    for folder in (foreign, file, theirs, tampered):
        before = {file: file.read_bytes() for file in files_of(folder)} if folder.is_dir() else {}
        with pytest.raises(ExportRefused):
            await exported(store, folder)
        assert {file: file.read_bytes() for file in files_of(folder)} == before or not folder.is_dir()


async def test_a_longer_export_is_not_shortened_by_a_restored_database(sqlite_store: Store, tmp_path: Path) -> None:
    from tests.audit.directories import some_entries, write_directory

    store = sqlite_store
    await store.fill(3)
    await store.log.drain(store.database, TENANT)
    out = write_directory(tmp_path / "out", some_entries(10))
    with pytest.raises(ExportRefused, match="longer"):
        await exported(store, out)
    assert verify(out).code == 0


async def test_an_export_beside_a_running_integrator_holds_all_that_was_committed_before(
    store: Store, tmp_path: Path
) -> None:
    stopping = asyncio.Event()

    async def serve() -> None:
        while not stopping.is_set():
            await store.log.integrate(store.database, TENANT, batch=50)
            await asyncio.sleep(0.02)

    integrator = asyncio.ensure_future(serve())
    try:
        for number in range(1, 4):
            entries = await store.fill(150)
            size = await exported(store, tmp_path / "out")
            assert size >= 150 * number
            assert verify(tmp_path / "out").code == 0
            leaves = b"".join(
                file.read_bytes() for file in (tmp_path / "out/tile/entries").rglob("*") if file.is_file()
            )
            assert all(entry.encode() in leaves for entry in entries)
    finally:
        stopping.set()
        await integrator


async def test_without_an_integrator_an_export_says_so(sqlite_store: Store, tmp_path: Path) -> None:
    await sqlite_store.fill(1)
    with pytest.raises(Unavailable, match="integrator"):
        await sqlite_store.log.export(sqlite_store.database, TENANT, tmp_path / "out", patience_s=0.2)
