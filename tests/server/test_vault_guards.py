"""Over HTTP: who counts as a second person, rules that ask for one, and what adds up across rules and fields."""

from tests.server.test_vault_opening import MANIFEST, apply, opened, somebody, stored
from tests.server.worlds import World


async def test_a_mask_that_adds_up_with_declared_facts_is_warned_of(lite: World) -> None:
    rule = (
        "  - {id: A9, role: clerk, action: reveal, category: identity, purpose: support, effect: allow, basis: consent"
    )
    for facts, warned in (('["prefix:6", year]', True), ("[year]", False)):
        manifest = MANIFEST.replace('facts: ["age_over:18"]', f"facts: {facts}")
        applied = await lite.apply(f"{manifest}{rule}, obligations: [mask_last4]}}\n")
        assert applied.status_code == 200, applied.text
        assert (
            any("A9: with the facts of customers.number" in each["message"] for each in applied.json()["warnings"])
            == warned
        )


async def test_keys_from_before_the_guard_count_as_who_made_them_until_somebody_else_confirms(lite: World) -> None:
    open_to_all = MANIFEST.replace(", guard: [second_person, break_glass]", "")
    assert (await lite.apply(open_to_all)).status_code == 200
    one = await lite.key("one", "officer")
    made = (await lite.admin.post("/v1/keys", json={"name": "other", "roles": ["officer"]})).json()
    other = await lite.client(made["key"])
    await apply(lite)
    body = {"tokens": [(await stored(lite))["number"]], "purpose": "support", "reason": "the bank asks"}
    asked = (await one.post("/v1/vault/grants", json=body)).json()["grant"]
    for client in (other, lite.admin):
        refused = await client.post(f"/v1/vault/grants/{asked}/approve")
        assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (403, "own-grant")
    listed = {key["id"]: key for key in (await lite.admin.get("/v1/keys")).json()["keys"]}
    assert listed[made["id"]]["made_by"].startswith("key_")
    for client in (lite.admin, one, other):
        assert (await client.post(f"/v1/keys/{made['id']}/confirm")).status_code == 403
    assert (await lite.operator.post(f"/v1/keys/{made['id']}/confirm")).status_code == 204
    approved = await other.post(f"/v1/vault/grants/{asked}/approve")
    assert (approved.status_code, approved.json()["state"]) == (200, "approved")


async def test_a_rule_asks_for_a_second_person_where_its_field_does_not(lite: World) -> None:
    guarded = "effect: allow, basis: consent, obligations: [second_person]"
    more = (
        f"  - {{id: U1, role: agent, action: use, category: contact.phone, purpose: support, {guarded}}}\n"
        f"  - {{id: G1, role: guarded, action: reveal, category: contact.email, purpose: support, {guarded}}}\n"
        f"  - {{id: G2, role: guarded, action: read, category: contact.email, purpose: support, {guarded}}}\n"
    )
    manifest = MANIFEST.replace(", guard: [second_person, break_glass]", "").replace(
        "clerk: []", "clerk: [], guarded: []"
    )
    applied = await lite.apply(manifest + more)
    assert applied.status_code == 200, applied.text
    assert any("U1" in each["message"] and "second person" in each["message"] for each in applied.json()["warnings"])
    token = (await stored(lite, email="ada@example.org"))["email"]
    agent, theirs = await lite.key("crm", "agent"), await lite.key("till", "guarded")
    boss = await somebody(lite, "boss", "officer")
    assert await opened(agent, {"token": token}) == ["ada@example.org"]
    assert await opened(theirs, {"token": token}) == [None]
    assert await opened(theirs, {"token": token, "transform": "domain"}) == [None]
    assert await opened(theirs, {"token": token}, break_glass={"reason": "an accident"}) == [None]

    async def approved() -> str:
        body = {"tokens": [token], "purpose": "support", "reason": "a complaint"}
        grant: str = (await theirs.post("/v1/vault/grants", json=body)).json()["grant"]
        assert (await boss.post(f"/v1/vault/grants/{grant}/approve")).status_code == 200
        return grant

    assert await opened(theirs, {"token": token}, grant=await approved()) == ["ada@example.org"]
    assert await opened(theirs, {"token": token, "transform": "domain"}, grant=await approved()) == ["example.org"]

    async def may_use(*supported: str) -> tuple[bool, str, list[str]]:
        body = {
            "subject": {"type": "service", "id": "crm"},
            "action": {"name": "use"},
            "resource": {"type": "contact.phone", "id": await lite.person()},
            "context": {"purpose": "support", "supported_obligations": supported},
        }
        answer = (await agent.post("/access/v1/evaluation", json=body)).json()
        told = answer["context"]
        return answer["decision"], told["reason"], [each["type"] for each in told.get("obligations", [])]

    assert await may_use() == (False, "unsupported_obligation", [])
    assert await may_use("break_glass", "step_up") == (False, "unsupported_obligation", [])
    assert await may_use("second_person") == (True, "permitted", ["second_person"])
