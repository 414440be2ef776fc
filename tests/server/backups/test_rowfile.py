"""`data.rows`: what is written is read, and no byte of it may change unnoticed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.server.backups.rowfile import DamagedBackup, Page, Writing, digest_of, pages

values = st.one_of(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=40), st.text(max_size=20), st.none())
some_pages = st.lists(
    st.builds(
        Page,
        st.sampled_from(["consent_person", "audit_tree"]),
        st.just((("tenant", "text"), ("state", "bytes"))),
        st.lists(st.tuples(values, values), max_size=4),
    ),
    max_size=4,
)


def written(path: Path, content: list[Page]) -> Path:
    with Writing(path) as file:
        for page in content:
            file.page(page)
    return path


@given(some_pages)
def test_rows_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, content: list[Page]) -> None:
    path = written(tmp_path_factory.mktemp("rows") / "data.rows", content)
    assert list(pages(path)) == content
    assert path.stat().st_mode & 0o077 == 0


def test_any_damage_is_noticed(tmp_path: Path) -> None:
    rows = [("default", bytes(range(200)))] * 3
    path = written(tmp_path / "data.rows", [Page("one", (("tenant", "text"), ("state", "bytes")), rows)])
    whole = path.read_bytes()
    damaged = [whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :] for place in range(len(whole))]
    for content in [*damaged, b"", whole[:-1], whole[: len(whole) // 2], whole + b"x"]:
        path.write_bytes(content)
        with pytest.raises(DamagedBackup):
            list(pages(path))


def test_half_a_file_is_none(tmp_path: Path) -> None:
    def die() -> None:
        with Writing(tmp_path / "data.rows") as file:
            file.page(Page("one", (), []))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DamagedBackup):
        digest_of(tmp_path / "data.rows")
