"""Tokens in the shape of what they stand for: nobody's number, and no typing error passes."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from vault import InvalidValue, canonical
from vault.shapes import CARD, EMAIL, PHONE, SHAPES, drawn, read
from vault.token import new_token
from vault.tokens import token_in


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shaped_token_is_read_back_and_is_never_drawn_twice(shape: str) -> None:
    made = {drawn(shape) for _ in range(200)}
    assert len(made) == 200
    assert all(read(token) == token == token_in(token) for token in made)


def test_none_can_be_a_real_persons() -> None:
    for _ in range(200):
        # The very libraries that know real values refuse these.
        with pytest.raises(phonenumbers.NumberParseException):
            phonenumbers.parse(drawn(PHONE))
        assert not luhn.is_valid(drawn(CARD))
        with pytest.raises(InvalidValue):
            canonical("card", drawn(CARD))
        assert drawn(EMAIL).endswith(".invalid")
        assert canonical("email", drawn(EMAIL))  # a column for addresses takes it


@pytest.mark.parametrize("shape", [PHONE, CARD])
def test_no_single_digit_can_be_mistyped(shape: str) -> None:
    token = drawn(shape)
    for place, digit in enumerate(token):
        if digit.isdigit():
            assert all(
                read(token[:place] + other + token[place + 1 :]) is None for other in set("0123456789") - {digit}
            )


@given(st.integers(0, 31), st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz"))
def test_no_single_letter_of_an_address_can_be_mistyped(place: int, letter: str) -> None:
    token = "0123456789abcdefghijklmno"
    from vault.shapes import _checked

    whole = _checked(token) + "@token.invalid"
    changed = whole[:place] + letter + whole[place + 1 :]
    assert read(changed) == (whole if changed == whole else None)


def test_capitals_in_an_address_are_the_same_token() -> None:
    token = drawn(EMAIL)
    assert token_in(token.upper()) == token


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read(text) is None


def test_a_plain_token_is_none_of_these() -> None:
    token = new_token()
    assert read(token) is None
    assert token_in(token) == token
