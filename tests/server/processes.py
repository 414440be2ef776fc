"""Sayso as people run it: commands and servers in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.builders.served import free_port

PATIENCE_S = 180
"""How long a process may take: far longer than it does on a machine that has other things to do."""


def sayso(*words: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "sayso", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **more)


def initialised(data: Path) -> str:
    """A store; returns its first administrator's key."""
    done = sayso("init", "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    key: str = json.loads(done.stdout)["admin_key"]
    return key


class Server:
    """A running `sayso serve`."""

    def __init__(self, process: subprocess.Popen[str], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def kill(self) -> None:
        """As a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """As a supervisor would; returns the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


@contextmanager
def serving(data: Path, *words: str) -> Iterator[Server]:
    """A server on a port of its own, accepting."""
    port = free_port()
    log = data.with_name(f"serve-{port}.log")
    command = [sys.executable, "-m", "sayso", "serve", "--data", str(data), "--port", str(port), *words]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, text=True)
        server = Server(process, port, log)
        try:
            _until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                server.stop()


def _until_ready(server: Server) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if httpx.get(f"{server.url}/health/ready", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"not ready: {server.log.read_text()}")
