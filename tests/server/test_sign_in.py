"""In from the brand's own session: by its signed word or its server's, once, and by nothing else that looks like it."""

import asyncio
import hmac
from hashlib import sha256
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from freezegun import freeze_time

from sayso.kernel import Map, Problem, load
from sayso.server.callers.jwks import parse_jwks
from tests.builders.sign_in import CURVE, EDWARDS, JWKS, X, a_sign_in, by_curve, claims_of, signed
from tests.server.test_preferences import FORM, post, status
from tests.server.test_tenants import another
from tests.server.worlds import MANIFEST, World

CLIENTS = f"\nclients:\n  shop: {{roles: [recorder], sign_in: {JWKS}}}\n  reader: {{roles: [pep], sign_in: {JWKS}}}\n"
SHOP = "http://127.0.0.1:8080"
ALLOWED = {"shown": ["marketing.email"], "granted": ["marketing.email"], "notice": "web", "notice_version": "1"}


async def a_brand(world: World, **more: Any) -> str:
    applied = await world.apply(MANIFEST.read_text("utf-8") + CLIENTS, **more)
    assert applied.status_code == 200, applied.text
    return await world.person()


async def hand_over(browser: httpx.AsyncClient, code: str, origin: str = SHOP) -> httpx.Response:
    """The form of the brand's own page."""
    told = {"content-type": FORM["content-type"], "sec-fetch-site": "cross-site", "origin": origin}
    return await browser.post("/p/enter", content=f"code={code}", headers=told)


@pytest.mark.parametrize("curve", [False, True], ids=["EdDSA", "ES256"])
async def test_a_token_signs_in_at_once_from_the_brands_page_and_at_the_door(world: World, curve: bool) -> None:
    subject = await a_brand(world)
    for enter in (hand_over, lambda browser, code: post(browser, "/p/session", code=code)):
        browser = await world.client(None)
        entered = await enter(browser, a_sign_in(curve=curve))
        assert (entered.status_code, entered.headers["location"]) == (303, "/p/you"), entered.text
        assert (await browser.get("/p/you")).status_code == 200
    by_id = await post(browser, "/p/session", code=a_sign_in(curve=curve, identifier=None, sub=subject))
    assert by_id.status_code == 303
    await world.services.settle()
    entries = (await world.admin.get("/v1/audit/entries?type=consent.person.signed_in")).json()["entries"]
    assert [each["res"] for each in entries] == [{"client": "shop"}] * 3


async def test_opening_the_address_spends_nothing(lite: World) -> None:
    await a_brand(lite)
    browser, token = await lite.client(None), a_sign_in()
    assert (await browser.get("/p/enter")).headers["location"] == "/p/"
    assert (await browser.get("/p/")).status_code == 200
    assert "sayso_person" not in browser.cookies
    assert (await hand_over(browser, token)).status_code == 303


async def test_what_was_said_in_the_brands_session_can_be_loosened_there_alone(lite: World) -> None:
    subject = await a_brand(lite)
    await lite.choose(subject, choices={"marketing.email": "refused"}, assurance="session")
    browser = await lite.client(None)
    await post(browser, "/p/session", code=a_sign_in())
    csrf = (await browser.get("/p/you")).text.split('name="csrf" value="')[1].split('"')[0]
    await post(browser, "/p/you/choices", csrf=csrf, **ALLOWED)
    assert await status(lite, subject) == "granted"


async def test_a_server_asks_for_a_link_for_whom_it_has_signed_in(world: World) -> None:
    subject = await a_brand(world)
    made = await world.admin.post(f"/v1/subjects/{subject}/links", json={"signed_in": True})
    url, code = made.json()["url"], made.json()["code"]
    assert url == f"http://127.0.0.1:8080/p/#{code}"
    browser = await world.client(None)
    assert (await hand_over(browser, code)).status_code == 303
    assert (await hand_over(browser, code)).status_code == 400
    too_long = await world.admin.post(f"/v1/subjects/{subject}/links", json={"signed_in": True, "ttl_s": 301})
    assert too_long.json()["type"].endswith("#link-too-long")
    mailed = (await world.admin.post(f"/v1/subjects/{subject}/links", json={})).json()["code"]
    assert (await hand_over(browser, mailed)).status_code == 400, "a mailed link is no word of the brand"
    assert (await post(browser, "/p/session", code=mailed)).status_code == 303, "and is not spent by the try"


SECOND = 1_000_000
FAR = {"iat": 4_000_000_000, "exp": 4_000_000_100}
CHANGED: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "sign-in:acme"},
    "a link token's audience": {"aud": "default"},
    "an unknown client": {"iss": "nobody"},
    "a client without keys": {"iss": "admin"},
    "made in the future": FAR,
    "over long ago": {"iat": 1_000_000_000, "exp": 1_000_000_100},
    "for ever": {"exp": 4_000_000_000},
    "ended before it began": {"exp": 1},
    "not before later": {"nbf": 4_000_000_000},
    "a short jti": {"jti": "1"},
    "no jti": {"jti": None},
    "nobody named": {"identifier": None},
    "two people named": {"sub": "sub_" + "0" * 32},
    "a person who never was": {"identifier": None, "sub": "sub_" + "0" * 32},
    "no id": {"identifier": None, "sub": "c-1"},
    "an unknown type": {"identifier": {"type": "shoe_size", "value": "44"}},
    "somebody new, by a client that may not make people": {
        "iss": "reader",
        "identifier": {"type": "customer_id", "value": "new"},
    },
}


def forged() -> dict[str, str]:
    """Tokens that a library with a weakness would believe."""
    claims, public = claims_of(), X.encode()
    whole = a_sign_in()
    head, body, tail = whole.split(".")
    other = Ed25519PrivateKey.generate()
    return {
        "alg none": signed({"alg": "none", "kid": "shop-1"}, claims, lambda _: b""),
        "HS256 under the public key": signed(
            {"alg": "HS256", "kid": "shop-1"}, claims, lambda text: hmac.digest(public, text, "sha256")
        ),
        "ES256 named for the Ed25519 key": signed({"alg": "ES256", "kid": "shop-1"}, claims, EDWARDS.sign),
        "EdDSA named for the P-256 key": signed(
            {"alg": "EdDSA", "kid": "shop-2"}, claims, lambda text: by_curve(CURVE, text)
        ),
        "r and s of nothing": signed({"alg": "ES256", "kid": "shop-2"}, claims, lambda _: bytes(64)),
        "another's key": signed({"alg": "EdDSA", "kid": "shop-1"}, claims, other.sign),
        "its own key inside": signed(
            {"alg": "EdDSA", "kid": "shop-1", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": X}}, claims, other.sign
        ),
        "an unknown kid": signed({"alg": "EdDSA", "kid": "shop-9"}, claims, EDWARDS.sign),
        "no kid": signed({"alg": "EdDSA"}, claims, EDWARDS.sign),
        "critical headers": signed({"alg": "EdDSA", "kid": "shop-1", "crit": ["b64"]}, claims, EDWARDS.sign),
        "another type": signed({"alg": "EdDSA", "kid": "shop-1", "typ": "at+jwt"}, claims, EDWARDS.sign),
        "a changed body": f"{head}.{body[:-2]}AA.{tail}",
        "no signature": f"{head}.{body}.",
        "three dots": "..",
        "no JSON": "a.b.c",
        "too long": whole + "A" * 4_096,
        "digest for a signature": signed(
            {"alg": "EdDSA", "kid": "shop-1"}, claims, lambda text: sha256(text).digest() * 2
        ),
    }


async def test_every_token_that_does_not_hold_gets_one_page_which_says_what_to_do(lite: World, capsys: Any) -> None:
    await a_brand(lite)
    browser, pages = await lite.client(None), set()
    bad = forged() | {name: a_sign_in(**changes) for name, changes in CHANGED.items()}
    for name, token in bad.items():
        refused = await post(browser, "/p/session", code=token)
        assert refused.status_code == 400, name
        pages.add(refused.text)
    assert len(pages) == 1
    assert "Go back to the site that sent you here and open this page from there again." in pages.pop()
    assert "sayso_person" not in browser.cookies
    logged = capsys.readouterr().err
    for why in ("key", "algorithm", "signature", "audience", "expired", "jti"):
        assert f'"why":"{why}"' in logged
    assert "c-1" not in logged


async def test_a_token_is_spent_once_however_many_browsers_hold_it(world: World) -> None:
    await a_brand(world)
    token = a_sign_in()
    browsers = [await world.client(None) for _ in range(8)]
    answers = await asyncio.gather(*(post(each, "/p/session", code=token) for each in browsers))
    assert sorted(each.status_code for each in answers) == [303] + [400] * 7


async def test_clocks_may_differ_by_half_a_minute(lite: World) -> None:
    await a_brand(lite)
    with freeze_time("2026-11-22 09:00:00", real_asyncio=True) as clock:
        browser = await lite.client(None)
        second = claims_of()["iat"]
        for ahead, answer in ((30, 303), (31, 400)):
            early = a_sign_in(iat=second + ahead, exp=second + ahead + 60)
            assert (await post(browser, "/p/session", code=early)).status_code == answer, ahead
        late = [a_sign_in(exp=second + 60) for _ in range(2)]
        for passed, token, answer in ((89, late[0], 303), (1, late[1], 400)):
            clock.tick(passed)
            assert (await post(browser, "/p/session", code=token)).status_code == answer, passed
        again = await post(browser, "/p/session", code=late[0])
        assert again.status_code == 400, "a token that was spent stays spent while it would hold"


async def test_a_form_from_a_strange_page_spends_nothing_and_asks(lite: World) -> None:
    await a_brand(lite)
    browser, token = await lite.client(None), a_sign_in()
    for origin in ("https://evil.example", "null", ""):
        asked = await hand_over(browser, token, origin)
        assert (asked.status_code, token in asked.text) == (200, True), origin
        assert "Nothing happens until you press the button." in asked.text
    assert "sayso_person" not in browser.cookies
    assert (await post(browser, "/p/session", code=token)).status_code == 303
    quoted = await hand_over(browser, '"><script>alert(1)</script>', "https://evil.example")
    assert "<script>alert" not in quoted.text


async def test_signing_in_as_somebody_else_changes_who_is_there(lite: World) -> None:
    subject = await a_brand(lite)
    other = await lite.person("c-2")
    await lite.choose(other)
    browser = await lite.client(None)
    await post(browser, "/p/session", code=a_sign_in(identifier=None, sub=subject))
    assert "data-proof=" not in (await browser.get("/p/you/history")).text
    await post(browser, "/p/session", code=a_sign_in(identifier=None, sub=other))
    assert (await browser.get("/p/you/history")).text.count("data-proof=") == 1


async def test_the_key_of_one_brand_opens_nothing_at_another(lite: World) -> None:
    subject = await a_brand(lite)
    acme = await another(lite)
    assert (await lite.apply(MANIFEST.read_text("utf-8"), client=acme)).status_code == 200
    browser = await lite.client(None)
    for token in (a_sign_in(aud="sign-in:acme"), a_sign_in(aud="sign-in:acme", identifier=None, sub=subject)):
        assert (await post(browser, "/p/session", code=token)).status_code == 400
    assert (await lite.apply("clients: {shop: {roles: [recorder]}}", prune=True)).status_code == 200
    assert (await post(browser, "/p/session", code=a_sign_in())).status_code == 400, "a key that is gone opens nothing"


async def test_somebody_the_brand_knows_and_sayso_does_not_comes_in_new(lite: World) -> None:
    await a_brand(lite)
    browser = await lite.client(None)
    entered = await post(browser, "/p/session", code=a_sign_in(identifier={"type": "customer_id", "value": "c-9"}))
    assert entered.status_code == 303
    assert "There is nothing" not in (await browser.get("/p/you")).text
    found = await lite.admin.post("/v1/subjects/resolve", json={"identifier": {"type": "customer_id", "value": "c-9"}})
    assert found.status_code == 200


async def test_everything_is_refused_with_the_brands_word_in_one_press(lite: World) -> None:
    subject = await a_brand(lite)
    await lite.choose(subject)
    browser = await lite.client(None)
    entered = await post(browser, "/p/session", code=a_sign_in(), withdraw="all")
    assert entered.headers["location"] == "/p/you?withdrawn=1"
    assert await status(lite, subject) == "withdrawn"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "one member, 'keys'"),
        ("{keys: {}}", "one member, 'keys'"),
        ("{keys: [1]}", "is a mapping"),
        ("{keys: [{kty: RSA, kid: a, n: x, e: AQAB}]}", "kty OKP"),
        ("{keys: [{kty: oct, kid: a, k: c2VjcmV0}]}", "is secret"),
        (f"{{keys: [{{kty: OKP, crv: Ed25519, kid: a, x: {X}, d: {X}}}]}}", "is secret"),
        (f"{{keys: [{{kty: OKP, crv: Ed25519, x: {X}}}]}}", "has a kid"),
        ("{keys: [{kty: OKP, crv: Ed25519, kid: a, x: AAAA}]}", "no point"),
        (f"{{keys: [{{kty: EC, crv: P-256, kid: a, x: {X}, y: {X}}}]}}", "no point"),
        (f"{{keys: [{{kty: OKP, crv: Ed25519, kid: a, x: {X}, colour: red}}]}}", "no member"),
        ("{keys: [" + f"{{kty: OKP, crv: Ed25519, kid: a, x: {X}}}," * 2 + "]}", "Two keys"),
        ("{keys: [" + f"{{kty: OKP, crv: Ed25519, kid: a, x: {X}}}," * 9 + "]}", "8 keys at most"),
    ],
)
def test_a_key_set_that_does_not_fit_is_refused(text: str, says: str) -> None:
    tree = load([("test.yaml", f"set: {text}".encode())])
    assert isinstance(tree, Map)
    problems: list[Problem] = []
    parse_jwks(tree.get("set"), problems)
    assert any(says in each.message for each in problems), problems
