"""Entries of other systems, through HTTP: sealed, proven and found like our own."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from audit.tables import audit_detail
from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now, text
from tests.server.test_exports import fetched, made
from tests.server.worlds import World

SOLD = {
    "type": "external.shop.address_printed",
    "purpose": "marketing.email",
    "category": "contact.email",
    "action": "use",
    "detail": {"to": "a.person@example.com"},
}


async def test_another_systems_entry_is_in_the_log_with_its_person_and_without_their_data(world: World) -> None:
    await world.smallest()
    person = await world.person()
    shop = await world.key("shop", "recorder")
    answer = await shop.post("/v1/audit/entries", json={**SOLD, "subject": person})
    assert answer.status_code == 201, answer.text
    entry = answer.json()["entry"]
    proof = await world.admin.get(f"/v1/audit/entries/{entry}/proof?wait=integrated")
    assert proof.status_code == 200
    leaves = await fetched(world.admin, await made(world, world.admin, format="jsonl", type="external.*"))
    assert b"external.shop.address_printed" in leaves
    assert b"a.person" not in leaves
    (found,) = (await world.admin.get("/v1/audit/entries", params={"type": "external.shop.*"})).json()["entries"]
    assert found["entry"] == entry
    bundle = await world.admin.post(f"/v1/subjects/{person}/entries/bundle")
    assert bundle.status_code == 200
    unknown = await shop.post("/v1/audit/entries", json={**SOLD, "subject": "sub_" + "00" * 16})
    assert unknown.status_code == 201, "whether there is such a person is not told"


async def test_what_is_said_of_somebody_erased_is_not_kept_under_the_brands_key(world: World) -> None:
    await world.smallest()
    gone, stays = await world.person(), await world.person("c-2")
    request = (await world.admin.post("/v1/rights/requests", json={"subject": gone, "kind": "erasure"})).json()
    for step, body in (("verify", {"method": "officer"}), ("fulfil", {})):
        done = await world.admin.post(f"/v1/rights/requests/{request['request']}/{step}", json=body)
        assert done.status_code == 200, done.text
    shop = await world.key("shop", "recorder")
    batch = {"entries": [{**SOLD, "subject": each} for each in (gone, stays)] + [SOLD]}
    written = await shop.post("/v1/audit/entries/batch", json=batch)
    assert written.status_code == 201, written.text

    def details(tx: Tx) -> Work[set[str]]:
        (rows,) = yield (tx.select(select(audit_detail.c.entry)),)
        return {text("ent", bytes(entry)) for (entry,) in rows}

    context = Context("default", SYSTEM, now(), new_id("req"))
    kept = await world.services.database.look(context, details)
    assert [each in kept for each in written.json()["entries"]] == [False, False, True]
    await world.services.settle()
    leaves = await fetched(world.admin, await made(world, world.admin, format="jsonl", type="external.*"))
    commitments = [sorted(json.loads(line)["c"]) for line in leaves.splitlines()]
    assert commitments[0] == commitments[1], "whether there is such a person is not told"


async def test_a_batch_is_written_whole_or_not_at_all_and_once(world: World) -> None:
    await world.smallest()
    person = await world.person()
    shop = await world.key("shop", "recorder")
    batch = {"entries": [{**SOLD, "subject": person}, {"type": "external.shop.opened"}] * 50}
    headers = {"idempotency-key": "a-batch"}
    first = await shop.post("/v1/audit/entries/batch", json=batch, headers=headers)
    assert first.status_code == 201, first.text
    assert len(set(first.json()["entries"])) == 100
    assert (await shop.post("/v1/audit/entries/batch", json=batch, headers=headers)).json() == first.json()
    wrong = {"entries": [*batch["entries"], {"type": "access.permitted"}]}
    refused = await shop.post("/v1/audit/entries/batch", json=wrong)
    assert (refused.status_code, refused.json()["place"]) == (400, 100)
    await world.services.settle()
    found = (await world.admin.get("/v1/audit/entries", params={"type": "external.*", "limit": 200})).json()["entries"]
    assert {each["entry"] for each in found} == set(first.json()["entries"])


@pytest.mark.parametrize(
    ("entry", "slug"),
    [
        ({"type": "consent.choice.recorded"}, "not-external"),
        ({"type": "external"}, "not-external"),
        ({"type": "external.Shop"}, "not-external"),
        ({"type": "external.a.b.c.d"}, "not-external"),
        ({"type": "external.x", "purpose": "marketing.emial"}, "unknown-name"),
        ({"type": "external.x", "category": "a.person@example.com"}, "unknown-name"),
        ({"type": "external.x", "detail": {"x": "y" * 9_000}}, "detail-too-long"),
        ({"type": "external.x", "subject": "c-1"}, None),
        ({"type": "external.x", "res": {}}, None),
        ({"type": "external.x", "outcome": "maybe"}, None),
    ],
)
async def test_what_is_no_entry_of_another_system_is_refused(lite: World, entry: Any, slug: str | None) -> None:
    await lite.smallest()
    shop = await lite.key("shop", "recorder")
    answer = await shop.post("/v1/audit/entries", json=entry)
    assert answer.status_code == 400, answer.text
    assert slug is None or answer.json()["type"].endswith(slug)
    assert "a.person" not in answer.text


async def test_only_recorders_and_enforcement_points_write(lite: World) -> None:
    await lite.smallest()
    for role, status in (("auditor", 403), ("officer", 403), ("marketing_sender", 403), ("pep", 201)):
        client = await lite.key(f"one-{role}", role)
        assert (await client.post("/v1/audit/entries", json={"type": "external.x"})).status_code == status
    assert (await lite.nobody.post("/v1/audit/entries", json={"type": "external.x"})).status_code == 401
