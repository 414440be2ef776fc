import contextlib
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog import merkle, tiles
from audit.tlog.merkle import (
    NotInTree,
    ProofInvalid,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    prove,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.audit import naive

# The eight leaves and their roots that every implementation of RFC 6962 is checked with (certificate-transparency's
# merkle tests, transparency-dev/merkle testonly).
REFERENCE_LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def stored(row: list[bytes]) -> dict[tuple[int, int], bytes]:
    return tiles.grow(0, {}, row)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_reference_leaves(size: int) -> None:
    row = [leaf_hash(leaf) for leaf in REFERENCE_LEAVES[:size]]
    assert root_of(row).hex() == REFERENCE_ROOTS[size - 1]
    assert tiles.root(size, stored(row)).hex() == REFERENCE_ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == sha256(b"").digest() == tiles.root(0, {})


@st.composite
def sizes_and_index(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, 700))
    return size, draw(st.integers(0, size - 1))


@given(sizes_and_index())
@settings(max_examples=60, deadline=None)
def test_inclusion_proofs_out_of_tiles_are_those_of_the_definition(case: tuple[int, int]) -> None:
    size, index = case
    row = leaves(size)
    proof = prove(inclusion_plan(index, size), tiles.TileReader(stored(row)))
    assert proof == naive.inclusion(index, row)
    verify_inclusion(index, size, row[index], proof, naive.root(row))


@given(st.integers(0, 700), st.integers(0, 700))
@settings(max_examples=60, deadline=None)
def test_consistency_proofs_out_of_tiles_are_those_of_the_definition(one: int, other: int) -> None:
    old, new = sorted((one, other))
    row = leaves(new)
    proof = prove(consistency_plan(old, new), tiles.TileReader(stored(row)))
    assert proof == (naive.consistency(old, row) if old else [])
    verify_consistency(old, new, proof, naive.root(row[:old]), naive.root(row))


@pytest.mark.parametrize(("size", "index"), [(256, 255), (257, 256), (65_536, 65_535), (65_537, 0), (70_001, 65_536)])
def test_proofs_hold_at_the_borders_of_tiles(size: int, index: int) -> None:
    row = leaves(size)
    held = stored(row)
    proof = prove(inclusion_plan(index, size), tiles.TileReader(held))
    verify_inclusion(index, size, row[index], proof, tiles.root(size, held))
    assert len(proof) <= (size - 1).bit_length()
    earlier = prove(consistency_plan(index + 1, size), tiles.TileReader(held))
    verify_consistency(index + 1, size, earlier, tiles.root(index + 1, held), tiles.root(size, held))


@given(sizes_and_index(), st.integers(0, 1 << 16), st.integers(0, 2))
@settings(max_examples=80, deadline=None)
def test_no_changed_inclusion_proof_passes(case: tuple[int, int], where: int, how: int) -> None:
    size, index = case
    row = leaves(size)
    root, proof = root_of(row), prove(inclusion_plan(index, size), tiles.TileReader(stored(row)))
    changed = mutated(proof, where, how)
    if changed != proof:
        with pytest.raises(ProofInvalid):
            verify_inclusion(index, size, row[index], changed, root)
    for wrong_index in {index + 1, index - 1, size, -1} - {index}:
        with pytest.raises(ProofInvalid):
            verify_inclusion(wrong_index, size, row[index], proof, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(index, size, leaf_hash(b"another"), proof, root)


@given(st.integers(1, 600), st.integers(1, 600), st.integers(0, 1 << 16), st.integers(0, 2))
@settings(max_examples=80, deadline=None)
def test_no_changed_consistency_proof_passes(one: int, other: int, where: int, how: int) -> None:
    old, new = sorted((one, other))
    row = leaves(new)
    roots = root_of(row[:old]), root_of(row)
    proof = prove(consistency_plan(old, new), tiles.TileReader(stored(row)))
    changed = mutated(proof, where, how)
    if changed != proof:
        with pytest.raises(ProofInvalid):
            verify_consistency(old, new, changed, *roots)
    with pytest.raises(ProofInvalid):
        verify_consistency(old, new, proof, leaf_hash(b"another"), roots[1])
    with pytest.raises(ProofInvalid):
        verify_consistency(old, new, proof, roots[0], leaf_hash(b"another"))


def mutated(proof: list[bytes], where: int, how: int) -> list[bytes]:
    if not proof or how == 2:
        return [*proof, leaf_hash(b"one too many")]
    at = where % len(proof)
    if how == 0:
        flipped = bytearray(proof[at])
        flipped[where % 32] ^= 1 << where % 8
        return [*proof[:at], bytes(flipped), *proof[at + 1 :]]
    return proof[:at] + proof[at + 1 :]


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_of_another_length_is_no_hash(length: int) -> None:
    wrong, right = bytes(length), bytes(32)
    for leaf, proof, root in ((wrong, [], wrong), (right, [wrong], right), (right, [], wrong), (wrong, [], right)):
        with pytest.raises(ProofInvalid, match="32 bytes"):
            verify_inclusion(0, 1, leaf, proof, root)
        with pytest.raises(ProofInvalid, match="32 bytes"):
            verify_consistency(1, 1, proof, leaf, root)


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(NotInTree):
            inclusion_plan(index, size)
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(NotInTree):
            consistency_plan(old, new)


@given(st.lists(st.integers(1, 300), max_size=8))
@settings(deadline=None)
def test_growing_in_steps_gives_the_tiles_of_growing_at_once(steps: list[int]) -> None:
    row = leaves(sum(steps))
    held: dict[tuple[int, int], bytes] = {}
    size = 0
    for step in steps:
        edge = {key: held[key] for key in tiles.right_edge(size)}
        held |= tiles.grow(size, edge, row[size : size + step])
        size += step
        assert tiles.root(size, held) == root_of(row[:size])
    assert held == stored(row)


def test_foreign_leaf_proves_nothing_in_a_tree_of_one() -> None:
    with contextlib.suppress(ProofInvalid):
        verify_inclusion(0, 1, leaf_hash(b"a"), [], merkle.EMPTY_ROOT)
        pytest.fail("a leaf under the root of the empty tree")
