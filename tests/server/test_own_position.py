"""`Sayso-Registry-Seq`: a write names the position of its own commit, for the `at_least_seq` of what is asked next."""

import asyncio
from typing import Any

from tests.server.worlds import World

HEADER = "sayso-registry-seq"


async def told(world: World) -> dict[str, str]:
    """By record, the position that the feed names."""
    answer = (await world.admin.get("/v1/changes", params={"limit": 500})).json()
    changes = [event["data"] for event in answer["events"]]
    return {each["record"]: each["registry_seq"] for each in changes if "record" in each}


async def asked(world: World, subject: str, seq: str) -> dict[str, Any]:
    body = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email", "at_least_seq": seq},
    }
    answer = await (await world.key("mailer", "marketing_sender")).post("/access/v1/evaluation", json=body)
    found: dict[str, Any] = answer.json()
    return found


async def test_a_write_names_the_position_of_its_own_commit(world: World) -> None:
    await world.smallest()
    people = [await world.person(f"c-{number}") for number in range(12)]
    # At once, so that several share a flush.
    answers = await asyncio.gather(*(world.choose(person) for person in people))
    positions = await told(world)
    for answer in answers:
        assert answer.headers[HEADER] >= positions[answer.json()["record"]]
    last = max(answer.headers[HEADER] for answer in answers)
    assert last == max(positions.values())
    withdrawn = await world.admin.post(
        f"/v1/subjects/{people[0]}/withdrawals", json={"purposes": "all", "method": "api"}
    )
    assert withdrawn.status_code == 201, withdrawn.text
    own = withdrawn.headers[HEADER]
    assert own == (await told(world))[withdrawn.json()["record"]] > last
    after = await asked(world, people[0], own)
    assert (after["decision"], after["context"]["reason"]) == (False, "withdrawn")
    assert after["context"]["registry_seq"] >= own
    ahead = await asked(world, people[1], f"{int(own, 16) + 1_000:016x}")
    assert (ahead["decision"], ahead["context"]["reason"]) == (False, "stale")


async def test_a_write_that_is_sent_again_names_a_position_that_has_it(world: World) -> None:
    await world.smallest()
    person, key = await world.person(), {"idempotency-key": "order-1"}
    body = {
        "subject": person,
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {"marketing.email": "granted"},
        "method": "api",
    }
    first = await world.admin.post("/v1/consents", json=body, headers=key)
    await world.choose(person)
    again = await world.admin.post("/v1/consents", json=body, headers=key)
    assert again.content == first.content
    assert again.headers[HEADER] >= first.headers[HEADER] == (await told(world))[first.json()["record"]]
