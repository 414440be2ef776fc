"""A real `sayso serve` in a process of its own, over a socket, on a store of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

HOST = "127.0.0.1"

_taken: deque[socket.socket] = deque(maxlen=100)


class Served:
    """`with Served(folder, database) as served:` lays a store and serves it. No `database`: the embedded one."""

    def __init__(self, folder: Path, database: str | None = None, *, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.log = folder / "server.log"
        self.admin_key = ""
        self._database = ["--database", database] if database else []
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._command = ["serve", "--data", str(self.data), "--host", HOST, "--port", str(self.port)]

    def __enter__(self) -> Self:
        self.lay()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def lay(self) -> None:
        """Make the store."""
        self.admin_key = json.loads(self.at("init", *self._database, "--json"))["admin_key"]

    def sayso(self, *arguments: str, expect: int = 0) -> str:
        """Run the command line; its standard output."""
        done = subprocess.run(
            [program(), *arguments], capture_output=True, text=True, check=False, env=self._environment, timeout=300
        )
        if done.returncode != expect:
            raise AssertionError(f"sayso {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def at(self, *arguments: str, expect: int = 0) -> str:
        """A command on this store."""
        return self.sayso(*arguments, "--data", str(self.data), expect=expect)

    def key(self, name: str, *roles: str) -> str:
        """A new API client's key."""
        asked = [part for role in roles for part in ("--role", role)]
        key: str = json.loads(self.at("keys", "create", name, *asked, "--json"))["key"]
        return key

    def start(self) -> float:
        """Serve; seconds until ready."""
        began = time.perf_counter()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [program(), *self._command],
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        while True:
            try:
                if httpx.get(self.url("/health/ready"), timeout=1).status_code == 200:
                    return time.perf_counter() - began
            except httpx.TransportError:
                pass
            if self._process.poll() is not None or time.perf_counter() - began > 180:
                raise AssertionError(f"the server did not start: {self.log.read_text()[-4000:]}")
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int | None:
        """End the server; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(how)
        return process.wait(60)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{path}"

    def client(self, key: str) -> httpx.Client:
        """A client with this API key."""
        return httpx.Client(base_url=self.url(""), headers={"authorization": f"Bearer {key}"}, timeout=30)

    @property
    def admin(self) -> httpx.Client:
        return self.client(self.admin_key)

    def apply(self, *files: Path) -> None:
        """Apply a manifest."""
        self.at("apply", *map(str, files))

    def entries(self, **query: Any) -> list[dict[str, Any]]:
        """All entries of the log, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        with self.admin as admin:
            while True:
                asked = {**query, "cursor": cursor} if cursor else query
                answer = admin.get("/v1/audit/entries", params=asked).json()
                found += answer["entries"]
                cursor = answer.get("next")
                if not cursor:
                    return found


def program() -> str:
    """The installed `sayso`."""
    return str(Path(sys.executable).with_name("sayso"))


def free_port() -> int:
    """A port nobody listens on, kept for who asked: a socket stays bound to it, so the system gives it to nobody else,
    and whoever sets `SO_REUSEADDR`, as servers do, may listen there beside it, again and again.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((HOST, 0))
    _taken.append(probe)
    port: int = probe.getsockname()[1]
    return port
