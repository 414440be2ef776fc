"""A process that appends, integrates and signs without end: `python -m tests.audit.node URL ANCHOR`.

It prints the id of each entry once its commit was answered. With `each` as a third word it forks a process for each
step, one after the other, that writes some entries and kills itself there, as a power cut would:
`appended`, `integrating` (in the transaction), `integrated` (committed, not anchored), `anchored` (not signed),
`signing` (in the transaction), `signed` (committed, not remembered).

With `kills NUMBER TOGETHER` it forks so many processes in all, each of which writes and integrates until it is killed
at a random moment after its first entry was answered, `TOGETHER` of them at a time.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit import store
from audit.tree.guard import ForkGuard
from tests.audit.builders import TENANT, Opened, Store

STEPS = ("appended", "integrating", "integrated", "anchored", "signing", "signed")


def tell(line: str) -> None:
    """In one piece: who is killed has told all of a line or nothing of it."""
    os.write(1, f"{line}\n".encode())


def die(*_: Any, **__: Any) -> Any:
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
        tell(await node.append())


async def work(url: str, anchor: Path, step: str, told: int = -1) -> None:
    async with Opened(url, anchor) as node:
        if step:
            for entry in await node.fill(20):
                tell(entry)
            if step == "appended":
                die()
            prepare(step)
            await node.log.drain(node.database, TENANT)
            return
        if told >= 0:
            tell(await node.append())
            os.write(told, b".")
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
        tell(f"died {step} {os.WTERMSIG(status)}")


def kills(url: str, anchor: Path, number: int, together: int) -> None:
    asyncio.run(warm(url, anchor))
    running: list[int] = []
    for _ in range(number):
        while len(running) < together:
            running.append(_started(url, anchor))
        time.sleep(random.uniform(0, 0.25))
        killed = running.pop(0)
        os.kill(killed, signal.SIGKILL)
        _, status = os.waitpid(killed, 0)
        assert os.WIFSIGNALED(status), "it ended by itself"
    for left in running:
        os.kill(left, signal.SIGKILL)
        os.waitpid(left, 0)


async def warm(url: str, anchor: Path) -> None:
    """Import and compile once what every process needs, so that they spend their short lives on the log."""
    async with Opened(url, anchor) as node:
        tell(await node.append())
        await node.log.drain(node.database, TENANT)


def _started(url: str, anchor: Path) -> int:
    """A process that writes; it has had its first answer when this returns."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        asyncio.run(work(url, anchor, "", write))
        os._exit(1)
    os.close(write)
    assert os.read(read, 1), "it died before its first answer"
    os.close(read)
    return child


if __name__ == "__main__":
    if sys.argv[3:] == ["each"]:
        each_step(sys.argv[1], Path(sys.argv[2]))
    elif sys.argv[3:4] == ["kills"]:
        kills(sys.argv[1], Path(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        asyncio.run(work(sys.argv[1], Path(sys.argv[2]), ""))
