"""Erasures beside their budgets: `python -m benchmarks.erasing [sqlite|postgres]`.

One person with a thousand records is erased; then a hundred people a minute are, each by a request that is opened,
verified and fulfilled, while as many evaluations are asked as are answered. The same load without them is the measure.
"""

import json
import statistics
import sys
import threading
import time

import httpx

from benchmarks.__main__ import plans, report
from benchmarks.databases import chosen
from benchmarks.stage import Stage

PEOPLE = 5_000
RECORDS = 1_000
SECONDS = 15.0
ROUNDS = 3
EVERY_S = 0.6
"""A hundred a minute."""

ERASURE_S = 1.0
MOVED = 1.2
"""How far the evaluations' p99 may move: a fifth."""


def main() -> None:
    engines, _ = chosen(sys.argv[1:], PEOPLE)
    for engine in engines:
        with Stage(engine) as stage:
            stage.people(PEOPLE)
            many(stage)
            beside(stage)


def many(stage: Stage) -> None:
    """One person with many records."""
    answers = stage.drain([stage.choice(PEOPLE)] * RECORDS)
    subject = json.loads(answers[0])["subject"]
    with stage.server.admin as admin:
        began = time.perf_counter()
        erase(admin, subject)
    seconds = time.perf_counter() - began
    report(stage.engine, f"erasure of a person with {RECORDS:,} records, s", seconds, ERASURE_S, less=True)


def beside(stage: Stage) -> None:
    """The p99 of evaluations alone and with a hundred erasures a minute beside them; medians of rounds in turn."""
    requests = plans(stage)["evaluation"][0]()
    alone, together, took = [], [], list[float]()
    for _ in range(ROUNDS):
        alone.append(stage.load(requests, SECONDS).latency(0.99))
        stop = threading.Event()
        worker = threading.Thread(target=_erase_all, args=(stage, stop, took))
        worker.start()
        together.append(stage.load(requests, SECONDS).latency(0.99))
        stop.set()
        worker.join()
    before, after = statistics.median(alone), statistics.median(together)
    note = f"p99 {before:.1f} ms alone, {after:.1f} with {len(took)} erasures, each {statistics.median(took):.2f} s"
    report(
        stage.engine,
        "p99 of evaluations beside 100 erasures a minute / alone",
        after / before,
        MOVED,
        less=True,
        note=note,
    )


def erase(admin: httpx.Client, subject: str) -> None:
    """A request from its opening to the answer that what is ours is done."""
    opened = admin.post("/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"})
    opened.raise_for_status()
    path = f"/v1/rights/requests/{opened.json()['request']}"
    admin.post(f"{path}/verify", json={"method": "officer"}).raise_for_status()
    admin.post(f"{path}/fulfil", json={}).raise_for_status()


def _erase_all(stage: Stage, stop: threading.Event, took: list[float]) -> None:
    with stage.server.admin as admin:
        while not stop.is_set():
            began = time.perf_counter()
            erase(admin, stage.subjects[len(took)])
            took.append(time.perf_counter() - began)
            stop.wait(max(0.0, EVERY_S - took[-1]))


if __name__ == "__main__":
    main()
