"""What a processor found is fetched from where it says it lies, within fences, and joins the person's package."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from freezegun import freeze_time

from sayso.server.connectors import Refused
from sayso.server.connectors.results import LONGEST, read_results
from sayso.server.connectors.secrets import FOLDER
from sayso.server.feed.outgoing import Reply
from tests.builders.served import HOST
from tests.server.processors import Asked, Processor, a_processor, honest
from tests.server.test_opendsr import calls_back, manifest
from tests.server.test_rights_packages import PATH, files, work
from tests.server.test_sql_systems import worked
from tests.server.test_systems import Told, ready
from tests.server.worlds import World, a_world

FOUND = {"segments": ["tea", "<b>late</b>"], "seen": 7}
JSON = {"content-type": "application/json; charset=utf-8"}


@pytest_asyncio.fixture
async def processor() -> AsyncIterator[Processor]:
    async with a_processor() as made:
        yield made


async def declared(world: World, processor: Processor) -> Told:
    folder = world.services.settings.key_folder / FOLDER
    folder.mkdir()
    (folder / "mail").write_text(processor.url)
    return await ready(world, manifest(processor.identity.certificate))


@pytest_asyncio.fixture
async def everywhere(tmp_path: Path, database_url: str, processor: Processor) -> AsyncIterator[Told]:
    async with a_world(tmp_path, database_url, webhook_hosts=(HOST,)) as world:
        yield await declared(world, processor)


@pytest_asyncio.fixture
async def told(tmp_path: Path, sqlite_url: str, processor: Processor) -> AsyncIterator[Told]:
    async with a_world(tmp_path, sqlite_url, webhook_hosts=(HOST,)) as world:
        yield await declared(world, processor)


def lies(processor: Processor, status: int = 200, headers: dict[str, str] = JSON, body: bytes = b"") -> str:
    """Results lie at the address that is returned."""

    async def behave(served: Processor, asked: Asked) -> tuple[int, dict[str, str], bytes] | None:
        if asked.path.startswith("/results"):
            return status, headers, body or json.dumps(FOUND).encode()
        return await honest(served, asked)

    processor.behave = behave
    return f"http://{HOST}:{processor.port}/results/7"


def fetches(processor: Processor) -> list[Asked]:
    return [each for each in processor.asked if each.path.startswith("/results")]


async def an_access(told: Told, value: str = "c-1") -> str:
    request: str = (await told.served(await told.customer(value), "access"))["request"]
    await worked(told)
    return request


async def packed(told: Told, request: str) -> tuple[Any, str]:
    """What the package says that the processor found, and its readable page."""
    assert (await told.request(request))["status"] == "fulfilled"
    made = await told.ines.post(f"{PATH}/{request}/package", json={})
    assert made.status_code == 202, made.text
    await work(told)
    held = await files(told, request, told.ines)
    return msgspec.json.decode(held["data.json"])["systems"].get("mail"), held["data.html"].decode()


async def test_what_a_callback_says_was_found_is_fetched_once_kept_sealed_and_packed(
    everywhere: Told, processor: Processor
) -> None:
    told = everywhere
    request = await an_access(told)
    url = lies(processor)
    for _ in range(2):
        assert (await calls_back(told, processor, "completed", results_url=url, results_count=1)).status_code == 202
    (asked,) = fetches(processor)
    # The account of the operator's address goes to the processor itself.
    assert asked.headers["authorization"].startswith("Basic ")
    ((_, _, sealed),) = await told.rows()
    assert b"segments" not in sealed
    found, page = await packed(told, request)
    assert found == {"results": FOUND}
    assert "&lt;b&gt;late&lt;/b&gt;" in page
    await told.services.settle()
    assert "segments" not in (await told.admin.get("/v1/audit/entries", params={"limit": 200})).text


async def test_an_address_elsewhere_is_told_no_secret(told: Told, processor: Processor) -> None:
    request = await an_access(told)
    async with a_processor() as elsewhere:
        url = lies(elsewhere)
        assert (await calls_back(told, processor, "completed", results_url=url)).status_code == 202
        (asked,) = fetches(elsewhere)
        assert "authorization" not in asked.headers
    assert (await packed(told, request))[0] == {"results": FOUND}


async def test_what_a_status_says_was_found_is_fetched_as_well(told: Told, processor: Processor) -> None:
    async def at_once(served: Processor, asked: Asked) -> tuple[int, dict[str, str], bytes] | None:
        if asked.path.startswith("/results"):
            return 200, {"content-type": "text/csv"}, "item,price\r\n茶,7".encode()
        if asked.method == "POST":
            await honest(served, asked)
            return None
        known = {"subject_request_id": asked.path.rpartition("/")[2], "request_status": "completed"}
        return served.said(200, {**known, "results_url": f"http://{HOST}:{served.port}/results/7"})

    processor.behave = at_once
    with freeze_time("2026-03-02T09:00:00Z", real_asyncio=True) as clock:
        request = await an_access(told)
        clock.tick(10)
        await worked(told)
        found, _ = await packed(told, request)
    assert found == {"results": "item,price\r\n茶,7"}


async def test_what_cannot_be_fetched_stays_where_it_lies_and_says_why(told: Told, processor: Processor) -> None:
    here = lies(processor)
    tries: list[tuple[dict[str, Any], str, str]] = [
        ({"status": 302, "headers": {"location": here}}, here, "redirected"),
        ({"status": 403}, here, "refused"),
        ({"status": 503}, here, "unreachable"),
        ({"headers": {"content-type": "text/html"}}, here, "content-type"),
        ({"body": b"{"}, here, "garbled"),
        ({"body": b'"' + b"x" * LONGEST + b'"'}, here, "too-much-data"),
        ({}, "https://10.0.0.1/results/7", "refused-address"),
        ({}, "https://localhost/results/7", "refused-address"),
        ({}, "http://results.processor.example/7", "refused-address"),
        ({}, "https://user@results.processor.example/7", "refused-address"),
        ({}, "file:///etc/passwd", "refused-address"),
    ]
    for number, (behaviour, url, why) in enumerate(tries):
        lies(processor, **behaviour)
        before = len(fetches(processor))
        request = await an_access(told, f"c-{number}")
        assert (await calls_back(told, processor, "completed", results_url=url)).status_code == 202
        assert len(fetches(processor)) - before == (url == here), why
        if number not in (0, 6):
            assert (await told.request(request))["status"] == "fulfilled"
            continue
        found, _ = await packed(told, request)
        where = {"results_url": url} if url.startswith("https:") else {}
        assert found == {**where, "not_fetched": why}, url


async def test_an_erasure_fetches_nothing(told: Told, processor: Processor) -> None:
    request = (await told.served(await told.customer(), "erasure"))["request"]
    await worked(told)
    url = lies(processor)
    assert (await calls_back(told, processor, "completed", results_url=url)).status_code == 202
    assert fetches(processor) == []
    assert (await told.request(request))["status"] == "fulfilled"


def why(reply: Reply) -> str:
    with pytest.raises(Refused) as refused:
        read_results(reply)
    return refused.value.word


def test_results_are_taken_in_the_forms_that_are_named_and_no_other() -> None:
    def of(kind: str, body: bytes = b"[1]", **more: str) -> Reply:
        return Reply("200", {"content-type": kind, **more}, body)

    assert read_results(of("application/JSON; charset=UTF-8")) == [1]
    assert read_results(of("application/vnd.cdp+json")) == [1]
    assert read_results(of("application/x-ndjson", b'{"a": 1}\n{"a": 2}')) == '{"a": 1}\n{"a": 2}'
    for kind in ("", "application/zip", "text/html", "text/+json", "text/csv; charset=latin1"):
        assert why(of(kind)) == "content-type", kind
    for body in (b"", b"{", b"\xff", b"[" * 5_000 + b"]" * 5_000, b"[1e999]"):
        assert why(of("application/json", body)) == "garbled", body[:9]
    assert why(of("text/plain", b"\xff")) == "garbled"
    assert why(Reply("200", {"content-type": "text/plain", "content-encoding": "gzip"}, b"x")) == "garbled"
    # Deeper than a package could hold, and longer once it is written as JSON.
    assert why(of("application/json", b"[" * 80 + b"]" * 80)) == "too-much-data"
    assert why(of("text/plain", b"\x01" * (LONGEST // 2))) == "too-much-data"
    assert why(Reply("200", {"content-type": "text/plain"}, long=True)) == "too-much-data"
