"""Audiences beside their budgets: `python -m benchmarks.audience [sqlite|postgres] [people …]`; a million by number.

In one process and without HTTP: what the server itself does for a question about everybody it knows. People lie in the
database as a year of business leaves them: five purposes asked at different times, some terms, some wishes.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from msgspec import Struct

from benchmarks.databases import chosen
from benchmarks.stage import MANIFEST, PURPOSES
from consent import AID, PERSON, Choice, Contact, Jurisdiction, PersonState, Quiet, pack
from policies import Aids, Question
from sayso.kernel import DAY, Actor, Context, Tx, Work, bucket_of, new_id, new_raw, now, text
from sayso.migrations import runner
from sayso.server import audience_cursors as cursors
from sayso.server.call import Call
from sayso.server.callers.auth import Principal
from sayso.server.calls import audiences as calls
from sayso.server.wiring import Services
from tests.builders.postgres import PostgresServer
from tests.server.worlds import World, a_world

SIZES = (10_000, 100_000)
ROUNDS = 5
MAILER = Actor("key_" + "01" * 16, "mailer", "service", frozenset({"mailer"}))
QUESTION = Question(roles=MAILER.roles, action="use", category="contact.email", purpose="marketing.email")
TERMS = calls.AudienceTerms(purpose="marketing.email", action="use", category="contact.email", channel="email")
_FILLED_AT_ONCE = 5_000

T = TypeVar("T")


class Figure(Struct, frozen=True):
    """One figure; the budget is that of a million people, 0 where there is none."""

    name: str
    unit: str
    value: float
    budget: float = 0


def main() -> None:
    words = sys.argv[1:]
    sizes = [int(word) for word in words if word.isdigit()] or list(SIZES)
    for engine in chosen(words, 0)[0]:
        for figure in figures(engine, sizes):
            holds = "" if not figure.budget else "holds" if figure.value <= figure.budget else "MISSED"
            budget = f"budget {figure.budget:,.0f}" if figure.budget else ""
            print(
                f"  {engine:8} {figure.name:52} {figure.value:>10,.1f} {figure.unit:4} {budget:14} {holds}", flush=True
            )


def figures(engine: str, sizes: list[int]) -> Iterator[Figure]:
    """The figures of each size, each on a fresh database."""
    for count in sizes:
        with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
            if engine == "sqlite":
                url = f"sqlite:///{folder}/sayso.db"
                runner.upgrade(url)
                yield from asyncio.run(_measured(Path(folder), url, count))
            else:
                with PostgresServer() as server:
                    url = server.create("bench")
                    runner.upgrade(url)
                    yield from asyncio.run(_measured(Path(folder), url, count))


async def _measured(folder: Path, url: str, count: int) -> list[Figure]:
    async with a_world(folder, url) as world:
        (folder / "bench.yaml").write_text(MANIFEST)
        answer = await world.apply(MANIFEST)
        if answer.status_code != 200:
            raise SystemExit(answer.text)
        subjects, aids = await _fill(world, count)
        return await _all(world.services, count, subjects, aids)


async def _all(services: Services, count: int, subjects: list[bytes], aids: Aids) -> list[Figure]:
    policy = services.configurations.of("default").policy
    named, found = f"{count:,} people", []
    # A million is what the budgets speak of; of fewer people as large a part.
    share = count / 1_000_000

    async def judge() -> object:
        return await services.crowds.judge(_context(), policy, QUESTION, aids)

    cold = await _took(judge, 1)
    found.append(Figure(f"{named}: first question, row by row", "s", cold / 1_000))
    before = _memory()
    began = time.perf_counter()
    making = services.crowds.prepare("default", policy)
    if making is not None:
        await making
    found.append(Figure(f"{named}: columns made beside it", "s", time.perf_counter() - began))
    found.append(Figure(f"{named}: columns", "MB", services.crowds.nbytes / 1e6, 200 * max(share, 0.1)))
    found.append(Figure(f"{named}: resident memory more", "MB", _memory() - before))
    found.append(Figure(f"{named}: numbers, decided", "ms", await _took(judge), 100 * max(share, 0.1)))

    async def durable() -> object:
        return await calls.filter_aids(_call(services), TERMS, aids)

    found.append(Figure(f"{named}: numbers, decided and durable", "ms", await _took(durable), 400 * max(share, 0.1)))
    body = json.dumps({"subjects": [text("sub", subject) for subject in subjects]}).encode()

    async def as_json() -> object:
        wanted = calls.AudienceQuestion(
            purpose="marketing.email",
            action="use",
            category="contact.email",
            subjects=tuple(json.loads(body)["subjects"]),
        )
        return await calls.filter_named(_call(services), wanted)

    found.append(
        Figure(f"{named}: ids as JSON, decided and durable", "ms", await _took(as_json), 2_000 * max(share, 0.1))
    )
    answer = await calls.filter_aids(_call(services), TERMS, aids)
    first = await calls.revoked(_call(services), answer.audience, None)
    cursor = cursors.written(services.keyring, "default", first[1])
    await _leave(services, random.sample(subjects, 100))

    async def left() -> object:
        return await calls.revoked(_call(services), answer.audience, cursor)

    found.append(Figure(f"{named}: who left since, 100 did", "ms", await _took(left), 50 * max(share, 0.1)))
    began, lines = time.perf_counter(), 0
    async for part in calls.contactable(_call(services), TERMS):
        lines += part.count(b"\n")
    per_second = count / (time.perf_counter() - began)
    found.append(Figure(f"{named}: stream of {lines - 1:,}, people looked at", "/s", per_second))
    return found


async def _fill(world: World, count: int) -> tuple[list[bytes], Aids]:
    """So many people, written straight into the registry's rows."""
    chance, at, subjects, aids = random.Random(7), now(), [], []
    for first in range(0, count, _FILLED_AT_ONCE):
        part = [(new_raw(), chance.getrandbits(63) | 1) for _ in range(min(_FILLED_AT_ONCE, count - first))]

        def unit(tx: Tx, part: list[tuple[bytes, int]] = part) -> Work[None]:
            people = [(subject, aid, pack(_somebody(chance, at))) for subject, aid in part]
            tx.insert_many(
                PERSON, [(bucket_of("default", subject), subject, 1, aid, at, state) for subject, aid, state in people]
            )
            keys = [(aid.to_bytes(8, "big"), subject) for subject, aid in part]
            tx.insert_many(AID, [(bucket_of("default", key), key, subject) for key, subject in keys])
            yield ()

        await world.services.database.run_alone(_context(), unit)
        subjects += [subject for subject, _ in part]
        aids += [aid for _, aid in part]
    return subjects, np.sort(np.array(aids, np.uint64))


def _somebody(chance: random.Random, at: int) -> PersonState:
    """Choices of a year, mostly one act; a few wishes and laws."""
    since = at - chance.randrange(1, 365) * DAY - chance.randrange(DAY)
    choices = {}
    for purpose in PURPOSES:
        if chance.random() < 0.9:
            then = since if chance.random() < 0.8 else since + chance.randrange(1, DAY)
            term, record = then + 730 * DAY, new_raw()
            yes = Choice("granted", then, "web", 1, 1, assurance=3, record=record, expires_at=term)
            no = Choice("refused", then, "web", 1, 1, assurance=3, record=record)
            choices[purpose] = chance.choice((yes, yes, no))
    quiet = Quiet(1_260, 480, chance.choice(("Europe/Dublin", "Asia/Shanghai")))
    contact = Contact(quiet=(quiet,)) if chance.random() < 0.05 else None
    codes = (Jurisdiction(chance.choice(("de", "us", "cn")), "declared", since),) if chance.random() < 0.7 else ()
    restricted = since if chance.random() < 0.01 else 0
    return PersonState(choices, restricted, jurisdictions=codes, contact=contact)


async def _leave(services: Services, subjects: list[bytes]) -> None:
    catalogue = services.configurations.of("default").catalogue

    def unit(subject: bytes) -> Callable[[Tx], Work[object]]:
        # People of this bench have no keys, so their rows change without a record.
        def change(tx: Tx) -> Work[object]:
            (row,) = yield (tx.get(PERSON, subject),)
            tx.put(PERSON, (subject,), (row[0] + 1, *row[1:3], pack(PersonState())), was=row)
            tx.publish("consent.recorded", subject, b"")
            return catalogue

        return change

    for subject in subjects:
        await services.database.run(_context(), unit(subject))


async def _took(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> float:
    """Milliseconds, the best of a few."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        times.append((time.perf_counter() - began) * 1e3)
    return min(times)


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _context() -> Context:
    return Context("default", MAILER, now(), new_id("req"))


def _call(services: Services) -> Call:
    return Call(services, Principal("default", MAILER), new_id("req"), "audiences.filter")


if __name__ == "__main__":
    main()
