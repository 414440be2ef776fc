"""A second opinion in another language: golang.org/x/mod's note and tlog read what we export."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from audit.tlog.merkle import inclusion_plan, leaf_hash, prove
from audit.tlog.tiles import TileReader, grow, root
from tests.audit.builders import TENANT, Store
from tests.audit.directories import some_entries, write_directory


def ask(oracle: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([oracle, folder], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600, 65_536 + 300])
def test_another_implementation_agrees_on_root_and_proofs(oracle: Path, size: int, tmp_path: Path) -> None:
    entries = some_entries(size)
    answer = ask(oracle, write_directory(tmp_path / "log", entries))
    assert answer.returncode == 0, answer.stderr
    tiles = grow(0, {}, [leaf_hash(entry) for entry in entries])
    assert answer.stdout == f"{size} {b64encode(root(size, tiles)).decode()}\n"
    for line in answer.stderr.splitlines():
        index, *hashes = line.split(" ")
        assert prove(inclusion_plan(int(index), size), TileReader(tiles)) == [b64decode(value) for value in hashes]


def test_another_implementation_refuses_damage(oracle: Path, tmp_path: Path) -> None:
    folder = write_directory(tmp_path / "log", some_entries(300))
    for name in ("checkpoint", "vkey", "tile/0/000", "tile/entries/000", "tile/entries/001.p/44", "tile/1/000.p/1"):
        held = (folder / name).read_bytes()
        (folder / name).write_bytes(
            held[:40] + bytes([held[40 % len(held)] ^ 1]) + held[41:] if len(held) > 41 else b""
        )
        assert ask(oracle, folder).returncode != 0, name
        (folder / name).write_bytes(held)
    assert ask(oracle, folder).returncode == 0


async def test_another_implementation_accepts_an_export(oracle: Path, store: Store, tmp_path: Path) -> None:
    await store.fill(700)
    await store.log.drain(store.database, TENANT)
    await store.log.export(store.database, TENANT, tmp_path / "out")
    answer = ask(oracle, tmp_path / "out")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("700 ")
