"""c15t's backend beside Sayso, in one run on one machine: record a choice, read a person's state.

`python -m benchmarks.peers.c15t [people]` installs it from npm into a temporary folder, runs it on PostgreSQL as it
ships and with the two indexes that it lacks, then Sayso on PostgreSQL with as many people, and prints the ratios. What
is compared differs: Sayso's record is durable with its audit entry and a signed receipt, and keeps refusals; c15t's
stores the purposes granted.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx

from benchmarks.ceiling import generate
from benchmarks.load import Plan, request
from benchmarks.stage import CONNECTIONS, LOAD_CORE, Stage
from tests.builders.postgres import PostgresServer
from tests.builders.served import HOST, free_port

SECONDS = 4.0
ROUNDS = 3
SOURCES = Path(__file__).parent / "c15t"

# As many more people with one consent each as are asked for, like the one that was made through the front door.
_LAY = """
INSERT INTO subject (id, "identityProvider", "createdAt", "updatedAt")
SELECT 'sub_' || lpad(translate(n::text, '0', 'a'), 20, 'z'), 'anonymous', now(), now()
FROM generate_series(1, $1::int) n
"""
_LAY_CONSENTS = """
INSERT INTO consent (id, "subjectId", "domainId", "policyId", "purposeIds", "userAgent", "givenAt", jurisdiction,
                     "consentAction")
SELECT 'cns_' || lpad(translate(n::text, '0', 'a'), 22, 'z'), 'sub_' || lpad(translate(n::text, '0', 'a'), 20, 'z'),
       "domainId", "policyId", "purposeIds", "userAgent", now(), jurisdiction, "consentAction"
FROM consent, generate_series(1, $1::int) n
"""
_INDEXES = (
    'CREATE INDEX consent_subject ON consent ("subjectId")',
    'CREATE INDEX subject_external ON subject ("externalId")',
)


class Figures(NamedTuple):
    """Answers a second."""

    record: float
    read: float


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    shipped, indexed = peer(people)
    ours = sayso(people)
    print(f"\n{people:,} people; answers a second, medians of {ROUNDS}")
    for name, theirs in (("as shipped", shipped), ("with two indexes", indexed)):
        for what in Figures._fields:
            mine, other = getattr(ours, what), getattr(theirs, what)
            print(f"  c15t {name:16} {what:6} {other:9,.0f}   Sayso {mine:9,.0f}   {mine / other:6.1f} times")


def peer(people: int) -> tuple[Figures, Figures]:
    """c15t as it ships, and with the two indexes."""
    folder = Path(tempfile.mkdtemp(prefix="peer-"))
    with PostgresServer() as database:
        database.pin(LOAD_CORE)
        host = database.create("c15t").rpartition("host=")[2]
        shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        port = free_port()
        process = subprocess.Popen(
            ["node", "server.mjs"],
            cwd=folder,
            env={**os.environ, "DATABASE_HOST": host, "PORT": str(port)},
        )
        try:
            _first(port)
            asyncio.run(_lay(host, people))
            shipped = _measured(port, people)
            asyncio.run(_index(host))
            return shipped, _measured(port, people)
        finally:
            process.terminate()
            process.wait(10)
            shutil.rmtree(folder, ignore_errors=True)


def sayso(people: int) -> Figures:
    """Sayso on PostgreSQL: as many people, each with one record made through the front door."""
    with Stage("postgres") as stage:
        stage.people(people)
        records = [stage.choice(number % people) for number in range(0, people * 7, 7)][:20_000]
        reads = [
            request("GET", f"/v1/subjects/{subject}/consents", HOST, stage.server.port, b"", stage.recorder)
            for subject in stage.subjects[:20_000]
        ]
        return Figures(*(_median(lambda plan: stage.load(plan, SECONDS).per_second, plan) for plan in (records, reads)))


def _first(port: int) -> None:
    body = _choice(0)
    for _ in range(200):
        try:
            answer = httpx.post(f"http://{HOST}:{port}/subjects", content=body, headers=_HEADERS)
            answer.raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the peer did not start")


async def _lay(host: str, people: int) -> None:
    connection = await asyncpg.connect(host=host, user="postgres", database="c15t")
    await connection.execute(_LAY.replace("$1", str(people)))
    await connection.execute(_LAY_CONSENTS.replace("$1", str(people)))
    await connection.execute("ANALYZE")
    await connection.close()


async def _index(host: str) -> None:
    connection = await asyncpg.connect(host=host, user="postgres", database="c15t")
    for statement in _INDEXES:
        await connection.execute(statement)
    await connection.execute("ANALYZE")
    await connection.close()


def _measured(port: int, people: int) -> Figures:
    numbers = range(1, min(people, 20_000))
    records = [request("POST", "/subjects", HOST, port, _choice(number), "") for number in numbers]
    reads = [request("GET", f"/subjects/{_subject(number)}", HOST, port, b"", "") for number in numbers]

    def rate(plan: list[bytes]) -> float:
        outcome = generate(Plan(HOST, port, CONNECTIONS, SECONDS, 1.0, plan))
        bad = {status: count for status, count in outcome.statuses.items() if status != 200}
        if bad:
            raise SystemExit(f"the peer answered {bad}")
        return outcome.per_second

    return Figures(_median(rate, records), _median(rate, reads))


def _median(rate: Callable[[list[bytes]], float], plan: list[bytes]) -> float:
    return statistics.median(rate(plan) for _ in range(ROUNDS))


def _subject(number: int) -> str:
    return "sub_" + str(number).replace("0", "a").rjust(20, "z")  # its ids are of base 58, which has no zero


def _choice(number: int) -> bytes:
    """A choice of five purposes, as the peer's banner sends it."""
    preferences = {
        "necessary": True,
        "marketing": True,
        "measurement": False,
        "experience": True,
        "functionality": False,
    }
    choice = {
        "type": "cookie_banner",
        "subjectId": _subject(number),
        "domain": "example.com",
        "preferences": preferences,
        "givenAt": int(time.time() * 1000),
        "consentAction": "custom",
    }
    return json.dumps(choice).encode()


_HEADERS = {"origin": "http://localhost", "content-type": "application/json"}


if __name__ == "__main__":
    main()
