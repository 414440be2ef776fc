"""A processor that speaks OpenDSR is told of a task once, answers by signed callbacks, and gains nothing by lying."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from freezegun import freeze_time

from sayso.kernel import from_datetime
from sayso.server.connectors.failures import Refused
from sayso.server.connectors.opendsr import demand_signed
from sayso.server.connectors.secrets import FOLDER
from tests.builders.served import HOST
from tests.server.processors import DOMAIN, Asked, Processor, a_processor, an_identity, honest
from tests.server.test_sql_systems import worked
from tests.server.test_systems import TASKS, Told, ready, slug, tasks_of
from tests.server.worlds import a_world

NOW = "2026-03-02T09:00:00Z"


def manifest(certificate: str, **more: Any) -> str:
    system = {
        "holds": ["contact"],
        "connector": "opendsr",
        "kinds": ["access", "erasure"],
        "identify": {"email": "customers.email"},
        "certificate": certificate,
        **more,
    }
    return json.dumps({"systems": {"mail": system}})


@pytest_asyncio.fixture
async def processor() -> AsyncIterator[Processor]:
    async with a_processor() as made:
        yield made


@pytest_asyncio.fixture
async def told(tmp_path: Path, sqlite_url: str, processor: Processor) -> AsyncIterator[Told]:
    async with a_world(tmp_path, sqlite_url, webhook_hosts=(HOST,)) as world:
        folder = world.services.settings.key_folder / FOLDER
        folder.mkdir()
        (folder / "mail").write_text(processor.url)
        yield await ready(world, manifest(processor.identity.certificate))


async def calls_back(told: Told, processor: Processor, status: str, **more: Any) -> httpx.Response:
    request = processor.posted()[-1].body["subject_request_id"]
    headers, body = processor.callback(request, status, **more)
    return await told.nobody.post(urlsplit(processor.callbacks[request]).path, headers=headers, content=body)


async def state(told: Told) -> tuple[str, str]:
    (task,) = (await told.ines.get(TASKS)).json()["tasks"]
    return task["status"], task.get("reason", "")


async def test_a_processor_is_told_once_and_its_signed_callback_closes_the_request(
    told: Told, processor: Processor
) -> None:
    request = await told.served(await told.customer())
    await worked(told)
    (asked,) = processor.asked
    body = asked.body
    assert (asked.method, asked.path) == ("POST", "/v2/requests")
    assert b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"key:s@cret"
    assert (body["regulation"], body["subject_request_type"], body["api_version"]) == ("gdpr", "erasure", "2.0")
    assert UUID(body["subject_request_id"]).version == 4
    assert body["subject_identities"] == [
        {"identity_type": "email", "identity_value": "lin@example.com", "identity_format": "raw"}
    ]
    for status in ("pending", "in_progress"):
        assert (await calls_back(told, processor, status)).status_code == 202
    assert await state(told) == ("open", "")
    for _ in range(2):
        assert (await calls_back(told, processor, "completed", results_count=103)).status_code == 202
    closed = await told.request(request["request"])
    assert (closed["status"], closed["systems"][0]["count"]) == ("fulfilled", 103)
    late = await calls_back(told, processor, "cancelled")
    assert (late.status_code, slug(late)) == (409, "task-settled")


async def test_a_number_of_results_beyond_all_numbers_closes_the_request_too(told: Told, processor: Processor) -> None:
    request = await told.served(await told.customer())
    await worked(told)
    assert (await calls_back(told, processor, "completed", results_count=10**30)).status_code == 202
    closed = await told.request(request["request"])
    assert (closed["status"], closed["systems"][0]["count"]) == ("fulfilled", 2**53 - 1)


async def test_a_processor_that_never_calls_back_is_asked_and_a_lost_answer_tells_it_no_second_time(
    told: Told, processor: Processor
) -> None:
    async def takes_and_hangs_up(processor: Processor, asked: Asked) -> None:
        await honest(processor, asked)

    processor.behave = takes_and_hangs_up
    with freeze_time(NOW, real_asyncio=True) as clock:
        request = await told.served(await told.customer())
        await worked(told)
        processor.behave = honest
        clock.tick(10)
        await worked(told)
        clock.tick(3_601)
        (sent,) = processor.posted()
        processor.requests[sent.body["subject_request_id"]] = {"request_status": "completed"}
        await worked(told)
        assert [each.method for each in processor.asked] == ["POST", "GET", "GET"]
        assert (await told.request(request["request"]))["status"] == "fulfilled"


async def redirects(_: Processor, __: Asked) -> tuple[int, dict[str, str], bytes]:
    return 307, {"location": "http://127.0.0.1:1/requests"}, b""


async def forges(processor: Processor, asked: Asked) -> tuple[int, dict[str, str], bytes]:
    status, _, body = await honest(processor, asked)
    return status, an_identity("other.example").signs(body), body


async def signs_nothing(processor: Processor, asked: Asked) -> tuple[int, dict[str, str], bytes]:
    status, _, body = await honest(processor, asked)
    return status, {}, body


async def answers_for_another(processor: Processor, _: Asked) -> tuple[int, dict[str, str], bytes]:
    return processor.said(201, {"subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798"})


async def babbles(processor: Processor, _: Asked) -> tuple[int, dict[str, str], bytes]:
    return 201, processor.identity.signs(b"ok"), b"ok"


async def refuses(_: Processor, __: Asked) -> tuple[int, dict[str, str], bytes]:
    return 400, {}, b'{"error": {"code": 400, "message": "lin@example.com"}}'


async def is_away(_: Processor, __: Asked) -> tuple[int, dict[str, str], bytes]:
    return 503, {}, b""


async def test_a_processor_that_misbehaves_leaves_the_task_open_or_with_an_officer(
    told: Told, processor: Processor
) -> None:
    for number, (behaviour, *wanted) in enumerate(
        [
            (redirects, "failed", "redirected"),
            (forges, "failed", "forged"),
            (signs_nothing, "failed", "forged"),
            (answers_for_another, "failed", "wrong-request"),
            (babbles, "failed", "garbled"),
            (refuses, "failed", "refused"),
            (is_away, "open", ""),
        ]
    ):
        processor.behave = behaviour
        request = await told.served(await told.customer(f"c-{number}"))
        await worked(told)
        (system,) = (await told.request(request["request"]))["systems"]
        assert [system["status"], system.get("reason", "")] == wanted
        assert len(processor.asked) == number + 1
        assert (await told.request(request["request"]))["status"] == "in_progress"


async def test_a_private_or_open_address_is_never_called(told: Told, processor: Processor) -> None:
    file = told.services.settings.key_folder / FOLDER / "mail"
    for address in ("https://10.0.0.1/v2", "http://processor.example", "no address", "https://[::1]/"):
        file.write_text(address)
        checked = (await told.admin.post("/v1/rights/systems/mail/check", json={})).json()
        assert checked["problems"] == ["refused-address"], address
    await told.served(await told.customer())
    await worked(told)
    assert await state(told) == ("failed", "refused-address")
    assert processor.asked == []


async def test_callbacks_that_are_forged_replayed_elsewhere_or_strange_change_nothing(
    told: Told, processor: Processor
) -> None:
    one, two = await told.served(await told.customer("c-1")), await told.served(await told.customer("c-2"))
    await worked(told)
    sent = {each.body["status_callback_urls"][0]: each.body["subject_request_id"] for each in processor.posted()}
    paths = {tasks_of(each)["mail"]: each for each in (one, two)}
    (own, own_id), (other, _) = sent.items()
    path = urlsplit(own).path
    headers, body = processor.callback(own_id, "completed")
    elsewhere = urlsplit(other).path
    stranger, second = an_identity("other.example"), an_identity(DOMAIN, 49)
    tries: list[tuple[str, dict[str, str], bytes, int]] = [
        (path, {}, body, 403),
        (path, stranger.signs(body), body, 403),
        (path, stranger.signs(body, "other.example"), body, 403),
        (path, second.signs(body), body, 403),
        (path, headers, body.replace(b"completed", b"cancelled"), 403),
        (path, {**headers, "X-OpenDSR-Signature": "%"}, body, 403),
        (elsewhere, headers, body, 400),
        (path, processor.identity.signs(b"[]"), b"[]", 400),
        (path.replace("default", "none"), headers, body, 403),
        ("/t/default/opendsr/tsk_" + "0" * 32, headers, body, 403),
        ("/t/default/opendsr/x", headers, body, 403),
    ]
    for at, given, content, wanted in tries:
        answer = await told.nobody.post(at, headers=given, content=content)
        assert (answer.status_code, at) == (wanted, at)
    assert len(paths) == 2
    for each in (one, two):
        assert (await told.request(each["request"]))["status"] == "in_progress"


def test_a_certificate_whose_time_is_over_signs_nothing() -> None:
    identity, body = an_identity(), b"{}"
    headers = {name.lower(): value for name, value in identity.signs(body).items()}
    ends = from_datetime(x509.load_pem_x509_certificate(identity.certificate.encode()).not_valid_after_utc)
    demand_signed(body, headers, identity.certificate, ends - 1)
    with pytest.raises(Refused) as refused:
        demand_signed(body, headers, identity.certificate, ends)
    assert refused.value.word == "certificate-expired"


async def test_a_cancelled_request_is_told_anew_under_another_id_when_an_officer_says_so(
    told: Told, processor: Processor
) -> None:
    request = await told.served(await told.customer())
    await worked(told)
    first = processor.posted()[0].body["subject_request_id"]
    stale = processor.callback(first, "completed")
    assert (await calls_back(told, processor, "cancelled")).status_code == 202
    assert await state(told) == ("failed", "cancelled")
    assert (await told.ines.post(f"{TASKS}/{tasks_of(request)['mail']}/again")).status_code == 200
    await worked(told)
    assert processor.posted()[1].body["subject_request_id"] != first
    late = await told.nobody.post(urlsplit(processor.callbacks[first]).path, headers=stale[0], content=stale[1])
    assert (late.status_code, slug(late)) == (400, "wrong-request")


async def test_identities_leave_hashed_where_the_manifest_says_so(told: Told, processor: Processor) -> None:
    hashed = manifest(processor.identity.certificate, identity_format="sha256")
    assert (await told.apply(hashed)).status_code == 200
    await told.served(await told.customer())
    await worked(told)
    (identity,) = processor.posted()[0].body["subject_identities"]
    assert identity["identity_value"] == sha256(b"lin@example.com").hexdigest()


async def test_a_check_compares_what_the_processor_takes_with_what_is_declared(
    told: Told, processor: Processor
) -> None:
    path = "/v1/rights/systems/mail/check"
    assert (await told.admin.post(path, json={})).json()["problems"] == []
    more = {"kinds": ["portability"], "identity_format": "sha256"}
    assert (await told.apply(manifest(an_identity("other.example").certificate, **more))).status_code == 200
    assert (await told.admin.post(path, json={})).json()["problems"] == [
        "kind-not-supported",
        "identity-not-supported",
        "certificate-differs",
    ]
    processor.behave = redirects
    assert (await told.admin.post(path, json={})).json()["problems"] == ["redirected"]


async def test_a_declaration_that_opendsr_does_not_know_is_refused_by_name(told: Told, processor: Processor) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"certificate": "none"}, "'certificate' is the processor's certificate"),
        ({"certificate": 7}, "'certificate' is text"),
        ({"kinds": ["restriction"]}, "OpenDSR knows access, portability, erasure"),
        ({"identify": {"mail": "customers.email"}}, "'mail' is no identity of OpenDSR"),
        ({"identity_format": "md5"}, "identity_format is one of raw, sha256"),
        ({"connector": "pull", "client": "till"}, "Only a system with connector 'opendsr'"),
    ]
    for more, words in wrong:
        refused = await told.apply(manifest(**{"certificate": processor.identity.certificate, **more}))
        assert refused.status_code == 400
        assert words in refused.text
