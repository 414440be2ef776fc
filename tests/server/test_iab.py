"""The IAB's deletion requests: tokens made and read by `cryptography` alone, checked in order, taken once, answered."""

import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from freezegun import freeze_time

from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now
from sayso.server.taken import store as taken
from tests.server.worlds import World, a_world
from tests.source import ROOT

PUBLISHER, VENDOR, OTHER = generate_private_key(SECP256R1()), generate_rsa(65_537, 2_048), Ed25519PrivateKey.generate()
PATH = "/t/default/iab/deletions"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HASHED = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def by_publisher(signed: bytes) -> bytes:
    r, s = decode_dss_signature(PUBLISHER.sign(signed, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def by_vendor(signed: bytes) -> bytes:
    return VENDOR.sign(signed, PKCS1v15(), SHA256())


SIGNS: dict[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "publisher.example": ("ES256", "p1", by_publisher),
    "vendor.example": ("RS256", "v1", by_vendor),
    "third.example": ("EdDSA", "t1", OTHER.sign),
}


def manifest(*parties: str) -> str:
    ec, rsa = PUBLISHER.public_key().public_numbers(), VENDOR.public_key().public_numbers()
    x, y = (b64(each.to_bytes(32, "big")) for each in (ec.x, ec.y))
    edwards = {"kty": "OKP", "crv": "Ed25519", "kid": "t1", "x": b64(OTHER.public_key().public_bytes_raw())}
    keys = {
        "publisher.example": {"kty": "EC", "crv": "P-256", "kid": "p1", "x": x, "y": y},
        "vendor.example": {"kty": "RSA", "kid": "v1", "n": number(rsa.n), "e": number(rsa.e), "alg": "RS256"},
        "third.example": edwards,
    }
    section = {
        "domain": "hale.example",
        "law": "ccpa",
        "identifiers": [
            {"type": "email", "format": "plain", "as": "email"},
            {"type": "email", "format": "sha256", "as": "mail_hash"},
        ],
        "parties": {each: {"name": f"The {each}", "keys": [keys[each]]} for each in parties},
    }
    return json.dumps({"identifiers": {"mail_hash": {"like": "customer_id"}}, "iab_deletion": section})


def token(claims: dict[str, Any], signer: str, **header: Any) -> str:
    alg, kid, sign = SIGNS[signer]
    head = {"typ": "JWT", "alg": alg, "kid": kid, **header}
    signed = ".".join(b64(json.dumps(each).encode()) for each in (head, claims))
    return f"{signed}.{b64(sign(signed.encode()))}"


def claims(issuer: str, value: str = "lin@example.com", kind: str = "plain", **more: Any) -> dict[str, Any]:
    sub = {"identifierType": "email", "identifierValue": value, "identifierFormat": kind}
    iat = int(datetime.now(UTC).timestamp())
    return {"version": "1.0", "jti": new_id("jti"), "iss": issuer, "sub": sub, "iat": iat, **more}


def identity(
    value: str = "lin@example.com", kind: str = "plain", signer: str = "publisher.example", **more: Any
) -> str:
    return token(claims(signer, value, kind, **more), signer)


def wanted(
    value: str = "lin@example.com", kind: str = "plain", signer: str = "publisher.example", **more: Any
) -> dict[str, Any]:
    return claims(signer, value, kind, **{"idJWT": identity(value, kind), **more})


def asked(*named: Any, signer: str = "publisher.example", **more: Any) -> str:
    return token(wanted(*named, signer=signer, **more), signer)


class Deleting(World):
    """A brand that takes such requests. `ines` is the officer."""

    ines: httpx.AsyncClient

    async def bring(self, request: str) -> httpx.Response:
        return await self.nobody.post(PATH, content=request, headers={"content-type": "application/jwt"})

    async def opened(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ines.get("/v1/rights/requests")).json()["requests"]
        return found

    async def request(self, request: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ines.get(f"/v1/rights/requests/{request}")).json()
        return found

    async def receipt(self, made: str) -> dict[str, Any]:
        """What a receipt says, once it verifies with what `dsrdelete.json` publishes."""
        (key,) = (await self.nobody.get("/dsrdelete.json")).json()["publicKey"]
        head, content, signature = made.split(".")
        header = json.loads(unb64(head))
        assert (header["typ"], header["alg"], header["kid"]) == ("JWT", key["alg"], key["kid"])
        Ed25519PublicKey.from_public_bytes(unb64(key["x"])).verify(unb64(signature), f"{head}.{content}".encode())
        found: dict[str, Any] = json.loads(unb64(content))
        return found


async def ready(world: World) -> Deleting:
    world.__class__ = Deleting
    assert isinstance(world, Deleting)
    await world.smallest()
    applied = await world.apply(manifest("publisher.example", "vendor.example", "third.example"))
    assert applied.status_code == 200, applied.text
    world.ines = await world.key("ines", "officer")
    return world


@pytest_asyncio.fixture
async def everywhere(tmp_path: Path, database_url: str) -> AsyncIterator[Deleting]:
    async with a_world(tmp_path, database_url) as world:
        yield await ready(world)


@pytest_asyncio.fixture
async def deleting(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Deleting]:
    async with a_world(tmp_path, sqlite_url) as world:
        yield await ready(world)


async def test_a_request_opens_an_erasure_with_its_clock_and_is_receipted(everywhere: Deleting) -> None:
    world = everywhere
    subject = await world.person("lin@example.com", "email")
    request = asked("Lin@Example.com ")
    done = await world.bring(request)
    assert (done.status_code, done.headers["content-type"]) == (202, "application/jwt")
    said = await world.receipt(done.text)
    assert (said["iss"], said["rqJWT"], said["raResultCode"], said["version"]) == ("hale.example", request, 0, "1.0")
    (shown,) = await world.opened()
    assert (shown["kind"], shown["law"], shown["status"], shown["by_agent"]) == ("erasure", "ccpa", "open", True)
    assert shown["due_on"] > shown["received_at"][:10]
    whole = await world.request(shown["request"])
    assert (whole["subject"], whole["agent"]) == (subject, "The publisher.example")
    at = f"/v1/rights/requests/{shown['request']}"
    # A publisher's word is not ours: it rests until an officer saw what stands behind it.
    assert (await world.ines.post(f"{at}/verify", json={"method": "officer"})).status_code == 409
    assert (await world.ines.post(f"{at}/fulfil", json={})).status_code == 409
    await world.ines.post(f"{at}/verify", json={"method": "document", "document": "contract 7"})
    assert (await world.ines.post(f"{at}/fulfil", json={})).json()["status"] == "fulfilled"
    await world.services.settle()
    entries = (await world.admin.get("/v1/audit/entries", params={"limit": 200})).json()["entries"]
    assert {each["actor"] for each in entries if each["type"] == "rights.request.opened"} == {"publisher.example"}
    assert "lin@example.com" not in str(entries).lower()


async def test_somebody_unknown_is_answered_like_somebody_known_and_nobody_is_made(deleting: Deleting) -> None:
    await deleting.person("lin@example.com", "email")
    await deleting.person(HASHED, "mail_hash")
    answers = []
    for value, kind in (
        ("lin@example.com", "plain"),
        ("nobody@example.com", "plain"),
        (HASHED.upper(), "sha256"),
        (HASHED[::-1], "sha256"),
    ):
        done = await deleting.bring(asked(value, kind))
        said = await deleting.receipt(done.text)
        answers.append((done.status_code, sorted(done.headers), said["raResultCode"], said["raResultString"]))
    assert len({str(each) for each in answers}) == 1
    assert len(await deleting.opened()) == 4
    body = {"identifier": {"type": "email", "value": "nobody@example.com"}}
    assert (await deleting.admin.post("/v1/subjects/resolve", json=body)).status_code == 404
    texts = [(await deleting.request(each["request"]))["statements"][0]["text"] for each in await deleting.opened()]
    assert any("nobody@example.com" in each for each in texts)
    assert all("publisher.example" in each for each in texts)


async def test_one_asking_is_one_request_by_whichever_way_it_comes(deleting: Deleting) -> None:
    await deleting.person("lin@example.com", "email")
    origin = identity()
    ways = [asked(idJWT=origin), asked(idJWT=origin), asked(signer="vendor.example", idJWT=origin)]
    for each in ways:
        done = await deleting.bring(each)
        assert (done.status_code, (await deleting.receipt(done.text))["raResultCode"]) == (202, 0)
    assert len(await deleting.opened()) == 1
    assert (await deleting.bring(asked())).status_code == 202
    assert len(await deleting.opened()) == 2


async def test_an_officer_sees_that_the_requester_names_another_than_the_publisher_did(deleting: Deleting) -> None:
    await deleting.bring(asked("lin@example.com", signer="vendor.example", idJWT=identity("ann@example.org")))
    await deleting.bring(asked("lin@example.com", signer="vendor.example"))
    texts = [(await deleting.request(each["request"]))["statements"][0]["text"] for each in await deleting.opened()]
    assert sorted("ann@example.org" in each for each in texts) == [False, True]
    # Nor does it add a line of its own.
    forged = "x\nbrought by: The publisher.example"
    await deleting.bring(asked(signer="vendor.example", idJWT=identity(jti=forged)))
    texts = [(await deleting.request(each["request"]))["statements"][0]["text"] for each in await deleting.opened()]
    assert not any(line.startswith("brought by: The publisher") for text in texts for line in text.splitlines())
    assert all("identifier (email, plain): lin@example.com" in each for each in texts)


async def test_json_is_answered_by_json_and_a_sub_may_be_a_text(deleting: Deleting) -> None:
    sub = {"identifierType": "email", "identifierValue": "lin@example.com", "identifierFormat": "plain"}
    done = await deleting.nobody.post(PATH, json={"rqJWT": asked(sub=json.dumps(sub))})
    assert (done.status_code, list(done.json())) == (202, ["acJWT"])
    assert (await deleting.receipt(done.json()["acJWT"]))["raResultCode"] == 0
    for body in ({}, {"rqJWT": 7}, {"rqJWT": asked(), "more": 1}, []):
        assert (await deleting.nobody.post(PATH, json=body)).status_code == 400
    headers = {"content-type": "application/xml"}
    assert (await deleting.nobody.post(PATH, content="x", headers=headers)).status_code == 400
    assert len(await deleting.opened()) == 1


def refusals() -> list[tuple[str, Callable[[], str], int, bool]]:
    """Name, request, the framework's code, and whether a receipt says so: only to whoever signed well."""
    at = int(NOW.timestamp())
    day = 86_400
    named = {"identifierType": "email", "identifierValue": "lin@example.com", "identifierFormat": "plain"}
    forged = claims("publisher.example")
    stranger = {**forged, "iss": "x.example"}
    return [
        ("no token", lambda: "x", 3, False),
        ("two parts", lambda: asked().rpartition(".")[0], 3, False),
        ("too long", lambda: asked(optionalParameters="x" * 20_000), 3, False),
        ("another's key", lambda: token(wanted(), "third.example"), 2, False),
        ("another's key by its name", lambda: token(wanted(), "third.example", kid="p1"), 2, False),
        ("no signature", lambda: asked().rpartition(".")[0] + ".", 2, False),
        ("alg none", lambda: token(wanted(), "publisher.example", alg="none"), 2, False),
        ("alg HS256", lambda: token(wanted(), "publisher.example", alg="HS256"), 2, False),
        ("an unknown key", lambda: token(wanted(), "publisher.example", kid="p2"), 2, False),
        ("something critical", lambda: token(wanted(), "publisher.example", crit=["x"]), 3, False),
        ("nobody known", lambda: token(wanted(iss="nobody.example"), "publisher.example"), 2, False),
        ("no idJWT", lambda: token(claims("publisher.example"), "publisher.example"), 1, False),
        ("no jti", lambda: asked(jti=""), 1, True),
        ("another version", lambda: asked(version="2.0"), 1, True),
        ("another audience", lambda: asked(aud="vendor.example"), 3, True),
        ("no audience of several", lambda: asked(aud=["a.example", "b.example"]), 3, True),
        ("the future", lambda: asked(iat=at + 61), 6, True),
        ("not yet", lambda: asked(nbf=at + 61), 6, True),
        ("an hour ago", lambda: asked(iat=at - 3_600, idJWT=identity(iat=at - 3_600)), 6, True),
        ("ended", lambda: asked(exp=at - 60), 6, True),
        ("asked too long ago", lambda: asked(idJWT=identity(iat=at - 45 * day)), 6, True),
        ("asked after it was sent", lambda: asked(iat=at - 600), 6, True),
        ("an idJWT by nobody", lambda: asked(idJWT=token(stranger, "publisher.example")), 2, True),
        ("an idJWT of another's key", lambda: asked(idJWT=token(forged, "third.example")), 2, True),
        ("an idJWT that is none", lambda: asked(idJWT="a.b"), 3, True),
        ("another type", lambda: asked(sub={**named, "identifierType": "idfa"}), 4, True),
        ("another format", lambda: asked(sub={**named, "identifierFormat": "md5"}), 5, True),
        ("no format", lambda: asked(sub={"identifierType": "email", "identifierValue": "lin@example.com"}), 5, True),
        ("no address", lambda: asked("not an address"), 5, True),
        ("no hash", lambda: asked("lin@example.com", "sha256"), 5, True),
        ("an empty value", lambda: asked(" "), 5, True),
        ("a sub that is no JSON", lambda: asked(sub="lin@example.com"), 1, True),
    ]  # fmt: skip


async def test_what_is_forged_late_or_not_for_us_opens_nothing(deleting: Deleting) -> None:
    await deleting.person("lin@example.com", "email")
    await deleting.services.settle()
    with freeze_time(NOW, real_asyncio=True):
        for what, made, code, receipted in refusals():
            request = made()
            done = await deleting.bring(request)
            said = done.json()
            assert (done.status_code, done.headers["content-type"]) == (400, "application/problem+json"), what
            assert (said["type"].rpartition("#")[2], said["raResultCode"]) == ("deletion-refused", code), what
            assert "lin@" not in str({**said, "acJWT": ""}), what
            assert ("acJWT" in said) == receipted, what
            if receipted:
                receipt = await deleting.receipt(said["acJWT"])
                assert (receipt["raResultCode"], receipt["rqJWT"]) == (code, request), what
        assert (await deleting.bring("A" * 40_000)).status_code == 413
        assert await deleting.opened() == []
    for named in ("hale.example", ["x.example", f"{deleting.services.settings.base_url}{PATH}"]):
        assert (await deleting.bring(asked(aud=named))).status_code == 202


async def test_a_request_is_taken_once_and_remembered_until_it_counts_no_more(everywhere: Deleting) -> None:
    world = everywhere
    # A log in which entries wait for days takes no more: before each leap in time it is settled.
    await world.services.settle()
    with freeze_time(NOW, real_asyncio=True) as clock:
        carried = wanted()
        # An ECDSA signature can be made anew over the same request: it is the same request.
        for request, status in ((carried, 202), (carried, 400)):
            done = await world.bring(token(request, "publisher.example"))
            assert done.status_code == status, done.text
        said = done.json()
        assert (said["type"].rpartition("#")[2], said["raResultCode"]) == ("deletion-replayed", 3)
        assert (await world.receipt(said["acJWT"]))["raResultCode"] == 3
        # Another's request may have the same name.
        named = claims("vendor.example", jti=carried["jti"], idJWT=carried["idJWT"])
        assert (await world.bring(token(named, "vendor.example"))).status_code == 202
        clock.tick(3_599)
        await tidied(world)
        assert (await world.bring(token(carried, "publisher.example"))).json()["raResultCode"] == 3
        clock.tick(2)
        assert (await world.bring(token(carried, "publisher.example"))).json()["raResultCode"] == 6
        assert len(await world.opened()) == 1


async def tidied(world: World) -> None:
    def tidy(tx: Tx) -> Work[None]:
        yield ()
        tx.execute(taken.expired(tx.context.at))

    await world.services.database.run_alone(Context("default", SYSTEM, now(), new_id("req")), tidy)


async def test_a_party_ends_with_its_name_in_the_manifest(deleting: Deleting) -> None:
    assert (await deleting.bring(asked())).status_code == 202
    assert (await deleting.apply(manifest("vendor.example"))).status_code == 200
    assert (await deleting.bring(asked())).json()["raResultCode"] == 2
    # The vendor is known still; the publisher on whose word it asks is not.
    assert (await deleting.bring(asked(signer="vendor.example"))).json()["raResultCode"] == 2


async def test_it_is_off_unless_it_is_declared(deleting: Deleting) -> None:
    published = (await deleting.nobody.get("/t/default/dsrdelete.json")).json()
    assert published["endpoint"].endswith(PATH)
    assert published["identifiers"] == [
        {"id": 1, "type": "email", "format": "plain"},
        {"id": 2, "type": "email", "format": "sha256"},
    ]
    assert published["vendorScriptRequirement"] is False
    assert [(each["kty"], each["crv"], each["alg"]) for each in published["publicKey"]] == [("OKP", "Ed25519", "EdDSA")]
    assert (await deleting.apply("iab_deletion: {}", prune=True)).status_code == 200
    for path in ("/dsrdelete.json", "/t/default/dsrdelete.json", "/t/none/dsrdelete.json"):
        assert (await deleting.nobody.get(path)).status_code == 404
    assert (await deleting.bring(asked())).status_code == 404


async def test_a_receipt_that_was_changed_does_not_verify(deleting: Deleting) -> None:
    head, content, signature = (await deleting.bring(asked())).text.split(".")
    other = json.loads(unb64(content)) | {"raResultCode": 1}
    with pytest.raises(InvalidSignature):
        await deleting.receipt(f"{head}.{b64(json.dumps(other).encode())}.{signature}")


async def test_the_section_of_the_guide_is_applied_as_it_stands(deleting: Deleting) -> None:
    guide = (ROOT / "docs" / "guides" / "rights-requests.md").read_text("utf-8")
    (section,) = re.findall(r"```yaml\n(identifiers:.*?iab_deletion:.*?)```", guide, re.DOTALL)
    assert (await deleting.apply(section, prune=True)).status_code == 200


async def test_a_declaration_that_means_nothing_is_refused_by_its_line(deleting: Deleting) -> None:
    good = json.loads(manifest("publisher.example"))["iab_deletion"]
    key = good["parties"]["publisher.example"]["keys"][0]
    small = number(generate_rsa(65_537, 1_024).public_key().public_numbers().n)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"domain": "https://hale.example"}, "'domain' is ours"),
        ({"law": "moon"}, "'law' is one of"),
        ({"identifiers": []}, "'identifiers' is a list"),
        ({"identifiers": [{"type": "email", "format": "plain", "as": "nothing"}]}, "'as' is a type of identifier"),
        ({"identifiers": [{"type": "", "format": "plain", "as": "email"}]}, "a 'type' and a 'format' of its own"),
        ({"parties": {"Publisher": {"keys": [key]}}}, "A party is named by its domain"),
        ({"parties": {"publisher.example": {"keys": []}}}, "A party is a mapping with its 'keys'"),
        ({"parties": {"publisher.example": {"keys": [{**key, "d": "x"}]}}}, "This key is secret"),
        ({"parties": {"a.example": {"keys": [{"kty": "RSA", "kid": "1", "n": small, "e": "AQAB"}]}}}, "2048 bits"),
        ({"parties": {"a.example": {"keys": [{"kty": "RSA", "kid": "1", "n": small, "e": "Aw"}]}}}, "kty RSA with e"),
        ({"endpoint": "x"}, "'endpoint' is not known here"),
    ]
    for more, words in wrong:
        refused = await deleting.apply(json.dumps({"iab_deletion": {**good, **more}}))
        assert (refused.status_code, words in refused.text) == (400, True), refused.text
