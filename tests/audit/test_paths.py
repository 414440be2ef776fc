"""Proofs of many entries at once are the proofs of each."""

import pytest

from audit.exports.paths import Paths, shared
from tests.audit.builders import Store


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
async def test_every_entry_is_proven_as_it_is_alone(sqlite_store: Store, size: int) -> None:
    await sqlite_store.fill(size)
    log = sqlite_store.log
    await log.drain(sqlite_store.database, "default")
    paths, indexes = Paths("main", size), list(range(0, size, 3)) + [size - 1]
    proofs = await sqlite_store.look(lambda tx: paths.of(tx, indexes))
    again = await sqlite_store.look(lambda tx: paths.of(tx, indexes[:5]))
    assert again == proofs[:5]
    for index, proof in zip(indexes, proofs, strict=True):
        assert proof == await sqlite_store.look(lambda tx, index=index: log.inclusion_proof(tx, index, size))  # type: ignore[misc]


def test_what_two_paths_share_is_counted_from_the_top() -> None:
    assert shared([], [b"a"]) == 0
    assert shared([b"a", b"c"], [b"b", b"c"]) == 1
    assert shared([b"x", b"b", b"c"], [b"b", b"c"]) == 2
