"""Compressed answers: what comes out is what went in, whatever stands in the gap."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.server.packing import accepts_gzip, gapped
from sayso.server.pages import STATIC, assets
from tests.server.worlds import World

TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=400).map(lambda text: text.encode(errors="replace"))


@given(st.lists(TEXTS, max_size=4), TEXTS, st.binary(min_size=1, max_size=200))
def test_a_file_with_its_gap_filled_is_a_gzip_file_of_the_whole(parts: list[bytes], after: bytes, gap: bytes) -> None:
    made = gapped(tuple(parts), after * 3, len(gap))
    assert gzip.decompress(made.filled(gap)) == b"".join(parts) + gap + after * 3


def test_what_follows_the_gap_is_found_in_what_stands_before_it() -> None:
    before = bytes(range(1, 256)) * 4
    made = gapped((before,), before, 90)
    assert len(made.tail) < 40
    assert gzip.decompress(made.filled(b"t" * 90)) == before + b"t" * 90 + before


def test_the_length_says_nothing_of_what_stands_in_the_gap() -> None:
    made = gapped((b"token: abcabcabc ",), b" abcabcabc", 9)
    assert len(made.filled(b"abcabcabc")) == len(made.filled(b"q7fT-2xZk"))


def test_a_damaged_file_is_noticed() -> None:
    made = bytearray(gapped((b"one",), b"two", 3).filled(b"gap"))
    made[-5] ^= 1
    with pytest.raises((gzip.BadGzipFile, zlib.error)):
        gzip.decompress(bytes(made))


@pytest.mark.parametrize(
    ("header", "takes"),
    [(b"gzip, deflate, br", True), (b"GZIP ; q=0.1", True), (b"gzip; q=0", False), (b"br;q=1", False), (b"", False)],
)
def test_only_who_takes_gzip_gets_it(header: bytes, takes: bool) -> None:
    assert accepts_gzip(header) is takes


async def test_built_files_leave_compressed_where_that_makes_them_shorter(lite: World) -> None:
    for name, shorter in (("site.css", True), ("site.js", True), ("inter.woff2", False)):
        path = f"/static/{assets()[name]}"
        answer = await lite.nobody.get(path, headers={"accept-encoding": "gzip"})
        assert (answer.headers.get("content-encoding") == "gzip") is shorter
        assert answer.content == (STATIC / assets()[name]).read_bytes()
        assert "accept-encoding" in answer.headers["vary"]
        assert "content-encoding" not in (await lite.nobody.get(path, headers={"accept-encoding": "br"})).headers
