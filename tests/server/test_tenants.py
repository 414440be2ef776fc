"""Two brands are two worlds: whatever belongs to another is exactly as unknown as what never was."""

import re
from typing import Any

import httpx

from tests.server.worlds import World

NEVER = "0" * 32


async def another(world: World, name: str = "acme") -> httpx.AsyncClient:
    made = await world.operator.post("/v1/tenants", json={"name": name, "controller": "Acme GmbH, Germany"})
    assert made.status_code == 201, made.text
    return await world.client(made.json()["admin_key"])


def anonymous(text: str) -> str:
    """An answer without what differs between any two calls."""
    return re.sub(r"(ent|aud)_[0-9a-f]{32}|[0-9a-f]{16}(?=\")|\d{4}-\d\d-\d\dT[0-9:.]+Z", "*", text)


async def test_crossed_calls_are_byte_equal_to_unknown_ids(world: World) -> None:
    await world.smallest()
    acme = await another(world)
    manifest = (await world.admin.get("/v1/manifest")).json()
    assert manifest["version"] == 1
    from tests.server.worlds import MANIFEST

    assert (await world.apply(MANIFEST.read_text("utf-8"), client=acme)).status_code == 200
    subject = await world.person()
    record = (await world.choose(subject)).json()
    stored = await world.admin.post(
        "/v1/vault/records",
        json={"subject": subject, "collection": "customers", "fields": {"email": "ada@example.org"}},
    )
    token = stored.json()["tokens"]["email"]
    request = (await world.admin.post("/v1/rights/requests", json={"subject": subject, "kind": "access"})).json()[
        "request"
    ]
    key = (await world.admin.get("/v1/keys")).json()["keys"][0]["id"]
    await world.services.settle()

    def calls(sub: str, cns: str, ent: str, rrq: str, tok: str, crd: str) -> list[tuple[str, str, Any]]:
        ask = {
            "subject": {"type": "service", "id": "admin"},
            "action": {"name": "read"},
            "resource": {"type": "contact.email", "id": sub},
            "context": {"purpose": "dsar"},
        }
        consent = {
            "subject": sub,
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": {"marketing.email": "granted"},
        }
        return [
            ("GET", f"/v1/subjects/{sub}/consents", None),
            ("GET", f"/v1/subjects/{sub}/history", None),
            ("POST", f"/v1/subjects/{sub}/withdrawals", {"purposes": "all"}),
            ("POST", f"/v1/subjects/{sub}/links", {}),
            ("POST", f"/v1/subjects/{sub}/objections", {}),
            ("POST", f"/v1/subjects/{sub}/objections/withdrawals", {"purposes": ["marketing.email"]}),
            ("POST", f"/v1/consents/{cns}/confirmations", None),
            ("GET", f"/v1/subjects/{sub}/facts", None),
            ("PUT", f"/v1/subjects/{sub}/age-band", {"youngest": 13, "source": "declared"}),
            ("PUT", f"/v1/subjects/{sub}/guardians/sub_{NEVER[:-1]}1", {"verified_by": "document"}),
            ("DELETE", f"/v1/subjects/{sub}/guardians/sub_{NEVER[:-1]}1", None),
            ("PUT", f"/v1/subjects/{sub}/restriction", None),
            ("DELETE", f"/v1/subjects/{sub}/jurisdictions/de", None),
            ("DELETE", f"/v1/subjects/{sub}/relations/r1", None),
            ("PUT", f"/v1/subjects/{sub}/relations/r1", {"kind": "contract"}),
            ("POST", "/v1/consents", consent),
            ("GET", f"/v1/consents/{cns}/receipt", None),
            ("GET", f"/v1/audit/entries/{ent}", None),
            ("GET", f"/v1/audit/entries/{ent}/proof", None),
            ("GET", f"/v1/rights/requests/{rrq}", None),
            ("POST", f"/v1/rights/requests/{rrq}/verify", {"method": "officer"}),
            ("GET", f"/v1/rights/requests/{rrq}/certificate", None),
            ("DELETE", f"/v1/keys/{crd}", None),
            ("POST", "/access/v1/evaluation", ask),
            ("POST", "/v1/vault/reveal", {"items": [{"token": tok}], "purpose": "dsar", "reason": "test"}),
            (
                "POST",
                "/v1/vault/records",
                {"subject": sub, "collection": "customers", "fields": {"email": "b@example.org"}},
            ),
        ]

    foreign = calls(subject, record["record"], record["entry"], request, token, key)
    unknown = calls(f"sub_{NEVER}", f"cns_{NEVER}", f"ent_{NEVER}", f"rrq_{NEVER}", "tok_never", f"crd_{NEVER}")
    for (method, path, body), (_, other, twin) in zip(foreign, unknown, strict=True):
        crossed = await acme.request(method, path, json=body)
        never = await acme.request(method, other, json=twin)
        assert crossed.status_code == never.status_code, (path, crossed.text, never.text)
        assert anonymous(crossed.text) == anonymous(never.text), path
        assert crossed.status_code < 500
    own = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    assert own["purposes"]["marketing.email"]["status"] == "granted"


async def test_the_same_identifier_is_another_person_in_another_brand(world: World) -> None:
    acme = await another(world)
    body = {"identifier": {"type": "email", "value": "ada@example.org"}, "create": True}
    here = (await world.admin.post("/v1/subjects/resolve", json=body)).json()
    there = (await acme.post("/v1/subjects/resolve", json=body)).json()
    assert here["subject"] != there["subject"]
    assert here["aid"] != there["aid"]


async def test_each_brand_has_a_log_of_its_own(world: World) -> None:
    acme = await another(world)
    await world.services.settle()
    ours, theirs = [(await client.get("/v1/audit/logs")).json()["logs"][0] for client in (world.admin, acme)]
    assert (ours["log"], theirs["log"]) == ("default.main", "acme.main")
    assert ours["vkey"] != theirs["vkey"]
    assert (await acme.get("/log/default.main/tile/entries/000.p/1")).status_code == 404
    assert (await acme.get("/log/default.main/checkpoint")).status_code == 200


async def test_a_brand_of_that_name_or_of_a_bad_one_is_refused(lite: World) -> None:
    for name, status in (("default", 409), ("_", 400), ("UPPER", 400), ("a.b", 400), ("", 400)):
        made = await lite.operator.post("/v1/tenants", json={"name": name, "controller": "X"})
        assert made.status_code == status, name


async def test_sites_of_brands_are_told_apart_by_the_brand_in_front(lite: World) -> None:
    from tests.server.worlds import MANIFEST

    await lite.smallest()
    acme = await another(lite)
    await lite.apply(MANIFEST.read_text("utf-8"), client=acme)
    for name, status in (
        ("shop", 200),
        ("default.shop", 200),
        ("acme.shop", 200),
        ("acme.none", 404),
        ("none.shop", 404),
    ):
        assert (await lite.nobody.get(f"/v1/sites/{name}/banner.json")).status_code == status, name
