"""The server's side of a banner, over a socket: its configuration, the same when the browser has it, and choices."""

import json
import os
import secrets
import statistics

import httpx

from benchmarks.__main__ import report
from benchmarks.ceiling import ceiling
from benchmarks.load import Outcome, request
from benchmarks.stage import PURPOSES, Stage
from tests.builders.served import HOST

SECONDS = 4.0
ROUNDS = 3
ORIGIN = "https://shop.example"
SITE = f'sites:\n  shop: {{origins: ["{ORIGIN}"], notice: web}}\n'
BROWSERS = 8_000
"""So many devices choose, each with a token of its own; who refuses everything stays unknown."""

CONFIGURATIONS, CHOICES = 10_000, 5_000
"""Answers a second (issue 4, on the machine of `benchmarks.__main__`)."""


def figures(engines: list[str]) -> None:
    """Print the figures of each database."""
    # All of the load comes from one network, which a real server would slow down.
    os.environ |= {"SAYSO_SITE_RATE": str(10**9), "SAYSO_PREFIX_RATE": str(10**9)}
    for engine in engines:
        with Stage(engine) as stage:
            site = stage.folder / "site.yaml"
            site.write_text((stage.folder / "bench.yaml").read_text(encoding="utf-8") + SITE, encoding="utf-8")
            stage.server.apply(site)
            measure(stage)


def measure(stage: Stage) -> None:
    empty = ceiling()
    print(f"\n{stage.engine}; this machine answers {empty:,.0f} empty requests/s now")
    port = stage.server.port
    whole = request("GET", "/v1/sites/shop/banner.js?locale=en", HOST, port)
    packed = request("GET", "/v1/sites/shop/banner.js?locale=en", HOST, port, accept_encoding="gzip")
    mark = _mark(stage)
    again = request("GET", "/v1/sites/shop/banner.js?locale=en", HOST, port, if_none_match=mark)
    plans = (
        ("banner with configuration", [whole], 200, CONFIGURATIONS),
        ("the same, compressed", [packed], 200, CONFIGURATIONS),
        ("the same, still held (304)", [again], 304, CONFIGURATIONS),
        ("choices of a site", choices(stage), 201, CHOICES),
    )
    for name, requests, status, budget in plans:
        runs = [stage.load(requests, SECONDS) for _ in range(ROUNDS)]
        _only(runs, status, name)
        middle = sorted(runs, key=lambda run: run.per_second)[ROUNDS // 2]
        figure = statistics.median(run.per_second for run in runs)
        note = f"{figure / empty:.0%} of empty; p50 {middle.latency(0.5):.1f}, p99 {middle.latency(0.99):.1f} ms"
        report(stage.engine, name, figure, budget, empty=empty, note=note)


def choices(stage: Stage) -> list[bytes]:
    """Requests of browsers that each fetched a banner: nine of ten say yes to something, again and again."""
    fetch = request("GET", "/v1/sites/shop/banner.json?locale=en", HOST, stage.server.port)
    tokens = [json.loads(body)["token"] for body in stage.drain([fetch] * BROWSERS)]
    made = []
    for number, token in enumerate(tokens):
        answer = "granted" if number % 10 else "refused"
        body = {
            "token": token,
            "device": secrets.token_urlsafe(16),
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": dict.fromkeys(PURPOSES, answer),
        }
        content = json.dumps(body).encode()
        made.append(request("POST", "/v1/sites/shop/choices", HOST, stage.server.port, content, origin=ORIGIN))
    return made


def _mark(stage: Stage) -> str:
    mark: str = httpx.get(stage.server.url("/v1/sites/shop/banner.js?locale=en")).headers["etag"]
    return mark


def _only(runs: list[Outcome], status: int, name: str) -> None:
    for run in runs:
        if set(run.statuses) != {status}:
            raise SystemExit(f"{name}: answers {run.statuses}")
