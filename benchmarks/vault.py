"""The vault beside its budgets: `python -m benchmarks.vault [sqlite|postgres] [people]`; `make bench` runs it.

Over a socket, 64 connections, one process, every answer after its entry is durable: storing, opening, finding, one by
one and by the line. Then OpenBao's transit engine in the same run, which keeps nothing and asks nobody; in this process
the sweep of data keys under a new epoch, and what the ciphers alone allow. Each figure over HTTP stands beside its
share of what the machine answers at all now.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from benchmarks.__main__ import ROUNDS, SECONDS, report
from benchmarks.ceiling import ceiling, generate
from benchmarks.databases import chosen, on_each
from benchmarks.load import Plan, request
from benchmarks.stage import Stage
from sayso.kernel import Try, Tx, Work, bucket_of, new_raw, open_database
from sayso.migrations import upgrade
from tests.builders.providers import TOKEN, Bao, openbao
from tests.builders.served import HOST
from tests.builders.vault import a_house
from vault import Epochs, NewRoll, store
from vault.ciphers import aad
from vault.ciphers.suite import Suite
from vault.keys.wrapped import DataKey, WrappingKey

BUDGETS = {
    "put, one field": 1_500,
    "put, six fields": 1_500,
    "put by the line, one field": 5_000,
    "put by the line, six fields": 5_000,
    "reveal": 4_000,
    "reveal by the line, fields": 50_000,
    "search": 3_000,
}
SWEEP = 50_000
LINES = 250
"""Records or tokens in a call by the line."""

CALLERS = 8
"""Connections that send such calls: a chunk of each waits at a time."""


def main() -> None:
    engines, people = chosen(sys.argv[1:], 10_000)
    for engine in engines:
        with Stage(engine) as stage:
            stage.people(1_000)
            few = measure(stage, "with 1,000 people")
            stage.people(people)
            many = measure(stage, f"with {people:,} people")
            for name in BUDGETS:
                report(engine, f"{name}: grown / small", many[name] / few[name], 0.9)
            report(engine, "memory of people's keys, MB", 0.0, 30, less=True, note="none is kept (decision 0030)")
            report(engine, "memory of the process, MB", stage.memory(), 0)
    on_each(engines, sweep, max(people, 20_000))
    transit()
    floor()


def measure(stage: Stage, title: str) -> dict[str, float]:
    """Every call; medians of rounds, as records, fields or searches a second."""
    empty = ceiling()
    print(f"\n{stage.engine}, {title}; this machine answers {empty:,.0f} empty requests/s now")
    figures: dict[str, float] = {}
    for name, (made, each) in plans(stage).items():
        cpu, answered = stage.cpu(), 0
        rates = []
        for _ in range(ROUNDS):
            many = {"connections": CALLERS, "keep": True} if each > 1 else {}
            outcome = stage.load(made(), SECONDS, **many)
            if name.startswith("put") and any(b'"code"' in body for body in outcome.bodies):
                raise SystemExit(f"{name}: a line was refused")
            if set(outcome.statuses) - {200, 201}:
                raise SystemExit(f"{name}: answers {outcome.statuses}")
            rates.append(outcome.per_second * each)
            answered += sum(outcome.statuses.values()) * each
        figures[name] = statistics.median(rates)
        cost = (stage.cpu() - cpu) / answered * 1e6
        note = f"{figures[name] / each / empty:.1%} of empty; {cost:,.0f} us of a core each"
        report(stage.engine, name, figures[name], BUDGETS[name], empty=empty, note=note)
    return figures


def record(number: int, fields: int) -> dict[str, str]:
    """A customer's values; the first of them alone, or all six."""
    whole = {
        "email": f"p{number}@example.com",
        "phone": f"+49151{number:08d}",
        "customer": f"K-{number}",
        "name": f"Person {number}",
        "birthday": "1980-02-03",
        "postcode": "10115",
    }
    return dict(list(whole.items())[:fields])


def plans(stage: Stage) -> dict[str, tuple[Callable[[], list[bytes]], int]]:
    """Per call: how its requests are made, and how much one of them does."""
    subjects = stage.subjects
    tokens = filled(stage)
    why = {"purpose": "marketing.email", "reason": "newsletter"}

    def one_by_one(fields: int) -> list[bytes]:
        def body(number: int) -> dict[str, object]:
            return {"subject": subjects[number], "collection": "customers", "fields": record(number, fields)}

        drawn = random.sample(range(len(subjects)), min(8_000, len(subjects)))
        return [stage.post("/v1/vault/records", body(number), stage.writer) for number in drawn]

    def by_the_line(fields: int) -> list[bytes]:
        def body() -> bytes:
            drawn = random.sample(range(len(subjects)), LINES)
            items = ({"subject": subjects[number], "fields": record(number, fields)} for number in drawn)
            return lines({"collection": "customers"}, items)

        return [raw(stage, "/v1/vault/records/bulk", body(), stage.writer) for _ in range(64)]

    def reveal() -> list[bytes]:
        drawn = random.choices(tokens, k=8_000)
        return [stage.post("/v1/vault/reveal", {"items": [{"token": each}], **why}, stage.mailer) for each in drawn]

    def reveal_lines() -> list[bytes]:
        def body() -> bytes:
            return lines(why, ({"token": token} for token in random.sample(tokens, LINES)))

        return [raw(stage, "/v1/vault/bulk", body(), stage.mailer) for _ in range(128)]

    def search() -> list[bytes]:
        def body() -> dict[str, object]:
            value = record(random.randrange(len(subjects)), 1)["email"]
            return {"collection": "customers", "all": [{"field": "email", "value": value}], **why}

        return [stage.post("/v1/vault/search", body(), stage.mailer) for _ in range(8_000)]

    return {
        "reveal": (reveal, 1),
        "reveal by the line, fields": (reveal_lines, LINES),
        "search": (search, 1),
        "put, one field": (lambda: one_by_one(1), 1),
        "put, six fields": (lambda: one_by_one(6), 1),
        "put by the line, one field": (lambda: by_the_line(1), LINES),
        "put by the line, six fields": (lambda: by_the_line(6), LINES),
    }


def filled(stage: Stage) -> list[str]:
    """Everybody has their six values; all tokens."""
    tokens: list[str] = []
    for first in range(0, len(stage.subjects), LINES):
        numbers = range(first, min(first + LINES, len(stage.subjects)))
        items = ({"subject": stage.subjects[number], "fields": record(number, 6)} for number in numbers)
        url, key = stage.server.url("/v1/vault/records/bulk"), stage.writer
        body, headers = lines({"collection": "customers"}, items), {"authorization": f"Bearer {key}"}
        answer = httpx.post(url, content=body, headers=headers, timeout=300)
        for line in answer.raise_for_status().text.splitlines():
            tokens += json.loads(line)["tokens"].values()
    return tokens


def lines(head: object, items: Any) -> bytes:
    return b"\n".join(msgspec.json.encode(each) for each in (head, *items))


def raw(stage: Stage, path: str, body: bytes, key: str) -> bytes:
    return request("POST", path, HOST, stage.server.port, body, key)


async def sweep(engine: str, url: str, folder: Path, count: int) -> None:
    """Data keys wrapped anew under a new epoch: the steps alone, without the rests that let others have their turn."""
    await asyncio.to_thread(upgrade, url)
    database = open_database(url)
    await database.start()
    house = a_house(database, folder / "keys")
    await house.open()
    wrapping = house.keyring.of(house.tenant)
    epoch, fresh = wrapping.epoch, wrapping.epochs[wrapping.epoch]

    def some(tx: Tx) -> Work[None]:
        rows = []
        for owner in (new_raw() for _ in range(1_000)):
            key = DataKey(house.tenant, owner, "data", 1, os.urandom(32), Suite.GCM_SIV)
            row = (bucket_of(house.tenant, owner), owner, "data", 1, 1, epoch, key.wrapped_by(fresh, epoch))
            rows.append((*row, key.commitment, 0))
        tx.insert_many(store.KEY, rows)
        yield ()

    for _ in range(count // 1_000):
        await database.run_alone(house.context(), some)
    epochs = Epochs(house.keyring, house.vault._audit)
    await epochs.roll(database, house.context(), NewRoll(grace="PT0S"))
    await house.open()
    began, cpu, cursor, more = time.perf_counter(), time.process_time(), b"", True
    while more:
        done = await database.run_alone(house.context(), lambda tx, at=cursor: epochs._step(tx, Try(at, 0)))
        cursor, more = done.cursor, done.more
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await database.stop()
    report(engine, "sweep, data keys", count / seconds, SWEEP, note=f"{cpu / count * 1e6:.1f} us of a core each")


def transit() -> None:
    """OpenBao's transit engine: one value in a call, and four hundred."""
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder, openbao(Path(folder)) as bao:
        headers = {"x-vault-token": TOKEN}
        httpx.post(f"{bao.address}/v1/transit/keys/bench", json={}, headers=headers).raise_for_status()
        plain = b64encode(b"p1@example.com".ljust(64, b".")).decode()
        url = f"{bao.address}/v1/transit/encrypt/bench"
        sealed = httpx.post(url, json={"plaintext": plain}, headers=headers).json()["data"]["ciphertext"]
        for verb, name, value in (("encrypt", "plaintext", plain), ("decrypt", "ciphertext", sealed)):
            for count in (1, 400):
                body = {name: value} if count == 1 else {"batch_input": [{name: value}] * count}
                rate = _asked(bao, f"/v1/transit/{verb}/bench", msgspec.json.encode(body)) * count
                report("openbao", f"{verb}, {count} in a call", rate, 0)


def _asked(bao: Bao, path: str, body: bytes) -> float:
    plan = Plan(HOST, bao.port, 64, SECONDS, 0.5, [request("POST", path, HOST, bao.port, body, x_vault_token=TOKEN)])
    outcome = generate(plan)
    if set(outcome.statuses) != {200}:
        raise SystemExit(f"openbao: answers {outcome.statuses}")
    return outcome.per_second


def floor() -> None:
    """What the ciphers alone allow in one process, by the keys and blobs that are used."""
    for suite in Suite:
        for name, work in _primitives(suite):
            began = time.process_time()
            for _ in range(20_000):
                work()
            report(suite.name.lower(), f"floor: {name}", 20_000 / (time.process_time() - began), 0)


def _primitives(suite: Suite) -> Sequence[tuple[str, Callable[[], object]]]:
    wrapping = WrappingKey(os.urandom(32), suite)
    secret = os.urandom(32)
    key = DataKey("default", new_raw(), "data", 1, secret, suite)
    wrapped, committed, bound_to = key.wrapped_by(wrapping, 1), key.commitment, b"x" * 48
    sealed = key.seal("customers", "email", b"p1@example.com")
    place = aad.data_key("default", key.owner, "data", 1, 1)
    return (
        ("seal a value", lambda: key.seal("customers", "email", b"p1@example.com")),
        ("open a value", lambda: key.open("customers", "email", sealed)),
        ("unwrap a key", lambda: wrapping.unwrap(wrapped, place, committed)),
        ("wrap a key", lambda: wrapping.wrap(secret, bound_to)),
    )


if __name__ == "__main__":
    main()
