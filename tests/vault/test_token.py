"""The written form of tokens."""

import re
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.tokens.token import LENGTH, is_token, new_token, written

DRAWN = st.binary(min_size=16, max_size=16)
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@given(DRAWN)
def test_a_token_is_made_of_its_bytes_and_read_back(drawn: bytes) -> None:
    token = written(drawn)
    assert re.fullmatch(r"tok_[0-9A-Za-z]{28}", token)
    assert len(token) == LENGTH
    assert is_token(token)
    number = 0
    for char in token[4:26]:
        number = number * 62 + DIGITS.index(char)
    assert number.to_bytes(16, "big") == drawn


@given(DRAWN, st.integers(0, LENGTH - 1), st.sampled_from("0aZ_-é\0"))
def test_a_typing_error_anywhere_is_noticed(drawn: bytes, place: int, char: str) -> None:
    token = written(drawn)
    changed = token[:place] + char + token[place + 1 :]
    assert changed == token or not is_token(changed)


@given(DRAWN, st.integers(4, LENGTH - 2))
def test_two_letters_swapped_are_noticed(drawn: bytes, place: int) -> None:
    token = written(drawn)
    changed = token[:place] + token[place + 1] + token[place] + token[place + 2 :]
    assert changed == token or not is_token(changed)


@pytest.mark.parametrize("text", ["", "tok_", "tok_" + "0" * 27, "tok_" + "0" * 29, "key_" + "0" * 28, "x" * 100_000])
def test_what_has_another_shape_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_a_number_beyond_128_bits_is_no_token_though_its_checksum_holds() -> None:
    body = "tok_" + "z" * 22
    number, check = crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = DIGITS[digit] + check
    assert not is_token(body + check)


def test_tokens_do_not_repeat() -> None:
    assert len({new_token() for _ in range(100_000)}) == 100_000
