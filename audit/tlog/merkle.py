"""The Merkle tree of RFC 9162, section 2.1: hashes, roots, inclusion and consistency proofs. Pure.

Every range of leaves that a proof needs is cut into perfect subtrees, named by `Node(height, nth)`: the subtree over
the leaves from `nth << height` to `(nth + 1) << height`. Planning (which nodes) and reading (their hashes) are apart,
so that a store may fetch all it needs with one query: `inclusion_plan` and `consistency_plan` give, for each hash of
the proof, the nodes it is folded from, and `fold` folds them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from audit.tlog.strict import HASH_SIZE

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, section 2.1.1)."""

_LEAF = b"\x00"
_NODE = b"\x01"


class NotInTree(ValueError):
    """A leaf index or a size that the tree does not have."""


class ProofInvalid(ValueError):
    """A proof that does not lead to the root it was offered for."""


class Node(NamedTuple):
    """The perfect subtree over leaves `nth << height` to `(nth + 1) << height`."""

    height: int
    nth: int


Plan = list[list[Node]]
"""For each hash of a proof, the perfect subtrees it is folded from."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(_NODE + left + right).digest()


def halve(hashes: bytes) -> bytes:
    """The row of parents above a row of hashes: 2k concatenated hashes in, k out."""
    return b"".join([sha256(_NODE + hashes[i : i + 64]).digest() for i in range(0, len(hashes), 64)])


def perfect_root(hashes: bytes) -> bytes:
    """Root over 2^k concatenated hashes."""
    while len(hashes) > HASH_SIZE:
        hashes = halve(hashes)
    return hashes


def cover(start: int, end: int) -> list[Node]:
    """The fewest perfect subtrees over leaves `start` to `end` (exclusive), left to right.

    `start` must be a multiple of the largest power of two below the range's length, as all ranges of a Merkle tree are.
    """
    nodes = []
    while start < end:
        height = (end - start).bit_length() - 1
        nodes.append(Node(height, start >> height))
        start += 1 << height
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root over the hashes of `cover`'s nodes. Raises `IndexError` when there is none."""
    root = hashes[-1]
    for left in hashes[-2::-1]:
        root = node_hash(left, root)
    return root


def root_plan(size: int) -> list[Node]:
    """Nodes that fold to the root of the first `size` leaves; none for the empty tree."""
    return cover(0, size)


def inclusion_plan(index: int, size: int) -> Plan:
    """For each hash of the inclusion proof, lowest first, the nodes it is folded from.

    At most ceil(log2(size)) hashes. Raises `NotInTree` unless 0 <= index < size. RFC 9162, section 2.1.3.1.
    """
    if not 0 <= index < size:
        raise NotInTree(f"leaf {index} is not in a tree of size {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return [cover(*between) for between in reversed(ranges)]


def consistency_plan(old: int, new: int) -> Plan:
    """For each hash of the consistency proof the nodes it is folded from; empty when old is 0 or equal to new.

    Raises `NotInTree` unless 0 <= old <= new. RFC 9162, section 2.1.4.1.
    """
    if not 0 <= old <= new:
        raise NotInTree(f"a tree of size {new} has no earlier size {old}")
    if old in (0, new):
        return []
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
            whole = False
    if not whole:
        ranges.append((start, end))
    return [cover(*between) for between in reversed(ranges)]


def prove(plan: Plan, read: Callable[[Node], bytes]) -> list[bytes]:
    """The proof of `plan`, its hashes read through `read`."""
    return [fold([read(node) for node in nodes]) for nodes in plan]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `ProofInvalid` unless `proof` shows leaf hash `leaf` at `index` under `root`.

    RFC 9162, section 2.1.3.2.
    """
    _lengths(leaf, root, *proof)
    if not 0 <= index < size:
        raise ProofInvalid(f"leaf {index} is not in a tree of size {size}")
    result = leaf
    for step, left in _climb(index, size - 1, proof):
        result = node_hash(step, result) if left else node_hash(result, step)
    if result != root:
        raise ProofInvalid(f"leaf {index} is not what the root of size {size} holds there")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise `ProofInvalid` unless `proof` shows that the tree of size `new` begins with the tree of size `old`.

    RFC 9162, section 2.1.4.2, with the two cases that need no proof: an equal size, and an old size of 0.
    """
    _lengths(old_root, new_root, *proof)
    if not 0 <= old <= new:
        raise ProofInvalid(f"a tree of size {new} has no earlier size {old}")
    if old in (0, new):
        if proof:
            raise ProofInvalid("the consistency proof should be empty")
        if old_root != (new_root if old else EMPTY_ROOT):
            raise ProofInvalid(f"two roots for size {old}")
        return
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise ProofInvalid("the proof is too short")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step, left in _climb(at, last, steps[1:]):
        if left:
            first = node_hash(step, first)
        second = node_hash(step, second) if left else node_hash(second, step)
    if first != old_root or second != new_root:
        raise ProofInvalid(f"the tree of size {new} does not begin with the tree of size {old}")


def _climb(at: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of a proof, and whether it stands to the left, from node `at` of a row that ends at `last`."""
    for step in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        left = bool(at & 1) or at == last
        yield step, left
        while left and not at & 1 and at:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofInvalid("the proof is too short")


def _split(length: int) -> int:
    """The largest power of two smaller than `length`, for a length of at least 2."""
    return 1 << (length - 1).bit_length() - 1


def _lengths(*hashes: bytes) -> None:
    # Before any comparison: an empty hash equal to an empty root proves nothing.
    if any(len(value) != HASH_SIZE for value in hashes):
        raise ProofInvalid(f"a hash that is not {HASH_SIZE} bytes long")


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes held in memory."""
    row = b"".join(leaves)
    size = len(row) // HASH_SIZE
    if not size:
        return EMPTY_ROOT
    return fold([perfect_root(row[n.nth << n.height << 5 : (n.nth + 1) << n.height << 5]) for n in cover(0, size)])
