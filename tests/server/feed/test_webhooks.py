"""Webhooks against real receivers on loopback: signed, in order, at least once, and patient with who misbehaves."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from freezegun import freeze_time
from standardwebhooks import Webhook

from sayso.server.feed import office, outgoing
from tests.builders.listening import listening
from tests.builders.served import free_port
from tests.server.feed.conftest import Fed, settled, until_tried
from tests.server.feed.receivers import Receiver, a_receiver, cut_off, endless, garbage, hang, with_status
from tests.server.worlds import until

STOOD = "2099-01-01T00:00:00Z"
"""Where the clock of messages stands in these tests: what failed is tried again when they move it on, not before."""


async def test_a_withdrawal_arrives_signed(fed: Fed, receiver: Receiver) -> None:
    made = await fed.subscribe(receiver.url, types=["consent.choice.*"], purposes=["marketing.email"])
    subject = await fed.world.person()
    await fed.grant(subject)
    await receiver.count(1)
    record = await fed.withdraw(subject, "marketing.email")
    message = (await receiver.count(2))[1]
    assert message.event["data"]["record"] == record
    assert message.event["data"]["state"]["marketing.email"]["status"] == "withdrawn"
    assert Webhook(made["secret"]).verify(message.body, message.headers) == message.event
    digest = base64.b64encode(hashlib.sha256(message.body).digest()).decode()
    assert message.headers["content-digest"] == f"sha-256=:{digest}:"
    assert message.headers["content-type"].startswith("application/cloudevents+json")
    (first, second) = await settled(fed, made["id"], "delivered", 2)
    assert second["id"] == message.headers["webhook-id"]
    assert second["ack_ms"] >= 0
    assert [attempt["outcome"] for attempt in first["attempts"]] == ["204"]
    detail = (await fed.mailer.get(f"/v1/webhooks/{made['id']}")).json()
    assert detail["figures"]["counts"] == {"delivered": 2}
    assert 0 <= detail["figures"]["ack_ms_p50"] <= detail["figures"]["ack_ms_p99"]
    assert "secret" not in detail["webhook"]


async def test_messages_are_cloudevents_by_another_implementation(fed_lite: Fed, receiver: Receiver) -> None:
    await fed_lite.subscribe(receiver.url)
    await fed_lite.world.person()
    message = (await receiver.count(1))[0]
    event = from_structured_event(HTTPMessage(dict(message.headers), message.body))
    assert event.get_type() == "sayso.consent.person.created"
    assert event.get_subject() == message.event["subject"]


async def test_events_about_one_person_keep_their_order_while_others_pass(fed: Fed, receiver: Receiver) -> None:
    slow = await fed.world.person("slow")
    quick = await fed.world.person("quick")
    alias = (await fed.mailer.post("/v1/changes/aliases", json={"subjects": [slow]})).json()["aliases"][slow]
    refusals = 1

    async def answer(one: Receiver, message: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal refusals
        if message.event["subject"] == alias and refusals:
            refusals -= 1
            await with_status(500)(one, message, writer)
        else:
            await asyncio.sleep(0.05)
            await with_status(200)(one, message, writer)

    receiver.answer = answer
    with freeze_time(STOOD, real_asyncio=True) as clock:
        made = await fed.subscribe(receiver.url)
        await fed.grant(slow)
        await fed.withdraw(slow, "marketing.email")
        await fed.grant(slow)
        for _ in range(3):
            await fed.grant(quick)
        await settled(fed, made["id"], "delivered", 3)
        await until_tried(fed, made["id"], 1)
        await asyncio.sleep(0.5)
        assert len([message for message in receiver.got if message.event["subject"] == alias]) == 1
        assert len(await fed.log(made["id"], status="queued")) == 2
        clock.tick(10)
        await settled(fed, made["id"], "delivered", 6)
    about_slow = [message for message in receiver.got if message.event["subject"] == alias]
    assert [message.seq for message in about_slow] == sorted(message.seq for message in about_slow)
    assert len(about_slow) == 4
    assert about_slow[0].headers["webhook-id"] == about_slow[1].headers["webhook-id"], "an attempt keeps its id"
    assert receiver.most_at_once == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (with_status(500), "500"),
        (with_status(302, location="http://127.0.0.1:1/"), "302"),
        (garbage, "protocol"),
        (with_status(101), "protocol"),
    ],
    ids=["fails", "redirects", "lies", "changes the protocol"],
)
async def test_whatever_is_not_a_2xx_is_tried_again(
    fed_lite: Fed, receiver: Receiver, answer: Any, outcome: str
) -> None:
    receiver.answer = answer
    with freeze_time(STOOD, real_asyncio=True) as clock:
        made = await fed_lite.subscribe(receiver.url)
        await fed_lite.world.person()
        await until_tried(fed_lite, made["id"], 1)
        (waiting,) = await fed_lite.log(made["id"], status="waiting")
        if outcome != "protocol":
            assert waiting["attempts"][0]["outcome"] == outcome
        receiver.answer = with_status(200)
        clock.tick(10)
        delivered = await settled(fed_lite, made["id"], "delivered")
    assert len(delivered[0]["attempts"]) == 2
    assert len({message.headers["webhook-id"] for message in receiver.got}) == 1


@pytest.mark.parametrize("answer", [endless, cut_off], ids=["talks for ever", "hangs up"])
async def test_a_2xx_counts_whatever_follows_it(fed_lite: Fed, receiver: Receiver, answer: Any) -> None:
    receiver.answer = answer
    made = await fed_lite.subscribe(receiver.url)
    await fed_lite.world.person()
    await settled(fed_lite, made["id"], "delivered")


async def test_a_receiver_that_hangs_holds_up_nobody_else(
    fed: Fed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT", 600.0)
    monkeypatch.setattr(outgoing, "_STEPS", dict.fromkeys(outgoing._STEPS, 600.0))
    async with a_receiver() as stuck:
        stuck.answer = hang
        bad = await fed.subscribe(stuck.url)
        good = await fed.subscribe(receiver.url)
        for number in range(5):
            await fed.world.person(f"c-{number}")
        await settled(fed, good["id"], "delivered", 5)
        await stuck.count(1)
        assert not any(each["attempts"] for each in await fed.log(bad["id"])), "it hangs all the time"


async def test_a_receiver_that_hangs_is_left_and_tried_again_later(
    fed_lite: Fed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "_STEPS", dict.fromkeys(outgoing._STEPS, 1.0))
    receiver.answer = hang
    made = await fed_lite.subscribe(receiver.url)
    await fed_lite.world.person()

    async def given_up() -> Any:
        found = await fed_lite.log(made["id"], status="waiting")
        return [each for each in found if [a["outcome"] for a in each["attempts"]] == ["timeout"]]

    await until(given_up)


async def test_who_answers_410_is_left_alone_until_it_wants_messages_again(
    fed: Fed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = with_status(410)
    monkeypatch.setattr(office, "_SURVEY", 0.3)
    with freeze_time(STOOD, real_asyncio=True) as clock:
        made = await fed.subscribe(receiver.url)
        await fed.world.person("c-1")

        async def gone() -> bool:
            return bool((await fed.mailer.get(f"/v1/webhooks/{made['id']}")).json()["webhook"]["status"] == "gone")

        await until(gone)
        count = len(receiver.got)
        await fed.world.person("c-2")
        await asyncio.sleep(0.6)
        assert len(receiver.got) == count
        await fed.world.services.settle()
        entries = (await fed.world.admin.get("/v1/audit/entries", params={"type": "server.webhook.disabled"})).json()
        assert len(entries["entries"]) == 1
        receiver.answer = with_status(200)
        back = await fed.mailer.patch(f"/v1/webhooks/{made['id']}", json={"status": "active"})
        assert back.json()["status"] == "active"
        clock.tick(10)
        await settled(fed, made["id"], "delivered", 2)


async def test_a_dead_letter_makes_a_client_overdue_and_can_be_sent_again(fed: Fed) -> None:
    async with a_receiver() as receiver:
        receiver.answer = with_status(503)
        made = await fed.subscribe(receiver.url)
        with freeze_time(STOOD, real_asyncio=True) as clock:
            subject = await fed.world.person()
            for number in range(1, 11):
                await receiver.count(number)
                assert (await settled_attempts(fed, made["id"], number)) == number
                clock.tick(27 * 3600)
            dead = await settled(fed, made["id"], "dead")
            assert [attempt["outcome"] for attempt in dead[0]["attempts"]] == ["503"] * 10
            overdue = (await fed.world.admin.get("/v1/webhooks/overdue")).json()["overdue"]
            assert [(each["client"], each["dead"], each["waiting"]) for each in overdue] == [("mailer", 1, 0)]
            await fed.grant(subject)
            await receiver.count(11)
            await until_tried(fed, made["id"], 1)
            receiver.answer = with_status(200)
            clock.tick(3600)
            body = {"since": STOOD, "until": "2099-01-02T00:00:00Z", "status": "dead"}
            again = await fed.mailer.post(f"/v1/webhooks/{made['id']}/redeliveries", json=body)
            assert (again.status_code, again.json()) == (202, {"queued": 1, "cursor": None})
            delivered = await settled(fed, made["id"], "delivered", 2)
            by_id = {"deliveries": [delivered[0]["id"], delivered[1]["id"]]}
            count = len(receiver.got)
            again = await fed.mailer.post(f"/v1/webhooks/{made['id']}/redeliveries", json=by_id)
            assert again.json()["queued"] == 2
            await receiver.count(count + 2)
            assert receiver.got[-1].headers["webhook-id"] == delivered[1]["id"], "in order again"
            await settled(fed, made["id"], "delivered", 2)
            assert (await fed.world.admin.get("/v1/webhooks/overdue")).json() == {"overdue": []}


async def settled_attempts(fed: Fed, webhook: str, number: int) -> int:
    """How many attempts the log of the only message holds, once there are so many."""

    async def enough() -> int:
        attempts = len((await fed.log(webhook))[0]["attempts"])
        return attempts if attempts >= number else 0

    return await until(enough)


async def test_a_receiver_that_comes_back_after_a_day_gets_everything_in_order(fed: Fed) -> None:
    with freeze_time(STOOD, real_asyncio=True) as clock:
        back = Receiver()
        back.port = free_port()
        made = await fed.subscribe(back.url)
        subject = await fed.world.person()
        await fed.grant(subject)
        await fed.withdraw(subject, "marketing.email")
        for number in range(1, 6):
            await until_tried(fed, made["id"], number)
            clock.tick(5 * 3600)
        async with listening(back.serve, back.port):
            clock.tick(24 * 3600)
            await back.count(3)
            assert [message.event["type"].rsplit(".", 1)[1] for message in back.got] == [
                "created",
                "recorded",
                "withdrawn",
            ]
            await settled(fed, made["id"], "delivered", 3)


async def test_two_secrets_sign_while_one_is_replaced(fed_lite: Fed, receiver: Receiver) -> None:
    made = await fed_lite.subscribe(receiver.url)
    changed = (await fed_lite.mailer.patch(f"/v1/webhooks/{made['id']}", json={"rotate_secret": True})).json()
    assert changed["secret"] != made["secret"]
    await fed_lite.world.person("c-1")
    message = (await receiver.count(1))[0]
    for secret in (made["secret"], changed["secret"]):
        Webhook(secret).verify(message.body, message.headers)
    with freeze_time(STOOD, real_asyncio=True):
        await fed_lite.world.person("c-2")
        late = (await receiver.count(2))[1]
        assert " " not in late.headers["webhook-signature"]
        Webhook(changed["secret"]).verify(late.body, late.headers)
    listed = await fed_lite.mailer.get("/v1/webhooks")
    assert made["secret"] not in listed.text
    assert changed["secret"] not in listed.text


async def test_a_client_without_a_live_key_is_told_nothing(
    fed_lite: Fed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "_SURVEY", 0.3)
    fed = fed_lite
    body = {"name": "guest", "roles": ["marketing_sender"]}
    key = (await fed.world.admin.post("/v1/keys", json=body)).json()
    await fed.subscribe(receiver.url, await fed.world.client(key["key"]))
    await fed.world.admin.delete(f"/v1/keys/{key['id']}")
    await fed.world.person()
    await asyncio.sleep(0.7)
    assert receiver.got == []
    assert (await fed.world.admin.post("/v1/keys", json=body)).status_code == 201
    await receiver.count(1)


async def test_an_erased_person_is_told_by_alias_alone(fed: Fed, receiver: Receiver) -> None:
    subject = await fed.world.person()
    await fed.subscribe(receiver.url)
    await fed.grant(subject)
    name = (await receiver.count(1))[0].event["subject"]
    opened = await fed.world.admin.post(
        "/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"}
    )
    request = opened.json()["request"]
    await fed.world.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    await fed.world.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})

    async def forgotten() -> Any:
        return [each for each in receiver.got if each.event["type"] == "sayso.consent.person.forgotten"]

    (message,) = await until(forgotten)
    assert message.event["subject"] == name
    assert subject not in message.body.decode()


async def test_each_client_sees_and_changes_its_own(fed_lite: Fed, receiver: Receiver) -> None:
    fed = fed_lite
    made = await fed.subscribe(receiver.url)
    other = await fed.world.key("ads", "marketing_sender")
    auditor = await fed.world.key("auditor", "auditor")
    address = f"/v1/webhooks/{made['id']}"
    for method, path in (("GET", address), ("PATCH", address), ("DELETE", address), ("GET", address + "/deliveries")):
        crossed = await other.request(method, path, json={} if method == "PATCH" else None)
        unknown = await other.request(
            method, path.replace(made["id"], "whk_" + "0" * 32), json={} if method == "PATCH" else None
        )
        assert crossed.status_code == unknown.status_code == 404
        assert crossed.content == unknown.content
    assert (await other.get("/v1/webhooks")).json() == {"webhooks": []}
    assert [each["id"] for each in (await auditor.get("/v1/webhooks")).json()["webhooks"]] == [made["id"]]
    assert (await auditor.patch(address, json={"status": "paused"})).status_code == 403
    assert (await fed.world.admin.patch(address, json={"status": "paused"})).json()["status"] == "paused"
    assert (await fed.mailer.delete(address)).status_code == 204
    assert (await fed.mailer.get(address)).status_code == 404
    await fed.world.person()
    await asyncio.sleep(0.5)
    assert receiver.got == []


async def test_an_administrator_subscribes_another_client(fed_lite: Fed, receiver: Receiver) -> None:
    made = await fed_lite.subscribe(receiver.url, fed_lite.world.admin, {"client": "mailer"})
    assert made["client"] == "mailer"
    subject = await fed_lite.world.person()
    event = (await receiver.count(1))[0].event
    assert event["subject"] != subject
    near = await fed_lite.world.admin.post("/v1/webhooks", json={"url": receiver.url, "client": "mialer"})
    assert near.status_code == 400
    assert near.json()["nearest"] == "mailer"


async def test_a_cursor_joins_reading_and_being_sent(fed: Fed, receiver: Receiver) -> None:
    await fed.world.person("before")
    cursor = await fed.latest()
    await fed.world.person("between")
    await fed.subscribe(receiver.url, after=cursor)
    await fed.world.person("after")
    await receiver.count(2)
    await asyncio.sleep(0.4)
    assert len(receiver.got) == 2


async def test_bad_wishes_are_refused_with_a_reason(fed_lite: Fed) -> None:
    good = "https://mailer.example/hook"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"url": "https://10.0.0.1/hook"}, "refused-address"),
        ({"url": "http://mailer.example/hook"}, "refused-address"),
        ({"url": "https://user:pw@mailer.example/"}, "refused-address"),
        ({"url": "ftp://mailer.example/"}, "refused-address"),
        ({"url": "https://localhost/"}, "refused-address"),
        ({"url": "jetstream:SAYSO"}, "refused-address"),
        ({"url": good, "types": ["consent.choice.eaten"]}, "unknown-type"),
        ({"url": good, "purposes": ["marketing.emial"]}, "unknown-purpose"),
        ({"url": good, "client": "nobody"}, "unknown-client"),
        ({"url": good, "after": "zzz"}, "invalid-cursor"),
        ({"url": good, "colour": "red"}, "malformed"),
    ]
    for body, slug in cases:
        response = await fed_lite.mailer.post("/v1/webhooks", json=body)
        assert (response.status_code, response.json()["type"]) == (400, f"/docs/problems#{slug}"), body
    nats = await fed_lite.world.admin.post("/v1/webhooks", json={"url": "jetstream:SAYSO", "client": "mailer"})
    assert nats.json()["type"].endswith("#no-nats")
    for _ in range(20):
        await fed_lite.subscribe(good)
    many = await fed_lite.mailer.post("/v1/webhooks", json={"url": good})
    assert (many.status_code, many.json()["type"]) == (409, "/docs/problems#too-many-webhooks")
    webhook = (await fed_lite.mailer.get("/v1/webhooks")).json()["webhooks"][0]["id"]
    for again in ({}, {"deliveries": ["msg_" + "0" * 32], "since": "2026-01-01T00:00:00Z"}, {"since": "yesterday"}):
        response = await fed_lite.mailer.post(f"/v1/webhooks/{webhook}/redeliveries", json=again)
        assert response.status_code == 400, again
    unknown = await fed_lite.mailer.post(
        f"/v1/webhooks/{webhook}/redeliveries", json={"deliveries": ["msg_" + "0" * 32]}
    )
    assert unknown.status_code == 404


async def test_the_secret_does_not_lie_readable_in_the_store(fed_lite: Fed, receiver: Receiver) -> None:
    made = await fed_lite.subscribe(receiver.url)
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    folder = fed_lite.world.services.settings.data_folder.parent
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert key not in stored
    assert made["secret"].encode() not in stored
