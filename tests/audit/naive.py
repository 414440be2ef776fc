"""The Merkle tree as RFC 9162, section 2.1 writes it down: recursive, slow, and nothing to get wrong."""

from hashlib import sha256


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(leaves: list[bytes]) -> bytes:
    """MTH(D_n) over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = largest_power_below(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def inclusion(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*inclusion(m, leaves[:k]), root(leaves[k:])]
    return [*inclusion(m - k, leaves[k:]), root(leaves[:k])]


def consistency(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D_n, b)."""
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*consistency(m, leaves[:k], whole=whole), root(leaves[k:])]
    return [*consistency(m - k, leaves[k:], whole=False), root(leaves[:k])]
