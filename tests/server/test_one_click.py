"""The main job, over HTTP: a choice lets a service have an address, a withdrawal and an erasure take it away."""

import json
from typing import Any

import httpx

from tests.server.worlds import World

EMAIL = "ada@example.org"


def ask(subject: str, **context: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email", **context},
    }


async def reveal(client: httpx.AsyncClient, token: str) -> dict[str, Any]:
    body = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "newsletter"}
    response = await client.post("/v1/vault/reveal", json=body)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["results"][0]
    return result


async def test_a_choice_opens_and_a_withdrawal_closes(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    subject = await world.person()
    stored = await world.admin.post(
        "/v1/vault/records", json={"subject": subject, "collection": "customers", "fields": {"email": EMAIL}}
    )
    assert stored.status_code == 201, stored.text
    token = stored.json()["tokens"]["email"]

    before = (await mailer.post("/access/v1/evaluation", json=ask(subject))).json()
    assert (before["decision"], before["context"]["reason"]) == (False, "no_consent")
    assert (await reveal(mailer, token))["code"] == "unresolvable"

    recorded = await world.choose(subject)
    assert recorded.status_code == 201, recorded.text
    assert recorded.json()["state"]["marketing.email"]["status"] == "granted"
    after = (await mailer.post("/access/v1/evaluation", json=ask(subject))).json()
    assert (after["decision"], after["context"]["reason"]) == (True, "permitted")
    assert (await reveal(mailer, token))["value"] == EMAIL

    withdrawn = await world.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": "all"})
    assert withdrawn.status_code == 201, withdrawn.text
    last = (await mailer.post("/access/v1/evaluation", json=ask(subject))).json()
    assert (last["decision"], last["context"]["reason"]) == (False, "withdrawn")
    assert (await reveal(mailer, token))["code"] == "unresolvable"


async def test_an_erasure_leaves_a_certificate_and_nothing_to_open(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    subject = await world.person()
    await world.choose(subject)
    stored = await world.admin.post(
        "/v1/vault/records", json={"subject": subject, "collection": "customers", "fields": {"email": EMAIL}}
    )
    token = stored.json()["tokens"]["email"]
    assert (await reveal(mailer, token))["value"] == EMAIL

    opened = await world.admin.post("/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"})
    assert opened.status_code == 201, opened.text
    path = f"/v1/rights/requests/{opened.json()['request']}"
    assert (await world.admin.get(f"{path}/certificate")).status_code == 409
    assert (await world.admin.post(f"{path}/verify", json={"method": "officer"})).status_code == 200
    done = await world.admin.post(f"{path}/fulfil", json={})
    assert done.status_code == 200, done.text
    certificate = await world.admin.get(f"{path}/certificate")
    assert certificate.headers["content-type"].startswith("application/jose")

    assert (await reveal(mailer, token))["code"] == "unresolvable"
    asked = (await mailer.post("/access/v1/evaluation", json=ask(subject))).json()
    assert asked["context"]["reason"] == "no_subject"
    again = await world.person()
    assert again != subject
    ignored = (await world.choose(again)).json()
    assert ignored["ignored"] == {"marketing.email": "suppressed"}


async def test_every_answer_is_an_entry_with_a_proof(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    subject = await world.person()
    entry = (await mailer.post("/access/v1/evaluation", json=ask(subject))).json()["context"]["entry"]
    shown = (await world.admin.get(f"/v1/audit/entries/{entry}")).json()
    assert (shown["type"], shown["outcome"], shown["actor"]) == ("access.denied", "deny", "mailer")
    assert json.loads(json.dumps(shown["leaf"]))["id"] == entry
    proof = await world.admin.get(f"/v1/audit/entries/{entry}/proof?wait=integrated")
    assert proof.status_code == 200, proof.text
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\n")
