"""The same request twice is done once."""

import asyncio
from typing import Any

from freezegun import freeze_time

from tests.server.worlds import World


def consent(subject: str, **more: Any) -> dict[str, Any]:
    body = {
        "subject": subject,
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {"marketing.email": "granted"},
    }
    return body | more


async def test_a_replay_gives_the_same_bytes_and_records_nothing(world: World) -> None:
    await world.smallest()
    subject = await world.person()
    headers = {"idempotency-key": "order-1"}
    first = await world.admin.post("/v1/consents", json=consent(subject), headers=headers)
    again = await world.admin.post("/v1/consents", json=consent(subject), headers=headers)
    assert (first.status_code, first.content) == (201, again.content)
    history = (await world.admin.get(f"/v1/subjects/{subject}/history")).json()
    assert len(history["items"]) == 1


async def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    await world.smallest()
    subject = await world.person()
    headers = {"idempotency-key": "order-1"}
    await world.admin.post("/v1/consents", json=consent(subject), headers=headers)
    body = consent(subject, choices={"marketing.email": "refused"})
    refused = await world.admin.post("/v1/consents", json=body, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("#idempotency-key-reused")
    state = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    assert state["purposes"]["marketing.email"]["status"] == "granted"


async def test_racing_twins_make_one_record(world: World) -> None:
    await world.smallest()
    subject = await world.person()
    headers = {"idempotency-key": "race"}
    answers = await asyncio.gather(
        *(world.admin.post("/v1/consents", json=consent(subject), headers=headers) for _ in range(30))
    )
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    history = (await world.admin.get(f"/v1/subjects/{subject}/history")).json()
    assert len(history["items"]) == 1


async def test_a_key_of_another_client_or_route_is_another_key(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    headers = {"idempotency-key": "shared"}
    other = await lite.key("till", "recorder")
    first = await lite.admin.post("/v1/consents", json=consent(subject), headers=headers)
    second = await other.post("/v1/consents", json=consent(subject), headers=headers)
    third = await lite.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": "all"}, headers=headers)
    assert [first.status_code, second.status_code, third.status_code] == [201, 201, 201]
    assert first.json()["record"] != second.json()["record"]


async def test_a_failure_is_not_remembered(lite: World) -> None:
    await lite.smallest()
    headers = {"idempotency-key": "fix-me"}
    subject = "sub_" + "0" * 32
    assert (await lite.admin.post("/v1/consents", json=consent(subject), headers=headers)).status_code == 404
    known = await lite.person()
    assert (await lite.admin.post("/v1/consents", json=consent(known), headers=headers)).status_code == 201


async def test_a_day_later_the_key_is_new(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    headers = {"idempotency-key": "daily"}
    first = await lite.admin.post("/v1/consents", json=consent(subject), headers=headers)
    with freeze_time("2099-01-01", real_asyncio=True):
        later = await lite.admin.post("/v1/consents", json=consent(subject), headers=headers)
    assert first.json()["record"] != later.json()["record"]


async def test_a_key_that_cannot_be_one_is_refused(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    for key in ("", "x" * 256, "caf\xe9"):
        headers = {b"idempotency-key": key.encode("latin-1")}
        response = await lite.admin.post("/v1/consents", json=consent(subject), headers=headers)
        assert response.status_code == 400, key


async def test_thirty_first_sights_make_one_person(world: World) -> None:
    body = {"identifier": {"type": "email", "value": "Ada@Example.org"}, "create": True}
    answers = await asyncio.gather(*(world.admin.post("/v1/subjects/resolve", json=body) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["subject"] for answer in answers}) == 1
