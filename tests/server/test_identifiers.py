"""Identifiers over HTTP: who may link, what proves a link, what a merge answers, and that no value comes back."""

import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sayso.kernel import now
from tests.builders.mail import Mailbox, a_mail_server
from tests.server.worlds import World, a_world

ANN = {"type": "email", "value": "ann@example.org"}
SIGNING = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


LINK_KEY = b64(SIGNING.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def a_token(subject: str, *, key: Ed25519PrivateKey = SIGNING, alg: str = "EdDSA", **changes: Any) -> str:
    second = now() // 1_000_000
    claims = {
        "iss": "shop",
        "aud": "default",
        "sub": subject,
        "identifier": ANN,
        "iat": second,
        "exp": second + 600,
        "jti": "0123456789abcdef",
    } | changes
    signed = f"{b64(msgspec.json.encode({'alg': alg}))}.{b64(msgspec.json.encode(claims))}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mail_server() as made:
        yield made


@pytest_asyncio.fixture
async def world(tmp_path: Path, database_url: str, mailbox: Mailbox) -> AsyncIterator[World]:
    more = {"mail_host": "127.0.0.1", "mail_port": mailbox.port, "mail_tls": "none"}
    async with a_world(tmp_path, database_url, mail_from="privacy@brand.example", **more) as made:
        await made.smallest()
        yield made


async def link(world: World, subject: str, body: dict[str, Any] | None = None, client: Any = None) -> Any:
    return await (client or world.admin).post(f"/v1/subjects/{subject}/identifiers", json=body or {"identifier": ANN})


async def test_a_key_links_lists_and_unlinks_without_a_value_coming_back(world: World) -> None:
    subject = await world.person()
    done = await link(world, subject)
    assert done.status_code == 201, done.text
    handle = done.json()["identifier"]
    listed = await world.admin.get(f"/v1/subjects/{subject}/identifiers")
    assert [each["type"] for each in listed.json()["identifiers"]] == ["customer_id", "email"]
    gone = await world.admin.delete(f"/v1/subjects/{subject}/identifiers/{handle}")
    assert gone.status_code == 200, gone.text
    assert gone.json()["to"] == await world.person("ann@example.org", "email")
    told = await world.admin.get(f"/v1/subjects/{subject}/identifiers/history")
    assert [each["event"] for each in told.json()["events"]] == ["unlinked", "linked"]
    texts = done.text + listed.text + gone.text + told.text
    assert not [word for word in ("ann@", '"ann"', "example.org") if word in texts]
    last = listed.json()["identifiers"][0]["identifier"]
    refused = await world.admin.delete(f"/v1/subjects/{subject}/identifiers/{last}")
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("#last-identifier")


async def test_a_merge_is_explained_decides_and_can_be_undone(world: World) -> None:
    customer, device = await world.person(), await world.person("ann@example.org", "email")
    await world.choose(customer)
    await world.choose(device, choices={"marketing.email": "refused"})
    done = (await link(world, customer)).json()
    assert (done["subject"], done["merged"]) == (customer, device)
    assert done["purposes"]["marketing.email"] == {
        "status": "refused",
        "survivor": "granted",
        "joined": "refused",
        "rule": "least_permissive",
        "why": "a_no_stands",
    }
    assert await world.person("ann@example.org", "email") == customer
    for subject in (customer, device):
        state = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
        assert state["purposes"]["marketing.email"]["status"] == "refused"
    await world.admin.delete(f"/v1/subjects/{customer}/identifiers/{done['identifier']}")
    assert await world.person("ann@example.org", "email") == device
    state = (await world.admin.get(f"/v1/subjects/{customer}/consents")).json()
    assert state["purposes"]["marketing.email"]["status"] == "granted"


async def test_decisions_reveals_and_erasure_know_every_name_of_a_merged_person(world: World) -> None:
    customer, device = await world.person(), await world.person("ann@example.org", "email")
    sender = await world.key("sender", "marketing_sender")
    await world.choose(customer)
    tokens = []
    for subject in (customer, device):
        body = {"subject": subject, "collection": "customers", "fields": {"email": "ann@example.org"}}
        stored = await world.admin.post("/v1/vault/records", json=body)
        tokens.append(stored.json()["tokens"]["email"])
    await link(world, customer)

    async def ask(subject: str) -> dict[str, Any]:
        body = {
            "subject": {"type": "service", "id": "sender"},
            "action": {"name": "use"},
            "resource": {"type": "contact.email", "id": subject},
            "context": {"purpose": "marketing.email"},
        }
        answer: dict[str, Any] = (await sender.post("/access/v1/evaluation", json=body)).json()
        return answer

    async def reveal(token: str) -> dict[str, Any]:
        body = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "test"}
        result: dict[str, Any] = (await sender.post("/v1/vault/reveal", json=body)).json()["results"][0]
        return result

    assert [(await ask(each))["decision"] for each in (customer, device)] == [True, True]
    assert [(await reveal(each)).get("value") for each in tokens] == ["ann@example.org"] * 2
    await world.admin.post(f"/v1/subjects/{device}/withdrawals", json={"purposes": "all", "method": "api"})
    assert [(await ask(each))["decision"] for each in (customer, device)] == [False, False]
    assert [(await reveal(each)).get("code") for each in tokens] == ["unresolvable"] * 2

    opened = await world.admin.post("/v1/rights/requests", json={"subject": device, "kind": "erasure", "law": "gdpr"})
    request = opened.json()["request"]
    await world.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    done = await world.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})
    assert done.status_code == 200, done.text
    for subject in (customer, device):
        assert (await world.admin.get(f"/v1/subjects/{subject}/consents")).status_code == 404
        assert (await ask(subject))["context"]["reason"] == "no_subject"
    assert [(await reveal(each)).get("code") for each in tokens] == ["unresolvable"] * 2


async def test_only_a_recorders_word_links_and_others_need_proof(world: World) -> None:
    subject = await world.person()
    pep = await world.key("till", "pep")
    refused = await link(world, subject, client=pep)
    assert refused.status_code == 403
    auditor = await world.key("aud", "auditor")
    assert (await link(world, subject, client=auditor)).status_code == 403
    both = {"identifier": ANN, "proof": {"kind": "link", "code": "x"}}
    assert (await link(world, subject, both)).json()["type"].endswith("#invalid-proof")


async def test_a_signed_token_links_once(world: World) -> None:
    applied = await world.apply(f"clients:\n  shop: {{roles: [recorder], link_key: {LINK_KEY}}}\n")
    assert applied.status_code == 200, applied.text
    subject = await world.person()
    pep = await world.key("till", "pep")
    token = a_token(subject)
    done = await link(world, subject, {"proof": {"kind": "token", "token": token}}, pep)
    assert done.status_code == 201, done.text
    assert await world.person("ann@example.org", "email") == subject
    again = await link(world, subject, {"proof": {"kind": "token", "token": token}}, pep)
    assert again.json()["type"].endswith("#code-unusable")


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "acme"},
        {"iss": "nobody"},
        {"sub": "sub_" + "0" * 32},
        {"exp": 1},
        {"exp": 2**40},
        {"iat": 2**40, "exp": 2**40 + 60},
        {"jti": "short"},
        {"identifier": {"type": "email"}},
        {"key": Ed25519PrivateKey.generate()},
        {"alg": "none"},
        {"alg": "HS256"},
    ],
)
async def test_a_token_that_does_not_hold_links_nothing(lite: World, wrong: dict[str, Any]) -> None:
    await lite.smallest()
    await lite.apply(f"clients:\n  shop: {{roles: [recorder], link_key: {LINK_KEY}}}\n")
    subject = await lite.person()
    done = await link(lite, subject, {"proof": {"kind": "token", "token": a_token(subject, **wrong)}})
    assert done.status_code == 400
    assert done.json()["type"].endswith("#link-token-refused")


async def test_a_link_key_that_is_none_is_refused_with_its_line(lite: World) -> None:
    await lite.smallest()
    refused = await lite.apply("clients:\n  shop:\n    roles: [recorder]\n    link_key: abc\n")
    assert refused.status_code == 400
    assert "link key" in refused.text


async def test_a_code_sent_by_mail_links_the_address(world: World, mailbox: Mailbox) -> None:
    subject = await world.person()
    pep = await world.key("till", "pep")
    sent = await pep.post(f"/v1/subjects/{subject}/identifiers/codes", json={"identifier": ANN, "locale": "zh-CN"})
    assert sent.status_code == 202, sent.text
    await world.services.carrier.round()
    digits = re.findall(r"^\d{8}$", mailbox.text(), re.M)[0]
    assert digits not in sent.text
    challenge = sent.json()["challenge"]
    wrong = {"kind": "code", "challenge": challenge, "code": "00000000" if digits != "00000000" else "1"}
    tried = await link(world, subject, {"proof": wrong}, pep)
    assert (tried.status_code, tried.json()["left"]) == (400, 4)
    done = await link(world, subject, {"proof": {**wrong, "code": digits}}, pep)
    assert done.status_code == 201, done.text
    assert await world.person("ann@example.org", "email") == subject


async def test_a_one_time_link_of_the_other_person_joins_them(world: World) -> None:
    subject, other = await world.person(), await world.person("c-2")
    url = (await world.admin.post(f"/v1/subjects/{other}/links", json={"ttl_s": 600})).json()["url"]
    done = await link(world, subject, {"proof": {"kind": "link", "code": url.partition("#")[2]}})
    assert (done.status_code, done.json()["merged"]) == (201, other)


async def test_codes_go_to_addresses_only_and_not_too_often(world: World) -> None:
    subject = await world.person()
    phone = {"identifier": {"type": "phone", "value": "+353861234567"}}
    refused = await world.admin.post(f"/v1/subjects/{subject}/identifiers/codes", json=phone)
    assert refused.json()["type"].endswith("#no-channel")
    answers = [
        (await world.admin.post(f"/v1/subjects/{subject}/identifiers/codes", json={"identifier": ANN})).status_code
        for _ in range(6)
    ]
    assert answers[-1] == 429


async def test_another_tenants_person_is_as_unknown_as_nobody(world: World) -> None:
    subject = await world.person()
    handle = (await link(world, subject)).json()["identifier"]
    made = await world.operator.post("/v1/tenants", json={"name": "acme", "controller": "Acme SA, France"})
    acme = await world.client(made.json()["admin_key"])
    nobody = "sub_" + "0" * 32
    for method, path, body in (
        ("POST", "identifiers", {"identifier": ANN}),
        ("GET", "identifiers", None),
        ("GET", "identifiers/history", None),
        ("DELETE", f"identifiers/{handle}", None),
        ("POST", "identifiers/codes", {"identifier": ANN}),
        ("POST", "suppression/lift", {"challenge": "chl_" + "0" * 32, "code": "1"}),
    ):
        crossed, unknown = [
            await acme.request(method, f"/v1/subjects/{who}/{path}", json=body) for who in (subject, nobody)
        ]
        assert crossed.status_code == unknown.status_code == 404
        assert crossed.content == unknown.content


async def test_declared_types_are_types_and_others_are_refused(lite: World) -> None:
    await lite.smallest()
    await lite.apply("identifiers:\n  till_card: {like: customer_id}\n")
    subject = await lite.person("4711", "till_card")
    assert subject == await lite.person("4711", "till_card")
    assert subject != await lite.person("4711", "loyalty_card")
    body = {"identifier": {"type": "till_cart", "value": "1"}, "create": True}
    refused = await lite.admin.post("/v1/subjects/resolve", json=body)
    assert (refused.status_code, refused.json()["nearest"]) == (400, "till_card")
    for wrong in ("identifiers: {email: {}}", "identifiers: {Card: {}}", "identifiers: {card: {like: colour}}"):
        assert (await lite.apply(wrong + "\n")).status_code == 400


async def test_asking_for_a_link_answers_alike_whoever_asks(world: World, mailbox: Mailbox) -> None:
    await world.person("ann@example.org", "email")
    pages = [
        await world.nobody.post("/p/link", data={"email": address})
        for address in ("ann@example.org", "nobody@example.org", "no address")
    ]
    assert {each.status_code for each in pages} == {200}
    assert len({each.content for each in pages}) == 1
    assert "ann@example.org" not in pages[0].text
    await world.services.carrier.round()
    assert mailbox.recipients == [["ann@example.org"]]
    code = mailbox.text().partition("/p/#")[2].split()[0]
    entered = await world.nobody.post("/p/session", data={"code": code})
    assert entered.status_code == 303
    assert entered.headers["location"] == "/p/you"
