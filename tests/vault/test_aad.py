"""No two things that a ciphertext can be bound to are written alike."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vault.ciphers import aad
from vault.ciphers.derive import parts

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", "a", "aa", "\0", "a\0", "\0a", "x" * 300]
)
OWNER = st.binary(max_size=20)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)

FIELD = st.tuples(TEXT, TEXT, OWNER, TEXT, U32, U64)
DATA_KEY = st.tuples(TEXT, OWNER, TEXT, U32, U32)
SECRET = st.tuples(TEXT, TEXT, U32, U32)
CONTEXT = st.dictionaries(TEXT, TEXT, max_size=4)


def near(
    strategy: st.SearchStrategy[tuple[object, ...]],
) -> st.SearchStrategy[tuple[tuple[object, ...], tuple[object, ...]]]:
    """Two tuples, often alike in all but one place: where a sloppy encoding would slip."""
    return st.tuples(strategy, strategy) | st.tuples(strategy, strategy, st.integers(0, 5)).map(
        lambda drawn: (drawn[0], (*drawn[0][: drawn[2]], *drawn[1][drawn[2] : drawn[2] + 1], *drawn[0][drawn[2] + 1 :]))
    )


@given(near(FIELD))
@example((("a", "b", b"", "c", 1, 1), ("ab", "", b"", "c", 1, 1)))
@example((("a", "", b"b", "c", 1, 1), ("a", "b", b"", "c", 1, 1)))
def test_distinct_fields_are_bound_to_distinct_bytes(pair: tuple[tuple, tuple]) -> None:
    one, other = pair
    assert (aad.field(*one) == aad.field(*other)) == (one == other)


@given(near(DATA_KEY))
def test_distinct_data_keys_are_bound_to_distinct_bytes(pair: tuple[tuple, tuple]) -> None:
    one, other = pair
    assert (aad.data_key(*one) == aad.data_key(*other)) == (one == other)


@given(near(SECRET))
def test_distinct_secrets_are_bound_to_distinct_bytes(pair: tuple[tuple, tuple]) -> None:
    one, other = pair
    assert (aad.secret(*one) == aad.secret(*other)) == (one == other)


@given(CONTEXT, CONTEXT)
@example({"a": "b"}, {"a": "", "b": ""})
def test_distinct_contexts_are_bound_to_distinct_bytes(one: dict[str, str], other: dict[str, str]) -> None:
    assert (aad.tenant_key(one) == aad.tenant_key(other)) == (one == other)


@given(FIELD, DATA_KEY, SECRET, CONTEXT)
def test_one_kind_is_never_taken_for_another(field: tuple, key: tuple, secret: tuple, context: dict[str, str]) -> None:
    written = {aad.field(*field), aad.data_key(*key), aad.secret(*secret), aad.tenant_key(context)}
    assert len(written) == 4


@given(st.lists(OWNER, max_size=4), st.lists(OWNER, max_size=4))
def test_lists_of_parts_are_written_apart(one: list[bytes], other: list[bytes]) -> None:
    assert (parts(*one) == parts(*other)) == (one == other)


def test_a_part_that_its_length_cannot_name_is_refused() -> None:
    assert len(parts(bytes(65_535))) == 65_537
    with pytest.raises(ValueError, match="65,535"):
        parts(bytes(65_536))
    for beyond in (-1, 2**32):
        with pytest.raises(OverflowError):
            aad.field("t", "c", b"o", "f", beyond, 0)
