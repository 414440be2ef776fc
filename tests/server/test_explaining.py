"""Why a question is answered as it is: the rules, the bases, the facts, and what nearly matched."""

from typing import Any

import pytest

from tests.server.worlds import World

ASKED = {"action": "use", "category": "contact.email", "purpose": "marketing.email"}


async def explained(world: World, **more: Any) -> dict[str, Any]:
    answer = await world.admin.post("/v1/policy/explain", json={"client": "crm", **ASKED, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ready(world: World) -> str:
    await world.smallest()
    await world.key("crm", "marketing_sender")
    subject = await world.person()
    await world.choose(subject)
    return subject


async def test_it_tells_the_rule_and_what_the_person_said(world: World) -> None:
    subject = await ready(world)
    found = await explained(world, subject=subject)
    assert (found["decision"], found["rule"], found["basis"]) == (True, "R010", "consent")
    (law,) = found["laws"]
    assert law["jurisdiction"] == "any"
    assert [(match["rule"], match["effect"], match["by"]) for match in law["matches"]] == [("R010", "allow", {})]
    assert law["bases"] == [{"rule": "R010", "basis": "consent", "need": "-", "admitted": True, "failed": ""}]
    assert found["facts"]["status"] == "granted"
    withdrawn = await world.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": "all", "method": "api"})
    assert withdrawn.status_code == 201, withdrawn.text
    after = await explained(world, subject=subject)
    assert (after["decision"], after["reason"]) == (False, "withdrawn")
    assert after["laws"][0]["bases"][0]["failed"] == "withdrawn"
    assert after["near_misses"] == []


async def test_a_deny_that_reaches_down_and_up_says_by_which_names(world: World) -> None:
    await ready(world)
    found = await explained(world, client=None, roles=["support_lead"], category="health", purpose="ads")
    assert (found["decision"], found["reason"]) == (False, "rule_denied")
    (law,) = found["laws"]
    assert law["denied_by"] == ["R030"]
    assert law["matches"][0]["by"] == {"role": "support_lead → any", "action": "use → any"}


async def test_where_no_rule_permits_the_near_misses_are_named(world: World) -> None:
    subject = await ready(world)
    found = await explained(world, subject=subject, action="reveal", category="contact.phone", purpose="support")
    assert found["reason"] == "no_rule"
    assert {"rule": "R020", "member": "role", "asked": "marketing_sender", "wanted": "support_agent"} in found[
        "near_misses"
    ]
    misspelt = await explained(world, category="contact.emial")
    assert (misspelt["reason"], misspelt["nearest"], misspelt["laws"]) == ("unknown_name", "contact.email", [])


async def test_it_is_for_officers_and_leaves_an_entry_about_the_person(world: World) -> None:
    subject = await ready(world)
    await explained(world, subject=subject)
    crm = await world.key("other", "marketing_sender", "pep")
    assert (await crm.post("/v1/policy/explain", json={"client": "crm", **ASKED})).status_code == 403
    await world.services.settle()
    entries = (await world.admin.get("/v1/audit/entries", params={"type": "access.explained"})).json()["entries"]
    assert len(entries) == 1
    permitted = (await world.admin.get("/v1/audit/entries", params={"type": "access.permitted"})).json()["entries"]
    assert permitted == [], "an explanation permits nothing"


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"client": "crn"}, "unknown-client"),
        ({"roles": ["marketing_sender"]}, "client-or-roles"),
        ({"client": None}, "client-or-roles"),
        ({"subject": "c-1"}, "malformed-id"),
    ],
    ids=lambda each: str(each),
)
async def test_what_cannot_be_asked_is_refused(lite: World, change: dict[str, Any], slug: str) -> None:
    await ready(lite)
    answer = await lite.admin.post("/v1/policy/explain", json={"client": "crm", **ASKED, **change})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(f"#{slug}")
