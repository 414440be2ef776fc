"""From a withdrawal to its message: `python -m benchmarks.deliver [sqlite|postgres] [withdrawals]`.

A real receiver on loopback, the server under a steady load of withdrawals by several writers. Measured at the receiver,
from the moment the withdrawal's request was sent; budget: 99 of 100 within two seconds.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from benchmarks.__main__ import report
from benchmarks.databases import chosen
from benchmarks.stage import PURPOSES, Stage
from tests.builders.served import HOST

BUDGET_S = 2.0
WRITERS = 4


class Receiver(ThreadingHTTPServer):
    """Remembers when it was told of which record."""

    daemon_threads = True
    request_queue_size = 256
    """A receiver that drops a connection is tried again seconds later: that would measure the receiver."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        super().__init__((HOST, 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        now = time.perf_counter()
        self.server.told.setdefault(json.loads(body)["data"].get("record", ""), now)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    engines, count = chosen(sys.argv[1:], 1_000)
    os.environ["SAYSO_WEBHOOK_HOSTS"] = HOST
    for engine in engines:
        with Stage(engine) as stage:
            stage.people(count)
            times = measure(stage, count)
            report(engine, "withdrawal to delivered, p50, s", times[len(times) // 2], 0)
            report(engine, "withdrawal to delivered, p99, s", times[len(times) * 99 // 100], BUDGET_S, less=True)


def measure(stage: Stage, count: int) -> list[float]:
    """Seconds from each withdrawal's request to its message, sorted."""
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    headers = {"authorization": f"Bearer {stage.server.admin_key}"}
    begun: dict[str, float] = {}
    with httpx.Client(base_url=stage.server.url(""), headers=headers) as client:
        wanted = {"url": receiver.url, "client": "mailer", "types": ["consent.choice.withdrawn"]}
        client.post("/v1/webhooks", json=wanted).raise_for_status()
        subjects = iter(stage.subjects[:count])
        lock = threading.Lock()

        def withdraw() -> None:
            while True:
                with lock:
                    subject = next(subjects, None)
                if subject is None:
                    return
                at = time.perf_counter()
                body = {"purposes": [PURPOSES[0]], "method": "api"}
                answer = client.post(f"/v1/subjects/{subject}/withdrawals", json=body)
                begun[answer.raise_for_status().json()["record"]] = at

        writers = [threading.Thread(target=withdraw) for _ in range(WRITERS)]
        start, cpu = time.perf_counter(), stage.cpu()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        rate = len(begun) / (time.perf_counter() - start)
        until = time.perf_counter() + 60
        while len(receiver.told) < len(begun) and time.perf_counter() < until:
            time.sleep(0.05)
    receiver.shutdown()
    receiver.server_close()
    lost, each = len(begun) - len(receiver.told), (stage.cpu() - cpu) / len(begun) * 1000
    print(f"{stage.engine}: {len(begun)} withdrawals at {rate:,.0f}/s, {each:.1f} ms CPU each, {lost} not delivered")
    return sorted(receiver.told.get(record, float("inf")) - at for record, at in begun.items())


if __name__ == "__main__":
    main()
