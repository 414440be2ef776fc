"""A process that appends, integrates and signs without end: `python -m tests.audit.node URL ANCHOR`.

It prints the id of each entry once its commit was answered. With `each` as a third word it forks a process for each
step, one after the other, that writes some entries and kills itself there, as a power cut would:
`appended`, `integrating` (in the transaction), `integrated` (committed, not anchored), `anchored` (not signed),
`signing` (in the transaction), `signed` (committed, not remembered).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit import store
from audit.guard import ForkGuard
from tests.audit.builders import TENANT, Opened, Store

STEPS = ("appended", "integrating", "integrated", "anchored", "signing", "signed")


def die(*_: Any, **__: Any) -> Any:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


async def _die(*_: Any) -> None:
    die()


def after(work: Callable[..., Any]) -> Callable[..., Any]:
    async def done(*words: Any) -> None:
        await work(*words)
        die()

    return done


def prepare(step: str) -> None:
    """Put the end where it is to come."""
    if step == "integrating":
        store.move_to_index = die
    elif step == "integrated":
        ForkGuard.before_signing = _die  # type: ignore[method-assign]
    elif step == "anchored":
        ForkGuard.before_signing = after(ForkGuard.before_signing)  # type: ignore[method-assign]
    elif step == "signing":
        store.store_checkpoint = die
    elif step == "signed":
        ForkGuard.signed = die  # type: ignore[method-assign]


async def write(node: Store) -> None:
    while True:
        print(await node.append(), flush=True)


async def work(url: str, anchor: Path, step: str) -> None:
    async with Opened(url, anchor) as node:
        if step:
            for entry in await node.fill(20):
                print(entry, flush=True)
            if step == "appended":
                die()
            prepare(step)
            await node.log.drain(node.database, TENANT)
            return
        writers = [asyncio.ensure_future(write(node)) for _ in range(4)]
        while not any(writer.done() for writer in writers):
            await node.log.integrate(node.database, TENANT)
            await asyncio.sleep(0.005)


def each_step(url: str, anchor: Path) -> None:
    for step in STEPS:
        child = os.fork()
        if not child:
            asyncio.run(work(url, anchor, step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(f"died {step} {os.WTERMSIG(status)}", flush=True)


if __name__ == "__main__":
    if sys.argv[3:] == ["each"]:
        each_step(sys.argv[1], Path(sys.argv[2]))
    else:
        asyncio.run(work(sys.argv[1], Path(sys.argv[2]), ""))
