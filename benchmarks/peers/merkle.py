"""pymerkle 7, a Merkle tree in Python, beside our log: the same number of entries of 300 bytes.

It is GPL and no dependency: `pip install pymerkle` into the environment, or it is not measured. It keeps a tree and
proves inclusion; it signs nothing, has no outbox and no openings, so the figures are of its part of the work alone.
"""

import os
import random
import tempfile
import time
from pathlib import Path

MOST = 200_000
"""Its proofs take time with the size of the tree, so more is not measured."""

_PROOFS = 50
_SINGLES = 2_000

Row = tuple[str, float, str]


def figures(count: int) -> list[Row]:
    """Name, value and unit of what was measured; nothing where it is not installed."""
    try:
        from pymerkle import InmemoryTree, SqliteTree
    except ImportError:
        print("pymerkle: not measured, it is not installed")
        return []
    entries = [os.urandom(300) for _ in range(10_000)]
    tree = InmemoryTree(algorithm="sha256")
    began = time.perf_counter()
    for number in range(count):
        tree.append_entry(entries[number % len(entries)])
    rows = [("append in memory", count / (time.perf_counter() - began), "entries/s")]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tree.db"
        kept = SqliteTree(str(file), algorithm="sha256")
        began = time.perf_counter()
        for number in range(_SINGLES):
            kept.append_entry(entries[number])
        rows.append(("append to SQLite, one by one", _SINGLES / (time.perf_counter() - began), "entries/s"))
        began = time.perf_counter()
        for first in range(_SINGLES, count, 10_000):
            kept.append_entries(entries[: min(10_000, count - first)])
        rows.append(("append to SQLite, many at once", (count - _SINGLES) / (time.perf_counter() - began), "entries/s"))
        times = []
        for index in random.choices(range(1, count + 1), k=_PROOFS):
            began = time.perf_counter()
            kept.prove_inclusion(index, count)
            times.append(time.perf_counter() - began)
        rows.append(("inclusion proof from SQLite, most of 50", max(times) * 1000, "ms"))
        kept.con.close()
        rows.append(("size of an entry", file.stat().st_size / count, "bytes"))
    return rows
