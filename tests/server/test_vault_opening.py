"""Over HTTP: facts for who may not see, thousands in order, a second person, and answers that cannot be told apart."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pyrage
import pytest
from freezegun import freeze_time

from sayso.kernel import now, to_datetime
from tests.server.worlds import World
from vault.tokens.token import new_token

MANIFEST = """
categories: [contact.email, contact.phone, identity]
purposes:
  support:
    title: {en: Customer care}
    legal_basis: consent
    categories: [contact.email, contact.phone, identity]
notices:
  web:
    version: 1
    purposes: [support]
    text: {en: "We look after you if you say so."}
collections:
  customers:
    fields:
      email: {type: email, category: contact.email, facts: [domain], token: {shape: email}, index: [exact]}
      phone: {type: phone, category: contact.phone, region: CN}
      number: {type: cn_resident_id, category: identity, guard: [second_person, break_glass], facts: ["age_over:18"]}
roles: {agent: [], clerk: []}
rules:
  - {id: A1, role: agent, action: reveal, category: contact.email, purpose: support, effect: allow, basis: consent}
  - {id: A2, role: agent, action: reveal, category: identity, purpose: support, effect: allow, basis: consent}
  - {id: A3, role: agent, action: use, category: contact.email, purpose: support, effect: allow, basis: consent}
  - {id: C1, role: clerk, action: read, category: contact.email, purpose: support, effect: allow, basis: consent}
  - {id: C2, role: clerk, action: read, category: identity, purpose: support, effect: allow, basis: consent}
"""
ADA = {"email": "ada@example.org", "phone": "13800138000", "number": "11010519491231002X"}


async def stored(world: World, name: str = "c-1", **fields: str) -> dict[str, str]:
    subject = await world.person(name)
    assert (await world.choose(subject, choices={"support": "granted"})).status_code == 201
    body = {"subject": subject, "collection": "customers", "fields": fields or ADA}
    response = await world.admin.post("/v1/vault/records", json=body)
    assert response.status_code == 201, response.text
    tokens: dict[str, str] = response.json()["tokens"]
    return tokens


async def apply(world: World) -> None:
    applied = await world.apply(MANIFEST)
    assert applied.status_code == 200, applied.text


async def opened(client: Any, *items: dict[str, str], **more: Any) -> list[str | None]:
    body = {"items": items, "purpose": "support", "reason": "a call", **more}
    response = await client.post("/v1/vault/reveal", json=body)
    assert response.status_code == 200, response.text
    return [each.get("value") for each in response.json()["results"]]


async def test_a_clerk_is_told_facts_and_sees_no_value(lite: World) -> None:
    await apply(lite)
    tokens = await stored(lite)
    assert tokens["email"].endswith("@token.invalid")
    clerk = await lite.key("desk", "clerk")
    asked = [
        {"token": tokens["email"], "transform": "domain"},
        {"token": tokens["number"], "transform": "age_over:18"},
        {"token": tokens["email"]},
        {"token": tokens["email"], "transform": "mask_hash"},
        {"token": tokens["number"], "transform": "year"},
    ]
    assert await opened(clerk, *asked) == ["example.org", "true", None, None, None]
    wrong = await clerk.post(
        "/v1/vault/reveal",
        json={"items": [{"token": tokens["email"], "transform": "domian"}], "purpose": "support", "reason": "x"},
    )
    assert (wrong.status_code, wrong.json()["nearest"]) == (400, "domain")


async def test_thousands_come_in_the_order_they_were_asked(world: World) -> None:
    await apply(world)
    agent = await world.key("crm", "agent")
    tokens = [(await stored(world, f"c-{n}", email=f"p{n}@example.org"))["email"] for n in range(6)]
    named = [tokens[n % 6] for n in range(20)] + [new_token(), *[new_token() for _ in range(300)], tokens[0]]
    lines = [{"purpose": "support", "reason": "a letter"}, *({"token": token} for token in named)]
    body = "\n".join(json.dumps(line) for line in lines) + "\n"
    response = await agent.post("/v1/vault/bulk", content=body)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/x-ndjson")
    results = [json.loads(line) for line in response.text.splitlines()]
    assert [each.get("value") for each in results] == [
        *[f"p{n % 6}@example.org" for n in range(20)],
        *[None] * 301,
        "p0@example.org",
    ]
    # Each chunk is one entry: a token that comes again begins a new one.
    assert len({each["entry"] for each in results}) == 5
    leaf = await world.admin.get(f"/v1/audit/entries/{results[0]['entry']}")
    assert leaf.status_code == 200, leaf.text
    assert '"count":"6"' in leaf.text.replace(" ", "").replace("\\", "")


async def test_what_opens_alone_opens_in_a_list_and_nothing_else(world: World) -> None:
    """Masks, facts, guards and strangers: each item of a list is answered as the same item by itself."""
    await apply(world)
    tokens = await stored(world)
    for name, role in (("crm", "agent"), ("desk", "clerk")):
        client = await world.key(name, role)
        items = [
            {"token": token, **more}
            for token in (*tokens.values(), new_token(), "tok_x")
            for more in ({}, {"transform": "mask_last4"}, {"transform": "age_over:18"}, {"transform": "domain"})
        ]
        alone = [(await opened(client, item))[0] for item in items]
        assert any(alone)
        lines = [{"purpose": "support", "reason": "x"}, *items]
        response = await client.post("/v1/vault/bulk", content="\n".join(map(json.dumps, lines)))
        results = [json.loads(line) for line in response.text.splitlines()]
        assert [each.get("value") for each in results] == alone
        assert {each["code"] for each in results if "value" not in each} == {"unresolvable"}


async def test_records_are_stored_by_the_line_and_a_bad_one_fails_alone(world: World) -> None:
    await apply(world)
    writer = await world.key("loader", "vault_writer")
    people = [await world.person(f"c-{n}") for n in range(3)]
    lines = [
        {"collection": "customers"},
        {"subject": people[0], "fields": {"email": "p0@example.org"}},
        {"subject": people[1], "fields": {"email": "no address"}},
        {"subject": "sub_" + "0" * 32, "fields": {"email": "p1@example.org"}},
        {"subject": people[2], "fields": {"email": "p2@example.org"}},
    ]
    body = "\n".join(map(json.dumps, lines))
    response = await writer.post("/v1/vault/records/bulk", content=body)
    assert response.status_code == 200, response.text
    results = [json.loads(line) for line in response.text.splitlines()]
    assert [each.get("code") for each in results] == [None, "invalid-value", "no-subject", None]
    assert [each["subject"] for each in results] == [line["subject"] for line in lines[1:]]
    assert "no address" not in response.text
    for each in results:
        if "entry" in each:
            assert (await world.admin.get(f"/v1/audit/entries/{each['entry']}")).status_code == 200
    # Sent again, whoever is stored already has the same tokens.
    again = [json.loads(line) for line in (await writer.post("/v1/vault/records/bulk", content=body)).text.splitlines()]
    assert [each.get("tokens") for each in again] == [each.get("tokens") for each in results]
    assert (await world.choose(people[2], choices={"support": "granted"})).status_code == 201
    agent = await world.key("crm", "agent")
    assert await opened(agent, {"token": results[3]["tokens"]["email"]}) == ["p2@example.org"]


@pytest.mark.parametrize(
    "body",
    ["", '{"collection": "customers"}\n', '{"collection": "custmers"}\n{"subject": "x", "fields": {}}', "{}\n{}"],
)
async def test_records_without_a_head_or_a_line_are_refused_whole(lite: World, body: str) -> None:
    await apply(lite)
    response = await lite.admin.post("/v1/vault/records/bulk", content=body)
    assert response.status_code in (400, 404), response.text


async def test_a_search_tells_of_whom_the_rules_let_be_used(world: World) -> None:
    await apply(world)
    await stored(world, "c-1", email="ada@example.org")
    subject = await world.person("c-1")
    asked = {"collection": "customers", "purpose": "support", "reason": "a call"}
    ada, bob = ([{"field": "email", "value": value}] for value in ("ADA@example.org", "bob@example.org"))

    async def told(client: httpx.AsyncClient, terms: list[dict[str, str]]) -> list[str]:
        answer = await client.post("/v1/vault/search", json=asked | {"all": terms})
        assert answer.status_code == 200, answer.text
        return [each["subject"] for each in answer.json()["results"]]

    agent, clerk = await world.key("crm", "agent"), await world.key("desk", "clerk")
    assert await told(agent, ada) == [subject]
    assert await told(agent, bob) == []
    assert await told(clerk, ada) == []
    # Many at once share a look at the index, and each is answered for itself.
    answers = await asyncio.gather(*(told(agent, ada if n % 3 else bob) for n in range(30)))
    assert answers == [[subject] if n % 3 else [] for n in range(30)]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ("", "malformed"),
        ('{"purpose": "support", "reason": "x"}\n', "malformed"),
        ('{"purpose": "support", "reason": "x"}\n{"tokn": "x"}\n', "malformed"),
        ('{"purpose": "support", "reason": "x"}\n\n{"token": "x"}\n', "malformed"),
        ('{"purpose": "support", "reason": "x"}\n' + '{"token": "x"}\n' * 50_001, "too-many-items"),
    ],
)
async def test_a_list_that_is_none_is_refused_whole(lite: World, body: str, slug: str) -> None:
    await apply(lite)
    response = await (await lite.key("crm", "agent")).post("/v1/vault/bulk", content=body)
    assert response.status_code in (400, 413)
    assert response.json()["type"].endswith(slug)


async def somebody(world: World, name: str, *roles: str) -> httpx.AsyncClient:
    """A key that somebody else than the administrator holds, as the operator of the host says."""
    made = (await world.admin.post("/v1/keys", json={"name": name, "roles": roles})).json()
    assert (await world.operator.post(f"/v1/keys/{made['id']}/confirm")).status_code == 204
    return await world.client(made["key"])


async def test_two_keys_that_one_person_made_are_no_two_persons(lite: World) -> None:
    await apply(lite)
    token = (await stored(lite))["number"]
    one, other = await lite.key("one", "officer"), await lite.key("other", "officer")
    body = {"tokens": [token], "purpose": "support", "reason": "the bank asks"}
    asked = (await one.post("/v1/vault/grants", json=body)).json()
    refused = await other.post(f"/v1/vault/grants/{asked['grant']}/approve")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (403, "own-grant")


async def test_a_second_person_opens_a_guarded_value(lite: World) -> None:
    await apply(lite)
    token = (await stored(lite))["number"]
    agent, boss = await lite.key("crm", "agent"), await somebody(lite, "boss", "officer")
    assert await opened(agent, {"token": token}) == [None]
    body = {"tokens": [token], "purpose": "support", "reason": "the bank asks", "ticket": "T-1"}
    asked = (await agent.post("/v1/vault/grants", json=body)).json()
    assert (await agent.post(f"/v1/vault/grants/{asked['grant']}/approve")).status_code == 403
    listed = (await boss.get("/v1/vault/grants")).json()["grants"]
    assert [(each["state"], each["reason"], each["asked_by"]) for each in listed] == [
        ("waiting", "the bank asks", "crm")
    ]
    approved = await boss.post(f"/v1/vault/grants/{asked['grant']}/approve")
    assert approved.json()["state"] == "approved"
    assert await opened(agent, {"token": token}, grant=asked["grant"]) == [ADA["number"]]
    assert await opened(agent, {"token": token}, grant=asked["grant"]) == [None]
    own = (await boss.post("/v1/vault/grants", json=body)).json()
    refused = await boss.post(f"/v1/vault/grants/{own['grant']}/approve")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (403, "own-grant")
    assert refused.json()["detail"]


async def test_broken_glass_and_canaries_stand_in_the_log_as_alarms(lite: World) -> None:
    await apply(lite)
    tokens = await stored(lite)
    agent, boss = await lite.key("crm", "agent"), await lite.key("boss", "officer")
    glass = {"reason": "an accident", "ticket": "T-9"}
    assert await opened(agent, {"token": tokens["number"]}, break_glass=glass) == [ADA["number"]]
    bait = await stored(lite, "bait", email="nobody@example.org")
    planted = await boss.post("/v1/vault/canaries", json={"subject": await lite.person("bait")})
    assert planted.status_code == 201, planted.text
    assert (await agent.get("/v1/vault/canaries")).status_code == 403
    assert await opened(agent, {"token": bait["email"]}) == ["nobody@example.org"]
    await lite.services.audit.drain(lite.services.database, "default")
    found = (await lite.admin.get("/v1/audit/entries", params={"type": "vault.alarm.raised"})).text
    assert found.count("vault.alarm.raised") >= 2
    subject = (await boss.get("/v1/vault/canaries")).json()["canaries"][0]
    assert (await boss.delete(f"/v1/vault/canaries/{subject}")).status_code == 204
    assert (await boss.get("/v1/vault/canaries")).json()["canaries"] == []


async def test_all_refusals_have_one_body(lite: World) -> None:
    await apply(lite)
    tokens = await stored(lite)
    agent, clerk = await lite.key("crm", "agent"), await lite.key("desk", "clerk")
    once = await lite.admin.post(
        "/v1/vault/tokens",
        json={"subject": await lite.person(), "collection": "customers", "fields": ["email"], "uses": 1},
    )
    spent = once.json()["tokens"]["email"]
    assert await opened(agent, {"token": spent}) == [ADA["email"]]
    shapes = set()
    for client, token in [
        (agent, new_token()),
        (agent, "tok_mistyped"),
        (agent, "+999123456789012"),
        (agent, spent),
        (agent, tokens["number"]),
        (agent, tokens["phone"]),
        (clerk, tokens["email"]),
    ]:
        body = {"items": [{"token": token}], "purpose": "support", "reason": "x"}
        response = await client.post("/v1/vault/reveal", json=body)
        (result,) = response.json()["results"]
        assert result.pop("entry").startswith("ent_")
        names = tuple(sorted(name for name in response.headers if name not in ("date", "x-request-id")))
        shapes.add((response.status_code, json.dumps(result), len(response.content), names))
    assert len(shapes) == 1
    assert '"unresolvable"' in next(iter(shapes))[1]


async def test_a_person_takes_their_values_home_sealed_for_their_own_key(lite: World) -> None:
    await apply(lite)
    await stored(lite)
    person, boss = await lite.person(), await lite.key("boss", "officer")
    theirs = pyrage.x25519.Identity.generate()
    body = {"subject": person, "recipient": str(theirs.to_public()), "reason": "asked by letter"}
    assert (await (await lite.key("crm", "agent")).post("/v1/vault/export", json=body)).status_code == 403
    response = await boss.post("/v1/vault/export", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/age")
    assert ADA["email"].encode() not in response.content
    made = json.loads(pyrage.decrypt(response.content, [theirs]))
    assert made["values"] == {"customers": {"email": ADA["email"], "phone": ADA["phone"]}}
    assert (made["withheld"], made["entry"]) == (["customers.number"], response.headers["sayso-entry"])
    # What is guarded comes once another person approved of just this.
    asked = {"tokens": [person, body["recipient"]], "purpose": "dsar", "reason": "asked by letter"}
    grant = (await boss.post("/v1/vault/grants", json=asked)).json()["grant"]
    other = await somebody(lite, "other", "officer")
    assert (await other.post(f"/v1/vault/grants/{grant}/approve")).status_code == 200
    whole = await boss.post("/v1/vault/export", json=body | {"grant": grant})
    assert json.loads(pyrage.decrypt(whole.content, [theirs]))["values"]["customers"] == ADA
    wrong = await boss.post("/v1/vault/export", json=body | {"recipient": "age1nobody"})
    assert (wrong.status_code, wrong.json()["type"].rpartition("#")[2]) == (400, "invalid-recipient")


async def test_a_conversation_goes_to_the_lake_without_who_it_was(lite: World) -> None:
    await apply(lite)
    tokens = await stored(lite)
    person = await lite.person()
    body = {
        "text": f"Hi, I am {ADA['email'].upper()}, my number is {ADA['number']}. Ring +44 20 7946 0958.",
        "subject": person,
        "collection": "customers",
    }
    response = await lite.admin.post("/v1/vault/redact", json=body)
    assert response.status_code == 200, response.text
    done = response.json()
    assert [each["kind"] for each in done["found"]] == ["email", "cn_resident_id", "phone"]
    # The number is guarded: whoever types it learns nothing of what is stored.
    assert done["text"].startswith(f"Hi, I am {tokens['email']}, my number is tok_")
    assert tokens["number"] not in done["text"]
    many = " ".join(f"a{number}@example.org" for number in range(21))
    assert (await lite.admin.post("/v1/vault/redact", json=body | {"text": many})).status_code == 413
    assert (await (await lite.key("crm", "agent")).post("/v1/vault/redact", json=body)).status_code == 403
    alone = await lite.admin.post("/v1/vault/redact", json={"text": "x", "collection": "customers"})
    assert (alone.status_code, alone.json()["type"].rpartition("#")[2]) == (400, "redact-for-whom")


async def test_a_list_that_is_read_slowly_is_decided_by_the_clock_of_each_part(lite: World) -> None:
    rule = "action: reveal, category: contact.phone, purpose: support, effect: allow, basis: consent"
    manifest = MANIFEST.replace("region: CN}", "region: CN, token: {ttl: PT1S}}")
    assert (await lite.apply(f"{manifest}  - {{id: A4, role: agent, {rule}}}\n")).status_code == 200
    agent, tokens = await lite.key("crm", "agent"), await stored(lite)
    named = [tokens["email"]] * 3 + [tokens["phone"]]
    with freeze_time(to_datetime(now()), real_asyncio=True) as clock:

        async def later() -> None:
            clock.tick(1.1)

        values = await read_slowly(lite, agent, named, later)
    assert values == ["ada@example.org"] * 3 + [None]


async def test_what_was_approved_of_opens_at_once_however_slowly_it_is_read(lite: World) -> None:
    await apply(lite)
    token = (await stored(lite))["number"]
    agent, boss = await lite.key("crm", "agent"), await somebody(lite, "boss", "officer")
    body = {"tokens": [token], "purpose": "support", "reason": "the bank asks"}
    grant = (await agent.post("/v1/vault/grants", json=body)).json()["grant"]
    assert (await boss.post(f"/v1/vault/grants/{grant}/approve")).status_code == 200
    values = await read_slowly(lite, agent, [token] * 4, lambda: stored(lite, number="110101194912310032"), grant=grant)
    assert values == [ADA["number"]] * 4


async def read_slowly(
    world: World, client: httpx.AsyncClient, tokens: list[str], meanwhile: Callable[[], Awaitable[object]], **more: str
) -> list[str | None]:
    """The values of a list, read by somebody who does something else between any two parts of it."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        async def later(message: Any) -> None:
            await send(message)
            if message.get("body"):
                await meanwhile()

        await world.app(scope, receive, later)

    lines = [{"purpose": "support", "reason": "a letter", **more}, *({"token": token} for token in tokens)]
    transport = httpx.ASGITransport(slow)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=client.headers) as reader:
        response = await reader.post("/v1/vault/bulk", content="\n".join(map(json.dumps, lines)))
    return [json.loads(line).get("value") for line in response.text.splitlines()]


async def test_a_search_finds_nobody_where_what_the_caller_has_seen_is_not_known_yet(lite: World) -> None:
    await apply(lite)
    await stored(lite)
    agent = await lite.key("crm", "agent")
    terms = [{"field": "email", "value": "ada@example.org"}]
    body = {"collection": "customers", "all": terms, "purpose": "support", "reason": "a call"}
    assert len((await agent.post("/v1/vault/search", json=body)).json()["results"]) == 1
    ahead = body | {"context": {"at_least_seq": "f" * 16}}
    assert (await agent.post("/v1/vault/search", json=ahead)).json()["results"] == []
