"""`make bench-large`: the log at ten million entries, and how fast it takes more. Written into `benchmarks/RESULTS.md`.

    python -m benchmarks.large [sqlite|postgres] [entries]

Entries about two thousand people are laid by the same code that requests run, in this process; then a real server is
started on that store and asked for proofs over a socket. Appends are measured on a store of their own with two
milliseconds added to each fsync. pymerkle, which is no dependency, is measured beside it where it is installed.
"""

import asyncio
import json
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from audit import MAIN, AuditEvent
from benchmarks.databases import chosen
from benchmarks.load import Outcome
from benchmarks.peers import merkle
from benchmarks.stage import Stage
from sayso.kernel import LOG, Actor, Context, Tx, Work, new_id, now, raw
from sayso.server.running.serving import settle_memory
from sayso.server.settings import load
from sayso.server.wiring import Services, wire

ENTRIES = 10_000_000
PEOPLE = 2_000
BACKLOG = 100_000
AT_ONCE = 1_000
ASKED = 4_000
SECONDS = 5.0
RESULTS = Path(__file__).with_name("RESULTS.md")
RES = {"action": "use", "category": "contact.email", "purpose": "marketing.email", "reason": "permitted", "rule": "R1"}
_PERMITTED: Final = ("access.permitted", "permit", RES)


class Figure(NamedTuple):
    """One line: what, how much of it, the budget (0: none), and whether less is better."""

    name: str
    value: float
    unit: str
    budget: float = 0.0
    less: bool = True

    @property
    def cells(self) -> tuple[str, str, str]:
        digits = ",.2f" if self.value < 100 else ",.0f"
        holds = self.value <= self.budget if self.less else self.value >= self.budget
        told = f"{self.budget:,.0f} {self.unit}: {'holds' if holds else 'missed'}" if self.budget else ""
        return self.name, f"{format(self.value, digits)} {self.unit}", told


def main() -> None:
    engines, count = chosen(sys.argv[1:], ENTRIES)
    for engine in engines:
        figures = [*grown(engine, count), *taken(engine)]
        write(engine, count, figures)
    write("pymerkle", min(count, merkle.MOST), [Figure(*each) for each in merkle.figures(min(count, merkle.MOST))])


def grown(engine: str, count: int) -> list[Figure]:
    """What a log of that size costs."""
    with Stage(engine) as stage:
        stage.people(PEOPLE)
        stage.server.stop()
        empty = asyncio.run(size_of(stage))
        laid = asyncio.run(Laying(stage, count).run())
        full = asyncio.run(size_of(stage))
        auditor = stage.server.key("auditor", "auditor")
        started = stage.server.start()
        idle = stage.memory()
        asked = [stage.get(f"/v1/audit/entries/{entry}/proof", auditor) for entry in laid.sample]
        proofs = stage.load(asked, SECONDS, rate=100)
        _fine(proofs)
        return [
            Figure("start, seconds to ready", started, "s", 2),
            Figure("the same before there were entries", stage.start_seconds, "s"),
            Figure("inclusion proof in the process, p99", laid.proof_ms, "ms", 10),
            Figure("receipt (tlog-proof with its entry) over HTTP at 100/s, p99", proofs.latency(0.99), "ms", 20),
            Figure("size of an entry, all tables", (full - empty) / laid.entries, "bytes"),
            Figure("memory of the server, idle", idle, "MB", 150),
            Figure("memory of the server, after the proofs", stage.memory(), "MB"),
            Figure("laid in the process", laid.per_second, "entries/s"),
            Figure(f"backlog of {BACKLOG:,} integrated and signed", laid.backlog_s, "s", 2),
        ]


class Laying:
    """Lays entries in this process, as requests would, while the integrator runs beside."""

    def __init__(self, stage: Stage, count: int) -> None:
        self.stage = stage
        self.entries = count
        self.sample: list[str] = []
        self.per_second = self.backlog_s = self.proof_ms = 0.0

    async def run(self) -> "Laying":
        services = wire(load(self.stage.server.data))
        # The collector as a server has it: without that a third of the backlog's time is its walking.
        settle_memory()
        await services.database.start()
        await services.configurations.start()
        try:
            people = [raw(each) for each in self.stage.subjects]
            began = time.perf_counter()
            ended = asyncio.Event()
            integrating = asyncio.create_task(_integrate(services, ended))
            await self._lay(services, people, self.entries - BACKLOG)
            ended.set()
            await integrating
            await services.audit.drain(services.database, "default")
            self.per_second = (self.entries - BACKLOG) / (time.perf_counter() - began)
            await self._lay(services, people, BACKLOG)
            began = time.perf_counter()
            await services.audit.drain(services.database, "default")
            self.backlog_s = time.perf_counter() - began
            self.proof_ms = await _proofs(services, self.entries)
        finally:
            await services.database.stop()
        return self

    async def _lay(self, services: Services, people: list[bytes], count: int) -> None:
        actor = Actor(new_id("key"), "mailer", "service", frozenset({"mailer"}))

        def unit(tx: Tx, first: int) -> Work[list[str]]:
            chosen = [people[number % len(people)] for number in range(first, min(first + AT_ONCE, count))]
            rows = yield tuple(services.keyring.read(tx, person) for person in dict.fromkeys(chosen))
            keys = {
                person: services.keyring.unwrap("default", person, LOG, row)
                for person, row in zip(dict.fromkeys(chosen), rows, strict=True)
            }
            append, detail = services.audit.append, {"basis": "consent"}
            return [append(tx, AuditEvent(*_PERMITTED, each, detail), keys[each]) for each in chosen]

        for first in range(0, count, AT_ONCE):
            context = Context("default", actor, now(), new_id("req"))
            made = await services.database.run(context, lambda tx, first=first: unit(tx, first))  # type: ignore[misc]
            if len(self.sample) < ASKED:
                self.sample.append(random.choice(made))


async def _integrate(services: Services, ended: asyncio.Event) -> None:
    while not ended.is_set():
        done = await services.audit.integrate(services.database, "default")
        if not done.integrated:
            await asyncio.sleep(0.05)


async def _proofs(services: Services, size: int) -> float:
    """Milliseconds, p99, of proofs of entries drawn at random."""
    context = Context("default", Actor("key_0", "bench", "service", frozenset()), now(), "bench")
    times = []
    for index in random.choices(range(size), k=1_000):
        began = time.perf_counter()
        await services.database.look(context, lambda tx: services.audit.inclusion_proof(tx, index, log=MAIN))  # noqa: B023
        times.append(time.perf_counter() - began)
    return sorted(times)[989] * 1000


async def size_of(stage: Stage) -> int:
    """Bytes of the store on disk."""
    url = make_url(load(stage.server.data).database_url)
    if url.drivername.startswith("sqlite"):
        return sum(file.stat().st_size for file in stage.server.data.glob("sayso.db*"))
    connection = await asyncpg.connect(user=url.username, host=url.query["host"], database=url.database)
    try:
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()


def taken(engine: str) -> list[Figure]:
    """How fast entries are taken, with two milliseconds added to each fsync."""
    with Stage(engine, slow_disk=2) as stage:
        stage.people(PEOPLE)
        shop = stage.server.key("shop", "recorder")

        def event() -> dict[str, object]:
            names = {"type": "external.shop.printed", "purpose": "marketing.email", "category": "contact.email"}
            return {**names, "subject": random.choice(stage.subjects), "detail": {"order": random.randrange(1 << 30)}}

        single = [stage.post("/v1/audit/entries", event(), shop) for _ in range(5_000)]
        batches = [
            stage.post("/v1/audit/entries/batch", {"entries": [event() for _ in range(100)]}, shop) for _ in range(300)
        ]
        one, many = stage.load(single, SECONDS), stage.load(batches, SECONDS)
        _fine(one)
        _fine(many)
        time.sleep(2)
        with ThreadPoolExecutor(1) as beside:
            loaded = beside.submit(stage.load, single, 2 * SECONDS, rate=one.per_second / 2)
            waits = signed_after(stage, event, shop, SECONDS * 1.5)
            _fine(loaded.result())
        return [
            Figure("single entries over HTTP, fsync + 2 ms", one.per_second, "/s", 3_000, less=False),
            Figure("entries in batches of 100, fsync + 2 ms", many.per_second * 100, "/s", 10_000, less=False),
            Figure("commit to signed checkpoint at half that load, p99", waits, "ms", 500),
        ]


def signed_after(stage: Stage, event: Callable[[], dict[str, object]], key: str, seconds: float) -> float:
    """Milliseconds, p99, from the answer to an append until its proof under a signed checkpoint is there."""
    auditor = stage.server.key("auditor", "auditor")
    until, times = time.perf_counter() + seconds, []
    with stage.server.client(key) as shop, stage.server.client(auditor) as reader:
        while time.perf_counter() < until:
            entry = json.loads(shop.post("/v1/audit/entries", json=event()).content)["entry"]
            began = time.perf_counter()
            found: httpx.Response = reader.get(f"/v1/audit/entries/{entry}/proof?wait=integrated")
            assert found.status_code == 200, found.text
            times.append(time.perf_counter() - began)
    return sorted(times)[int(len(times) * 0.99)] * 1000


def write(title: str, count: int, figures: list[Figure]) -> None:
    """Put the figures of one engine into the results, in place of its older ones."""
    head = f"## {title}"
    machine = f"{_cores()} cores, Python {platform.python_version()}, load before {_load():.1f}"
    lines = [f"{head}\n", f"{datetime.now(UTC):%d %B %Y}, {count:,} entries, {machine}.\n"]
    lines += ["| what | figure | budget |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(each.cells)} |" for each in figures]
    section = "\n".join(lines) + "\n"
    print(section, flush=True)
    kept = [part for part in RESULTS.read_text("utf-8").split("\n## ") if not f"## {part}".startswith(f"{head}\n")]
    RESULTS.write_text("\n## ".join(kept).rstrip("\n") + "\n\n" + section, "utf-8")


def _cores() -> int:
    return int(subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout)


def _load() -> float:
    return float(Path("/proc/loadavg").read_text().split()[0])


def _fine(outcome: Outcome) -> None:
    bad = {status: count for status, count in outcome.statuses.items() if status not in (200, 201)}
    if bad:
        raise SystemExit(f"answers {bad}")


if __name__ == "__main__":
    main()
