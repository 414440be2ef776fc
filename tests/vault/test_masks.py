"""What a mask leaves of a value."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.kernel import Invalid, Obligation
from vault import MASKS
from vault.fields.masks import HIDDEN, masked, required

KEY = bytes(32)


def obligations(*types: str) -> list[Obligation]:
    return [Obligation(str(place), kind, {}) for place, kind in enumerate(types)]


@pytest.mark.parametrize(
    ("mask", "kind", "value", "shown"),
    [
        (None, "phone", "+8613800138000", "+8613800138000"),
        ("mask_last4", "phone", "+8613800138000", "****8000"),
        ("mask_last4", "card", "4111111111111111", "****1111"),
        ("mask_last4", "text", "1234567", "****"),
        ("mask_last4", "text", "12345678", "****5678"),
        ("mask_year", "date", "1988-02-29", "1988"),
        ("mask_year", "phone", "+8613800138000", "****"),
        ("redact", "phone", "+8613800138000", "****"),
        ("mask_of_tomorrow", "phone", "+8613800138000", "****"),
    ],
)
def test_a_mask_shows_no_more_than_its_name_says(mask: str | None, kind: str, value: str, shown: str) -> None:
    assert masked(mask, kind, value, value, KEY) == shown


def test_a_hash_can_be_compared_by_one_reader_only() -> None:
    one = masked("mask_hash", "email", "x", "ada@example.org", KEY)
    assert one == masked("mask_hash", "email", "y", "ada@example.org", KEY)
    assert one != masked("mask_hash", "email", "x", "ada@example.org", b"\1" * 32)
    assert one != masked("mask_hash", "text", "x", "ada@example.org", KEY)
    assert len(one) == 32


@pytest.mark.parametrize("order", list(itertools.permutations(MASKS, 2)))
def test_the_strongest_mask_wins_in_any_order(order: tuple[str, str]) -> None:
    assert required(obligations(*order)) == max(order, key=MASKS.__getitem__)
    assert required(obligations(order[0]), order[1]) == max(order, key=MASKS.__getitem__)


def test_other_obligations_are_none_of_its_business_but_unknown_masks_hide_all() -> None:
    assert required(obligations("log", "notify", "ttl")) is None
    assert required(obligations("log", "mask_first2")) == "redact"
    assert required(obligations("redact_names")) == "redact"


def test_a_caller_can_ask_for_less_and_never_for_more() -> None:
    assert required((), "mask_last4") == "mask_last4"
    assert required(obligations("redact"), "mask_last4") == "redact"
    with pytest.raises(Invalid) as caught:
        required((), "mask_last5")
    assert caught.value.facts["nearest"] == "mask_last4"


@given(st.sampled_from([*MASKS, "mask_other"]), st.text(min_size=9, max_size=60))
def test_no_mask_shows_a_long_run_of_the_value(mask: str, value: str) -> None:
    shown = masked(mask, "text", value, value, KEY)
    assert value not in shown
    if mask != "mask_hash":
        assert len(shown) <= len(HIDDEN) + 4
