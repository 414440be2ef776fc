"""A load generator: N connections, each sends its next request when the last one is answered (closed loop).

It runs in a process of its own, on the other core: `python -m benchmarks.load PLAN`. The plan is a msgpack file with
ready-made request bytes, so that generating load costs little beside serving it.
"""

import asyncio
import random
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop


class Plan(msgspec.Struct):
    """What to send: `requests` are whole HTTP/1.1 requests, drawn at random; `rate` 0 means as fast as answers come."""

    host: str
    port: int
    connections: int
    seconds: float
    warm_up: float
    requests: list[bytes]
    rate: float = 0.0
    keep: int = 0


class Outcome(msgspec.Struct):
    """What came back. Latencies in seconds, sorted; `bodies` holds the last `keep` answers of each connection."""

    answered: int
    seconds: float
    statuses: dict[int, int]
    latencies: list[float]
    bodies: list[bytes]

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    def latency(self, share: float) -> float:
        """The latency that `share` of the answers stayed under, in milliseconds."""
        if not self.latencies:
            return float("nan")
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))] * 1000


class Connection(asyncio.Protocol):
    """One keep-alive connection. Reads just as much HTTP as our server writes: a status, a length or chunks, a body."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.buffer = b""
        self.started = 0.0
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        run = self.run
        self.started = time.perf_counter()
        if self.started >= run.end:
            self.transport.close()
            return
        if run.gap:
            wait = run.slot() - self.started
            if wait > 0:
                run.loop.call_later(wait, self.fire)
                return
        self.fire()

    def fire(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.run.draw())

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data if self.buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = buffer.lower().find(b"content-length:", 0, head)
        if at >= 0:
            length = int(buffer[at + 15 : buffer.index(b"\r\n", at)])
            if len(buffer) < head + 4 + length:
                return
        elif b"transfer-encoding: chunked" in buffer[:head].lower():
            # A stream of lines, which ends with an empty chunk.
            if not buffer.endswith(b"\r\n0\r\n\r\n"):
                return
            length = len(buffer) - head - 4
        else:
            length = 0
        self.run.note(int(buffer[9:12]), self.started, buffer[head + 4 : head + 4 + length])
        self.buffer = b""
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        self.run.lost()


class Run:
    """All connections of one plan, and what they measured."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        self.begin = time.perf_counter() + plan.warm_up
        self.end = self.begin + plan.seconds
        self.gap = 1 / plan.rate if plan.rate else 0.0
        self.next = time.perf_counter()
        self.answered = 0
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.bodies: list[bytes] = []
        self.open = plan.connections
        self.done = self.loop.create_future()

    def draw(self) -> bytes:
        requests = self.plan.requests
        return requests[int(random.random() * len(requests))]

    def slot(self) -> float:
        self.next += self.gap
        return self.next

    def note(self, status: int, started: float, body: bytes) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if self.plan.keep:
            self.bodies.append(body)
        ended = time.perf_counter()
        if self.begin <= ended <= self.end:
            # Those that were under way when it began too: of calls that take a second most would be left out otherwise.
            self.answered += 1
            if started >= self.begin:
                self.latencies.append(ended - started)

    def lost(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.done.done():
            self.done.set_result(None)


async def run(plan: Plan) -> Outcome:
    state = Run(plan)
    for _ in range(plan.connections):
        await state.loop.create_connection(lambda: Connection(state), plan.host, plan.port)
    await asyncio.wait_for(state.done, plan.warm_up + plan.seconds + 30)
    return Outcome(state.answered, plan.seconds, state.statuses, sorted(state.latencies), state.bodies)


def request(method: str, path: str, host: str, port: int, body: bytes = b"", key: str = "", **headers: str) -> bytes:
    """One whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}:{port}", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    if key:
        lines.append(f"authorization: Bearer {key}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def main() -> None:
    plan = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    outcome = uvloop.run(run(plan))
    Path(sys.argv[1] + ".out").write_bytes(msgspec.msgpack.encode(outcome))


if __name__ == "__main__":
    main()
