"""`POST /v1/plan` as a service sees it."""

from tests.server.worlds import World

QUESTION = {"action": "use", "category": "contact.email", "purpose": "marketing.email"}


async def test_a_plan_tells_of_whom_the_answer_is_yes_and_is_an_entry(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    response = await mailer.post("/v1/plan", json=QUESTION)
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["plan"] == "conditional"
    assert found["condition"]["op"] == "all"
    assert {"op": "is", "fact": "known"} in found["condition"]["of"]
    assert {"op": "status", "among": ["granted"]} in found["condition"]["of"]
    (way,) = found["ways"]
    assert (way["rule"], way["basis"], "eea" in way["laws"]) == ("R010", "consent", True)
    entry = (await world.admin.get(f"/v1/audit/entries/{found['entry']}")).json()
    assert entry["type"] == "access.planned"
    assert entry["res"] == {
        "action": "use",
        "category": "contact.email",
        "purpose": "marketing.email",
        "plan": "conditional",
        "reason": "-",
    }


async def test_a_plan_for_another_brands_names_or_a_wrong_word_lets_nobody_through(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    found = (await mailer.post("/v1/plan", json=QUESTION | {"category": "contact.emial"})).json()
    assert (found["plan"], found["reason"], found["nearest"]) == ("always_denied", "unknown_name", "contact.email")
    assert found["condition"] == {"op": "any", "of": []}
    assert (await mailer.post("/v1/plan", json=QUESTION | {"subject": "sub_1"})).status_code == 400
    assert (await mailer.post("/v1/plan", json=QUESTION | {"channel": 7})).status_code == 400
    assert (await lite.nobody.post("/v1/plan", json=QUESTION)).status_code == 401
    writer = await lite.key("writer", "recorder")
    assert (await writer.post("/v1/plan", json=QUESTION)).status_code == 403
