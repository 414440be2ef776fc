"""The two calls of a site's browsers, through the dispatcher and through Litestar: the same answer from each."""

import json
import re
import secrets
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from sayso.server.app import assemble_slow
from tests.server.test_parity import settled
from tests.server.test_site_questions import WORDS, with_wordings
from tests.server.test_sites import ORIGIN, configuration
from tests.server.worlds import World

BANNER = "/v1/sites/shop/banner.js"
CHOICES = "/v1/sites/shop/choices"
PLAIN = {"accept-encoding": "identity"}
_TOKEN = re.compile(r'"token":"[\w-]+"')


class Twins:
    """The same installation with the dispatcher in front and without."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.apps = (world.app, assemble_slow(world.services))

    async def both(self, method: str, path: str, headers: dict[str, str], content: bytes = b"") -> list[httpx.Response]:
        answers = []
        for app in self.apps:
            transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                answers.append(await client.request(method, path, headers=headers, content=content))
        return answers

    async def alike(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: bytes = b""
    ) -> httpx.Response:
        """The fast answer, which is the slow one in everything but what differs between any two."""
        fast, slow = await self.both(method, path, {"x-request-id": "parity", **(headers or {})}, content)
        told = (method, path, headers, content[:200])
        assert fast.status_code == slow.status_code, told
        assert _plain(fast) == _plain(slow), told
        assert _headers(fast) == _headers(slow), told
        assert fast.status_code < 500, told
        return fast


@pytest_asyncio.fixture
async def twins(lite: World) -> AsyncIterator[Twins]:
    await lite.smallest()
    yield Twins(lite)


@pytest.mark.parametrize(
    "query",
    ["", "?locale=en", "?locale=zh-CN", "?locale=xx", "?locale=", "?locale=zh%2DCN", "?x=1", "?locale=en&locale=zh-CN"]
    + ["?wording=none", "?locale=%ff", "?locale=" + "a" * 300, "?locale=en&wording=short&v=3"],
)
async def test_a_banner_is_the_same_on_both_faces(twins: Twins, query: str) -> None:
    for headers in ({}, {"accept-language": "zh-CN,zh;q=0.9"}, {"sec-gpc": "1"}, {"sec-gpc": "0", **ORIGIN}):
        answer = await twins.alike("GET", BANNER + query, headers)
        assert answer.status_code == 200
        again = await twins.alike("GET", BANNER + query, {**headers, "if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("path", ["/v1/sites/none/banner.js", "/v1/sites/x.shop/banner.js", "/v1/sites//banner.js"])
async def test_an_unknown_site_is_unknown_on_both_faces(twins: Twins, path: str) -> None:
    assert (await twins.alike("GET", path)).status_code == 404


async def test_other_methods_and_what_lies_beside_go_on_to_the_framework(twins: Twins) -> None:
    for method, path in (("POST", BANNER), ("HEAD", BANNER), ("GET", CHOICES), ("GET", "/v1/sites/shop/banner.js/x")):
        await twins.alike(method, path, ORIGIN)


async def test_the_etag_is_found_among_several_and_when_a_proxy_weakened_it(twins: Twins) -> None:
    mark = (await twins.alike("GET", BANNER, PLAIN)).headers["etag"]
    for value, status in ((f'"x", W/{mark}', 304), (f"W/{mark}", 304), ('"x"', 200), ("", 200), (mark[:-2] + '"', 200)):
        assert (await twins.alike("GET", BANNER, {"if-none-match": value})).status_code == status


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
async def test_the_banner_comes_compressed_to_whoever_takes_that(twins: Twins, accepts: str, packed: bool) -> None:
    for path in (BANNER, BANNER + "?locale=zh-CN"):
        answer = await twins.alike("GET", path, {"accept-encoding": accepts})
        assert (answer.headers.get("content-encoding") == "gzip") is packed
        plain = await twins.alike("GET", path, PLAIN)
        assert "content-encoding" not in plain.headers
        assert _plain(plain) == _plain(answer)
        assert "accept-encoding" in answer.headers["vary"]
        assert answer.headers["etag"].removeprefix("W/") == plain.headers["etag"]
        assert (int(answer.headers["content-length"]) < 9_000) is packed


async def test_a_change_of_the_manifest_shows_in_the_next_answer(lite: World) -> None:
    await lite.smallest()
    before = await lite.nobody.get(BANNER)
    text = with_wordings(WORDS).replace("We write to you", "We rarely write to you")
    changed = text.replace("  web:\n    version: 1", "  web:\n    version: 2")
    assert (await lite.apply(changed)).status_code == 200
    after = await lite.nobody.get(BANNER, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "We rarely write to you" in after.text


async def test_every_wording_is_shown_and_keeps_its_own_etag(lite: World) -> None:
    assert (await lite.apply(with_wordings(WORDS))).status_code == 200
    marks = {name: (await lite.nobody.get(f"{BANNER}?wording={name}")).headers["etag"] for name in ("usual", "short")}
    assert marks["usual"] != marks["short"]
    assert {(await lite.nobody.get(BANNER)).headers["etag"] for _ in range(40)} == set(marks.values())


async def test_two_browsers_never_get_one_token(lite: World) -> None:
    await lite.smallest()
    tokens = {_TOKEN.search((await lite.nobody.get(BANNER)).text)[0] for _ in range(20)}  # type: ignore[index]
    assert len(tokens) == 20


async def test_choices_are_answered_alike(twins: Twins) -> None:
    json_kind = {"content-type": "application/json"}
    token = (await configuration(twins.world))["token"]
    good = {
        "token": token,
        "device": secrets.token_urlsafe(16),
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {"marketing.email": "granted"},
    }
    changes: list[dict[str, object]] = [
        {},
        {"notice_version": 2},
        {"token": "x"},
        {"device": "short"},
        {"device": secrets.token_urlsafe(16)},
        {"choices": {"nonsense": "granted"}},
        {"more": 1},
        {"gpc": True},
        {"locale": 7},
    ]
    bodies = [json.dumps(good | change).encode() for change in changes] + [b"", b"{", b"[]", b"\xff", b"[" * 9_000]
    for body in bodies:
        answer = await twins.alike("POST", CHOICES, {**json_kind, **ORIGIN}, body)
        assert "sayso-registry-seq" not in answer.headers, "how much a brand's people say is not every visitor's"
    for headers in ({}, json_kind, {**json_kind, "origin": "https://evil.example"}):
        assert (await twins.alike("POST", CHOICES, headers, bodies[0])).status_code == 403
    assert (await twins.alike("POST", "/v1/sites/none/choices", {**json_kind, **ORIGIN}, bodies[0])).status_code == 404
    assert (await twins.alike("POST", CHOICES, {**ORIGIN, "content-type": "text/plain"}, bodies[0])).status_code >= 400


async def test_a_page_of_the_site_may_read_why_its_choice_was_refused(twins: Twins) -> None:
    """Else the banner would take an ended token for a server that is down, and never ask for a new one."""
    body = (
        b'{"token":"x","device":"aaaaaaaaaaaaaaaaaaaaaa","notice":"web","notice_version":1,"locale":"en","choices":{}}'
    )
    for answer in await twins.both("POST", CHOICES, {"content-type": "application/json", **ORIGIN}, body):
        assert answer.status_code == 403
        assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]


def _plain(answer: httpx.Response) -> str:
    return _TOKEN.sub('"token":"*"', settled(answer.text))


def _headers(answer: httpx.Response) -> dict[str, str]:
    # A 304 has no body whose length could be told; the framework tells it all the same.
    dropped = "content-length" if answer.status_code == 304 or answer.request.method == "POST" else ""
    return {name: value for name, value in answer.headers.items() if name != dropped}
