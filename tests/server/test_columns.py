"""`POST /v1/decide/columns` as a service sees it."""

from typing import Any

import httpx

from tests.server.questionnaire import prefer
from tests.server.worlds import World

MAIL = {"action": {"values": ["use"]}, "category": {"values": ["contact.email"]}}


async def decide(client: httpx.AsyncClient, **columns: Any) -> dict[str, Any]:
    answer = await client.post("/v1/decide/columns", json=MAIL | columns)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reasons(found: dict[str, Any]) -> list[str]:
    return [found["answers"]["values"][row]["reason"] for row in found["answers"]["rows"]]


async def test_a_batch_is_answered_as_its_questions_one_by_one(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender", default_purpose="marketing.email")
    people = [await world.person(f"c-{n}") for n in range(3)]
    await world.choose(people[0])
    await world.choose(people[1], choices={"marketing.email": "refused"})
    rows = [(action, person) for action in ("use", "reveal", "export") for person in [*people, "nobody"]]
    found = await decide(
        mailer,
        action={"values": ["use", "reveal", "export"], "rows": [n // 4 for n in range(12)]},
        subject={"values": [*people, "nobody"], "rows": [n % 4 for n in range(12)]},
    )
    singly = []
    for action, person in rows:
        body = {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": action},
            "resource": {"type": "contact.email", "id": person},
        }
        singly.append((await mailer.post("/access/v1/evaluation", json=body)).json()["context"]["reason"])
    assert reasons(found) == singly
    assert singly[0] == "permitted"
    assert len(found["answers"]["values"]) == len(set(singly)), "each different answer stands there once"
    entry = (await world.admin.get(f"/v1/audit/entries/{found['entry']}")).json()
    assert (entry["type"], entry["res"]) == ("access.list.decided", {"count": "12", "permitted": "2"})


async def test_messages_are_counted_in_the_order_of_the_rows(tea: World) -> None:
    mailer = await tea.key("mailer", "sender")
    capped, free = await tea.person("c-1"), await tea.person("c-2")
    for subject in (capped, free):
        await tea.choose(subject)
        await tea.admin.put(f"/v1/subjects/{subject}/relations/o-1", json={"kind": "contract"})
    await prefer(tea, capped, {"frequency": {"email": {"most": 2, "per": "week"}}})
    batch = {
        "purpose": {"values": ["marketing.email", "orders"], "rows": [0, 1, 0, 0, 1]},
        "channel": {"values": ["email"]},
        "subject": {"values": [capped, free], "rows": [0, 0, 1, 0, 0]},
    }
    # Messages about orders are no less messages: contract is a basis that no no can block, so no wish counts there.
    found = await decide(mailer, **batch)
    assert reasons(found) == ["permitted", "permitted", "permitted", "permitted", "permitted"]
    again = await decide(mailer, **batch)
    assert reasons(again) == ["later", "permitted", "permitted", "later", "permitted"]
    later = again["answers"]["values"][again["answers"]["rows"][0]]
    assert later["decision"] is False
    assert later["retry_after"]
    unused = await mailer.post(f"/v1/uses/{found['entry']}/unused", json={"subjects": [capped]})
    assert unused.status_code == 200, unused.text
    assert reasons(await decide(mailer, **batch)) == ["permitted"] * 5


async def test_a_batch_that_does_not_fit_is_refused_and_leaves_nothing(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    subject = {"subject": {"values": ["sub_1", "sub_2"]}}
    before = (await lite.admin.get("/v1/audit/entries?type=access.*")).json()
    for body, status, slug in (
        (MAIL | subject | {"action": {"values": ["use"], "rows": [0]}}, 400, "ragged-columns"),
        (MAIL | subject | {"action": {"values": ["use"], "rows": [0, 1]}}, 400, "place-outside"),
        (MAIL | subject | {"action": {"values": ["use"], "rows": [0, -1]}}, 400, "malformed"),
        (MAIL | subject | {"action": {"values": ["use"], "rows": [0, "1"]}}, 400, "malformed"),
        (MAIL | subject | {"action": ["use", "use"]}, 400, "malformed"),
        (MAIL | subject | {"tokens": ["tok_1"]}, 400, "malformed"),
        (MAIL, 400, "malformed"),
        (MAIL | {"subject": {"values": []}}, 400, "no-rows"),
        (MAIL | {"subject": {"values": ["x"], "rows": [0] * 10_001}}, 413, "too-many-rows"),
    ):
        answer = await mailer.post("/v1/decide/columns", json=body)
        assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (status, slug), answer.text
    assert (await lite.admin.get("/v1/audit/entries?type=access.*")).json() == before
    assert (await lite.nobody.post("/v1/decide/columns", json=MAIL | subject)).status_code == 401
    recorder = await lite.key("writer", "recorder")
    assert (await recorder.post("/v1/decide/columns", json=MAIL | subject)).status_code == 403
