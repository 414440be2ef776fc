"""What this machine can do at all now: an ASGI application that does nothing, behind the same server and load.

Machines differ and share their cores with others; a figure beside this one compares with one of another day.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import Outcome, Plan, request, run
from tests.builders.served import HOST, free_port


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """Read a body, answer two bytes."""
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def ceiling(seconds: float = 3.0) -> float:
    """Empty requests a second."""
    with _served() as port:
        plan = Plan(HOST, port, 64, seconds, 0.5, [request("POST", "/", HOST, port, b'{"a": 1}' * 30, "sk_none")])
        return generate(plan).per_second


def generate(plan: Plan) -> Outcome:
    """Run a plan from the other core, in this process."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    try:
        return asyncio.run(run(plan))
    finally:
        os.sched_setaffinity(0, everywhere)


@contextmanager
def _served() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.ceiling:app", "--port", str(port), "--lifespan", "off"]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    """Until somebody listens: on a busy machine a start takes its time."""
    for _ in range(300):
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the empty server did not start")
