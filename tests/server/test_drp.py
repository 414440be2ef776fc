"""Agents of the Data Rights Protocol: signed messages, checked in order, taken once; libsodium is the other side."""

import asyncio
import json
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey

from rights import RequestView
from rights.model import State
from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now
from sayso.server.drp.callbacks import Callbacks
from sayso.server.drp.messages import demand_signed, opened
from sayso.server.drp.status import status_of
from sayso.server.taken import store as taken
from tests.builders.served import HOST
from tests.server.feed.receivers import a_receiver, hang, with_status
from tests.server.worlds import World, a_world
from tests.source import ROOT

AGENT, OTHER = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
REQUESTS = "/v1/data-rights-request"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def manifest(*agents: str) -> str:
    keys = {"CONSUMER_AGENT": AGENT, "OTHER_AGENT": OTHER}
    lines = "".join(
        f'    {name}: {{name: Consumer agent, verify_key: "{b64encode(bytes(keys[name].verify_key)).decode()}"}}\n'
        for name in agents
    )
    return f"drp:\n  business: HUANGSHAN_HALE\n  agents:\n{lines}"


def claims(**more: Any) -> dict[str, Any]:
    return {
        "agent-id": "CONSUMER_AGENT",
        "business-id": "HUANGSHAN_HALE",
        "issued-at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
        "expires-at": (datetime.now(UTC) + timedelta(minutes=10)).isoformat(),
        "drp.version": "1.0",
        **more,
    }


def exercise(**more: Any) -> dict[str, Any]:
    return claims(**{"exercise": "deletion", "regime": "ccpa", "agent-request-id": "their-7", **more})


def signed(message: dict[str, Any], key: SigningKey = AGENT) -> bytes:
    return b64encode(key.sign(json.dumps(message).encode()))


class Net(World):
    """A brand in the network. `agent` is an agent with a token, `ines` the officer."""

    agent: httpx.AsyncClient
    ines: httpx.AsyncClient

    async def enrolled(self, key: SigningKey = AGENT, agent: str = "CONSUMER_AGENT") -> httpx.AsyncClient:
        done = await self.send(f"/v1/agent/{agent}", signed(claims(**{"agent-id": agent}), key), self.nobody)
        assert done.status_code == 200, done.text
        assert done.json()["agent-id"] == agent
        return await self.client(done.json()["token"])

    async def send(self, path: str, body: bytes, by: httpx.AsyncClient | None = None) -> httpx.Response:
        return await (by or self.agent).post(path, content=body, headers={"content-type": "text/plain"})

    async def exercised(self, **more: Any) -> dict[str, Any]:
        done = await self.send(REQUESTS, signed(exercise(**more)))
        assert done.status_code == 200, done.text
        found: dict[str, Any] = done.json()
        return found

    async def revoked(self, request: str, body: bytes, by: httpx.AsyncClient | None = None) -> httpx.Response:
        headers = {"content-type": "text/plain"}
        return await (by or self.agent).request("DELETE", f"{REQUESTS}/{request}", content=body, headers=headers)

    async def opened(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ines.get("/v1/rights/requests")).json()["requests"]
        return found


async def a_net(world: World) -> Net:
    world.__class__ = Net
    assert isinstance(world, Net)
    await world.smallest()
    applied = await world.apply(manifest("CONSUMER_AGENT", "OTHER_AGENT"))
    assert applied.status_code == 200, applied.text
    world.ines = await world.key("ines", "officer")
    world.agent = await world.enrolled()
    return world


@pytest_asyncio.fixture
async def net(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Net]:
    async with a_world(tmp_path, sqlite_url, webhook_hosts=(HOST,)) as world:
        yield await a_net(world)


@pytest_asyncio.fixture
async def everywhere(tmp_path: Path, database_url: str) -> AsyncIterator[Net]:
    async with a_world(tmp_path, database_url, webhook_hosts=(HOST,)) as world:
        yield await a_net(world)


async def test_a_deletion_goes_from_open_to_fulfilled_and_the_agent_is_told_each_step(everywhere: Net) -> None:
    net = everywhere
    subject = await net.person("lin@example.com", "email")
    async with a_receiver() as receiver:
        asked = await net.exercised(
            name="Lin Yue", email="lin@example.com", email_verified=True, power_of_attorney="poa-7",
            status_callback=receiver.url,
        )  # fmt: skip
        assert (asked["status"], asked["agent_request_id"]) == ("open", "their-7")
        assert asked["expected_by"] > asked["received_at"][:10]
        request = asked["request_id"]
        (shown,) = await net.opened()
        whole = (await net.ines.get(f"/v1/rights/requests/{request}")).json()
        assert (shown["law"], shown["kind"], whole["subject"], whole["by_agent"]) == ("ccpa", "erasure", subject, True)
        assert "email: lin@example.com (verified by the agent)" in whole["statements"][0]["text"]
        step = f"/v1/rights/requests/{request}"
        own_word = await net.ines.post(f"{step}/verify", json={"method": "officer"})
        assert own_word.status_code == 409
        await net.ines.post(f"{step}/verify", json={"method": "document", "document": "poa-7"})
        assert (await net.agent.get(f"{REQUESTS}/{request}")).json()["status"] == "in_progress"
        await net.services.callbacks.round()
        assert (await net.ines.post(f"{step}/fulfil", json={})).status_code == 200
        await net.services.callbacks.round()
        await net.services.callbacks.round()
        told = [json.loads(each.body) for each in await receiver.count(2)]
        assert [each["status"] for each in told] == ["in_progress", "fulfilled"]
        assert {each["request_id"] for each in told} == {request}
        assert len(receiver.got) == 2
    await net.services.settle()
    entries = (await net.admin.get("/v1/audit/entries", params={"limit": 200})).json()["entries"]
    assert {"rights.request.opened", "server.key.created"} <= {each["type"] for each in entries}
    assert "lin@example.com" not in str(entries)


async def test_somebody_unknown_is_answered_like_somebody_known_and_nobody_is_made(net: Net) -> None:
    await net.person("lin@example.com", "email")
    known = await net.exercised(email="lin@example.com")
    unknown = await net.exercised(email="nobody@example.com", phone_number="no number")
    assert set(known) == set(unknown)
    body = {"identifier": {"type": "email", "value": "nobody@example.com"}}
    assert (await net.admin.post("/v1/subjects/resolve", json=body)).status_code == 404
    step = f"/v1/rights/requests/{unknown['request_id']}"
    assert "nobody@example.com" in (await net.ines.get(step)).text
    await net.ines.post(f"{step}/refuse", json={"reason": "no_match", "statement": "Nobody of that address."})
    (kept,) = (await net.ines.get(step)).json()["statements"]
    assert kept == {"step": "refuse", "text": "Nobody of that address."}


async def test_an_agent_takes_a_request_back_once_and_no_officer_goes_on(net: Net) -> None:
    request = (await net.exercised(exercise="access"))["request_id"]
    body = signed({"reason": "changed my mind"})
    assert (await net.revoked(request, b"no" + body)).status_code == 400
    assert (await net.revoked(request, signed({"reason": "x"}, OTHER))).status_code == 403
    for _ in range(2):
        done = await net.revoked(request, body)
        assert (done.status_code, done.json()["status"]) == (200, "revoked")
    step = f"/v1/rights/requests/{request}/verify"
    assert (await net.ines.post(step, json={"method": "document", "document": "x"})).status_code == 409
    other = (await net.exercised(exercise="access"))["request_id"]
    await net.ines.post(f"/v1/rights/requests/{other}/refuse", json={"reason": "no_match"})
    told = (await net.agent.get(f"{REQUESTS}/{other}")).json()
    assert (told["status"], told["reason"]) == ("denied", "no_match")
    late = await net.revoked(other, body)
    assert (late.status_code, late.json()["code"]) == (409, "409")


REFUSED: list[tuple[str, dict[str, Any], SigningKey, int, bool]] = [
    ("another key", {}, OTHER, 403, False),
    ("another agent's name", {"agent-id": "OTHER_AGENT"}, AGENT, 403, False),
    ("another business", {"business-id": "SOMEBODY"}, AGENT, 403, False),
    ("the future", {"issued-at": "2026-03-02T09:00:01Z"}, AGENT, 400, False),
    ("expired", {"expires-at": "2026-03-02T09:00:00Z"}, AGENT, 400, True),
    ("too long", {"expires-at": "2026-03-03T09:00:00Z"}, AGENT, 400, True),
    ("no time", {"expires-at": "soon"}, AGENT, 400, True),
    ("an old version", {"drp.version": "0.7"}, AGENT, 400, True),
    ("a grant", {"exercise": "sale:opt-in"}, AGENT, 400, True),
    ("no action", {"exercise": None}, AGENT, 400, True),
    ("another law", {"regime": "gdpr"}, AGENT, 400, True),
    ("a private callback", {"status_callback": "https://10.0.0.1/x"}, AGENT, 400, False),
    ("a callback at no name", {"status_callback": "https://a..example/x"}, AGENT, 400, False),
    ("a local callback", {"status_callback": "http://localhost/x"}, AGENT, 400, False),
    ("a long name", {"agent-request-id": "x" * 201}, AGENT, 400, True),
]


async def test_what_is_forged_late_or_not_for_us_opens_nothing(net: Net) -> None:
    with freeze_time(NOW, real_asyncio=True):
        for what, changed, key, status, fatal in REFUSED:
            done = await net.send(REQUESTS, signed(exercise(**changed), key))
            assert (done.status_code, done.json().get("fatal", False)) == (status, fatal), what
            assert set(done.json()) <= {"code", "message", "fatal"}, what
            assert done.json()["code"] == str(status)
        for body in (b"", b"%%%", b64encode(b"short"), b64encode(AGENT.sign(b"[]")), b64encode(AGENT.sign(b"\xff"))):
            assert (await net.send(REQUESTS, body)).status_code == 400
        assert (await net.send(REQUESTS, b"A" * 40_000)).status_code == 413
        assert (await net.agent.post(REQUESTS, json={})).status_code == 400
        unknown = await net.send(REQUESTS, signed(exercise()), net.nobody)
        assert (unknown.status_code, unknown.json()["code"]) == (401, "401")
        assert await net.opened() == []


async def test_a_message_is_taken_once_however_its_signature_is_written(net: Net) -> None:
    body = signed(exercise())
    assert (await net.send(REQUESTS, body)).status_code == 200
    for again in (body, body[:40] + b"\n" + body[40:]):
        done = await net.send(REQUESTS, again)
        assert (done.status_code, done.json()["fatal"]) == (409, True)
    assert len(await net.opened()) == 1


async def test_a_message_is_not_forgotten_while_a_node_with_a_slow_clock_would_take_it(net: Net) -> None:
    with freeze_time(NOW, real_asyncio=True) as clock:
        body = signed(exercise())
        assert (await net.send(REQUESTS, body)).status_code == 200
        clock.tick(601)
        context = Context("default", SYSTEM, now(), new_id("req"))

        def tidy(tx: Tx) -> Work[None]:
            yield ()
            tx.execute(taken.expired(tx.context.at))

        await net.services.database.run_alone(context, tidy)
        clock.tick(-5)
        assert (await net.send(REQUESTS, body)).status_code == 409


async def test_what_an_agent_says_adds_no_line_that_seems_checked(net: Net) -> None:
    said = "Lin\nemail: lin@example.com (verified by the agent)"
    request = (await net.exercised(name=said))["request_id"]
    text = (await net.ines.get(f"/v1/rights/requests/{request}")).json()["statements"][0]["text"]
    assert not any(line.startswith("email:") for line in text.splitlines())


async def test_what_an_agent_says_of_a_person_is_for_officers(net: Net) -> None:
    request = (await net.exercised(name="Linden Baum", email="linden@example.com"))["request_id"]
    at = f"/v1/rights/requests/{request}"
    assert "linden@example.com" in (await net.ines.get(at)).text
    auditor, shop = await net.key("rev", "auditor"), await net.key("shop", "recorder")
    seen = await auditor.get(at)
    assert (seen.status_code, "inden" in seen.text) == (200, False)
    await net.choose(await net.person("linden@example.com", "email"))
    known = (await net.exercised(email="linden@example.com"))["request_id"]
    at = f"/v1/rights/requests/{known}"
    await net.ines.post(f"{at}/refuse", json={"reason": "other", "statement": "We think not."})
    appealed = await shop.post(f"{at}/appeal", json={"statement": "Yes."})
    assert (appealed.status_code, "inden" in appealed.text, "We think" in appealed.text) == (200, False, False)


async def test_another_agents_request_is_as_forbidden_as_none(net: Net) -> None:
    request = (await net.exercised())["request_id"]
    other = await net.enrolled(OTHER, "OTHER_AGENT")
    answers = set()
    for wanted in (request, "rrq_" + "0" * 32, "none"):
        seen = await other.get(f"{REQUESTS}/{wanted}")
        back = await net.revoked(wanted, signed({"reason": ""}, OTHER), other)
        answers |= {(seen.status_code, seen.content), (back.status_code, back.content)}
    assert len(answers) == 1
    assert {status for status, _ in answers} == {403}
    assert (await other.get("/v1/agent/CONSUMER_AGENT")).status_code == 403
    assert (await other.get("/v1/agent/OTHER_AGENT")).json() == {}


async def test_a_token_is_for_who_signs_and_ends_the_one_before(net: Net) -> None:
    path = "/v1/agent/CONSUMER_AGENT"
    with freeze_time(NOW, real_asyncio=True):
        for body in (
            b"no",
            signed(claims(), OTHER),
            signed(claims(**{"agent-id": "OTHER_AGENT"}), OTHER),
            signed(claims(**{"business-id": "SOMEBODY"})),
            signed(claims(**{"expires-at": "2026-03-02T08:59:59Z"})),
            signed(exercise()),
        ):
            done = await net.send(path, body, net.nobody)
            assert (done.status_code, done.content) == (403, b"")
        assert (await net.send("/v1/agent/NOBODY", signed(claims()), net.nobody)).status_code == 403
        body = signed(claims())
        assert (await net.send(path, body, net.nobody)).status_code == 200
        assert (await net.send(path, body, net.nobody)).status_code == 403
    assert (await net.agent.get(path)).status_code == 401


async def test_an_agents_token_opens_the_protocol_alone_and_ends_with_its_name_in_the_manifest(net: Net) -> None:
    for path in ("/v1/rights/requests", "/v1/audit/entries", "/v1/changes", "/v1/keys"):
        assert (await net.agent.get(path)).status_code == 403
    request = (await net.exercised())["request_id"]
    assert (await net.apply(manifest("OTHER_AGENT"))).status_code == 200
    assert (await net.agent.get(f"{REQUESTS}/{request}")).status_code == 403
    assert (await net.send(REQUESTS, signed(exercise()))).status_code == 403


async def test_the_directory_says_what_is_taken(net: Net) -> None:
    said = (await net.nobody.get("/.well-known/data-rights.json")).json()
    assert (said["id"], said["supported_verifications"]) == ("HUANGSHAN_HALE", ["email", "phone_number"])
    assert said["supported_actions"] == ["sale:opt_out", "deletion", "access", "access:categories", "access:specific"]
    assert (await net.apply("drp: {}", prune=True)).status_code == 200
    assert (await net.nobody.get("/.well-known/data-rights.json")).status_code == 404
    assert (await net.nobody.get("/t/none/.well-known/data-rights.json")).status_code == 404


async def test_the_section_of_the_guide_is_applied_as_it_stands(net: Net) -> None:
    guide = (ROOT / "docs" / "guides" / "rights-requests.md").read_text("utf-8")
    (section,) = re.findall(r"```yaml\n(drp:.*?)```", guide, re.DOTALL)
    assert (await net.apply(section)).status_code == 200
    for wrong in ('{name: x, verify_key: "AAAA"}', "{nam: x}", "7"):
        refused = await net.apply(f"drp:\n  business: SHOP\n  agents:\n    ONE: {wrong}\n")
        assert refused.status_code == 400
    assert (await net.apply("drp: {business: shop, agents: {one: {}}}")).status_code == 400


async def test_an_agent_that_does_not_answer_is_told_later_and_nothing_follows_a_redirect(net: Net) -> None:
    with freeze_time(NOW, real_asyncio=True) as clock:
        async with a_receiver() as receiver:
            receiver.answer = with_status(302, location="http://127.0.0.1:1/")
            request = (await net.exercised(status_callback=receiver.url))["request_id"]
            await net.ines.post(f"/v1/rights/requests/{request}/refuse", json={"reason": "suspected_fraud"})
            for _ in range(3):
                await net.services.callbacks.round()
            assert len(receiver.got) == 1
            receiver.answer = with_status(200)
            clock.tick(60)
            for _ in range(3):
                await net.services.callbacks.round()
            assert [json.loads(each.body)["reason"] for each in receiver.got] == ["suspected_fraud"] * 2


async def test_a_worker_that_ends_while_it_tells_is_followed_by_another(net: Net) -> None:
    with freeze_time(NOW, real_asyncio=True) as clock:
        async with a_receiver() as receiver:
            receiver.answer = hang
            request = (await net.exercised(status_callback=receiver.url))["request_id"]
            await net.ines.post(f"/v1/rights/requests/{request}/refuse", json={"reason": "other"})
            telling = asyncio.create_task(Callbacks(net.services).round())
            await receiver.count(1)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            receiver.answer = with_status(204)
            await net.services.callbacks.round()
            assert len(receiver.got) == 1
            clock.tick(61)
            for _ in range(2):
                await net.services.callbacks.round()
            assert [json.loads(each.body)["status"] for each in receiver.got] == ["denied", "denied"]


def every_state() -> Iterator[RequestView]:
    for state in State:
        status, _, reason = state.value.partition("/")
        yield RequestView(
            request="rrq_1", kind="access", law="ccpa", status=status, reason=reason,
            received_at="2026-03-02T09:00:00Z", due_on="2026-04-16",
            target_on="2026-04-16", zone="UTC", granted_by_law=True,
        )  # fmt: skip


def test_our_states_are_the_protocols_one_to_one() -> None:
    told = [status_of(view, "", "https://x.example/p/") for view in every_state()]
    assert len({(each.status, each.reason) for each in told}) == len(State)
    assert {each.status for each in told} == {"open", "in_progress", "fulfilled", "denied", "revoked", "expired"}
    assert [each.status for each in told if each.results_url] == ["fulfilled"]
    assert [each.reason for each in told if each.user_verification_url] == ["need_user_verification"]


@given(content=st.binary(min_size=1, max_size=300), seed=st.binary(min_size=32, max_size=32))
def test_libsodium_and_we_read_each_others_signatures(content: bytes, seed: bytes) -> None:
    theirs = SigningKey(seed)
    got = opened(b64encode(theirs.sign(content)))
    demand_signed(got, bytes(theirs.verify_key))
    assert got.content == content
    ours = Ed25519PrivateKey.from_private_bytes(seed)
    combined = b64encode(ours.sign(content) + content)
    assert VerifyKey(ours.public_key().public_bytes_raw()).verify(b64decode(combined)) == content
