"""`GET /v1/changes`: committed changes, in order, each client's own names, cursors that end."""

import asyncio
from typing import Any

import httpx
from freezegun import freeze_time

from sayso.kernel import SYSTEM, Context, now
from tests.server.feed.conftest import Fed


async def read(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get("/v1/changes", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_withdrawal_is_told_with_the_clients_own_names(fed: Fed) -> None:
    subject = await fed.world.person()
    body = {"subject": subject, "collection": "customers", "fields": {"email": "ada@example.org"}}
    tokens = (await fed.world.admin.post("/v1/vault/records", json=body)).json()["tokens"]
    after = await fed.latest()
    await fed.grant(subject)
    record = await fed.withdraw(subject, "marketing.email")
    page = await read(fed.mailer, after=after)
    assert [event["type"] for event in page["events"]] == [
        "sayso.consent.choice.recorded",
        "sayso.consent.choice.withdrawn",
    ]
    event = page["events"][1]
    assert event["specversion"] == "1.0"
    assert event["source"].endswith("/default")
    assert event["subject"].startswith("psn_")
    assert subject not in str(page)
    data = event["data"]
    assert data["record"] == record
    assert data["choices"] == {"marketing.email": "withdrawn"}
    assert data["state"]["marketing.email"]["status"] == "withdrawn"
    assert data["state"]["marketing.email"]["legal_basis"] == "consent"
    assert data["tokens"] == {"customers.email": [tokens["email"]]}
    aliases = await fed.mailer.post("/v1/changes/aliases", json={"subjects": [subject]})
    assert aliases.json()["aliases"] == {subject: event["subject"]}
    again = await read(fed.mailer, after=page["cursor"])
    assert (again["events"], again["more"]) == ([], False)


async def test_two_clients_cannot_join_their_names_and_a_recorder_knows_the_id(fed_lite: Fed) -> None:
    fed = fed_lite
    other = await fed.world.key("ads", "marketing_sender")
    till = await fed.world.key("till", "recorder")
    after = await fed.latest()
    subject = await fed.world.person("c-9")
    names = [(await read(client, after=after))["events"][0]["subject"] for client in (fed.mailer, other, till)]
    assert names[0] != names[1]
    assert names[2] == subject


async def test_an_erasure_is_told_by_the_name_the_client_knows(fed: Fed) -> None:
    subject = await fed.world.person()
    after = await fed.latest()
    await fed.grant(subject)
    known = (await read(fed.mailer, after=after))["events"][0]["subject"]
    opened = await fed.world.admin.post(
        "/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"}
    )
    request = opened.json()["request"]
    await fed.world.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    done = await fed.world.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})
    assert done.status_code == 200, done.text
    events = (await read(fed.mailer, after=after, type="consent.person.*"))["events"]
    assert [(event["type"], event["subject"]) for event in events] == [("sayso.consent.person.forgotten", known)]
    assert set(events[0]["data"]) == {"registry_seq"}
    recorded = (await read(fed.mailer, after=after, type="sayso.consent.choice.recorded"))["events"]
    assert set(recorded[0]["data"]) == {"registry_seq"}, "what an erased person chose can be read no more"


async def test_filters_take_types_and_purposes_from_above_and_below(fed_lite: Fed) -> None:
    fed = fed_lite
    subject = await fed.world.person()
    after = await fed.latest()
    await fed.grant(subject)
    await fed.withdraw(subject, "ads")
    await fed.withdraw(subject, "marketing")
    about = (await read(fed.mailer, after=after, purpose="marketing.email"))["events"]
    assert [event["data"]["choices"] for event in about] == [{"marketing.email": "granted"}, {"marketing": "withdrawn"}]
    assert list(about[1]["data"]["state"]) == ["marketing.email"]
    assert about[1]["data"]["state"]["marketing.email"]["status"] == "withdrawn"
    noes = (await read(fed.mailer, after=after, type="consent.choice.withdrawn"))["events"]
    assert len(noes) == 2
    for query in ({"type": "consent.choice.eaten"}, {"purpose": "marketing.emial"}, {"after": "x"}, {"limit": 0}):
        refused = await fed.mailer.get("/v1/changes", params=query)
        assert refused.status_code == 400, query


async def test_pages_follow_each_other_without_loss(fed: Fed) -> None:
    after = await fed.latest()
    subjects = [await fed.world.person(f"c-{number}") for number in range(7)]
    told, cursor, more = [], after, True
    while more:
        page = await read(fed.world.admin, after=cursor, limit=2)
        told += [event["subject"] for event in page["events"]]
        cursor, more = page["cursor"], page["more"]
    assert told == subjects


async def test_a_reader_may_wait_for_what_comes(fed: Fed) -> None:
    after = await fed.latest()
    loop = asyncio.get_running_loop()
    waiting = asyncio.create_task(read(fed.mailer, after=after, wait=30))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await fed.world.person()
    page = await asyncio.wait_for(waiting, 25)
    assert len(page["events"]) == 1
    begun = loop.time()
    empty = await read(fed.mailer, after=page["cursor"], wait=1)
    assert empty["events"] == []
    assert loop.time() - begun > 0.8


async def test_a_cursor_older_than_the_feed_says_how_to_begin_anew(fed: Fed) -> None:
    old = await fed.latest()
    subject = await fed.world.person()
    await fed.grant(subject)
    with freeze_time("2100-01-01", real_asyncio=True):
        await fed.world.services.feed.tidy("default")
    gone = await fed.mailer.get("/v1/changes", params={"after": old})
    assert gone.status_code == 410
    assert gone.json()["type"].endswith("#cursor-too-old")
    fresh = gone.json()["latest"]
    assert (await read(fed.mailer, after=fresh))["events"] == []
    await fed.withdraw(subject, "marketing.email")
    assert len((await read(fed.mailer, after=fresh))["events"]) == 1


async def test_what_was_committed_with_an_old_clock_is_not_cut_out_of_the_middle(fed: Fed) -> None:
    services, subject = fed.world.services, await fed.world.person()
    after = await fed.latest()
    await fed.grant(subject)

    def late(tx: Any) -> Any:
        yield ()
        tx.publish("consent.person.created", b"\1" * 16, b"")

    await services.database.run(Context("default", SYSTEM, now() - 30 * 86_400_000_000, "t"), late)  # type: ignore[arg-type]
    await fed.withdraw(subject, "marketing.email")
    await services.feed.tidy("default")
    assert len((await read(fed.mailer, after=after))["events"]) == 3


async def test_a_cursor_of_another_brand_is_none_of_ours(fed_lite: Fed) -> None:
    made = await fed_lite.world.operator.post("/v1/tenants", json={"name": "other", "controller": "Other Ltd, Malta"})
    assert made.status_code == 201, made.text
    stranger = await fed_lite.world.client(made.json()["admin_key"])
    cursor = await fed_lite.latest()
    refused = await stranger.get("/v1/changes", params={"after": cursor})
    assert refused.status_code == 400
    assert refused.json()["type"].endswith("#invalid-cursor")
