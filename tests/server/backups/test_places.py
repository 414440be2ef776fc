"""Where a backup may lie, and what is told of a restore before anything is done."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Lost
from sayso.migrations import every_table
from sayso.server.backups.making import demand_places
from sayso.server.backups.settling import copy_of, nothing_followed
from sayso.server.backups.store import KEY_TABLES, MOMENTARY
from sayso.server.logkeeping.after_loss import Doubted, both, bounded
from sayso.server.running.precautions import FileExists, KeysBesideData, demand_apart
from sayso.server.settings import Settings


@pytest.mark.parametrize(
    ("out", "keys"),
    [
        ("data/b", "k"),
        ("b", "data/k"),
        ("b", "data.keys/k"),
        ("data.keys/b", "k"),
        ("b", "b"),
        ("b/inner", "b"),
        ("b", "b/k"),
        ("data", "k"),
    ],
)
def test_data_and_keys_never_lie_in_each_other(tmp_path: Path, out: str, keys: str) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    with pytest.raises(KeysBesideData):
        demand_places(settings, tmp_path / out, tmp_path / keys)
    demand_places(settings, tmp_path / "b", tmp_path / "k")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    (tmp_path / "b").mkdir()
    demand_places(settings, tmp_path / "b", tmp_path / "k")
    (tmp_path / "b" / "file").touch()
    for out, keys in (("b", "k"), ("c", "b"), ("b/file", "k")):
        with pytest.raises(FileExists):
            demand_places(settings, tmp_path / out, tmp_path / keys)


@pytest.mark.parametrize(
    "place", ["data/deep/default.keytable", "data/root.key", "keys/old/data.rows", "keys/sayso.db"]
)
def test_a_store_does_not_serve_with_keys_among_data_or_data_among_keys(tmp_path: Path, place: str) -> None:
    demand_apart(tmp_path / "data", tmp_path / "keys")
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).touch()
    with pytest.raises(KeysBesideData):
        demand_apart(tmp_path / "data", tmp_path / "keys")


def test_every_table_of_keys_is_left_out() -> None:
    tables = every_table().tables
    assert tables.keys() >= KEY_TABLES | MOMENTARY
    # A wrapped key, whatever table a later release puts it into, has a column of this name.
    assert {name for name, table in tables.items() if "wrapped" in table.c} <= KEY_TABLES


@given(st.booleans(), st.integers(0, 3), st.integers(0, 2), st.one_of(st.none(), st.integers(0, 6)))
def test_nobody_is_in_doubt_only_when_nothing_can_have_followed(
    alone: bool, size: int, grown: int, anchored: int | None
) -> None:
    assert nothing_followed(alone, (size, size + grown), anchored, complete=True)
    known = anchored in range(size, size + grown + 1)
    assert nothing_followed(alone, (size, size + grown), anchored, complete=False) == (alone and known)
    assert nothing_followed(alone, (size, size), anchored, complete=False) == (alone and anchored == size)


def lost(*types: str) -> Lost:
    from audit import Leaf
    from audit.leaf.entry import Commitments, Tags

    def leaf(kind: str) -> Any:
        told = {"id": "ent_1", "n": b"", "org": "o", "out": "ok", "res": {}, "src": "n", "ts": 1, "type": kind, "v": 1}
        return Leaf(actor_class="service", c=Commitments(), t=Tags(), **told)

    return Lost("main", 7, 1, {}, [leaf(kind) for kind in types])


def test_a_copy_bounds_a_loss_only_when_it_is_known_to_be_the_last() -> None:
    said = lost("consent.choice.withdrawn")
    assert bounded(said, 7, complete=False)
    assert not bounded(said, 8, complete=False)
    assert not bounded(said, None, complete=False)
    assert bounded(said, None, complete=True)
    assert bounded(said, 6, complete=True)
    # The anchor outlived what was answered after the copy, whatever anybody says.
    assert not bounded(said, 8, complete=True)
    # A restore that was itself lost had put people in doubt whom its entry does not name.
    assert not bounded(lost("consent.person.unsure"), 7, complete=True)


def test_copies_lie_as_they_are_published_or_as_they_are_exported(tmp_path: Path) -> None:
    assert copy_of(None, "default", "main") is None
    assert copy_of(tmp_path, "default", "main") is None
    for place in (".", "logs/access", "acme.main"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "checkpoint").touch()
    assert copy_of(tmp_path, "default", "main") == tmp_path
    assert copy_of(tmp_path, "default", "access") == tmp_path / "logs" / "access"
    assert copy_of(tmp_path, "default", "consent") is None
    assert copy_of(tmp_path, "acme", "main") == tmp_path / "acme.main"


def test_what_came_of_two_logs_is_told_as_one() -> None:
    nobody, some = Doubted("nobody"), Doubted("touched", 2, {"consent.choice.withdrawn": 1}, "2026-01-01T00:00:00Z")
    everybody = Doubted("everybody", 7)
    assert both(nobody, some) == both(some, nobody) == some
    assert both(some, some) == Doubted("touched", 4, {"consent.choice.withdrawn": 2}, "2026-01-01T00:00:00Z")
    told = both(some, everybody)
    assert (told.extent, told.people, told.lost) == ("everybody", 7, some.lost)
