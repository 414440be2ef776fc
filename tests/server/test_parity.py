"""Hot calls and their Litestar twins: every case through both, the same answer from each."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sayso.server.app import assemble_slow
from sayso.server.hot import HOT_CALLS
from tests.server.test_gate import HANDLERS
from tests.server.worlds import World

JSON = {"content-type": "application/json"}

_PASSING = re.compile(
    r"(ent|cns|sub|key)_[0-9a-f]{32}|\d{4}-\d\d-\d\dT[0-9:.]+Z|ey[\w-]+\.[\w-]+\.[\w-]+|\"[0-9a-f]{16}\""
)


def settled(text: str) -> str:
    """An answer without what differs between any two calls."""
    return _PASSING.sub("*", text)


class Faces:
    """The same installation behind both faces, with a client for each and somebody to ask about."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.slow_app = assemble_slow(world.services)
        self.subject = ""
        self.token = ""
        self.keys: dict[str, str] = {}

    async def prepare(self) -> None:
        world = self.world
        await world.smallest()
        self.keys = {"admin": world.admin_key, "none": "sk_wrong"}
        for name, role in (("mailer", "marketing_sender"), ("auditor-1", "auditor"), ("pep-1", "pep")):
            made = await world.admin.post("/v1/keys", json={"name": name, "roles": [role]})
            self.keys[name] = made.json()["key"]
        self.subject = await world.person()
        body = {"subject": self.subject, "collection": "customers", "fields": {"email": "ada@example.org"}}
        self.token = (await world.admin.post("/v1/vault/records", json=body)).json()["tokens"]["email"]
        await world.choose(self.subject)

    async def both(self, path: str, content: bytes, headers: dict[str, str]) -> list[httpx.Response]:
        answers = []
        for app in (self.world.app, self.slow_app):
            transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                answers.append(await client.post(path, content=content, headers=headers))
        return answers


@pytest_asyncio.fixture
async def faces(world: World) -> AsyncIterator[Faces]:
    made = Faces(world)
    await made.prepare()
    yield made


def bodies(faces: Faces) -> dict[str, list[bytes]]:
    """Good and bad bodies for each hot call."""
    sub, token = faces.subject.encode(), faces.token.encode()
    question = (
        b'"subject":{"type":"service","id":"mailer"},"action":{"name":"use"},'
        b'"resource":{"type":"contact.email","id":"' + sub + b'"},"context":{"purpose":"marketing.email"}'
    )
    consent = b'"subject":"' + sub + b'","notice":"web","locale":"en","choices":{"marketing.email":"granted"}'
    record = b'"subject":"' + sub + b'","collection":"customers","fields":{"email":"ada@example.org"}'
    search = (
        b'"collection":"customers","all":[{"field":"email","value":"ada@example.org"}],'
        b'"purpose":"marketing.email","reason":"x"'
    )
    bad = [b"", b"{", b"[]", b"null", b'{"subject":1}', b'{"x":1}', b"\xff", b"[" * 50_000, b'{"a":' * 3000]
    return {
        "/v1/consents": [
            b"{" + consent + b',"notice_version":1}',
            b"{" + consent + b',"notice_version":2}',
            b"{" + consent + b',"notice_version":"1"}',
            b"{" + consent.replace(b"marketing.email", b"marketing.emal") + b',"notice_version":1}',
            b"{" + consent.replace(sub, b"sub_" + b"0" * 32) + b',"notice_version":1}',
            b"{" + consent.replace(sub, b"nobody") + b',"notice_version":1}',
            b"{" + consent + b',"notice_version":1,"occurred_at":"yesterday"}',
            *bad,
        ],
        "/access/v1/evaluation": [
            b"{" + question + b"}",
            b"{" + question.replace(b"marketing.email", b"marketing.emal") + b"}",
            b"{" + question.replace(b'"mailer"', b'"crm"') + b"}",
            b"{" + question.replace(b"contact.email", b"token").replace(sub, token) + b"}",
            b"{" + question.replace(sub, b"anybody") + b"}",
            *bad,
        ],
        "/access/v1/evaluations": [
            b"{" + question + b',"evaluations":[{},{"action":{"name":"reveal"}},{"action":5},{"resource":null}]}',
            b"{" + question + b',"evaluations":[{},{}],"options":{"evaluations_semantic":"permit_on_first_permit"}}',
            b"{" + question + b',"evaluations":[{}],"options":{"evaluations_semantic":"nonsense"}}',
            b"{" + question + b',"evaluations":[' + b"{}," * 1000 + b"{}]}",
            b"{" + question + b',"evaluations":[]}',
            b"{" + question + b"}",
            *bad,
        ],
        "/v1/vault/records": [
            b"{" + record + b"}",
            b"{" + record + b',"audience":"mailer"}',
            b"{" + record + b',"audience":"nobody"}',
            b"{" + record.replace(b"customers", b"custmers") + b"}",
            b"{" + record.replace(b'"email"', b'"emil"') + b"}",
            b"{" + record.replace(b"ada@", b"ada") + b"}",
            b"{" + record.replace(sub, b"sub_" + b"0" * 32) + b"}",
            b"{" + record.replace(sub, b"nobody") + b"}",
            b'{"subject":"' + sub + b'","collection":"customers","fields":{}}',
            *bad,
        ],
        "/v1/vault/search": [
            b"{" + search + b"}",
            b"{" + search.replace(b"ada@", b"bob@") + b"}",
            b"{" + search.replace(b"ada@", b"ada") + b"}",
            b"{" + search.replace(b"customers", b"custmers") + b"}",
            b"{" + search + b',"limit":51}',
            b"{" + search.replace(b'"field":"email"', b'"field":"email","index":"domain"') + b"}",
            b'{"collection":"customers","all":[],"purpose":"marketing.email","reason":"x"}',
            *bad,
        ],
        "/v1/vault/reveal": [
            b'{"items":[{"token":"' + token + b'"}],"purpose":"marketing.email","reason":"news"}',
            b'{"items":[{"token":"'
            + token
            + b'","transform":"mask_last4"}],"purpose":"marketing.email","reason":"news"}',
            b'{"items":[{"token":"tok_x"}],"purpose":"marketing.email","reason":"news"}',
            b'{"items":[{"token":"' + token + b'"}],"purpose":"nonsense","reason":"news"}',
            b'{"items":[],"purpose":"marketing.email","reason":"news"}',
            b'{"items":[' + b'{"token":"x"},' * 100 + b'{"token":"x"}],"purpose":"marketing.email","reason":"news"}',
            *bad,
        ],
    }


@pytest.mark.parametrize("path", sorted(HOT_CALLS))
async def test_every_case_has_one_answer_on_both_faces(faces: Faces, path: str) -> None:
    for content in bodies(faces)[path]:
        for name, key in faces.keys.items():
            headers = {**JSON, "authorization": f"Bearer {key}", "x-request-id": "parity"}
            fast, slow = await faces.both(path, content, headers)
            told = (path, name, content[:80])
            assert (fast.status_code, settled(fast.text)) == (slow.status_code, settled(slow.text)), told
            assert _headers(fast) == _headers(slow), told
            assert fast.status_code < 500, told


@pytest.mark.parametrize("path", sorted(HOT_CALLS))
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic x"},
        {"authorization": "Bearer KEY", "content-type": "text/plain"},
        {"authorization": "Bearer KEY", "content-type": "application/json; charset=utf-8"},
        {"authorization": "Bearer KEY", "x-request-id": "not a word"},
        {"authorization": "Bearer KEY", "idempotency-key": ""},
        {"authorization": "bearer KEY"},
    ],
    ids=["none", "basic", "text", "charset", "request-id", "idempotency", "lower-case"],
)
async def test_headers_are_read_alike(faces: Faces, path: str, headers: dict[str, str]) -> None:
    key = faces.keys["mailer" if "consents" not in path else "admin"]
    sent = {**JSON, **{name: value.replace("KEY", key) for name, value in headers.items()}}
    fast, slow = await faces.both(path, bodies(faces)[path][0], sent)
    assert (fast.status_code, settled(fast.text)) == (slow.status_code, settled(slow.text))


@pytest.mark.parametrize("path", sorted(HOT_CALLS))
async def test_a_body_over_the_limit_is_refused_alike(faces: Faces, path: str) -> None:
    headers = {**JSON, "authorization": f"Bearer {faces.keys['admin']}"}
    fast, slow = await faces.both(path, b'{"x":"' + b"x" * (2 << 20) + b'"}', headers)
    assert fast.status_code == slow.status_code == 413
    assert fast.text == slow.text


async def test_an_idempotency_key_is_one_key_on_both_faces(faces: Faces) -> None:
    headers = {**JSON, "authorization": f"Bearer {faces.keys['admin']}", "idempotency-key": "both"}
    fast, slow = await faces.both("/v1/consents", bodies(faces)["/v1/consents"][0], headers)
    assert (fast.status_code, fast.content) == (201, slow.content)


def test_a_hot_call_and_its_twin_admit_the_same_roles_under_the_same_name() -> None:
    twins: dict[str, Any] = {path: handler for path, method, handler in HANDLERS if method == "POST"}
    for path, hot in HOT_CALLS.items():
        assert hot.operation == twins[path].operation_id
        assert tuple(hot.admits) == tuple(twins[path].opt["admits"])


def _headers(response: httpx.Response) -> dict[str, str]:
    kept = ("content-type", "x-request-id", "x-content-type-options", "www-authenticate", "retry-after")
    return {name: value for name, value in response.headers.items() if name in kept}
