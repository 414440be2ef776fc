"""Processes that are killed, and processes that race: what was acknowledged is in the log exactly once."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from audit.tables import audit_checkpoint, audit_index
from audit.tlog.merkle import verify_consistency
from audit.tree import proving
from sayso.kernel import Tx, Work
from tests.audit.builders import TENANT, Opened, Store
from tests.audit.node import STEPS
from tests.audit.test_integrator import check_log


def started(url: str, anchor: Path, out: Path, *step: str) -> subprocess.Popen[bytes]:
    with out.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.audit.node", url, str(anchor), *step], stdout=stream, start_new_session=True
        )


def acknowledged(out: Path) -> set[str]:
    # What stands after the last newline was being printed when the process was killed.
    return set(out.read_text().split("\n")[:-1])


def _found(tx: Tx) -> Work[list[str]]:
    (rows,) = yield (tx.select(select(audit_index.c.entry)),)
    return ["ent_" + entry.hex() for (entry,) in rows]


def _heads(tx: Tx) -> Work[list[tuple[int, bytes]]]:
    (rows,) = yield (tx.select(select(audit_checkpoint.c.size, audit_checkpoint.c.root)),)
    return sorted((size, root) for size, root in rows)


async def holds(store: Store, promised: set[str]) -> None:
    await store.log.drain(store.database, TENANT)
    await check_log(store)
    found = await store.look(_found)
    assert len(found) == len(set(found))
    assert promised <= set(found)
    heads = await store.look(_heads)
    for (old, old_root), (new, new_root) in pairwise(heads):
        proof = await store.look(lambda tx, old=old, new=new: proving.consistency_proof(tx, "main", old, new))  # type: ignore[misc]
        verify_consistency(old, new, proof, old_root, new_root)


async def test_killed_at_each_step_the_log_keeps_what_it_promised(database_url: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert started(database_url, tmp_path / "anchor", out, "each").wait(300) == 0
    lines = acknowledged(out)
    died = {f"died {step} {signal.SIGKILL:d}" for step in STEPS}
    promised = lines - died
    assert died <= lines
    assert len(promised) == 20 * len(STEPS)
    async with Opened(database_url, tmp_path / "anchor") as store:
        await holds(store, promised)


async def test_two_processes_integrate_at_once_and_one_is_killed(postgres_url: str, tmp_path: Path) -> None:
    """Each has an anchor of its own, as on two machines."""
    outs: list[Path] = []

    def another(name: str) -> subprocess.Popen[bytes]:
        outs.append(tmp_path / f"out-{len(outs)}")
        return started(postgres_url, tmp_path / name, outs[-1])

    first, second = another("one"), another("two")
    for out in outs[:2]:
        _until_written(out, random.randrange(500, 4_000))
    second.kill()
    second.wait(60)
    second = another("two")
    _until_written(outs[-1])
    assert first.poll() is None, "it never stopped for the other"
    for process in (first, second):
        process.kill()
        process.wait(60)
    for anchor in ("one", "two"):
        async with Opened(postgres_url, tmp_path / anchor) as store:
            await holds(store, set().union(*map(acknowledged, outs)))


@pytest.mark.slow
@pytest.mark.parametrize("number", [20, pytest.param(200, marks=pytest.mark.soak)])
async def test_killed_at_random_moments_under_load(database_url: str, tmp_path: Path, number: int) -> None:
    """On PostgreSQL two at a time integrate against each other; the embedded database has one process."""
    out, together = tmp_path / "out", 1 if database_url.startswith("sqlite") else 2
    process = started(database_url, tmp_path / "anchor", out, "kills", str(number), str(together))
    try:
        assert process.wait(number * 30) == 0
    finally:
        # Where it did not end as it should, those that it forked are not left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    promised = acknowledged(out)
    assert len(promised) > number
    async with Opened(database_url, tmp_path / "anchor") as store:
        await holds(store, promised)


def _until_written(out: Path, size: int = 2_000) -> None:
    until = time.monotonic() + 120
    while out.stat().st_size < size:
        assert time.monotonic() < until
        time.sleep(0.02)
